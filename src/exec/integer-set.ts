/** Distinct whole numbers as a bitmap over the range that they lie in: two million of them fit a core's own cache. */
import type { Nulls, Vector } from '../column/vector.ts';
import { countSelected, listSelected } from '../kernel/selection.ts';

/** Bits that the bitmap may always have: 1 MiB, about a core's L2 cache. */
const bitsMin = 1 << 23;
/** Beyond that, bits for each number: a hash table takes more than eight bytes a number too. */
const bitsPerNumber = 64;
const bitsMax = 2 ** 31;

const wordsPerChunk = 512;

export class IntegerSet {
  #words = new Uint32Array(0);
  /** The number that bit 0 stands for; a multiple of 32. */
  #base = 0;

  get sizeBytes(): number {
    return this.#words.byteLength;
  }

  /** O(range / 32). */
  get count(): number {
    return countSelected(this.#words, 0, this.#words.length);
  }

  /** Adds the rows' numbers without NULLs; false where their range is too large (some may be added then). */
  add(values: Float64Array, nulls: Nulls, length: number): boolean {
    for (let row = 0; row < length; ) {
      row = this.#addWithin(values, nulls, row, length);
      if (row < length && !this.#widen(values, nulls, row, length)) return false;
    }
    return true;
  }

  /** Adds rows from `from` on; returns the first whose number is outside the bitmap. */
  #addWithin(values: Float64Array, nulls: Nulls, from: number, length: number): number {
    const words = this.#words;
    const bitCount = words.length * 32;
    const base = this.#base;
    for (let row = from; row < length; row++) {
      if (nulls !== null && nulls[row] !== 0) continue;
      const bit = values[row]! - base;
      if (!(bit >= 0 && bit < bitCount)) return row;
      words[bit >>> 5]! |= 1 << (bit & 31);
    }
    return length;
  }

  #widen(values: Float64Array, nulls: Nulls, from: number, length: number): boolean {
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    for (let row = from; row < length; row++) {
      if (nulls !== null && nulls[row] !== 0) continue;
      const value = values[row]!;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    // The room that was left for more does not count: it must not keep a number out at the other end.
    let usedCount = this.#words.length;
    while (usedCount > 0 && this.#words[usedCount - 1] === 0) usedCount--;
    const isEmpty = usedCount === 0;
    const low = Math.floor((isEmpty ? min : Math.min(min, this.#base)) / 32);
    const end = Math.max(Math.floor(max / 32) + 1, isEmpty ? low : this.#base / 32 + usedCount);
    const allowed = Math.min(Math.max(bitsMin, this.count * bitsPerNumber), bitsMax) / 32;
    const needed = end - low;
    if (needed > allowed) return false;
    const wider = new Uint32Array(Math.min(allowed, Math.max(needed + (needed >> 1), 64)));
    wider.set(this.#words.subarray(0, usedCount), isEmpty ? 0 : this.#base / 32 - low);
    this.#words = wider;
    this.#base = low * 32;
    return true;
  }

  /** The numbers, ascending; each vector is valid until the next. */
  *vectors(): Generator<Extract<Vector, { form: 'number' }>, void, void> {
    const bits = new Uint32Array(wordsPerChunk * 32);
    const values = new Float64Array(wordsPerChunk * 32);
    for (let word = 0; word < this.#words.length; word += wordsPerChunk) {
      const length = listSelected(this.#words, word, Math.min(word + wordsPerChunk, this.#words.length), bits);
      if (length === 0) continue;
      for (let index = 0; index < length; index++) values[index] = this.#base + bits[index]!;
      yield { form: 'number', length, nulls: null, values };
    }
  }
}
