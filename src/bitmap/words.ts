/**
 * Sets of rows of one block as words: row r is bit `r & 31` of word `r >> 5`, so 65,536 rows are 2,048 words.
 * Loops of one word a step, over plain typed arrays: the twins of later kernels.
 */

export const wordsFor = (rowCount: number): number => (rowCount + 31) >>> 5;

/** into &= other, over `into.length` words. */
export function and(into: Uint32Array, other: Uint32Array): void {
  for (let word = 0; word < into.length; word++) into[word]! &= other[word]!;
}

/** into |= other */
export function or(into: Uint32Array, other: Uint32Array): void {
  for (let word = 0; word < into.length; word++) into[word]! |= other[word]!;
}

/** into &= ~other */
export function andNot(into: Uint32Array, other: Uint32Array): void {
  for (let word = 0; word < into.length; word++) into[word]! &= ~other[word]!;
}

/** Complement within the first `rowCount` rows; bits past them become 0. */
export function not(words: Uint32Array, rowCount: number): void {
  const full = rowCount >>> 5;
  for (let word = 0; word < full; word++) words[word] = ~words[word]!;
  if (full < words.length) {
    words[full] = ~words[full]! & ((1 << (rowCount & 31)) - 1);
    words.fill(0, full + 1);
  }
}

/** Sets rows `[start, end)`. */
export function fillRange(words: Uint32Array, start: number, end: number): void {
  if (start >= end) return;
  const first = start >>> 5;
  const last = (end - 1) >>> 5;
  const head = -1 << (start & 31);
  const tail = -1 >>> (31 - ((end - 1) & 31));
  if (first === last) {
    words[first]! |= head & tail;
    return;
  }
  words[first]! |= head;
  words.fill(0xffff_ffff, first + 1, last);
  words[last]! |= tail;
}

/** Set bits of one word (Hacker's Delight, 5-1). */
export function countBits(word: number): number {
  word -= (word >>> 1) & 0x5555_5555;
  word = (word & 0x3333_3333) + ((word >>> 2) & 0x3333_3333);
  return Math.imul((word + (word >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

export function count(words: Uint32Array): number {
  let total = 0;
  for (let word = 0; word < words.length; word++) total += countBits(words[word]!);
  return total;
}

/**
 * Lists the rows of `[start, end)` that are set, ascending.
 * @param out Room for `end - start` rows.
 * @returns How many.
 */
export function toRows(words: Uint32Array, start: number, end: number, out: Uint32Array): number {
  let found = 0;
  const stop = wordsFor(end);
  for (let word = start >>> 5; word < stop; word++) {
    let bits = words[word]!;
    const base = word << 5;
    if (base < start) bits &= -1 << (start & 31);
    if (base + 32 > end) bits &= (1 << (end & 31)) - 1;
    while (bits !== 0) {
      out[found++] = base + 31 - Math.clz32(bits & -bits);
      bits &= bits - 1;
    }
  }
  return found;
}

/** words = the first `rowCount` rows of an Arrow validity bitmap at `bytes[position]`; bits past them are 0. */
export function fromValidity(bytes: Uint8Array, position: number, rowCount: number, words: Uint32Array): void {
  const full = rowCount >>> 5;
  let at = position;
  for (let word = 0; word < full; word++, at += 4)
    words[word] = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  words.fill(0, full);
  for (let row = full << 5; row < rowCount; row++)
    if ((bytes[position + (row >>> 3)]! >>> (row & 7)) & 1) words[full]! |= 1 << (row & 31);
}
