import { type FixedColumn, isPresent } from '../column/column.ts';

const digitBits = 11;
const bucketCount = 1 << digitBits;

/**
 * Rows in ascending order of a TIMESTAMP or DATE column, NULLs last, equal ones as they came; null where they are in
 * order already. Radix sort: O(rows) for each 11 bits that the values span (a day of milliseconds is 27).
 */
export function orderByTime(column: FixedColumn): Uint32Array | null {
  const rowCount = column.length;
  const keys = timeKeys(column);
  let min = Infinity;
  let max = -Infinity;
  let sorted = true;
  for (let row = 0; row < rowCount; row++) {
    const key = keys[row]!;
    if (row > 0 && key < keys[row - 1]!) sorted = false;
    if (key < min) min = key;
    if (key > max && key !== Infinity) max = key;
  }
  if (sorted) return null;
  const low = new Uint32Array(rowCount);
  const high = new Uint32Array(rowCount);
  const nullKey = max - min + 1;
  for (let row = 0; row < rowCount; row++) {
    const key = keys[row]! === Infinity ? nullKey : keys[row]! - min;
    low[row] = key;
    high[row] = key / 0x1_0000_0000;
  }
  const spanBits = Math.floor(Math.log2(nullKey)) + 1;
  let order = Uint32Array.from({ length: 0 });
  for (let bit = 0; bit < Math.min(spanBits, 32); bit += digitBits) order = sortByDigit(low, bit, order, rowCount);
  for (let bit = 32; bit < spanBits; bit += digitBits) order = sortByDigit(high, bit - 32, order, rowCount);
  return order;
}

/** Times as doubles: exact, because the types' ranges lie within ±2^53. NULL is Infinity. */
function timeKeys(column: FixedColumn): Float64Array {
  const keys = new Float64Array(column.length);
  if (column.values instanceof BigInt64Array) {
    const words = new Int32Array(column.values.buffer, column.values.byteOffset, column.length * 2);
    for (let row = 0; row < keys.length; row++)
      keys[row] = words[2 * row + 1]! * 0x1_0000_0000 + (words[2 * row]! >>> 0);
  } else {
    keys.set((column.values as Int32Array).subarray(0, column.length));
  }
  if (column.validity)
    for (let row = 0; row < keys.length; row++) if (!isPresent(column.validity, row)) keys[row] = Infinity;
  return keys;
}

/** One stable counting sort by 11 bits of the keys. `order` is empty the first time: rows as they come. */
function sortByDigit(
  keys: Uint32Array,
  shift: number,
  order: Uint32Array<ArrayBuffer>,
  rowCount: number,
): Uint32Array<ArrayBuffer> {
  const next = new Uint32Array(bucketCount);
  const mask = bucketCount - 1;
  for (let row = 0; row < rowCount; row++) next[(keys[row]! >>> shift) & mask]!++;
  for (let bucket = 0, start = 0; bucket < bucketCount; bucket++) {
    const size = next[bucket]!;
    next[bucket] = start;
    start += size;
  }
  const sorted = new Uint32Array(rowCount);
  if (order.length === 0) for (let row = 0; row < rowCount; row++) sorted[next[(keys[row]! >>> shift) & mask]!++] = row;
  else
    for (let position = 0; position < rowCount; position++) {
      const row = order[position]!;
      sorted[next[(keys[row]! >>> shift) & mask]!++] = row;
    }
  return sorted;
}
