/**
 * Predicates over one column of one block: each sets `words[row >> 5]` bit `row & 31` for rows that hold, for all rows
 * `[0, rowCount)`, overwriting what was there. `view[at]` is row 0. Bounds are inclusive, so that one kernel serves
 * `=`, `<`, `BETWEEN`; the caller widens or narrows them by one (`nextAbove` for doubles). Nulls are the caller's.
 *
 * Each element width has its own loop on purpose: a loop that has seen two kinds of typed array is compiled for both
 * and runs at half the speed. A comparison becomes its bit by a unary plus, which compiles to no branch: `? 1 : 0` does
 * to one, and took 5.3 ns/row instead of 1.5 where half of the rows hold.
 */

export function selectI32(
  i32: Int32Array,
  at: number,
  rowCount: number,
  low: number,
  high: number,
  words: Uint32Array,
): void {
  // Unsigned distance from `low` folds both bounds into one comparison.
  const span = (high - low) >>> 0;
  for (let start = 0, word = 0; start < rowCount; start += 32, word++) {
    const count = Math.min(32, rowCount - start);
    let bits = 0;
    for (let bit = 0; bit < count; bit++) bits |= +((i32[at + start + bit]! - low) >>> 0 <= span) << bit;
    words[word] = bits;
  }
}

/** Exact over all 64 bits: little-endian words are compared high first. `at` counts 32-bit words. */
export function selectI64(
  i32: Int32Array,
  at: number,
  rowCount: number,
  low: bigint,
  high: bigint,
  words: Uint32Array,
): void {
  const lowHigh = Number(low >> 32n);
  const lowLow = Number(low & 0xffff_ffffn);
  const highHigh = Number(high >> 32n);
  const highLow = Number(high & 0xffff_ffffn);
  for (let start = 0, word = 0; start < rowCount; start += 32, word++) {
    const count = Math.min(32, rowCount - start);
    let bits = 0;
    for (let bit = 0; bit < count; bit++) {
      const element = at + 2 * (start + bit);
      const lo = i32[element]! >>> 0;
      const hi = i32[element + 1]!;
      const isAbove = +(hi > lowHigh) | (+(hi === lowHigh) & +(lo >= lowLow));
      const isBelow = +(hi < highHigh) | (+(hi === highHigh) & +(lo <= highLow));
      bits |= (isAbove & isBelow) << bit;
    }
    words[word] = bits;
  }
}

/** Of DECIMALs, as 128 bits; `at` counts 32-bit words. */
export function selectI128(
  i32: Int32Array,
  at: number,
  rowCount: number,
  low: bigint,
  high: bigint,
  words: Uint32Array,
): void {
  const lowWords = wordsOf(low);
  const highWords = wordsOf(high);
  words.fill(0, 0, (rowCount + 31) >> 5);
  for (let row = 0, element = at; row < rowCount; row++, element += 4)
    if (compareI128(i32, element, lowWords) >= 0 && compareI128(i32, element, highWords) <= 0)
      words[row >> 5]! |= 1 << (row & 31);
}

const wordsOf = (value: bigint): Int32Array => new Int32Array(BigInt64Array.of(value, value >> 64n).buffer);

function compareI128(i32: Int32Array, element: number, bound: Int32Array): number {
  const signed = i32[element + 3]! - bound[3]!;
  if (signed !== 0) return signed;
  for (let word = 2; word >= 0; word--) {
    const lower = (i32[element + word]! >>> 0) - (bound[word]! >>> 0);
    if (lower !== 0) return lower;
  }
  return 0;
}

/** Bounds are doubles: a FLOAT is compared as the double that it is. NaN never holds. */
export function selectF32(
  f32: Float32Array,
  at: number,
  rowCount: number,
  low: number,
  high: number,
  words: Uint32Array,
): void {
  for (let start = 0, word = 0; start < rowCount; start += 32, word++) {
    const count = Math.min(32, rowCount - start);
    let bits = 0;
    for (let bit = 0; bit < count; bit++) {
      const value = f32[at + start + bit]!;
      bits |= (+(value >= low) & +(value <= high)) << bit;
    }
    words[word] = bits;
  }
}

