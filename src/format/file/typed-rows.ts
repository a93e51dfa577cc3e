/** What files with types of their own have in common: columns cut to batches. */
import { sliceColumn } from '../../column/take.ts';
import { castColumns, type SourceColumn } from '../column-rows.ts';
import { batchRowsMax } from '../limits.ts';
import type { DecodeTarget } from '../target.ts';
import type { FileBatch } from './types.ts';

/**
 * @param sources All of `rowCount` rows.
 * @param firstRow Rows of the file before them.
 */
export function* cutBatches(
  sources: readonly SourceColumn[],
  rowCount: number,
  target: DecodeTarget,
  firstRow: number,
  readBytes: number,
): Generator<FileBatch> {
  for (let from = 0; from < rowCount; from += batchRowsMax) {
    const to = Math.min(rowCount, from + batchRowsMax);
    const part = sources.map(({ path, column }) => ({ path, column: sliceColumn(column, from, to) }));
    const { batch, accepted, rejected, rejects, ignoredValues } = castColumns(part, to - from, target, firstRow + from);
    yield { batch, rowCount: accepted, firstRow: firstRow + from, rejected, rejects, ignoredValues, readBytes };
  }
}
