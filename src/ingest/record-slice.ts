import { concatColumns } from '../column/concat.ts';
import { decodeBatch, encodeBatch } from '../column/frame.ts';
import type { NewRecord } from '../stream/record.ts';

/** The rows `[from, to)` of a record, as a record of its own; the record itself where that is all of them. */
export function sliceRecord<R extends Pick<NewRecord, 'rowCount' | 'frame'>>(record: R, from: number, to: number): R {
  if (from === 0 && to === record.rowCount) return record;
  const rows = Uint32Array.from({ length: to - from }, (_, row) => from + row);
  const columns = decodeBatch(record.frame).columns.map(column => concatColumns(column.type, [{ column, rows }]));
  return { ...record, rowCount: rows.length, frame: encodeBatch({ rowCount: rows.length, columns }) };
}
