/** Parquet's encodings of differences (https://parquet.apache.org/docs/file-format/data-pages/encodings/). */
import { Malformed } from '../../malformed.ts';
import { unpackBits, wideBigBits } from './bits.ts';
import type { PoolValues } from './values.ts';

interface Deltas<Array> {
  readonly values: Array;
  /** Behind the last block. */
  readonly end: number;
}

class DeltaReader {
  readonly bytes: Uint8Array;
  at: number;
  readonly blockSize: number;
  readonly miniblocks: number;
  readonly count: number;
  readonly first: bigint;

  constructor(bytes: Uint8Array, at: number, countMax: number) {
    this.bytes = bytes;
    this.at = at;
    this.blockSize = Number(this.varint());
    this.miniblocks = Number(this.varint());
    this.count = Number(this.varint());
    this.first = this.zigzag();
    if (this.count > countMax) throw new Malformed('more differences than values');
    if (this.miniblocks === 0 || this.blockSize % this.miniblocks !== 0 || this.blockSize > 1 << 20)
      throw new Malformed('differences in blocks of a strange size');
    if ((this.blockSize / this.miniblocks) % 8 !== 0) throw new Malformed('differences in blocks of a strange size');
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.bytes[this.at++];
      if (byte === undefined || shift > 63n) throw new Malformed('its differences end too early');
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  }

  zigzag(): bigint {
    const value = this.varint();
    return (value >> 1n) ^ -(value & 1n);
  }

  /** Calls for each miniblock that has values: where its bits begin, their width, the block's least difference. */
  each(take: (at: number, width: number, least: bigint, from: number, count: number) => void): void {
    const size = this.blockSize / this.miniblocks;
    for (let from = 1; from < this.count; ) {
      const least = this.zigzag();
      const widths = this.bytes.subarray(this.at, this.at + this.miniblocks);
      if (widths.length < this.miniblocks) throw new Malformed('its differences end too early');
      this.at += this.miniblocks;
      for (let index = 0; index < this.miniblocks && from < this.count; index++) {
        const width = widths[index]!;
        const sizeBytes = (size / 8) * width;
        if (width > 64 || this.at + sizeBytes > this.bytes.length) throw new Malformed('its differences end too early');
        const count = Math.min(size, this.count - from);
        take(this.at, width, least, from, count);
        this.at += sizeBytes;
        from += count;
      }
    }
  }
}

/** @throws Malformed, also for more than `countMax` values */
export function deltas32(bytes: Uint8Array, at: number, countMax: number): Deltas<Int32Array> {
  const reader = new DeltaReader(bytes, at, countMax);
  const values = new Int32Array(reader.count);
  const packed = new Uint32Array(reader.blockSize);
  let last = Number(BigInt.asIntN(32, reader.first));
  if (reader.count > 0) values[0] = last;
  reader.each((start, width, least, from, count) => {
    if (width > 32) throw new Malformed('differences of more than 32 bits');
    const low = Number(BigInt.asIntN(32, least));
    unpackBits(bytes, start, 0, width, packed, 0, count);
    for (let index = 0; index < count; index++) {
      last = (last + low + packed[index]!) | 0;
      values[from + index] = last;
    }
  });
  return { values, end: reader.at };
}

/** As above; sums wrap around at 64 bits. */
export function deltas64(bytes: Uint8Array, at: number, countMax: number): Deltas<BigInt64Array> {
  const reader = new DeltaReader(bytes, at, countMax);
  const values = new BigInt64Array(reader.count);
  const words = new Int32Array(values.buffer);
  const packed = new Uint32Array(reader.blockSize);
  let last = BigInt.asIntN(64, reader.first);
  if (reader.count > 0) values[0] = last;
  reader.each((start, width, least, from, count) => {
    // Doubles are exact here, and some ten times as fast.
    const low = Number(least);
    let sum = Number(last);
    const reach = (Math.abs(low) + 2 ** 32) * count + Math.abs(sum);
    if (width > 32 || reach > Number.MAX_SAFE_INTEGER) {
      for (let index = 0; index < count; index++) {
        last = BigInt.asIntN(64, last + least + wideBigBits(bytes, start, index * width, width));
        values[from + index] = last;
      }
      return;
    }
    unpackBits(bytes, start, 0, width, packed, 0, count);
    for (let index = 0; index < count; index++) {
      sum += low + packed[index]!;
      words[(from + index) * 2] = sum;
      words[(from + index) * 2 + 1] = Math.floor(sum / 4_294_967_296);
    }
    last = BigInt(sum);
  });
  return { values, end: reader.at };
}

/** Lengths, then the strings. */
export function deltaLengthPool(bytes: Uint8Array, at: number, countMax: number): PoolValues {
  const { values: lengths, end } = deltas32(bytes, at, countMax);
  const offsets = offsetsOf(lengths, bytes.length - end);
  return { form: 'pool', offsets, bytes: bytes.subarray(end, end + offsets[lengths.length]!), count: lengths.length };
}

/** Each string begins like the one before it: how long, then the rest of each. @param sizeMax Of all strings. */
export function deltaPool(bytes: Uint8Array, countMax: number, sizeMax: number): PoolValues {
  const { values: prefixes, end } = deltas32(bytes, 0, countMax);
  const rest = deltaLengthPool(bytes, end, countMax);
  if (rest.count !== prefixes.length) throw new Malformed('strings without their beginnings');
  const offsets = new Uint32Array(rest.count + 1);
  let sizeBytes = 0;
  for (let index = 0; index < rest.count; index++) {
    const before = index === 0 ? 0 : offsets[index]! - offsets[index - 1]!;
    const prefix = prefixes[index]!;
    if (prefix < 0 || prefix > before) throw new Malformed('a string that goes on from a longer one than there is');
    sizeBytes += prefix + rest.offsets[index + 1]! - rest.offsets[index]!;
    if (sizeBytes > sizeMax) throw new Malformed(`more than ${sizeMax} bytes of strings in a page`);
    offsets[index + 1] = sizeBytes;
  }
  const pool = new Uint8Array(sizeBytes);
  for (let index = 0; index < rest.count; index++) {
    const to = offsets[index]!;
    const prefix = prefixes[index]!;
    if (prefix > 0) pool.copyWithin(to, offsets[index - 1]!, offsets[index - 1]! + prefix);
    pool.set(rest.bytes.subarray(rest.offsets[index]!, rest.offsets[index + 1]!), to + prefix);
  }
  return { form: 'pool', offsets, bytes: pool, count: rest.count };
}

function offsetsOf(lengths: Int32Array, sizeMax: number): Uint32Array {
  const offsets = new Uint32Array(lengths.length + 1);
  let at = 0;
  for (let index = 0; index < lengths.length; index++) {
    at += lengths[index]!;
    if (lengths[index]! < 0 || at > sizeMax) throw new Malformed('its strings end too early');
    offsets[index + 1] = at;
  }
  return offsets;
}
