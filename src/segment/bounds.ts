/** Smallest and largest value of rows `[start, end)` that are not NULL. Loops over typed arrays, one for each width. */
import { isPresent } from '../column/column.ts';
import type { Type } from '../column/type.ts';
import { compareBytes } from '../kernel/hash.ts';
import type { Bound } from './zone.ts';

export interface Bounds {
  readonly min: Bound;
  readonly max: Bound;
}

export const noBounds: Bounds = { min: null, max: null };

/** INT, DATE, BOOLEAN. */
export function boundNumbers(
  values: Int32Array | Uint8Array | Uint16Array | Uint32Array,
  validity: Uint8Array | null,
  start: number,
  end: number,
): Bounds {
  let min = Infinity;
  let max = -Infinity;
  for (let row = start; row < end; row++) {
    if (validity !== null && !isPresent(validity, row)) continue;
    const value = values[row]!;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return min <= max ? { min, max } : noBounds;
}

/** FLOAT, DOUBLE. A NaN, the greatest of all, leaves the maximum unknown. */
export function boundFloats(
  values: Float32Array | Float64Array,
  validity: Uint8Array | null,
  start: number,
  end: number,
): Bounds {
  let min = Infinity;
  let max = -Infinity;
  let sawNaN = false;
  for (let row = start; row < end; row++) {
    if (validity !== null && !isPresent(validity, row)) continue;
    const value = values[row]!;
    if (value < min) min = value;
    if (value > max) max = value;
    // biome-ignore lint/suspicious/noSelfCompare: quicker than a call, and true for NaN alone
    if (value !== value) sawNaN = true;
  }
  return min <= max ? { min, max: sawNaN ? null : max } : noBounds;
}

/** LONG and TIMESTAMP, as words: low, high. */
export function boundLongs(
  type: Type,
  words: Int32Array,
  validity: Uint8Array | null,
  start: number,
  end: number,
): Bounds {
  let minHigh = 0x7fff_ffff;
  let minLow = 0xffff_ffff;
  let maxHigh = -0x8000_0000;
  let maxLow = 0;
  let found = false;
  for (let row = start; row < end; row++) {
    if (validity !== null && !isPresent(validity, row)) continue;
    found = true;
    const low = words[2 * row]! >>> 0;
    const high = words[2 * row + 1]!;
    if (high < minHigh || (high === minHigh && low < minLow)) {
      minHigh = high;
      minLow = low;
    }
    if (high > maxHigh || (high === maxHigh && low > maxLow)) {
      maxHigh = high;
      maxLow = low;
    }
  }
  if (!found) return noBounds;
  const min = (BigInt(minHigh) << 32n) | BigInt(minLow);
  const max = (BigInt(maxHigh) << 32n) | BigInt(maxLow);
  if (type.name === 'LONG') return { min, max };
  const safe = Number.isSafeInteger(Number(min)) && Number.isSafeInteger(Number(max));
  return safe ? { min: Number(min), max: Number(max) } : noBounds;
}

/** DECIMAL, as four words a row, the lowest first. */
export function boundDecimals(words: Int32Array, validity: Uint8Array | null, start: number, end: number): Bounds {
  let minRow = -1;
  let maxRow = -1;
  for (let row = start; row < end; row++) {
    if (validity !== null && !isPresent(validity, row)) continue;
    if (minRow < 0) minRow = maxRow = row;
    else if (compareDecimals(words, row, minRow) < 0) minRow = row;
    else if (compareDecimals(words, row, maxRow) > 0) maxRow = row;
  }
  return minRow < 0 ? noBounds : { min: decimalAt(words, minRow), max: decimalAt(words, maxRow) };
}

function compareDecimals(words: Int32Array, a: number, b: number): number {
  const difference = words[4 * a + 3]! - words[4 * b + 3]!;
  if (difference !== 0) return difference;
  for (let word = 2; word >= 0; word--) {
    const lower = (words[4 * a + word]! >>> 0) - (words[4 * b + word]! >>> 0);
    if (lower !== 0) return lower;
  }
  return 0;
}

function decimalAt(words: Int32Array, row: number): bigint {
  let value = BigInt(words[4 * row + 3]!);
  for (let word = 2; word >= 0; word--) value = (value << 32n) | BigInt(words[4 * row + word]! >>> 0);
  return value;
}

/** Rows with the smallest and the largest string, null where every row is NULL. Row r is `bytes[offsets[r] .. offsets[r+1])`. */
export function boundStrings(
  offsets: Uint32Array,
  bytes: Uint8Array,
  validity: Uint8Array | null,
  start: number,
  end: number,
): { readonly minRow: number | null; readonly maxRow: number | null } {
  let minRow: number | null = null;
  let maxRow: number | null = null;
  const compare = (a: number, b: number): number =>
    compareBytes(bytes, offsets[a]!, offsets[a + 1]!, bytes, offsets[b]!, offsets[b + 1]!);
  for (let row = start; row < end; row++) {
    if (validity !== null && !isPresent(validity, row)) continue;
    if (minRow === null || maxRow === null) minRow = maxRow = row;
    else if (compare(row, minRow) < 0) minRow = row;
    else if (compare(row, maxRow) > 0) maxRow = row;
  }
  return { minRow, maxRow };
}
