/**
 * Bloom filters of a column (segments/README.md, index-bloom-*.bin): one of the segment, so that a value that it does not
 * have costs one page; and where there are several blocks one of each, so that a value that it has costs one block's column.
 */
import type { Type } from '../column/type.ts';
import { murmurBytes, murmurWords } from '../kernel/hash.ts';
import { addToBlock, blockCountFor, blockHolds, blockOf, blockWordCount } from '../sketch/bloom.ts';
import { HyperLogLog } from '../sketch/hyperloglog.ts';
import type { BloomIndex, ValueRange } from './block.ts';
import type { EncodedColumn } from './encode.ts';
import { hashBlock, highSeed, lowSeed } from './hashes.ts';
import { writeParts } from './index-file.ts';
import { orderedRange, orderedWordCount } from './ordered.ts';
import type { StoredParts } from './stored-parts.ts';

const filterBlockSizeBytes = 4 * blockWordCount;
/** A page is checked and read as a whole: small for a look-up in one, large enough that the directory stays small. */
const pageBlocks = 2_048;

/** The first part: how many blocks each filter has. */
const tablePart = 0;

const pageCount = (blockCount: number): number => Math.ceil(blockCount / pageBlocks);

interface Hashes {
  readonly low: Uint32Array;
  readonly high: Uint32Array;
}

/** @param column Of a type whose values are hashed (`hashBlock`). Memory: 8 bytes a row, and twice the file. */
export function buildBloom(
  column: EncodedColumn,
  rowCount: number,
): { readonly count: number; readonly bytes: Uint8Array } {
  const blocks = column.blocks.map((_, block) => ({
    low: hashBlock(column, rowCount, block, lowSeed),
    high: hashBlock(column, rowCount, block, highSeed),
  }));
  const filters = [buildFilter(blocks), ...(blocks.length > 1 ? blocks.map(block => buildFilter([block])) : [])];
  const table = Uint32Array.from(filters, ({ length }) => length / blockWordCount);
  const pages = filters.flatMap(filter =>
    Array.from({ length: pageCount(filter.length / blockWordCount) }, (_, page) =>
      filter.subarray(page * pageBlocks * blockWordCount, (page + 1) * pageBlocks * blockWordCount),
    ),
  );
  const parts = [table, ...pages];
  const bytes = writeParts(
    parts.length,
    part => parts[part]!.byteLength,
    (part, into, at) => {
      const { buffer, byteOffset, byteLength } = parts[part]!;
      into.set(new Uint8Array(buffer, byteOffset, byteLength), at);
      return byteLength;
    },
  );
  return { count: parts.length, bytes };
}

function buildFilter(blocks: readonly Hashes[]): Uint32Array {
  const sketch = new HyperLogLog();
  for (const { low } of blocks) sketch.add(low);
  const blockCount = blockCountFor(sketch.estimate());
  const words = new Uint32Array(blockCount * blockWordCount);
  for (const { low, high } of blocks)
    for (let value = 0; value < low.length; value++)
      addToBlock(words, blockOf(high[value]!, blockCount) * blockWordCount, low[value]!);
  return words;
}

export class StoredBloom implements BloomIndex {
  readonly #parts: StoredParts;
  readonly #type: Type;
  readonly #segmentBlockCount: number;

  /** @param type Of the values in the segment, which has so many blocks. */
  constructor(parts: StoredParts, type: Type, segmentBlockCount: number) {
    this.#parts = parts;
    this.#type = type;
    this.#segmentBlockCount = segmentBlockCount;
  }

  mayHold(value: Uint8Array | ValueRange, blockIndex: number | null): boolean {
    const words = value instanceof Uint8Array ? null : this.#numberOf(value);
    if (words === 'none') return false;
    if (words === 'unknown') return true;
    const hash = (seed: number): number =>
      words
        ? murmurWords(words, 0, words.length, seed)
        : murmurBytes(value as Uint8Array, 0, (value as Uint8Array).length, seed);
    return this.#look(
      hash(lowSeed),
      hash(highSeed),
      blockIndex === null || this.#segmentBlockCount === 1 ? 0 : 1 + blockIndex,
    );
  }

  /** The ordered integer that a segment with the value would have; `none`: it cannot; `unknown`: whether it can is not known. */
  #numberOf(value: ValueRange): Uint32Array | 'none' | 'unknown' {
    const range = orderedRange(value, this.#type);
    const wordCount = orderedWordCount(this.#type);
    if (!range || !wordCount) return 'unknown';
    if (range.low > range.high) return 'none';
    if (range.low < range.high) return 'unknown';
    return Uint32Array.from({ length: wordCount }, (_, word) =>
      Number(BigInt.asUintN(32, range.low >> BigInt(32 * word))),
    );
  }

  #look(low: number, high: number, filter: number): boolean {
    const filterCount = this.#segmentBlockCount > 1 ? 1 + this.#segmentBlockCount : 1;
    const { bytes, at, sizeBytes } = this.#parts.part(tablePart);
    if (sizeBytes !== 4 * filterCount) throw this.#parts.corrupt(tablePart, `has ${sizeBytes} bytes`);
    const table = new Uint32Array(bytes.buffer, bytes.byteOffset + at, filterCount);
    let page = 1;
    for (let before = 0; before < filter; before++) page += pageCount(table[before]!);
    const blockCount = table[filter]!;
    const block = blockOf(high, blockCount);
    page += Math.floor(block / pageBlocks);
    if (blockCount === 0 || page >= this.#parts.index.count)
      throw this.#parts.corrupt(tablePart, 'lists more than there is');
    const part = this.#parts.part(page);
    const offset = (block % pageBlocks) * filterBlockSizeBytes;
    if (offset + filterBlockSizeBytes > part.sizeBytes) throw this.#parts.corrupt(page, `has ${part.sizeBytes} bytes`);
    const words = new Uint32Array(part.bytes.buffer, part.bytes.byteOffset + part.at + offset, blockWordCount);
    return blockHolds(words, 0, low);
  }
}
