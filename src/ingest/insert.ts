import { fault } from '../base/fault.ts';
import type { TableDefinition } from '../catalog/table.ts';
import { type Batch, isPresent } from '../column/column.ts';
import { checkBatch, decodeBatch } from '../column/frame.ts';
import { sameType, typeText } from '../column/type.ts';
import type { NewRecord } from '../stream/record.ts';
import { maxEventTimeMs } from './event-time.ts';

/**
 * Rows that come as columns, checked against the table; columns that are left out take their defaults where they are read.
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
  for (const { id, name, type, nullable, defaultValue } of definition.columns) {
    const column = batch.columns[columnIds.indexOf(id)];
    if (!column) {
      if (!nullable && defaultValue === null)
        throw fault('CONSTRAINT', `column ${name} is NOT NULL without a default, and has no value`, {
          hint: `name ${name} in the INSERT`,
        });
      continue;
    }
    if (!sameType(column.type, type))
      throw fault('TYPE_MISMATCH', `column ${name} is ${typeText(type)}; its values come as ${typeText(column.type)}`);
    const row = nullable ? -1 : firstNull(batch, column.validity);
    if (row >= 0) throw fault('CONSTRAINT', `column ${name} is NOT NULL, and row ${row + 1} has NULL`);
  }
  return {
    rowCount: batch.rowCount,
    rejectedCount: 0,
    idempotencyKey: null,
    tableVersion: definition.version,
    maxTimeMs: maxEventTimeMs(definition, columnIds, batch),
    columnIds,
    frame,
  };
}

function firstNull({ rowCount }: Batch, validity: Uint8Array | null): number {
  for (let row = 0; row < rowCount; row++) if (!isPresent(validity, row)) return row;
  return -1;
}
