import type { Fault } from '../../src/base/fault.ts';
import type { MessageBatch, PartitionListener, StreamEnd } from '../../src/stream/kafka/types.ts';

const textOf = (bytes: Uint8Array, start: number, end: number): string | null =>
  start === -1 ? null : Buffer.from(bytes.subarray(start, end)).toString();

/** Keeps all that a reader says of a partition; a batch that does not follow the one before is a mistake. */
export class Recorder implements PartitionListener {
  readonly values: (string | null)[] = [];
  readonly offsets: number[] = [];
  readonly batches: MessageBatch[] = [];
  readonly troubles: (Fault | null)[] = [];
  readonly mistakes: string[] = [];
  position: number;
  end: StreamEnd | null = null;
  lostAt: StreamEnd | null = null;
  observedCount = 0;
  /** While this is set, `take` does not resolve. */
  blocked: Promise<void> | null = null;

  constructor(position = 0) {
    this.position = position;
  }

  async take(batch: MessageBatch): Promise<void> {
    if (batch.startOffset !== this.position) this.mistakes.push(`${batch.startOffset} follows ${this.position}`);
    const accounted = batch.count + batch.controlCount + batch.abortedCount + batch.gapCount;
    if (accounted !== batch.endOffset - batch.startOffset) this.mistakes.push(`${accounted} offsets accounted for`);
    this.position = batch.endOffset;
    this.batches.push(batch);
    for (let index = 0; index < batch.count; index++) {
      this.offsets.push(batch.offsets[index]!);
      this.values.push(textOf(batch.bytes, batch.valueStarts[index]!, batch.valueEnds[index]!));
    }
    await this.blocked;
  }

  observe(end: StreamEnd): void {
    this.end = end;
    this.observedCount++;
  }

  lost(end: StreamEnd): void {
    this.lostAt = end;
  }

  trouble(cause: Fault | null): void {
    this.troubles.push(cause);
  }

  get isCaughtUp(): boolean {
    return this.end !== null && this.position >= this.end.endOffset;
  }

  sum(count: 'count' | 'controlCount' | 'abortedCount' | 'gapCount'): number {
    return this.batches.reduce((sum, batch) => sum + batch[count], 0);
  }
}

/** @throws Error that says what was waited for. */
export async function until(what: string, isSo: () => boolean, timeoutMs = 20_000): Promise<void> {
  const startedAtMs = performance.now();
  while (!isSo()) {
    if (performance.now() - startedAtMs > timeoutMs) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}
