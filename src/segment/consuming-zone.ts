import { type FixedColumn, isPresent } from '../column/column.ts';
import { decimalOf } from '../column/value.ts';

/** Smallest and largest present value; both null where there is none, or the type has no zone map. */
export interface ValueRange {
  readonly min: number | bigint | null;
  readonly max: number | bigint | null;
  /** NaN is larger than every number, as in PostgreSQL, and no bound of a zone map. */
  readonly hasNaN: boolean;
}

export const emptyRange: ValueRange = { min: null, max: null, hasNaN: false };

/** Rows looked at together: their values as doubles stay in the first-level cache. */
const chunkRows = 2048;
const doubles = new Float64Array(chunkRows);

const exact = (value: number | bigint): number | bigint =>
  typeof value === 'bigint' && value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER
    ? Number(value)
    : value;

export function mergeRanges(a: ValueRange, b: ValueRange): ValueRange {
  if (a === emptyRange) return b;
  if (b === emptyRange) return a;
  return {
    min: a.min === null || (b.min !== null && b.min < a.min) ? b.min : a.min,
    max: a.max === null || (b.max !== null && b.max > a.max) ? b.max : a.max,
    hasNaN: a.hasNaN || b.hasNaN,
  };
}

/** Of rows `[start, start + count)`; exact: numbers where they are safe integers or floating point, else bigints. */
export function rangeOf(column: FixedColumn, start: number, count: number): ValueRange {
  if (column.type.name === 'INTERVAL') return emptyRange;
  let range = emptyRange;
  for (let done = 0; done < count; done += chunkRows)
    range = mergeRanges(range, chunkRange(column, start + done, Math.min(chunkRows, count - done)));
  return range;
}

function chunkRange(column: FixedColumn, start: number, count: number): ValueRange {
  const { type, validity } = column;
  toDoubles(column, start, count);
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let numbers = 0;
  let notNumbers = 0;
  for (let row = 0; row < count; row++) {
    if (validity !== null && !isPresent(validity, start + row)) continue;
    const value = doubles[row]!;
    if (Number.isNaN(value)) notNumbers++;
    else numbers++;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const hasNaN = notNumbers > 0;
  if (numbers === 0) return hasNaN ? { min: null, max: null, hasNaN } : emptyRange;
  const isExact =
    type.name === 'FLOAT' || type.name === 'DOUBLE' || (Number.isSafeInteger(min) && Number.isSafeInteger(max));
  return isExact ? { min, max, hasNaN } : exactRange(column, start, count, min, max);
}

/** Nearest doubles; integers within ±(2^53 - 1) come out exact, and no other integer comes out within. */
function toDoubles({ type, values }: FixedColumn, start: number, count: number): void {
  if (values instanceof BigInt64Array) {
    const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
    if (type.name === 'DECIMAL')
      for (let row = 0, word = start * 4; row < count; row++, word += 4) {
        const high = words[word + 3]! * 2 ** 32 + (words[word + 2]! >>> 0);
        const isShort = high === words[word + 1]! >> 31;
        const low = words[word + 1]! * 2 ** 32 + (words[word]! >>> 0);
        doubles[row] = isShort ? low : high * 2 ** 64 + (words[word + 1]! >>> 0) * 2 ** 32;
      }
    else
      for (let row = 0, word = start * 2; row < count; row++, word += 2)
        doubles[row] = words[word + 1]! * 2 ** 32 + (words[word]! >>> 0);
  } else for (let row = 0; row < count; row++) doubles[row] = values[start + row]!;
}

/** Among rows whose doubles are `min` or `max` (a DECIMAL's doubles may misorder: among all), by their true values. */
function exactRange(column: FixedColumn, start: number, count: number, min: number, max: number): ValueRange {
  const values = column.values as BigInt64Array;
  const isDecimal = column.type.name === 'DECIMAL';
  let least: bigint | null = null;
  let most: bigint | null = null;
  for (let row = 0; row < count; row++) {
    if (!isPresent(column.validity, start + row)) continue;
    if (!isDecimal && doubles[row] !== min && doubles[row] !== max) continue;
    const at = start + row;
    const value = isDecimal ? decimalOf(values[at * 2]!, values[at * 2 + 1]!) : values[at]!;
    if (least === null || value < least) least = value;
    if (most === null || value > most) most = value;
  }
  return { min: exact(least!), max: exact(most!), hasNaN: false };
}
