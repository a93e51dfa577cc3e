/** Where rows are pushed. */
import type { Batch } from '../column/column.ts';
import type { Type } from '../column/type.ts';
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

/** Collects a fragment's output into batches. */
export class OutputSink implements Sink {
  readonly columnsUsed = null;
  readonly #types: readonly Type[];
  #buffer: RowBuffer;
  readonly #ready: Batch[] = [];

  constructor(types: readonly Type[]) {
    this.#types = types;
    this.#buffer = new RowBuffer(types);
  }

  push(input: Input): boolean {
    this.#buffer.append(input);
    if (this.#buffer.length >= batchRowsMax) this.#cut();
    return true;
  }

  #cut(): void {
    const { length } = this.#buffer;
    for (let from = 0; from < length; from += batchRowsMax)
      this.#ready.push(this.#buffer.batch(null, from, Math.min(from + batchRowsMax, length)));
    this.#buffer = new RowBuffer(this.#types);
  }

  /** Next full batch, if there is one. */
  take(): Batch | undefined {
    return this.#ready.shift();
  }

  /** What is left, after the last row. */
  *rest(): Generator<Batch, void, void> {
    if (this.#buffer.length > 0) this.#cut();
    yield* this.#ready.splice(0);
  }
}
