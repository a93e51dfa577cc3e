/** ALTER TABLE, CREATE INDEX and DROP INDEX as changes of a definition: pure, so that binder, HTTP and controller agree. */
import { fault } from '../base/fault.ts';
import { didYouMean } from '../base/suggest.ts';
import { sameType, typeText } from '../column/type.ts';
import { canWiden, wideningsOf, widenValue } from '../column/widen.ts';
import { missingValueOf, nextColumnIdOf } from './column.ts';
import { checkIndexName, findIndex, freshIndexName, indexNameOf } from './index-name.ts';
import { findColumn, matchName } from './name.ts';
import type { ColumnDefinition, TableChange, TableDefinition } from './table.ts';
import { checkIndex, checkIndexCount, defineColumns } from './validate.ts';

type Change<K extends TableChange['kind']> = Extract<TableChange, { kind: K }>;

/**
 * The definition after all of the changes, one version further; itself where they change nothing.
 * @throws FaultError INVALID_DEFINITION, UNKNOWN_COLUMN, NOT_FOUND (an index), UNSUPPORTED: then none of them is made
 */
export function changeTable(definition: TableDefinition, changes: readonly TableChange[]): TableDefinition {
  const changed = changes.reduce((table, change) => applied(table, change, definition.version + 1), definition);
  return changed === definition ? definition : { ...changed, version: definition.version + 1 };
}

function applied(table: TableDefinition, change: TableChange, version: number): TableDefinition {
  switch (change.kind) {
    case 'addColumn':
      return addColumn(table, change);
    case 'dropColumn':
      return dropColumn(table, change);
    case 'renameColumn':
      return renameColumn(table, change);
    case 'setType':
      return setType(table, change, version);
    case 'setDefault':
      return withColumn(table, change.column, column => ({
        ...column,
        defaultValue: change.defaultValue,
        missingValue: missingValueOf(column),
      }));
    case 'dropNotNull':
      return withColumn(table, change.column, column => ({ ...column, nullable: true }));
    case 'createIndex':
      return createIndex(table, change);
    case 'dropIndex':
      return dropIndex(table, change);
  }
}

const invalid = (message: string, hint?: string) => fault('INVALID_DEFINITION', message, { hint });

function addColumn(table: TableDefinition, change: Change<'addColumn'>): TableDefinition {
  const { name, type, nullable, defaultValue, ifNotExists } = change;
  const [twin] = matchName(table.columns, name);
  if (twin !== undefined && ifNotExists) return table;
  if (twin !== undefined)
    throw invalid(`table ${table.name} has a column ${twin.name}`, 'choose another name, or say IF NOT EXISTS');
  if (!nullable && defaultValue === null)
    throw invalid(
      `column ${name} is NOT NULL and has no default, so rows that are there would have nothing in it`,
      'add DEFAULT value, or leave NOT NULL out',
    );
  const id = nextColumnIdOf(table);
  const added = defineColumns({
    name: table.name,
    columns: [...table.columns, { name, type, nullable, defaultValue }],
  });
  const column: ColumnDefinition = { ...added.at(-1)!, id, missingValue: defaultValue };
  return { ...table, columns: [...table.columns, column], nextColumnId: id + 1 };
}

function dropColumn(table: TableDefinition, { column: name, ifExists }: Change<'dropColumn'>): TableDefinition {
  if (ifExists && matchName(table.columns, name).length === 0) return table;
  const column = findColumn(table, name);
  if (column.id === table.timeColumnId)
    throw invalid(
      `${column.name} is the time column of table ${table.name}`,
      'segments are ordered and pruned by it: it stays',
    );
  if (table.columns.length === 1)
    throw invalid(`${column.name} is the last column of table ${table.name}`, 'DROP TABLE drops it as a whole');
  return {
    ...table,
    columns: table.columns.filter(each => each !== column),
    indexes: table.indexes.filter(({ columnId }) => columnId !== column.id),
    nextColumnId: nextColumnIdOf(table),
  };
}

function renameColumn(table: TableDefinition, { column: name, to }: Change<'renameColumn'>): TableDefinition {
  const column = findColumn(table, name);
  if (column.name === to) return table;
  const twin = matchName(table.columns, to).find(each => each !== column);
  if (twin !== undefined) throw invalid(`table ${table.name} has a column ${twin.name}`, 'choose another name');
  // An index without a name of its own is called by its column: its name stays.
  const indexes = table.indexes.map(index =>
    index.columnId === column.id ? { ...index, name: indexNameOf(table, index) } : index,
  );
  const renamed = withColumn({ ...table, indexes }, name, each => ({ ...each, name: to }));
  defineColumns(renamed);
  return renamed;
}

function setType(table: TableDefinition, { column: name, type }: Change<'setType'>, version: number): TableDefinition {
  const column = findColumn(table, name);
  const { type: from } = column;
  if (sameType(from, type)) return table;
  defineColumns({ name: table.name, columns: [{ name, type, nullable: true }] });
  if (!canWiden(from, type))
    throw fault('UNSUPPORTED', `column ${column.name} is ${typeText(from)}, and cannot become ${typeText(type)}`, {
      hint: wideningsOf(from),
    });
  return withColumn(table, name, each => ({
    ...each,
    type,
    defaultValue: widenValue(each.defaultValue, from, type),
    missingValue: widenValue(missingValueOf(each), from, type),
    formerTypes: [...(each.formerTypes ?? []), { type: from, untilVersion: version }],
  }));
}

function withColumn(
  table: TableDefinition,
  name: string,
  change: (column: ColumnDefinition) => ColumnDefinition,
): TableDefinition {
  const column = findColumn(table, name);
  const changed = change(column);
  if (JSON.stringify(changed, printable) === JSON.stringify(column, printable)) return table;
  defineColumns({ name: table.name, columns: [changed] });
  return { ...table, columns: table.columns.map(each => (each === column ? changed : each)) };
}

const printable = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value);

function createIndex(table: TableDefinition, change: Change<'createIndex'>): TableDefinition {
  const column = findColumn(table, change.column);
  const { index: kind, ifNotExists } = change;
  if (change.name !== null) checkIndexName(change.name);
  const named = change.name === null ? null : findIndex(table, change.name);
  if (named !== null && ifNotExists) return table;
  if (named !== null)
    throw invalid(`table ${table.name} has an index ${change.name}`, 'choose another name, or say IF NOT EXISTS');
  const twin = table.indexes.find(index => index.columnId === column.id && index.kind === kind);
  if (twin !== undefined && ifNotExists) return table;
  if (twin !== undefined)
    throw invalid(
      `column ${column.name} has its ${kind} index: ${indexNameOf(table, twin)}`,
      'one of each kind is enough; IF NOT EXISTS makes no error of it',
    );
  checkIndex(column, kind);
  const name = change.name ?? freshIndexName(table, column.id, kind);
  const indexes = [...table.indexes, { columnId: column.id, kind, name }];
  checkIndexCount(indexes.length);
  return { ...table, indexes };
}

function dropIndex(table: TableDefinition, { name, ifExists }: Change<'dropIndex'>): TableDefinition {
  const index = findIndex(table, name);
  if (index !== null) return { ...table, indexes: table.indexes.filter(each => each !== index) };
  if (ifExists) return table;
  throw fault('NOT_FOUND', `table ${table.name} has no index ${name}`, {
    hint: didYouMean(
      name,
      table.indexes.map(each => indexNameOf(table, each)),
    ),
  });
}
