/** Batches of one table, one behind the other. */
import type { Batch, Column, FixedColumn, FixedValues } from '../column/column.ts';
import { isPresent } from '../column/column.ts';
import { putValue } from './column-values.ts';
import { createSink } from './sinks.ts';

/** @param batches One at least. */
export function concatBatches(batches: readonly Batch[]): Batch {
  const [first] = batches;
  if (batches.length === 1) return first!;
  const rowCount = batches.reduce((sum, batch) => sum + batch.rowCount, 0);
  const columns = first!.columns.map((_, index) =>
    concatColumns(
      batches.map(batch => batch.columns[index]!),
      rowCount,
    ),
  );
  return { rowCount, columns };
}

function concatColumns(parts: readonly Column[], rowCount: number): Column {
  return parts[0]!.form === 'fixed' ? concatFixed(parts as FixedColumn[], rowCount) : concatPooled(parts, rowCount);
}

function concatFixed(parts: readonly FixedColumn[], rowCount: number): Column {
  const { type, values: like } = parts[0]!;
  const Values = like.constructor as new (length: number) => FixedValues;
  const values = new Values(parts.reduce((sum, part) => sum + part.values.length, 0));
  const validity = parts.some(part => part.validity !== null) ? new Uint8Array((rowCount + 7) >> 3) : null;
  let at = 0;
  let row = 0;
  for (const part of parts) {
    (values as Uint8Array).set(part.values as Uint8Array, at);
    at += part.values.length;
    for (let index = 0; index < part.length; index++, row++)
      if (validity !== null && isPresent(part.validity, index)) validity[row >> 3]! |= 1 << (row & 7);
  }
  return { form: 'fixed', type, length: rowCount, validity, values };
}

/** Through a sink: dictionaries become one, of text as it comes. */
function concatPooled(parts: readonly Column[], rowCount: number): Column {
  const sink = createSink(parts[0]!.type, Math.max(8, rowCount));
  let row = 0;
  for (const part of parts)
    for (let index = 0; index < part.length; index++, row++)
      if (isPresent(part.validity, index)) putValue(part, index, sink, row);
      else sink.null(row);
  return sink.build(rowCount);
}
