/** INSERT INTO … VALUES → rows of the columns' types. */
import { fault, type Position } from '../base/fault.ts';
import { didYouMean } from '../base/suggest.ts';
import { matchName } from '../catalog/name.ts';
import type { ColumnDefinition, TableDefinition } from '../catalog/table.ts';
import { type Type, typeText, type Value } from '../column/type.ts';
import { canCastImplicitly } from '../function/coercion.ts';
import type { InsertCell, Name, StatementBody } from './ast.ts';
import { ExpressionBinder, type StatementContext } from './bind-expression.ts';
import type { BoundStatement } from './bound.ts';
import { resolveStoredTable, type SqlCatalog } from './catalog.ts';
import type { Operand } from './operand.ts';
import { Scope } from './scope.ts';

type Insert = Extract<StatementBody, { kind: 'insert' }>;

/** @throws {FaultError} UNKNOWN_TABLE, UNKNOWN_COLUMN, TYPE_MISMATCH, CONSTRAINT, INVALID_LITERAL … each with its position */
export function bindInsert(statement: Insert, catalog: SqlCatalog, context: StatementContext): BoundStatement {
  const table = resolveStoredTable(catalog, statement.name);
  const columns = statement.columns === null ? table.columns : statement.columns.map(name => columnNamed(table, name));
  checkColumns(table, columns, statement);
  const binder = new ExpressionBinder(context, { scope: new Scope([]), clause: 'VALUES', aggregates: null });
  const rows = statement.rows.map(({ cells, at }) => {
    if (cells.length > columns.length) throw wrongCount('more', cells.length, columns.length, at);
    if (cells.length < columns.length && statement.columns !== null)
      throw wrongCount('fewer', cells.length, columns.length, at);
    return columns.map((column, index) => cellValue(cells[index] ?? null, column, binder, at));
  });
  return {
    kind: 'insert',
    tableId: table.id,
    table: table.name,
    columnIds: columns.map(column => column.id),
    types: columns.map(column => column.type),
    rows,
  };
}

const wrongCount = (which: 'more' | 'fewer', given: number, wanted: number, position: Position): Error =>
  fault('SYNTAX_ERROR', `INSERT has ${which} expressions than target columns: ${given} for ${wanted}`, { position });

function columnNamed(table: TableDefinition, name: Name): ColumnDefinition {
  const found = matchName(table.columns, name.text);
  if (found.length === 1) return found[0]!;
  if (found.length > 1) throw fault('AMBIGUOUS_NAME', `column ${name.text} is ambiguous`, { position: name.at });
  const hint = didYouMean(
    name.text,
    table.columns.map(column => column.name),
  );
  throw fault('UNKNOWN_COLUMN', `unknown column ${name.text} of table ${table.name}`, { position: name.at, hint });
}

/** No column twice, and none left out that a row must have. */
function checkColumns(
  table: TableDefinition,
  columns: readonly ColumnDefinition[],
  { columns: names, name }: Insert,
): void {
  columns.forEach((column, index) => {
    if (columns.indexOf(column) !== index)
      throw fault('INVALID_REQUEST', `column ${column.name} is given twice`, { position: names?.[index]?.at });
  });
  const missing = table.columns.find(
    column => !column.nullable && column.defaultValue === null && !columns.includes(column),
  );
  if (missing !== undefined) throw notNull(missing, name.at);
}

const notNull = (column: ColumnDefinition, position: Position): Error =>
  fault('CONSTRAINT', `column ${column.name} is NOT NULL and has no default`, { position });

/** `null`: the word DEFAULT, or a row that ends early. */
function cellValue(cell: InsertCell, column: ColumnDefinition, binder: ExpressionBinder, rowAt: Position): Value {
  const value = cell === null ? column.defaultValue : constantOf(binder.bind(cell), column, binder);
  if (value === null && !column.nullable) throw notNull(column, cell?.at ?? rowAt);
  return value;
}

/** Assignment: what stands implicitly, and numbers of one kind for another (checked for range). */
function constantOf(operand: Operand, column: ColumnDefinition, binder: ExpressionBinder): Value {
  const { type } = operand;
  if (type !== null && !canAssign(type, column.type))
    throw fault(
      'TYPE_MISMATCH',
      `column ${column.name} is ${typeText(column.type)}, the expression ${typeText(type)}`,
      {
        position: operand.at,
        hint: 'CAST the expression',
      },
    );
  const value = binder.constantOf(operand, column.type);
  if (value !== undefined) return value;
  throw fault('INVALID_LITERAL', `the value for ${column.name} is not a constant`, { position: operand.at });
}

const numberNames: ReadonlySet<string> = new Set(['INT', 'LONG', 'FLOAT', 'DOUBLE', 'DECIMAL']);
/** PostgreSQL's assignment casts: any number to any number, anything to text, timestamps to dates. */
export const canAssign = (from: Type, to: Type): boolean =>
  canCastImplicitly(from, to) ||
  to.name === 'STRING' ||
  (numberNames.has(from.name) && numberNames.has(to.name)) ||
  (from.name === 'TIMESTAMP' && to.name === 'DATE');
