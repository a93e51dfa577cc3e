/** Avro's binary encoding, token by token (https://avro.apache.org/docs/1.12.0/specification/#binary-encoding). */
import { isUtf8 } from 'node:buffer';
import { avroItemsMax, nestingDepthMax } from './limits.ts';
import { Malformed } from './malformed.ts';

/** A place in one value. Every token is checked against the value's end. @throws Malformed */
export class AvroCursor {
  readonly bytes: Uint8Array;
  at = 0;
  end = 0;
  /** What `long` read, where it answered NaN. */
  big = 0n;
  readonly #view: DataView;
  #items = 0;
  #depth = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  open(from: number, to: number): void {
    this.at = from;
    this.end = to;
    this.#items = 0;
    this.#depth = 0;
  }

  /** int or long; NaN where it is beyond ±2^53, and in `big`. */
  long(): number {
    const bytes = this.bytes;
    const end = this.end;
    const from = this.at;
    let at = from;
    let value = 0;
    let scale = 1;
    for (;;) {
      if (at >= end) this.#tooShort();
      const byte = bytes[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) break;
      if (at - from === 10) throw new Malformed('a number of more than ten bytes');
      scale *= 128;
    }
    this.at = at;
    if (value <= Number.MAX_SAFE_INTEGER) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    this.big = this.#exact(from, at);
    return Number.NaN;
  }

  #exact(from: number, to: number): bigint {
    let unsigned = 0n;
    for (let at = to - 1; at >= from; at--) unsigned = (unsigned << 7n) | BigInt(this.bytes[at]! & 127);
    unsigned = BigInt.asUintN(64, unsigned);
    return (unsigned >> 1n) ^ -(unsigned & 1n);
  }

  boolean(): boolean {
    const byte = this.bytes[this.take(1)]!;
    if (byte > 1) throw new Malformed(`a boolean of value ${byte}`);
    return byte === 1;
  }

  float(): number {
    return this.#view.getFloat32(this.take(4), true);
  }

  double(): number {
    return this.#view.getFloat64(this.take(8), true);
  }

  /** Passes over the size of bytes or text: answers it, and they begin at `at`. */
  size(): number {
    const size = this.long();
    if (!(size >= 0)) throw new Malformed('a negative or huge size');
    if (size > this.end - this.at) this.#tooShort();
    return size;
  }

  /** Passes over `size` bytes; answers where they begin. */
  take(size: number): number {
    const at = this.at;
    if (size > this.end - at) this.#tooShort();
    this.at = at + size;
    return at;
  }

  /** Passes over text; answers where it begins; it ends at `at`. */
  text(): number {
    const size = this.size();
    const from = this.take(size);
    const { bytes, at: to } = this;
    for (let at = from; at < to; at++)
      if (bytes[at]! >= 128) {
        if (!isUtf8(bytes.subarray(at, to))) throw new Malformed('text that is not valid UTF-8');
        break;
      }
    return from;
  }

  /** Items of the next block of an array or map; 0: there is none. Counts them, as items may have no bytes. */
  block(): number {
    let count = this.long();
    if (count < 0) {
      count = -count;
      this.size();
    }
    this.#items += count;
    if (!(this.#items <= avroItemsMax)) throw new Malformed(`more than ${avroItemsMax} items of arrays and maps`);
    return count;
  }

  /** Before a record, array or map, and `leave` after it. */
  enter(): void {
    if (++this.#depth > nestingDepthMax) throw new Malformed(`values nested more than ${nestingDepthMax} deep`);
  }

  leave(): void {
    this.#depth--;
  }

  #tooShort(): never {
    throw new Malformed('the value ends too early');
  }
}
