/** Selections: bitmaps of 32-bit words over a block's rows, least significant bit first, and lists of row numbers. */

/** Sets the rows `[start, end)`, and leaves the others as they are. */
export function setRange(words: Uint32Array, start: number, end: number): void {
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

/** Sets exactly the rows `[start, end)` of the first `wordCount` words. */
export function fillRange(words: Uint32Array, wordCount: number, start: number, end: number): void {
  words.fill(0, 0, wordCount);
  setRange(words, start, end);
}

/** words &= other[otherAt …], over `wordCount` words. */
export function intersect(words: Uint32Array, other: Uint32Array, otherAt: number, wordCount: number): void {
  for (let word = 0; word < wordCount; word++) words[word]! &= other[otherAt + word]!;
}

/** words &= ~other[otherAt …] */
export function subtract(words: Uint32Array, other: Uint32Array, otherAt: number, wordCount: number): void {
  for (let word = 0; word < wordCount; word++) words[word]! &= ~other[otherAt + word]!;
}

/** words |= other */
export function unite(words: Uint32Array, other: Uint32Array, wordCount: number): void {
  for (let word = 0; word < wordCount; word++) words[word]! |= other[word]!;
}

/** Rows set in words `[from, to)`. Hamming weight in parallel: Warren, Hacker's Delight, 5-1. */
export function countSelected(words: Uint32Array, from: number, to: number): number {
  let count = 0;
  for (let word = from; word < to; word++) {
    let bits = words[word]!;
    if (bits === 0) continue;
    bits -= (bits >>> 1) & 0x5555_5555;
    bits = (bits & 0x3333_3333) + ((bits >>> 2) & 0x3333_3333);
    count += Math.imul((bits + (bits >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
  }
  return count;
}

/** Writes the rows set in words `[from, to)`, ascending; returns how many. `rows` has room for 32 a word. */
export function listSelected(words: Uint32Array, from: number, to: number, rows: Uint32Array): number {
  let count = 0;
  for (let word = from; word < to; word++) {
    let bits = words[word]! | 0;
    const base = word << 5;
    if (bits === -1) {
      for (let bit = 0; bit < 32; bit++) rows[count + bit] = base + bit;
      count += 32;
      continue;
    }
    while (bits !== 0) {
      rows[count++] = base + (31 - Math.clz32(bits & -bits));
      bits &= bits - 1;
    }
  }
  return count;
}
