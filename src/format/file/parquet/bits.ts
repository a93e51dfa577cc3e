/** Runs and packed bits: Parquet's hybrid encoding of levels, dictionary codes and booleans. */
import { Malformed } from '../../malformed.ts';

/** (https://parquet.apache.org/docs/file-format/data-pages/encodings/#RLE) */
export class HybridReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  readonly #width: number;
  #at: number;
  #left = 0;
  /** Of a run; -1 while values are packed. */
  #value = -1;
  /** Of packed values: the next one's bit, from byte `#packedAt`. */
  #bit = 0;
  #packedAt = 0;

  /** Values of `width` bits, 0 to 32. */
  constructor(bytes: Uint8Array, at: number, end: number, width: number) {
    if (width > 32) throw new Malformed(`codes of ${width} bits`);
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
    this.#width = width;
  }

  /** True if the next `count` values are all `value`, which are then passed over. */
  takeRun(count: number, value: number): boolean {
    if (this.#left === 0) this.#next();
    if (this.#value !== value || this.#left < count) return false;
    this.#left -= count;
    return true;
  }

  /** So many values in bytes. @throws Malformed where there are not so many */
  bytes(count: number): Uint8Array {
    const words = new Uint32Array(count);
    this.read(words, 0, count);
    return Uint8Array.from(words);
  }

  /** Values into[from..to). @throws Malformed where there are not so many */
  read(into: Uint32Array, from: number, to: number): void {
    while (from < to) {
      if (this.#left === 0) this.#next();
      const count = Math.min(this.#left, to - from);
      if (this.#value >= 0) into.fill(this.#value, from, from + count);
      else this.#unpack(into, from, count);
      this.#left -= count;
      from += count;
    }
  }

  #next(): void {
    let head = 0;
    for (let scale = 1; ; scale *= 128) {
      if (this.#at >= this.#end || scale > 2 ** 28) throw new Malformed('its levels or codes end too early');
      const byte = this.#bytes[this.#at++]!;
      head += (byte & 127) * scale;
      if (byte < 128) break;
    }
    const count = Math.floor(head / 2);
    if (count === 0) throw new Malformed('a run of nothing');
    if (head % 2 === 1) {
      const sizeBytes = count * this.#width;
      // Writers may cut the last group's padding off.
      if (sizeBytes - this.#width >= this.#end - this.#at && this.#width > 0)
        throw new Malformed('its levels or codes end too early');
      this.#value = -1;
      this.#left = count * 8;
      this.#bit = 0;
      this.#packedAt = this.#at;
      this.#at = Math.min(this.#end, this.#at + sizeBytes);
      return;
    }
    const size = (this.#width + 7) >> 3;
    if (this.#at + size > this.#end) throw new Malformed('its levels or codes end too early');
    let value = 0;
    for (let index = 0; index < size; index++) value += this.#bytes[this.#at + index]! * 256 ** index;
    this.#at += size;
    this.#value = value;
    this.#left = count;
  }

  #unpack(into: Uint32Array, from: number, count: number): void {
    unpackBits(this.#bytes, this.#packedAt, this.#bit, this.#width, into, from, count);
    const bits = this.#bit + count * this.#width;
    this.#packedAt += bits >>> 3;
    this.#bit = bits & 7;
  }
}

/** Values of `width` bits, least significant first, from bit `bit` of byte `at` on. Bytes beyond the end count as 0. */
export function unpackBits(
  bytes: Uint8Array,
  at: number,
  bit: number,
  width: number,
  into: Uint32Array,
  from: number,
  count: number,
): void {
  if (width > 24) {
    for (let index = 0; index < count; index++) into[from + index] = wideBits(bytes, at, bit + index * width, width);
    return;
  }
  const mask = (1 << width) - 1;
  let buffered = bytes[at++]! >>> bit;
  let bufferedBits = 8 - bit;
  for (let index = from; index < from + count; index++) {
    while (bufferedBits < width) {
      buffered |= bytes[at++]! << bufferedBits;
      bufferedBits += 8;
    }
    into[index] = buffered & mask;
    buffered >>>= width;
    bufferedBits -= width;
  }
}

/** One value of up to 53 bits. */
export function wideBits(bytes: Uint8Array, at: number, bit: number, width: number): number {
  let value = 0;
  let scale = 1;
  at += Math.floor(bit / 8);
  bit %= 8;
  for (let left = width; left > 0; ) {
    const take = Math.min(8 - bit, left);
    value += (((bytes[at] ?? 0) >> bit) & ((1 << take) - 1)) * scale;
    scale *= 1 << take;
    left -= take;
    bit = 0;
    at++;
  }
  return value;
}

/** One value of up to 64 bits. */
export function wideBigBits(bytes: Uint8Array, at: number, bit: number, width: number): bigint {
  const low = Math.min(width, 32);
  const value = BigInt(wideBits(bytes, at, bit, low));
  return width <= 32 ? value : value | (BigInt(wideBits(bytes, at, bit + 32, width - 32)) << 32n);
}
