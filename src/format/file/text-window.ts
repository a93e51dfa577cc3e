/** A text that is larger than memory, looked at through a window that moves on over whole rows. */
import { textWindowSizeBytes } from '../limits.ts';
import type { ByteStream } from './byte-stream.ts';

const newline = 10;

/**
 * The same text gives the same windows, however its bytes arrive: each is filled as far as it goes.
 * Text not yet taken is `bytes[from..to)`, and the byte at `to` may be overwritten.
 */
export class TextWindow {
  readonly bytes: Uint8Array;
  readonly #stream: ByteStream;
  from = 0;
  to = 0;
  /** Of the byte at `from`, from 1. */
  line = 1;
  /** The text ends at `to`. */
  ended = false;
  #isFirst = true;

  constructor(stream: ByteStream, sizeBytes = textWindowSizeBytes) {
    this.#stream = stream;
    this.bytes = new Uint8Array(sizeBytes + 1);
  }

  get readBytes(): number {
    return this.#stream.readBytes;
  }

  get isEmpty(): boolean {
    return this.ended && this.from === this.to;
  }

  /** No row can become longer in this window. */
  get isFull(): boolean {
    return this.from === 0 && this.to === this.bytes.length - 1;
  }

  /** Moves what is left to the front, and fills up. */
  async fill(): Promise<void> {
    this.bytes.copyWithin(0, this.from, this.to);
    this.to -= this.from;
    this.from = 0;
    const end = this.bytes.length - 1;
    this.to = await this.#stream.read(this.bytes, this.to, end);
    this.ended = this.to < end;
    if (this.#isFirst && this.bytes[0] === 0xef && this.bytes[1] === 0xbb && this.bytes[2] === 0xbf) this.from = 3;
    this.#isFirst = false;
  }

  /** Goes on to byte `at`. */
  moveTo(at: number): void {
    for (let end = this.from; ; end++) {
      end = this.bytes.indexOf(newline, end);
      if (end < 0 || end >= at) break;
      this.line++;
    }
    this.from = at;
  }

  /** The text up to its last whole line, of the last one of all even without a line end; empty where there is none. */
  wholeLines(): Uint8Array {
    if (!this.ended) return this.bytes.subarray(0, this.#lastLineEnd() + 1);
    if (this.to === this.from) return this.bytes.subarray(0, this.to);
    if (this.bytes[this.to - 1] === newline) return this.bytes.subarray(0, this.to);
    this.bytes[this.to] = newline;
    return this.bytes.subarray(0, this.to + 1);
  }

  #lastLineEnd(): number {
    const end = this.bytes.lastIndexOf(newline, this.to - 1);
    return end < this.from ? -1 : end;
  }

  /** Passes over the line that begins at `from`, however long it is. */
  async skipLine(): Promise<void> {
    for (;;) {
      const end = this.bytes.subarray(0, this.to).indexOf(newline, this.from);
      if (end >= 0) {
        this.moveTo(end + 1);
        return;
      }
      this.moveTo(this.to);
      if (this.ended) return;
      await this.fill();
    }
  }
}
