import type { ColumnDefinition, TableDefinition } from '../../../src/catalog/table.ts';
import { type Batch, type Column, isPresent } from '../../../src/column/column.ts';
import type { Type, Value } from '../../../src/column/type.ts';
import { valueAt } from '../../../src/column/value.ts';
import type { Arena } from '../../../src/kernel/allocator.ts';
import type { Block, BlockColumn } from '../../../src/segment/block.ts';
import type { ConsumingSegment, RowOrigin } from '../../../src/segment/consuming.ts';

/** A table with a column `c<id>` of each type, ids from 1. */
export const tableOf = (types: readonly Type[], defaults: readonly Value[] = [], version = 1): TableDefinition => ({
  id: '0123456789ab',
  name: 'events',
  version,
  columns: types.map(
    (type, index): ColumnDefinition => ({
      id: index + 1,
      name: `c${index + 1}`,
      type,
      nullable: true,
      defaultValue: defaults[index] ?? null,
    }),
  ),
  timeColumnId: null,
  indexes: [],
  source: { kind: 'log', partitionCount: 1 },
  settings: { segmentRows: 1_000_000, segmentAgeMs: 3_600_000, retentionMs: null },
  createdAtMs: 0,
});

/** A block's column as a Column over copies, so that tests read it with `valueAt`. */
export function copyBlockColumn(arena: Arena, block: Block, columnId: number): Column | null {
  const column = block.column(columnId);
  return column && copyColumn(arena, column, block.rowCount);
}

function copyColumn(arena: Arena, column: BlockColumn, length: number): Column {
  const { type, form, address, base, pool, validityAddress } = column;
  const validity =
    validityAddress === 0 ? null : arena.u8.slice(validityAddress, validityAddress + ((length + 7) >> 3));
  const of = <T>(view: { slice(start: number, end: number): T }, widthBytes: number, perRow = 1): T =>
    view.slice(address / widthBytes, address / widthBytes + length * perRow);
  if (form === 'codes') {
    const offsets = arena.u32.slice(pool!.offsetsAddress / 4, pool!.offsetsAddress / 4 + pool!.count + 1);
    const bytes = arena.u8.slice(pool!.bytesAddress, pool!.bytesAddress + (offsets.at(-1) ?? 0));
    return { form: 'dictionary', type, length, validity, codes: of(arena.u32, 4), offsets, bytes };
  }
  if (form === 'i32' && (type.name === 'LONG' || type.name === 'TIMESTAMP')) {
    const values = BigInt64Array.from(of(arena.i32, 4), element => BigInt(base + element));
    return { form: 'fixed', type, length, validity, values };
  }
  const values = {
    u8: () => of(arena.u8, 1),
    i32: () => of(arena.i32, 4),
    i64: () => of(arena.i64, 8),
    f32: () => of(arena.f32, 4),
    f64: () => of(arena.f64, 8),
    i128: () => {
      const start = address / 8;
      return arena.i64.slice(start, start + length * 2);
    },
    rows: () => {
      throw new Error('consuming segments have no raw columns');
    },
  }[form]();
  return { form: 'fixed', type, length, validity, values };
}

export const valuesOf = (column: Column): Value[] =>
  Array.from({ length: column.length }, (_, row) => valueAt(column, row));

export const nullCountOf = (column: Column): number => {
  let count = 0;
  for (let row = 0; row < column.length; row++) count += isPresent(column.validity, row) ? 0 : 1;
  return count;
};

/** Appends a batch whose rows have one offset each. */
export const appendRows = (segment: ConsumingSegment, columnIds: readonly number[], batch: Batch): void =>
  segment.append(columnIds, batch, originAt(segment.endOffset, batch.rowCount));

export const originAt = (startOffset: number, rowCount: number): RowOrigin => ({
  startOffset,
  endOffset: startOffset + rowCount,
  ingestedAtMs: 0,
});
