/** Columns that every row has without its table declaring them. */
import { type ColumnDefinition, type TableDefinition, virtualColumns } from '../catalog/table.ts';
import { LONG, TIMESTAMP, type Type } from '../column/type.ts';

const rowColumn = (id: number, name: string, type: Type): ColumnDefinition => ({
  id,
  name,
  type,
  nullable: false,
  defaultValue: null,
});

/** The stream's offset of the row. Rows of one message share it; within a consuming segment it never falls. */
export const offsetColumn: ColumnDefinition = rowColumn(virtualColumns.offset, '$offset', LONG);

/** When the row was taken in. */
export const ingestedAtColumn: ColumnDefinition = rowColumn(virtualColumns.ingestedAt, '$ingested_at', TIMESTAMP);

/** What a segment of the table stores: its columns, then `$offset` and `$ingested_at`. */
export const storedColumns = ({ columns }: TableDefinition): readonly ColumnDefinition[] => [
  ...columns,
  offsetColumn,
  ingestedAtColumn,
];
