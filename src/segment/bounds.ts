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

/** DECIMAL, as pairs: low, high. */
export function boundDecimals(pairs: BigInt64Array, validity: Uint8Array | null, start: number, end: number): Bounds {
  let min: bigint | null = null;
  let max: bigint | null = null;
  for (let row = start; row < end; row++) {
    if (validity !== null && !isPresent(validity, row)) continue;
    const value = (pairs[2 * row + 1]! << 64n) | BigInt.asUintN(64, pairs[2 * row]!);
    if (min === null || value < min) min = value;
    if (max === null || value > max) max = value;
  }
  return { min, max };
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
