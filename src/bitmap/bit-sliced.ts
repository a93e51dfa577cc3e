/**
 * Bit-sliced codes: slice i is a bitmap of the rows whose code has bit i set, so that a range of codes is found by a few
 * operations on whole bitmaps, as many as codes have bits. O'Neil and Quass, "Improved Query Performance with Variant
 * Indexes" (1997); their place among bitmap indexes: Chan and Ioannidis, "Bitmap Index Design and Evaluation" (1998).
 */

/** Bits as 32-bit words: `view[at + w]`, for as many words as the rows take. */
export interface Bits {
  readonly view: Uint32Array;
  readonly at: number;
}

/** Bit `slice` of each row's code, into `words`. Row r's code is `codes[r * wordsPerRow …]`, the lowest word first. */
export function sliceCodes(
  codes: Uint32Array,
  wordsPerRow: number,
  rowCount: number,
  slice: number,
  words: Uint32Array,
): void {
  const shift = slice & 31;
  let at = slice >>> 5;
  for (let start = 0, word = 0; start < rowCount; start += 32, word++) {
    const count = Math.min(32, rowCount - start);
    let bits = 0;
    for (let bit = 0; bit < count; bit++, at += wordsPerRow) bits |= ((codes[at]! >>> shift) & 1) << bit;
    words[word] = bits;
  }
}

/**
 * Narrows `words` to the rows whose codes lie in `[low, high]`, `0 <= low <= high < 2^sliceCount`. Down from the highest
 * bit, rows that equal both bounds so far are kept until the bounds part; then those that equal `low` and those that equal
 * `high` so far, while rows strictly between go to the result. Ends as soon as what is left of the bounds decides nothing.
 * @param scratch Two buffers of at least `wordCount` words.
 */
export function narrowToRange(
  sliceCount: number,
  sliceOf: (slice: number) => Bits,
  low: bigint,
  high: bigint,
  words: Uint32Array,
  wordCount: number,
  [aboveLow, belowHigh]: readonly [Uint32Array, Uint32Array],
): void {
  let slice = sliceCount - 1;
  for (; slice >= 0 && bitOf(low, slice) === bitOf(high, slice); slice--) {
    if (isAll(low, high, slice)) return;
    const { view, at } = sliceOf(slice);
    const any = bitOf(low, slice) === 1 ? keepOnes(words, view, at, wordCount) : keepZeros(words, view, at, wordCount);
    if (!any) return;
  }
  if (slice < 0 || isAll(low, high, slice)) return;
  const parting = sliceOf(slice);
  aboveLow.set(words.subarray(0, wordCount));
  belowHigh.set(words.subarray(0, wordCount));
  let lowLeft = keepZeros(aboveLow, parting.view, parting.at, wordCount);
  let highLeft = keepOnes(belowHigh, parting.view, parting.at, wordCount);
  words.fill(0, 0, wordCount);
  for (slice--; slice >= 0 && (lowLeft || highLeft); slice--) {
    if (lowLeft && endsIn(low, slice, 0n)) {
      addTo(words, aboveLow, wordCount);
      lowLeft = false;
    }
    if (highLeft && endsIn(high, slice, -1n)) {
      addTo(words, belowHigh, wordCount);
      highLeft = false;
    }
    if (!lowLeft && !highLeft) return;
    const { view, at } = sliceOf(slice);
    if (lowLeft)
      lowLeft =
        bitOf(low, slice) === 1
          ? keepOnes(aboveLow, view, at, wordCount)
          : moveOnes(aboveLow, words, view, at, wordCount);
    if (highLeft)
      highLeft =
        bitOf(high, slice) === 0
          ? keepZeros(belowHigh, view, at, wordCount)
          : moveZeros(belowHigh, words, view, at, wordCount);
  }
  if (lowLeft) addTo(words, aboveLow, wordCount);
  if (highLeft) addTo(words, belowHigh, wordCount);
}

const bitOf = (code: bigint, slice: number): number => Number((code >> BigInt(slice)) & 1n);

/** Whether bits `[0, slice]` of a code are those of `all`: 0n or -1n. */
const endsIn = (code: bigint, slice: number, all: bigint): boolean =>
  BigInt.asUintN(slice + 1, code) === BigInt.asUintN(slice + 1, all);

const isAll = (low: bigint, high: bigint, slice: number): boolean => endsIn(low, slice, 0n) && endsIn(high, slice, -1n);

/** Each says whether any row is left in `rows`. */
function keepOnes(rows: Uint32Array, view: Uint32Array, at: number, wordCount: number): boolean {
  let any = 0;
  for (let word = 0; word < wordCount; word++) any |= rows[word]! &= view[at + word]!;
  return any !== 0;
}

function keepZeros(rows: Uint32Array, view: Uint32Array, at: number, wordCount: number): boolean {
  let any = 0;
  for (let word = 0; word < wordCount; word++) any |= rows[word]! &= ~view[at + word]!;
  return any !== 0;
}

function moveOnes(rows: Uint32Array, to: Uint32Array, view: Uint32Array, at: number, wordCount: number): boolean {
  let any = 0;
  for (let word = 0; word < wordCount; word++) {
    const bits = view[at + word]!;
    to[word]! |= rows[word]! & bits;
    any |= rows[word]! &= ~bits;
  }
  return any !== 0;
}

function moveZeros(rows: Uint32Array, to: Uint32Array, view: Uint32Array, at: number, wordCount: number): boolean {
  let any = 0;
  for (let word = 0; word < wordCount; word++) {
    const bits = view[at + word]!;
    to[word]! |= rows[word]! & ~bits;
    any |= rows[word]! &= bits;
  }
  return any !== 0;
}

function addTo(to: Uint32Array, rows: Uint32Array, wordCount: number): void {
  for (let word = 0; word < wordCount; word++) to[word]! |= rows[word]!;
}
