/** Rows of a binary format, whose rejects are named by the row's number. */
import { hexExcerptOf } from './excerpt.ts';
import { rejectsKeptMax } from './limits.ts';
import { RowSink } from './row-sink.ts';
import type { Decoded, DecodeTarget, Reject } from './target.ts';

export class NumberedRows extends RowSink {
  readonly #firstRow: number;
  readonly #rejects: Reject[] = [];
  #rejected = 0;

  /** @param firstRow Number of the first row, from 0. */
  constructor(target: DecodeTarget, bytes: Uint8Array, capacity: number, firstRow: number) {
    super(target, bytes, capacity, true);
    this.#firstRow = firstRow;
  }

  /** Ends the row bytes[from..to): it stands, or is rejected for its first reason. */
  end(from: number, to: number): void {
    if (this.settle(from, to)) return;
    this.rewind(this.row);
    this.#rejected++;
    if (this.#rejects.length >= rejectsKeptMax) return;
    const line = this.#firstRow + this.attempt;
    this.#rejects.push({ line, column: this.column, reason: this.reason!, text: hexExcerptOf(this.bytes, from, to) });
  }

  finish(): Decoded {
    const { ignoredValues } = this;
    const rejects = this.#rejects;
    return { batch: this.build(), accepted: this.row, rejected: this.#rejected, rejects, ignoredValues };
  }
}
