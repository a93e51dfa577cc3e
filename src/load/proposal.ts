/** What a load's files hold, against the table that they go into, or as a table of their own. */
import { fault } from '../base/fault.ts';
import { checkTableName, matchName } from '../catalog/name.ts';
import type { TableDefinition, TableDefinitionRequest } from '../catalog/table.ts';
import { defineTable } from '../catalog/validate.ts';
import { createTableText } from '../sql/create-text.ts';
import type { InferredFiles } from '../wire/load-calls.ts';

/** @throws FaultError INVALID_DEFINITION, UNKNOWN_COLUMN (a time column that is none of the files') */
export function tableOf(name: string, inferred: InferredFiles, timeColumn: string | null): TableDefinitionRequest {
  checkTableName(name);
  return {
    name,
    columns: inferred.columns.map(({ name, type, nullable }) => ({ name, type, nullable })),
    timeColumn,
    indexes: inferred.columns
      .filter(({ lowCardinality }) => lowCardinality)
      .map(({ name: column }) => ({ column, kind: 'inverted' })),
    source: { kind: 'log', partitionCount: 1 },
    settings: {},
  };
}

/** Of a table that is not there yet; its id is not in the text. */
export const statementOf = (request: TableDefinitionRequest): string =>
  createTableText(defineTable(request, { id: '0'.repeat(12), createdAtMs: 0 }));

/**
 * Whether rows of the files can be rows of the table at all. What does not fit in single rows rejects those.
 * @returns What is worth knowing.
 * @throws FaultError INVALID_ROWS
 */
export function checkFields(table: TableDefinition, { columns, rowCount }: InferredFiles): readonly string[] {
  const found = columns.map(({ name }) => ({ name, column: matchName(table.columns, name)[0] }));
  const names = (of: readonly { readonly name: string }[]): string => of.map(({ name }) => name).join(', ');
  const taken = new Set(found.map(({ column }) => column?.id));
  if (columns.length > 0 && found.every(({ column }) => column === undefined))
    throw fault('INVALID_ROWS', `no field of the files is a column of table ${table.name}`, {
      hint: `the files have ${names(columns)}; the table has ${names(table.columns)}`.slice(0, 1_000),
    });
  const missing = table.columns.filter(
    ({ id, nullable, defaultValue }) => !nullable && defaultValue === null && !taken.has(id),
  );
  if (missing.length > 0 && rowCount > 0)
    throw fault('INVALID_ROWS', `table ${table.name} needs ${names(missing)}, which the files do not have`, {
      hint: 'every row would be rejected',
    });
  const ignored = found.filter(({ column }) => column === undefined);
  return ignored.length > 0 ? [`not columns of the table, and not read: ${names(ignored)}`] : [];
}
