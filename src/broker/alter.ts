/** Changes of a table, on their way to the controller: what only SQL can judge, its transform, is judged here. */
import { FaultError, fault, toFault } from '../base/fault.ts';
import { changeTable } from '../catalog/change.ts';
import { findTable } from '../catalog/name.ts';
import type { TableChange, TableDefinition } from '../catalog/table.ts';
import { bindTransform } from '../sql/bind-transform.ts';
import type { Client } from '../wire/call.ts';
import type { ControllerCalls } from '../wire/controller-calls.ts';

/** Each lost attempt is another's change of the same table that went through. */
const attemptsMax = 20;

export interface TableAlteration {
  readonly table: string;
  readonly changes: readonly TableChange[];
}

/**
 * All of the changes, or none of them. Where the table changes meanwhile, they are looked at again.
 * @throws FaultError of `changeTable`; UNSUPPORTED where the transform could not go on
 */
export async function alterTable(
  { table: name, changes }: TableAlteration,
  controller: Client<ControllerCalls>,
  signal?: AbortSignal,
): Promise<TableDefinition> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const { tables } = await controller.call('catalog', null);
    const table = findTable(tables, name);
    checkTransform(changeTable(table, changes));
    const { id: tableId, version } = table;
    const altered = await controller.call('alterTable', { tableId, version, changes }, signal ? { signal } : {});
    if (altered !== null) return altered;
  }
  throw fault('UNAVAILABLE', `table ${name} was changed by others ${attemptsMax} times meanwhile`, {
    hint: 'try again',
  });
}

/** A transform names its table's columns: it must still mean something. */
function checkTransform({ name, source, columns }: TableDefinition): void {
  if (source.kind !== 'kafka' || source.transform === null) return;
  try {
    bindTransform(source.transform, columns);
  } catch (error) {
    if (toFault(error).kind !== 'invalid') throw error;
    // Its place is one in the transform's text, not in the statement's.
    const { message } = toFault(error);
    const cause = fault('UNSUPPORTED', `the transform of table ${name} could not go on: ${message}`, {
      hint: 'a column that the transform gives stays as it is; make another table with another transform',
    });
    throw new FaultError(cause.fault, { cause: error });
  }
}
