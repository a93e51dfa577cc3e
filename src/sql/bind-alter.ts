/** ALTER TABLE, CREATE INDEX, DROP INDEX → changes of a definition, tried on the table as it is. */
import { FaultError, fault, type Position, toFault } from '../base/fault.ts';
import { didYouMean } from '../base/suggest.ts';
import { changeTable } from '../catalog/change.ts';
import { findIndex, indexNameOf } from '../catalog/index-name.ts';
import { findColumn } from '../catalog/name.ts';
import type { TableChange, TableDefinition } from '../catalog/table.ts';
import type { AlterAction, StatementBody } from './ast.ts';
import type { StatementContext } from './bind-expression.ts';
import { bindDefault, indexKindNamed } from './bind-table.ts';
import type { BoundStatement } from './bound.ts';
import { resolveStoredTable, type SqlCatalog } from './catalog.ts';
import { resolveType } from './type-name.ts';

type Alter<K extends StatementBody['kind']> = Extract<StatementBody, { kind: K }>;

/** Where an error of a change points: at its column, or at what the column was to become. */
interface Place {
  readonly column: Position;
  readonly rest: Position;
}

/** @throws {FaultError} UNKNOWN_TABLE, UNKNOWN_COLUMN, INVALID_DEFINITION, UNSUPPORTED …, each with its position */
export function bindAlterTable(
  { name, actions }: Alter<'alterTable'>,
  catalog: SqlCatalog,
  context: StatementContext,
): BoundStatement {
  const table = resolveStoredTable(catalog, name);
  const changes: TableChange[] = [];
  let changed = table;
  for (const action of actions) {
    const change = bindAction(action, changed, context);
    changed = tryChange(changed, change, placeOf(action));
    changes.push(change);
  }
  const status = changed === table ? `table ${table.name} is so already` : `altered table ${table.name}`;
  return { kind: 'alterTable', table: table.name, changes, status };
}

function bindAction(action: AlterAction, table: TableDefinition, context: StatementContext): TableChange {
  switch (action.kind) {
    case 'add': {
      const { column, ifNotExists } = action;
      const { text: name } = column.name;
      const type = resolveType(column.type);
      const nullable = column.isNullable;
      const defaultValue =
        column.defaultValue === null ? null : bindDefault(name, column.defaultValue, { type, nullable }, context);
      return { kind: 'addColumn', name, type, nullable, defaultValue, ifNotExists };
    }
    case 'drop':
      return { kind: 'dropColumn', column: action.column.text, ifExists: action.ifExists };
    case 'rename':
      return { kind: 'renameColumn', column: action.column.text, to: action.to.text };
    case 'type':
      return { kind: 'setType', column: action.column.text, type: resolveType(action.type) };
    case 'default': {
      const { text, at } = action.column;
      const column = findColumn(table, text, at);
      const defaultValue = action.value === null ? null : bindDefault(column.name, action.value, column, context);
      return { kind: 'setDefault', column: text, defaultValue };
    }
    case 'notNull':
      if (!action.isSet) return { kind: 'dropNotNull', column: action.column.text };
      throw fault('UNSUPPORTED', `column ${action.column.text} cannot become NOT NULL: rows may have nothing in it`, {
        position: action.column.at,
        hint: 'ADD another COLUMN … NOT NULL DEFAULT value',
      });
  }
}

function placeOf(action: AlterAction): Place {
  switch (action.kind) {
    case 'add':
      return { column: action.column.name.at, rest: action.column.name.at };
    case 'rename':
      return { column: action.column.at, rest: action.to.at };
    case 'type':
      return { column: action.column.at, rest: action.type.at };
    default:
      return { column: action.column.at, rest: action.column.at };
  }
}

/** @throws {FaultError} of `changeTable`, with its position */
function tryChange(table: TableDefinition, change: TableChange, { column, rest }: Place): TableDefinition {
  try {
    return changeTable(table, [change]);
  } catch (error) {
    const cause = toFault(error);
    if (cause.kind !== 'invalid' || cause.position !== undefined) throw error;
    const isOfColumn = cause.code === 'UNKNOWN_COLUMN' || cause.code === 'AMBIGUOUS_NAME';
    throw new FaultError({ ...cause, position: isOfColumn ? column : rest }, { cause: error });
  }
}

/** @throws {FaultError} UNKNOWN_TABLE, UNKNOWN_COLUMN, INVALID_DEFINITION, UNSUPPORTED, each with its position */
export function bindCreateIndex(
  { name, ifNotExists, table: tableName, columns, kinds }: Alter<'createIndex'>,
  catalog: SqlCatalog,
): BoundStatement {
  const table = resolveStoredTable(catalog, tableName);
  const [column, another] = columns;
  if (another !== undefined)
    throw fault('UNSUPPORTED', 'an index is on one column', {
      position: another.at,
      hint: 'create one index for each column: a query uses all that help',
    });
  const [kind, second] = kinds;
  if (second !== undefined)
    throw fault('SYNTAX_ERROR', 'the kind of the index is given twice', { position: second.at });
  const change: TableChange = {
    kind: 'createIndex',
    column: column!.text,
    index: kind === undefined ? 'inverted' : indexKindNamed(kind),
    name: name?.text ?? null,
    ifNotExists,
  };
  const changed = tryChange(table, change, { column: column!.at, rest: name?.at ?? column!.at });
  const created = changed.indexes.find(index => !table.indexes.includes(index));
  const status = created
    ? `created index ${indexNameOf(changed, created)} on ${table.name}`
    : `table ${table.name} has that index`;
  return { kind: 'alterTable', table: table.name, changes: [change], status };
}

/** @throws {FaultError} UNKNOWN_TABLE, NOT_FOUND, AMBIGUOUS_NAME, each with its position */
export function bindDropIndex(
  { name, ifExists, table: tableName }: Alter<'dropIndex'>,
  catalog: SqlCatalog,
): BoundStatement {
  const tables = tableName === null ? catalog.tables : [resolveStoredTable(catalog, tableName)];
  const [table, another] = tables.filter(each => findIndex(each, name.text) !== null);
  if (another !== undefined)
    throw fault('AMBIGUOUS_NAME', `tables ${table!.name} and ${another.name} have an index ${name.text}`, {
      position: name.at,
      hint: `write DROP INDEX ${name.text} ON ${table!.name}`,
    });
  const change: TableChange = { kind: 'dropIndex', name: name.text, ifExists };
  if (table !== undefined)
    return { kind: 'alterTable', table: table.name, changes: [change], status: `dropped index ${name.text}` };
  if (ifExists) return { kind: 'alterTable', table: '', changes: [], status: `no index ${name.text}` };
  const names = tables.flatMap(each => each.indexes.map(index => indexNameOf(each, index)));
  throw fault('NOT_FOUND', `there is no index ${name.text}`, {
    position: name.at,
    hint: didYouMean(name.text, names) ?? 'SHOW CREATE TABLE lists the indexes of a table',
  });
}