/** NaN never holds. */
export function selectF64(
  f64: Float64Array,
  at: number,
  rowCount: number,
  low: number,
  high: number,
  words: Uint32Array,
): void {
  for (let start = 0, word = 0; start < rowCount; start += 32, word++) {
    const count = Math.min(32, rowCount - start);
    let bits = 0;
    for (let bit = 0; bit < count; bit++) {
      const value = f64[at + start + bit]!;
      bits |= (+(value >= low) & +(value <= high)) << bit;
    }
    words[word] = bits;
  }
}

/** Codes within `[low, high]`. */
export function selectCodes8(
  u8: Uint8Array,
  at: number,
  rowCount: number,
  low: number,
  high: number,
  words: Uint32Array,
): void {
  const span = high - low;
  for (let start = 0, word = 0; start < rowCount; start += 32, word++) {
    const count = Math.min(32, rowCount - start);
    let bits = 0;
    for (let bit = 0; bit < count; bit++) bits |= +((u8[at + start + bit]! - low) >>> 0 <= span) << bit;
    words[word] = bits;
  }
}

export function selectCodes16(
  u16: Uint16Array,
  at: number,
  rowCount: number,
  low: number,
  high: number,
  words: Uint32Array,
): void {
  const span = high - low;
  for (let start = 0, word = 0; start < rowCount; start += 32, word++) {
    const count = Math.min(32, rowCount - start);
    let bits = 0;
    for (let bit = 0; bit < count; bit++) bits |= +((u16[at + start + bit]! - low) >>> 0 <= span) << bit;
    words[word] = bits;
  }
}

export function selectCodes32(
  u32: Uint32Array,
  at: number,
  rowCount: number,
  low: number,
  high: number,
  words: Uint32Array,
): void {
  const span = high - low;
  for (let start = 0, word = 0; start < rowCount; start += 32, word++) {
    const count = Math.min(32, rowCount - start);
    let bits = 0;
    for (let bit = 0; bit < count; bit++) bits |= +((u32[at + start + bit]! - low) >>> 0 <= span) << bit;
    words[word] = bits;
  }
}

/** Codes whose `table` entry is 1: LIKE, IN and functions cost one look-up a row, whatever they are. */
export function selectTable8(
  u8: Uint8Array,
  at: number,
  rowCount: number,
  table: Uint8Array,
  words: Uint32Array,
): void {
  for (let start = 0, word = 0; start < rowCount; start += 32, word++) {
    const count = Math.min(32, rowCount - start);
    let bits = 0;
    for (let bit = 0; bit < count; bit++) bits |= table[u8[at + start + bit]!]! << bit;
    words[word] = bits;
  }
}

export function selectTable16(
  u16: Uint16Array,
  at: number,
  rowCount: number,
  table: Uint8Array,
  words: Uint32Array,
): void {
  for (let start = 0, word = 0; start < rowCount; start += 32, word++) {
    const count = Math.min(32, rowCount - start);
    let bits = 0;
    for (let bit = 0; bit < count; bit++) bits |= table[u16[at + start + bit]!]! << bit;
    words[word] = bits;
  }
}

export function selectTable32(
  u32: Uint32Array,
  at: number,
  rowCount: number,
  table: Uint8Array,
  words: Uint32Array,
): void {
  for (let start = 0, word = 0; start < rowCount; start += 32, word++) {
    const count = Math.min(32, rowCount - start);
    let bits = 0;
    for (let bit = 0; bit < count; bit++) bits |= table[u32[at + start + bit]!]! << bit;
    words[word] = bits;
  }
}

const scratch = new DataView(new ArrayBuffer(8));

/** The least double above `value`; itself for NaN and +Infinity. */
export function nextAbove(value: number): number {
  if (Number.isNaN(value) || value === Number.POSITIVE_INFINITY) return value;
  if (value === 0) return Number.MIN_VALUE;
  scratch.setFloat64(0, value);
  scratch.setBigInt64(0, scratch.getBigInt64(0) + (value > 0 ? 1n : -1n));
  return scratch.getFloat64(0);
}

/** The greatest double below `value`; itself for NaN and -Infinity. */
export const nextBelow = (value: number): number => -nextAbove(-value);
