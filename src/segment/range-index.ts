/** Bit-sliced range indexes (segments/README.md, index-range-*.bin): a part for each block. */
import { type Bits, narrowToRange, sliceCodes } from '../bitmap/bit-sliced.ts';
import { bitsetAt, containerSizeMax, selectContainer, writeContainer } from '../bitmap/roaring.ts';
import { isPresent } from '../column/column.ts';
import type { Type } from '../column/type.ts';
import { subtract } from '../kernel/selection.ts';
import { blockRows, type RangeIndex, type ValueRange } from './block.ts';
import { blockRowCount, type EncodedBlock, type EncodedColumn } from './encode.ts';
import { align8, writeParts } from './index-file.ts';
import { type OrderedRange, type OrderedWords, orderedRange, orderedWords } from './ordered.ts';
import type { Part, StoredParts } from './stored-parts.ts';

const hasNulls = 1;
const hasNaN = 2;
const partHeaderSizeBytes = 40;
const sliceCountMax = 129;

/** @param column Of a type that has ordered integers. */
export function buildRange({ definition, blocks }: EncodedColumn, rowCount: number): Uint8Array {
  const codes = blocks.map((block, index) => encodeCodes(definition.type, block, blockRowCount(rowCount, index)));
  const bitmapCount = ({ sliceCount, nulls }: BlockCodes): number => sliceCount + (nulls ? 1 : 0);
  return writeParts(
    blocks.length,
    part => {
      const count = bitmapCount(codes[part]!);
      return partHeaderSizeBytes + count * (8 + align8(containerSizeMax));
    },
    (part, into, at) => writeBlock(codes[part]!, part, into, at),
  );
}

interface BlockCodes {
  /** `wordCount` a row; 0 for NULL. */
  readonly codes: Uint32Array;
  readonly wordCount: number;
  readonly rowCount: number;
  readonly sliceCount: number;
  /** The ordered integer of code 0. */
  readonly base: bigint;
  /** Code of the greatest number; NaN's is one more. */
  readonly span: bigint;
  readonly nulls: Uint32Array | null;
  readonly hasNaN: boolean;
}

function encodeCodes(type: Type, { data, validity }: EncodedBlock, rowCount: number): BlockCodes {
  const ordered = orderedWords(type, data[0]!, rowCount);
  const { words, wordCount, nan } = ordered;
  const isNotANumber = (row: number): boolean => nan?.[row] === 1 && isPresent(validity, row);
  const isNumber = (row: number): boolean => nan?.[row] !== 1 && isPresent(validity, row);
  let minRow = -1;
  let maxRow = -1;
  for (let row = 0; row < rowCount; row++) {
    if (!isNumber(row)) continue;
    if (minRow < 0) minRow = maxRow = row;
    else if (compareOrdered(ordered, row, minRow) < 0) minRow = row;
    else if (compareOrdered(ordered, row, maxRow) > 0) maxRow = row;
  }
  const base = minRow < 0 ? 0n : integerAt(ordered, minRow);
  const span = minRow < 0 ? 0n : integerAt(ordered, maxRow) - base;
  subtractBase(ordered, base, isNumber, rowCount);
  let sawNaN = false;
  for (let row = 0; nan !== null && row < rowCount; row++) {
    if (!isNotANumber(row)) continue;
    setCode(ordered, row, span + 1n);
    sawNaN = true;
  }
  return {
    ...{ codes: words, wordCount, rowCount, base, span, hasNaN: sawNaN },
    sliceCount: bitCount(sawNaN ? span + 1n : span),
    nulls: validity && nullWords(validity, rowCount),
  };
}

const bitCount = (code: bigint): number => (code === 0n ? 0 : code.toString(2).length);

function compareOrdered({ words, wordCount }: OrderedWords, a: number, b: number): number {
  let word = wordCount - 1;
  const signed = (words[a * wordCount + word]! | 0) - (words[b * wordCount + word]! | 0);
  if (signed !== 0) return signed;
  for (word--; word >= 0; word--) {
    const lower = words[a * wordCount + word]! - words[b * wordCount + word]!;
    if (lower !== 0) return lower;
  }
  return 0;
}

function integerAt({ words, wordCount }: OrderedWords, row: number): bigint {
  let value = BigInt(words[(row + 1) * wordCount - 1]! | 0);
  for (let word = wordCount - 2; word >= 0; word--) value = (value << 32n) | BigInt(words[row * wordCount + word]!);
  return value;
}

function setCode({ words, wordCount }: OrderedWords, row: number, code: bigint): void {
  for (let word = 0; word < wordCount; word++)
    words[row * wordCount + word] = Number(BigInt.asUintN(32, code >> BigInt(32 * word)));
}

/** words -= base, with the borrow from word to word; 0 where there is no number. */
function subtractBase(
  { words, wordCount }: OrderedWords,
  base: bigint,
  isNumber: (row: number) => boolean,
  rowCount: number,
): void {
  const baseWords = Array.from({ length: wordCount }, (_, word) =>
    Number(BigInt.asUintN(32, base >> BigInt(32 * word))),
  );
  for (let row = 0, at = 0; row < rowCount; row++) {
    const counts = isNumber(row);
    for (let word = 0, borrow = 0; word < wordCount; word++, at++) {
      const difference = words[at]! - baseWords[word]! - borrow;
      borrow = difference < 0 ? 1 : 0;
      words[at] = counts ? difference : 0;
    }
  }
}

