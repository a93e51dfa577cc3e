/** Hashes of a column's values, for what counts or finds distinct ones. They are on disk, in Bloom filters: they never change. */
import { isPresent } from '../column/column.ts';
import { isPooled } from '../column/type.ts';
import { murmurBytes, murmurWords } from '../kernel/hash.ts';
import { blockRows } from './block.ts';
import { blockRowCount, type EncodedColumn } from './encode.ts';
import { orderedWords } from './ordered.ts';

export const lowSeed = 0;
export const highSeed = 0x9747_b28c;
const uuidSizeBytes = 16;

/**
 * A hash for each value of a block that is neither NULL nor NaN; for a dictionary column, for each distinct one of them.
 * Of a pooled value's bytes, or of the bytes of a fixed one's ordered integer.
 * @param column Not BOOLEAN or INTERVAL.
 */
export function hashBlock(column: EncodedColumn, rowCount: number, block: number, seed: number): Uint32Array {
  const { definition, encoding, dictionary } = column;
  const count = blockRowCount(rowCount, block);
  if (encoding === 'dictionary') return hashStrings(dictionary!.data, usedCodes(column, count, block), seed);
  const { data, validity } = column.blocks[block]!;
  if (isPooled(definition.type)) return hashStrings(data, presentRows(validity, count), seed);
  const { words, wordCount, nan } = orderedWords(definition.type, data[0]!, count);
  const hashes = new Uint32Array(count);
  let hashCount = 0;
  for (let row = 0; row < count; row++) {
    if ((validity !== null && !isPresent(validity, row)) || (nan !== null && nan[row] === 1)) continue;
    hashes[hashCount++] = murmurWords(words, row * wordCount, wordCount, seed);
  }
  return hashes.subarray(0, hashCount);
}

function presentRows(validity: Uint8Array | null, rowCount: number): Uint32Array {
  const rows = new Uint32Array(rowCount);
  let count = 0;
  for (let row = 0; row < rowCount; row++) if (validity === null || isPresent(validity, row)) rows[count++] = row;
  return rows.subarray(0, count);
}

/** @param data Strings as columns.arrow has them: offsets and bytes, or UUIDs' bytes alone. */
function hashStrings(data: readonly Uint8Array[], entries: Uint32Array, seed: number): Uint32Array {
  const hashes = new Uint32Array(entries.length);
  const bytes = data.at(-1)!;
  if (data.length === 1) {
    for (let index = 0; index < entries.length; index++) {
      const start = entries[index]! * uuidSizeBytes;
      hashes[index] = murmurBytes(bytes, start, start + uuidSizeBytes, seed);
    }
    return hashes;
  }
  const offsets = new Uint32Array(data[0]!.buffer, data[0]!.byteOffset, data[0]!.length / 4);
  for (let index = 0; index < entries.length; index++) {
    const entry = entries[index]!;
    hashes[index] = murmurBytes(bytes, offsets[entry]!, offsets[entry + 1]!, seed);
  }
  return hashes;
}

/** Codes that some row of the block has. */
function usedCodes({ codes, dictionary, blocks }: EncodedColumn, count: number, block: number): Uint32Array {
  const { validity } = blocks[block]!;
  const first = block * blockRows;
  const isUsed = new Uint8Array(dictionary!.count);
  for (let row = 0; row < count; row++)
    if (validity === null || isPresent(validity, row)) isUsed[codes![first + row]!] = 1;
  const used = new Uint32Array(dictionary!.count);
  let usedCount = 0;
  for (let code = 0; code < isUsed.length; code++) if (isUsed[code] === 1) used[usedCount++] = code;
  return used.subarray(0, usedCount);
}
