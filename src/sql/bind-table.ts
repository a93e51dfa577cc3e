/** CREATE TABLE → the request that the controller makes a table of. */
import { fault, type Position } from '../base/fault.ts';
import { didYouMean, joinWords } from '../base/suggest.ts';
import { matchName } from '../catalog/name.ts';
import type { IndexKind, Source, TableDefinitionRequest, TableSettings } from '../catalog/table.ts';
import { type Type, typeText, type Value } from '../column/type.ts';
import type { ColumnSyntax, Expression, Name, Option, StatementBody } from './ast.ts';
import { ExpressionBinder, type StatementContext } from './bind-expression.ts';
import { bindKafkaSource } from './bind-kafka.ts';
import { bindTransformQuery, targetsOf } from './bind-transform.ts';
import { isPublic } from './catalog.ts';
import { columnCountMax } from './limits.ts';
import { duration, forEachOption, invalid, optionNamed, positiveInteger, textOf } from './options.ts';
import { Scope } from './scope.ts';
import { resolveType } from './type-name.ts';

type CreateTable = Extract<StatementBody, { kind: 'createTable' }>;

const sourceNames = ['LOG', 'KAFKA'];
const indexKinds: readonly IndexKind[] = ['inverted', 'range', 'bloom'];
const tableOptions = ['time_column', 'index', 'segment_rows', 'segment_age', 'retention'] as const;

/** @throws {FaultError} INVALID_DEFINITION, UNSUPPORTED, INVALID_LITERAL, TYPE_MISMATCH, each with its position */
export function bindCreateTable(statement: CreateTable, context: StatementContext): TableDefinitionRequest {
  const { name } = statement;
  if (!isPublic(name))
    throw invalid(`tables cannot be created in schema ${name.schema}`, name.at, 'leave the schema out');
  if (statement.columns.length > columnCountMax)
    throw fault('LIMIT_EXCEEDED', `a table of ${statement.columns.length} columns; at most ${columnCountMax}`, {
      position: name.at,
      details: { limit: columnCountMax },
    });
  const columns = bindColumns(statement.columns, context);
  const source = bindSource(statement, columns, context);
  let timeColumn: string | null = null;
  let indexes: TableDefinitionRequest['indexes'] = [];
  const settings: { -readonly [K in keyof TableSettings]?: TableSettings[K] } = {};
  forEachOption(statement.options, tableOptions, (option, key) => {
    switch (key) {
      case 'time_column':
        timeColumn = timeColumnOf(option, columns);
        break;
      case 'index':
        indexes = parseIndexes(option, columns);
        break;
      case 'segment_rows':
        settings.segmentRows = positiveInteger(option);
        break;
      case 'segment_age':
        settings.segmentAgeMs = duration(option, context);
        break;
      case 'retention':
        settings.retentionMs = duration(option, context);
        break;
    }
  });
  if (settings.retentionMs !== undefined && timeColumn === null)
    throw invalid(
      'retention needs a time_column',
      optionNamed(statement.options, 'retention').at,
      "add time_column = '…'",
    );
  return { name: name.text, columns, timeColumn, indexes, source, settings };
}

function bindSource(
  { name: table, source, transform }: CreateTable,
  columns: TableDefinitionRequest['columns'],
  context: StatementContext,
): Source {
  const kind = source?.name.text.toUpperCase() ?? 'LOG';
  if (kind === 'KAFKA') {
    const settled = transform && {
      sql: transform.text,
      fields: bindTransformQuery(transform.query, targetsOf({ columns })),
    };
    return bindKafkaSource(source!, settled, transform?.at ?? null, context);
  }
  if (kind !== 'LOG')
    throw fault('UNSUPPORTED', `tables FROM ${kind} are not supported`, {
      position: source!.name.at,
      hint:
        didYouMean(kind, sourceNames) ?? 'FROM LOG is the embedded log: rows are pushed; FROM KAFKA (…) reads a topic',
    });
  if (transform !== null)
    throw fault('UNSUPPORTED', 'AS SELECT is what messages of a topic become', {
      position: transform.at,
      hint: `rows are pushed into ${table.text} as they are; write FROM KAFKA (…) to read a topic`,
    });
  forEachOption(source?.options ?? [], ['partitions'], option => {
    const count = positiveInteger(option);
    if (count !== 1)
      throw fault('UNSUPPORTED', `a log of ${count} partitions; the embedded log has 1`, { position: option.at });
  });
  return { kind: 'log', partitionCount: 1 };
}

