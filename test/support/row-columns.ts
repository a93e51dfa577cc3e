import { virtualColumns } from '../../src/catalog/table.ts';
import type { Column } from '../../src/column/column.ts';
import { integersOf } from '../../src/column/integers.ts';
import { LONG, TIMESTAMP } from '../../src/column/type.ts';

export const ingestedAtMs = 1_700_000_000_000;

/** `of`, with `$offset` and `$ingested_at` of rows that have one offset each. */
export const withRowColumns =
  <C extends Column | Promise<Column>>(startOffset: number, rowCount: number, of: (columnId: number) => C) =>
  (columnId: number): Column | C => {
    if (columnId === virtualColumns.offset) return integersOf(LONG, rowCount, row => startOffset + row);
    if (columnId === virtualColumns.ingestedAt) return integersOf(TIMESTAMP, rowCount, () => ingestedAtMs);
    return of(columnId);
  };
