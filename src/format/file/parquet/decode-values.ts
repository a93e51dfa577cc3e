/** The values of one page, but for those that are codes of a dictionary. */
import { Malformed } from '../../malformed.ts';
import { HybridReader } from './bits.ts';
import { deltaLengthPool, deltaPool, deltas32, deltas64 } from './delta.ts';
import type { ParquetLeaf } from './schema.ts';
import { fixed, type PoolValues, type Values } from './values.ts';

/** Numbers of `Encoding`. */
export const encodings = {
  ...{ plain: 0, plainDictionary: 2, rle: 3, bitPacked: 4, delta: 5, deltaLength: 6, deltaStrings: 7 },
  ...{ dictionary: 8, byteStreamSplit: 9 },
} as const;

/**
 * As they are stored, before their conversion. At most `countMax`; fewer where some are NULL.
 * @throws Malformed
 */
export function decodeValues(
  encoding: number,
  { physical, width }: ParquetLeaf,
  bytes: Uint8Array,
  countMax: number,
  sizeMax: number,
): Values {
  switch (encoding) {
    case encodings.plain:
      return plain(physical, width, bytes, countMax);
    case encodings.rle:
      if (physical === 'BOOLEAN') return runs(bytes, countMax);
      break;
    case encodings.delta:
      if (physical === 'INT32') return fixed(deltas32(bytes, 0, countMax).values);
      if (physical === 'INT64') return fixed(deltas64(bytes, 0, countMax).values);
      break;
    case encodings.deltaLength:
      if (physical === 'BYTE_ARRAY') return deltaLengthPool(bytes, 0, countMax);
      break;
    case encodings.deltaStrings: {
      const pool = physical === 'BYTE_ARRAY' || width > 0 ? deltaPool(bytes, countMax, sizeMax) : null;
      if (pool !== null) return physical === 'BYTE_ARRAY' ? pool : fixed(pool.bytes, width);
      break;
    }
    case encodings.byteStreamSplit: {
      const size = { INT32: 4, FLOAT: 4, INT64: 8, DOUBLE: 8 }[physical as string] ?? width;
      if (size > 0) return plain(physical, width, joined(bytes, size), countMax);
      break;
    }
  }
  throw new Malformed(`encoding ${encoding} of ${physical}`);
}

function plain(physical: ParquetLeaf['physical'], width: number, bytes: Uint8Array, countMax: number): Values {
  const sized = (size: number): Uint8Array =>
    bytes.subarray(0, Math.min(countMax, Math.floor(bytes.length / size)) * size);
  const aligned = (size: number): [ArrayBufferLike, number, number] => {
    const whole = sized(size);
    const own = whole.byteOffset % size === 0 ? whole : whole.slice();
    return [own.buffer, own.byteOffset, own.length / size];
  };
  switch (physical) {
    case 'BOOLEAN': {
      const count = Math.min(countMax, bytes.length * 8);
      const values = new Uint8Array(count);
      for (let index = 0; index < count; index++) values[index] = (bytes[index >> 3]! >> (index & 7)) & 1;
      return fixed(values);
    }
    case 'INT32':
      return fixed(new Int32Array(...aligned(4)));
    case 'INT64':
      return fixed(new BigInt64Array(...aligned(8)));
    case 'FLOAT':
      return fixed(new Float32Array(...aligned(4)));
    case 'DOUBLE':
      return fixed(new Float64Array(...aligned(8)));
    case 'INT96':
      return fixed(sized(12), 12);
    case 'BYTE_ARRAY':
      return plainStrings(bytes, countMax);
    default:
      return fixed(sized(width), width);
  }
}

/** Each with its length before it. */
function plainStrings(bytes: Uint8Array, countMax: number): PoolValues {
  const offsets = new Uint32Array(countMax + 1);
  const pool = new Uint8Array(bytes.length);
  let count = 0;
  let size = 0;
  for (let at = 0; at + 4 <= bytes.length && count < countMax; count++) {
    const length = (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
    at += 4;
    if (length > bytes.length - at) throw new Malformed('its strings end too early');
    if (length < 32) for (let index = 0; index < length; index++) pool[size + index] = bytes[at + index]!;
    else pool.set(bytes.subarray(at, at + length), size);
    at += length;
    size += length;
    offsets[count + 1] = size;
  }
  return { form: 'pool', offsets: offsets.subarray(0, count + 1), bytes: pool.subarray(0, size), count };
}

/** Booleans: a size of four bytes, then runs. */
function runs(bytes: Uint8Array, countMax: number): Values {
  const sizeBytes = bytes.length < 4 ? -1 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (sizeBytes < 0 || sizeBytes > bytes.length - 4) throw new Malformed('its booleans end too early');
  return fixed(new HybridReader(bytes, 4, 4 + sizeBytes, 1).bytes(countMax));
}

/** All first bytes of the values, then all second ones … */
function joined(bytes: Uint8Array, size: number): Uint8Array {
  const count = Math.floor(bytes.length / size);
  const values = new Uint8Array(count * size);
  for (let part = 0; part < size; part++)
    for (let index = 0; index < count; index++) values[index * size + part] = bytes[part * count + index]!;
  return values;
}