function bindColumns(syntax: readonly ColumnSyntax[], context: StatementContext): TableDefinitionRequest['columns'] {
  const seen = new Map<string, string>();
  return syntax.map(column => {
    const { text, at } = column.name;
    if (text.startsWith('$'))
      throw invalid(`column name ${text} is reserved`, at, 'names with $ belong to virtual columns');
    const other = seen.get(text.toLowerCase());
    if (other !== undefined)
      throw invalid(
        other === text ? `column ${text} is given twice` : `columns ${other} and ${text} differ only in case`,
        at,
      );
    seen.set(text.toLowerCase(), text);
    const type = resolveType(column.type);
    const definition = { name: text, type, nullable: column.isNullable };
    if (column.defaultValue === null) return definition;
    return { ...definition, defaultValue: bindDefault(text, column.defaultValue, definition, context) };
  });
}

/** @throws {FaultError} INVALID_DEFINITION, TYPE_MISMATCH, INVALID_LITERAL … with its position */
export function bindDefault(
  name: string,
  expression: Expression,
  { type, nullable }: { readonly type: Type; readonly nullable: boolean },
  context: StatementContext,
): Value {
  const binder = new ExpressionBinder(context, { scope: new Scope([]), clause: 'DEFAULT', aggregates: null });
  const value = binder.constantOf(binder.bind(expression), type);
  if (value === undefined) throw invalid(`the default of ${name} is not a constant`, expression.at);
  if (value === null && !nullable) throw invalid(`column ${name} is NOT NULL, and its default is NULL`, expression.at);
  return value;
}

function columnNamed(
  name: string,
  columns: TableDefinitionRequest['columns'],
  position: Position,
): TableDefinitionRequest['columns'][number] {
  const [column] = matchName(columns, name);
  if (column !== undefined) return column;
  const hint = didYouMean(
    name,
    columns.map(candidate => candidate.name),
  );
  throw fault('UNKNOWN_COLUMN', `unknown column ${name}`, { position, hint });
}

function timeColumnOf(option: Option, columns: TableDefinitionRequest['columns']): string {
  const column = columnNamed(textOf(option), columns, option.at);
  if (column.type.name === 'TIMESTAMP') return column.name;
  throw invalid(`time_column ${column.name} is ${typeText(column.type)}; it must be TIMESTAMP`, option.at);
}

/** @throws {FaultError} INVALID_DEFINITION with the nearest */
export function indexKindNamed({ text, at }: Name): IndexKind {
  const kind = indexKinds.find(candidate => candidate === text.toLowerCase());
  if (kind !== undefined) return kind;
  throw invalid(`unknown index kind ${text}`, at, didYouMean(text, indexKinds) ?? `kinds: ${joinWords(indexKinds)}`);
}

/** `merchant: inverted, amount: range by_amount`: a name may follow the kind. */
function parseIndexes(option: Option, columns: TableDefinitionRequest['columns']): TableDefinitionRequest['indexes'] {
  const parts = textOf(option).split(',');
  const indexes = parts
    .filter(part => part.trim() !== '')
    .map(part => {
      const divider = part.lastIndexOf(':');
      if (divider === -1)
        throw invalid(`index ${part.trim()} has no kind`, option.at, "write index = 'column: inverted, other: range'");
      const column = columnNamed(part.slice(0, divider).trim(), columns, option.at);
      const [written = '', name, ...rest] = part
        .slice(divider + 1)
        .trim()
        .split(/\s+/);
      const kind = indexKindNamed({ text: rest.length > 0 ? part.slice(divider + 1).trim() : written, at: option.at });
      return { column: column.name, kind, ...(name !== undefined && { name }) };
    });
  const double = indexes.find((index, at) =>
    indexes.slice(0, at).some(other => other.column === index.column && other.kind === index.kind),
  );
  if (double !== undefined) throw invalid(`index ${double.column}: ${double.kind} is given twice`, option.at);
  return indexes;
}
