import { fault } from '../base/fault.ts';
import { hasChangedDefault, wasOfType } from '../catalog/column.ts';
import type { TableDefinition } from '../catalog/table.ts';
import { type Batch, isPresent } from '../column/column.ts';
import { checkBatch, decodeBatch, encodeBatch } from '../column/frame.ts';
import { sameType, typeText } from '../column/type.ts';
import { widenColumn } from '../column/widen.ts';
import { constantColumn } from '../segment/consuming-column.ts';
import type { NewRecord } from '../stream/record.ts';
import { maxEventTimeMs } from './event-time.ts';

/**
 * Rows that come as columns, checked against the table. A column that is left out has its missing value where it is read,
 * and where its default is another by now, it is put in here.
 * All or nothing.
 * @throws FaultError CONSTRAINT, TYPE_MISMATCH, UNKNOWN_COLUMN, CORRUPT_FRAME
 */
export function recordOfInsert(
  definition: TableDefinition,
  columnIds: readonly number[],
  frame: Uint8Array,
): NewRecord {
  const batch = decodeBatch(frame);
  checkBatch(batch);
  if (batch.columns.length !== columnIds.length)
    throw fault(
      'CORRUPT_FRAME',
      `a batch of ${batch.columns.length} columns comes with ${columnIds.length} column ids`,
    );
  for (const id of columnIds)
    if (!definition.columns.some(column => column.id === id))
      throw fault('UNKNOWN_COLUMN', `table ${definition.name} has no column with id ${id}`, {
        hint: 'the table was changed meanwhile: try again',
      });
  const columns = new Map(columnIds.map((id, index) => [id, batch.columns[index]!]));
  for (const declared of definition.columns) {
    const { id, name, type, nullable, defaultValue } = declared;
    const column = columns.get(id);
    if (!column) {
      if (!nullable && defaultValue === null)
        throw fault('CONSTRAINT', `column ${name} is NOT NULL without a default, and has no value`, {
          hint: `name ${name} in the INSERT`,
        });
      if (hasChangedDefault(declared)) columns.set(id, constantColumn(type, defaultValue, batch.rowCount));
      continue;
    }
    // It may have been widened since the statement was bound.
    if (wasOfType(declared, column.type)) columns.set(id, widenColumn(column, type));
    else if (!sameType(column.type, type))
      throw fault('TYPE_MISMATCH', `column ${name} is ${typeText(type)}; its values come as ${typeText(column.type)}`);
    const row = nullable ? -1 : firstNull(batch, column.validity);
    if (row >= 0) throw fault('CONSTRAINT', `column ${name} is NOT NULL, and row ${row + 1} has NULL`);
  }
  const rows: Batch = { rowCount: batch.rowCount, columns: [...columns.values()] };
  return {
    rowCount: batch.rowCount,
    rejectedCount: 0,
    idempotencyKey: null,
    tableVersion: definition.version,
    maxTimeMs: maxEventTimeMs(definition, [...columns.keys()], rows),
    columnIds: [...columns.keys()],
    frame: encodeBatch(rows),
  };
}

function firstNull({ rowCount }: Batch, validity: Uint8Array | null): number {
  for (let row = 0; row < rowCount; row++) if (!isPresent(validity, row)) return row;
  return -1;
}
