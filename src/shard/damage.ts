import { toFault } from '../base/fault.ts';
import type { SegmentDamage } from '../wire/shard-calls.ts';

/** What a shard found damaged of committed segments: kept until the segment is evicted, for the server asks now and then. */
export class Damage {
  readonly #found = new Map<string, SegmentDamage>();

  note(segmentId: string, part: SegmentDamage['part'], error: unknown): void {
    const key = `${part} ${segmentId}`;
    if (!this.#found.has(key)) this.#found.set(key, { segmentId, part, cause: toFault(error).message });
  }

  forget(segmentIds: readonly string[]): void {
    for (const [key, { segmentId }] of this.#found) if (segmentIds.includes(segmentId)) this.#found.delete(key);
  }

  get all(): readonly SegmentDamage[] {
    return [...this.#found.values()];
  }
}
