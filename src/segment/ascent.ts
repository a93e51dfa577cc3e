import { isPresent } from '../column/column.ts';
import { blockRowCount, type EncodedColumn } from './encode.ts';
import { orderedWordCount, orderedWords } from './ordered.ts';

/**
 * Whether a column ascends over the segment's rows, as PostgreSQL orders it: numbers, then NaN, then NULL. Stops at the
 * first row that does not, so that it costs next to nothing where it fails.
 * @returns How many distinct values it has, NaN being one; null where it does not ascend, or has no order that is known here.
 */
export function distinctIfAscending({ definition, blocks }: EncodedColumn, rowCount: number): number | null {
  if (orderedWordCount(definition.type) === null) return null;
  let distinctCount = 0;
  let previous = new Int32Array(0);
  let state: 'numbers' | 'NaN' | 'NULL' = 'numbers';
  for (const [index, { data, validity }] of blocks.entries()) {
    const count = blockRowCount(rowCount, index);
    const { words, wordCount, nan } = orderedWords(definition.type, data[0]!, count);
    const signed = new Int32Array(words.buffer);
    for (let row = 0; row < count; row++) {
      if (validity !== null && !isPresent(validity, row)) {
        state = 'NULL';
        continue;
      }
      if (state === 'NULL') return null;
      if (nan !== null && nan[row] === 1) {
        if (state === 'numbers') distinctCount++;
        state = 'NaN';
        continue;
      }
      if (state === 'NaN') return null;
      const difference =
        row > 0 ? compareWords(signed, row, signed, row - 1, wordCount) : compareToLast(signed, previous, wordCount);
      if (difference < 0) return null;
      if (difference > 0) distinctCount++;
    }
    previous = signed.slice(-wordCount);
  }
  return distinctCount;
}

/** The segment's first row is above what is before it. */
const compareToLast = (words: Int32Array, previous: Int32Array, wordCount: number): number =>
  previous.length === 0 ? 1 : compareWords(words, 0, previous, 0, wordCount);

function compareWords(left: Int32Array, row: number, right: Int32Array, other: number, wordCount: number): number {
  let word = wordCount - 1;
  const signed = left[row * wordCount + word]! - right[other * wordCount + word]!;
  if (signed !== 0) return signed;
  for (word--; word >= 0; word--) {
    const lower = (left[row * wordCount + word]! >>> 0) - (right[other * wordCount + word]! >>> 0);
    if (lower !== 0) return lower;
  }
  return 0;
}
