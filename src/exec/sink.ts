/** Where rows are pushed. */
import type { Batch } from '../column/column.ts';
import type { Type } from '../column/type.ts';
import type { MemoryAccount, OutputBacklog } from './context.ts';
import type { Input } from './input.ts';
import { RowBuffer } from './row-buffer.ts';

export interface Sink {
  /** Input columns that it will ask for; null: all of them. A scan loads no others. */
  readonly columnsUsed: ReadonlySet<number> | null;
  /** Takes the rows (borrowed until it returns); false: it needs no more. Synchronous, so that nothing moves meanwhile. */
  push(input: Input): boolean;
}

/** Rows a batch holds at the most: about what fits a socket's buffers, and a slice of the reader's time. */
export const batchRowsMax = 8192;

/**
 * Bytes that a batch has at the most, but for a row that is larger by itself: what lies between shards, broker and a slow
 * reader is counted in batches (`wire` lets four be under way for each stream).
 */
export const batchSizeBytesMax = 256 << 10;

/** Collects a fragment's output into batches; what is not taken yet is on the query's account. */
export class OutputSink implements Sink, OutputBacklog {
  readonly columnsUsed = null;
  readonly #types: readonly Type[];
  readonly #memory: MemoryAccount;
  #buffer: RowBuffer;
  readonly #ready: Batch[] = [];
  #readyBytes = 0;

  constructor(types: readonly Type[], memory: MemoryAccount) {
    this.#types = types;
    this.#memory = memory;
    this.#buffer = new RowBuffer(types);
  }

  push(input: Input): boolean {
    this.#buffer.append(input);
    const { usedBytes } = this.#buffer;
    this.#memory.hold(this, usedBytes + this.#readyBytes);
    if (this.#buffer.length >= batchRowsMax || usedBytes >= batchSizeBytesMax) this.#cut();
    return true;
  }

  #cut(): void {
    const { length, usedBytes } = this.#buffer;
    const rows = Math.min(batchRowsMax, Math.max(1, Math.floor((length * batchSizeBytesMax) / usedBytes)));
    for (let from = 0; from < length; from += rows)
      this.#ready.push(this.#buffer.batch(null, from, Math.min(from + rows, length)));
    this.#readyBytes += usedBytes;
    this.#buffer = new RowBuffer(this.#types);
  }

  get backlogBytes(): number {
    return this.#readyBytes;
  }

  /** Next full batch, if there is one. */
  take(): Batch | undefined {
    const batch = this.#ready.shift();
    if (!batch && this.#readyBytes > 0) {
      this.#readyBytes = 0;
      this.#memory.hold(this, this.#buffer.usedBytes);
    }
    return batch;
  }

  /** What is left, after the last row. */
  *rest(): Generator<Batch, void, void> {
    if (this.#buffer.length > 0) this.#cut();
    yield* this.#ready.splice(0);
  }
}
