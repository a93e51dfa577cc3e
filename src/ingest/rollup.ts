/** A rolled segment of a table with a rollup: rows of one key, which came in batches of their own, become one. */
import type { Clock } from '../base/seams.ts';
import { type TableDefinition, virtualColumns } from '../catalog/table.ts';
import type { Batch, Column, FixedColumn } from '../column/column.ts';
import { integersOf } from '../column/integers.ts';
import { TIMESTAMP } from '../column/type.ts';
import { rollUpBatch } from '../exec/transform.ts';
import type { SegmentInput } from '../segment/builder.ts';
import { constantColumn } from '../segment/consuming-column.ts';
import { bindTransform } from '../sql/bind-transform.ts';

/**
 * The segment's rows merged by their keys; the input itself where the table has no rollup, or a sum would not fit. Holds
 * all columns at once. What was counted and summed stays as it was: only the rows become fewer.
 */
export async function rollUpSegment(input: SegmentInput, clock: Clock): Promise<SegmentInput> {
  const { definition } = input;
  const plan = planOf(definition);
  if (!plan?.rollup || input.rowCount === 0) return input;
  const ids = [...plan.columns.map(({ id }) => id), virtualColumns.offset];
  const columns: Column[] = [];
  for (const id of ids) columns.push(await input.column(id));
  const batch = rollUpBatch(plan.rollup.segment, { rowCount: input.rowCount, columns }, clock);
  if (batch === null) return { ...input, column: id => columns[ids.indexOf(id)] ?? input.column(id) };
  const ingestedAt = await input.column(virtualColumns.ingestedAt);
  const times = timesAt(batch.columns.at(-1)!, columns.at(-1)!, ingestedAt);
  return {
    ...input,
    rowCount: batch.rowCount,
    ...(input.accounts && { accounts: { ...input.accounts, rowsOut: batch.rowCount } }),
    column: id => (id === virtualColumns.ingestedAt ? times : columnOf(definition, batch, ids, id)),
  };
}

const planOf = ({ source, columns }: TableDefinition) =>
  source.kind === 'kafka' && source.transform !== null ? bindTransform(source.transform, columns) : null;

/** Columns that the transform does not give have their default throughout. */
function columnOf({ columns }: TableDefinition, batch: Batch, ids: readonly number[], id: number): Column {
  const given = batch.columns[ids.indexOf(id)];
  if (given) return given;
  const { type, defaultValue } = columns.find(column => column.id === id)!;
  return constantColumn(type, defaultValue, batch.rowCount);
}

const numberAt = (column: Column, row: number): number => Number((column as FixedColumn).values[row]!);

/** When the first row of each key came: its offset is the key's. @param offsets Ascending. */
function timesAt(kept: Column, offsets: Column, ingestedAt: Column): Column {
  return integersOf(TIMESTAMP, kept.length, row => {
    const offset = numberAt(kept, row);
    let low = 0;
    for (let high = offsets.length; low < high; ) {
      const middle = (low + high) >>> 1;
      if (numberAt(offsets, middle) < offset) low = middle + 1;
      else high = middle;
    }
    return numberAt(ingestedAt, low);
  });
}
