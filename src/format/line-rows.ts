/** Rows of a text whose rejects are named by line: NDJSON, JSON arrays, CSV. */
import { isUtf8 } from 'node:buffer';
import { excerptOf } from './excerpt.ts';
import { rejectsKeptMax } from './limits.ts';
import { RowSink } from './row-sink.ts';
import type { Decoded, DecodeTarget, Reject } from './target.ts';

export interface LineStart {
  readonly at: number;
  /** From 1. */
  readonly line: number;
}

export class LineRows extends RowSink {
  readonly #rejects: Reject[] = [];
  #rejected = 0;
  #line: number;
  #lineAt: number;

  /** @param start A byte, and which line begins there. */
  constructor(target: DecodeTarget, bytes: Uint8Array, capacity: number, start: LineStart = { at: 0, line: 1 }) {
    super(target, bytes, capacity, isUtf8(bytes.subarray(start.at)));
    this.#line = start.line;
    this.#lineAt = start.at;
  }

  /** Ends the row bytes[from..to): it stands, or is rejected for its first reason. */
  end(from: number, to: number): void {
    if (!this.settle(from, to)) this.rejectAt(from, this.column, this.reason!, from, to);
  }

  /** Takes the row being read back and rejects it, naming the line of byte `at`, which ascends over calls. */
  rejectAt(at: number, column: string | null, reason: string, from: number, to: number): void {
    this.rewind(this.row);
    this.#rejected++;
    if (this.#rejects.length >= rejectsKeptMax) return;
    this.#rejects.push({ line: this.#lineOf(at), column, reason, text: excerptOf(this.bytes, from, to) });
  }

  #lineOf(at: number): number {
    for (;;) {
      const end = this.bytes.indexOf(10, this.#lineAt);
      if (end < 0 || end >= at) return this.#line;
      this.#line++;
      this.#lineAt = end + 1;
    }
  }

  finish(): Decoded {
    return {
      batch: this.build(),
      accepted: this.row,
      rejected: this.#rejected,
      rejects: this.#rejects,
      ignoredValues: this.ignoredValues,
    };
  }
}