function nullWords(validity: Uint8Array, rowCount: number): Uint32Array {
  const words = new Uint32Array(blockRows / 32);
  for (let row = 0; row < rowCount; row++) if (!isPresent(validity, row)) words[row >> 5]! |= 1 << (row & 31);
  return words;
}

function writeBlock(block: BlockCodes, blockIndex: number, into: Uint8Array, at: number): number {
  const { codes, wordCount, rowCount, sliceCount, base, span, nulls } = block;
  const view = new DataView(into.buffer, into.byteOffset + at);
  view.setUint32(0, sliceCount, true);
  view.setUint32(4, (nulls ? hasNulls : 0) | (block.hasNaN ? hasNaN : 0), true);
  view.setBigUint64(8, BigInt.asUintN(64, base), true);
  view.setBigInt64(16, base >> 64n, true);
  view.setBigUint64(24, BigInt.asUintN(64, span), true);
  view.setBigUint64(32, span >> 64n, true);
  const bitmapCount = sliceCount + (nulls ? 1 : 0);
  const words = new Uint32Array(blockRows / 32);
  let end = partHeaderSizeBytes + 8 * bitmapCount;
  for (let bitmap = 0; bitmap < bitmapCount; bitmap++) {
    if (bitmap < sliceCount) sliceCodes(codes, wordCount, rowCount, bitmap, words);
    const start = align8(end);
    const sizeBytes = writeContainer(bitmap < sliceCount ? words : nulls!, blockIndex, into, at + start);
    view.setUint32(partHeaderSizeBytes + 8 * bitmap, start, true);
    view.setUint32(partHeaderSizeBytes + 8 * bitmap + 4, sizeBytes, true);
    end = start + sizeBytes;
  }
  return end;
}

export class StoredRange implements RangeIndex {
  readonly #parts: StoredParts;
  readonly #type: Type;

  /** @param type Of the values in the segment. */
  constructor(parts: StoredParts, type: Type) {
    this.#parts = parts;
    this.#type = type;
  }

  covers(range: ValueRange): boolean {
    return orderedRange(range, this.#type) !== null;
  }

  readSizeBytes(blockIndex: number): number {
    return this.#parts.readSizeBytes(blockIndex);
  }

  narrow(range: ValueRange, blockIndex: number, words: Uint32Array, wordCount: number): void {
    const part = this.#parts.part(blockIndex);
    const corrupt = (why: string): Error => this.#parts.corrupt(blockIndex, why);
    narrowBlock(part, blockIndex, orderedRange(range, this.#type)!, words, wordCount, corrupt);
  }
}

/** Shared by all: evaluation never awaits. */
const scratch = [new Uint32Array(blockRows / 32), new Uint32Array(blockRows / 32)] as const;
const decoded = new Uint32Array(blockRows / 32);

function narrowBlock(
  { bytes, at, sizeBytes }: Part,
  blockIndex: number,
  range: OrderedRange,
  words: Uint32Array,
  wordCount: number,
  corrupt: (why: string) => Error,
): void {
  if (sizeBytes < partHeaderSizeBytes) throw corrupt(`has ${sizeBytes} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, sizeBytes);
  const wide = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
  const sliceCount = view.getUint32(0, true);
  const flags = view.getUint32(4, true);
  const bitmapCount = sliceCount + (flags & hasNulls);
  if (sliceCount > sliceCountMax || partHeaderSizeBytes + 8 * bitmapCount > sizeBytes)
    throw corrupt(`has ${sliceCount} slices`);
  const bitsOf = (bitmap: number): Bits => {
    const offset = view.getUint32(partHeaderSizeBytes + 8 * bitmap, true);
    const size = view.getUint32(partHeaderSizeBytes + 8 * bitmap + 4, true);
    if (offset + size > sizeBytes) throw corrupt(`has bitmap ${bitmap} at ${offset}`);
    const found = bitsetAt(bytes, at + offset, size, blockIndex);
    if (found >= 0 && found % 4 === 0) return { view: wide, at: found / 4 };
    selectContainer(bytes, at + offset, size, blockIndex, decoded.fill(0));
    return { view: decoded, at: 0 };
  };
  if ((flags & hasNulls) !== 0) {
    const nulls = bitsOf(sliceCount);
    subtract(words, nulls.view, nulls.at, wordCount);
  }
  const base = (view.getBigInt64(16, true) << 64n) | view.getBigUint64(8, true);
  const span = (view.getBigUint64(32, true) << 64n) | view.getBigUint64(24, true);
  const codes = codesWithin(range, base, span, (flags & hasNaN) !== 0, sliceCount);
  if (codes) narrowToRange(sliceCount, bitsOf, codes.low, codes.high, words, wordCount, scratch);
  else words.fill(0, 0, wordCount);
}

/** Codes of a block that a range asks for, as wide as they can be; null where there are none. */
function codesWithin(
  range: OrderedRange,
  base: bigint,
  span: bigint,
  nanHasCode: boolean,
  sliceCount: number,
): { readonly low: bigint; readonly high: bigint } | null {
  const last = (1n << BigInt(sliceCount)) - 1n;
  const low = range.low > base ? range.low - base : 0n;
  const high = range.high - base;
  const isEmpty = range.low > range.high || low > span || high < 0n;
  if (range.nan && nanHasCode) return { low: isEmpty ? span + 1n : low, high: last };
  if (isEmpty) return null;
  if (high < span) return { low, high };
  return { low, high: nanHasCode ? span : last };
}
