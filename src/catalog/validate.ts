/** From what a user asks for to what a table is: the checks that hold whether the request came as DDL or as JSON. */
import { fault } from '../base/fault.ts';
import { type Type, type TypeName, typeNames, typeText, type Value } from '../column/type.ts';
import { nextColumnIdOf } from './column.ts';
import { checkIndexName, findIndex, indexNameOf } from './index-name.ts';
import { checkKafkaSource } from './kafka-source.ts';
import {
  columnCountMax,
  decimalPrecisionMax,
  defaultSizeBytesMax,
  indexCountMax,
  retentionMsMax,
  segmentAgeMsDefault,
  segmentAgeMsMax,
  segmentAgeMsMin,
  segmentRowsDefault,
  segmentRowsMax,
} from './limits.ts';
import { checkColumnName, checkTableName, findColumn, foldName, isColumnName } from './name.ts';
import type {
  ColumnDefinition,
  IndexDefinition,
  IndexKind,
  Source,
  TableDefinition,
  TableDefinitionRequest,
  TableSettings,
} from './table.ts';
import { fitsType } from './value.ts';

/**
 * What each kind of index can be built on. An inverted index lists rows by dictionary code, so it needs a dictionary; a range
 * index slices the bits of a value's order; a Bloom filter takes whatever has many values that `=` compares.
 */
export const indexableTypes: Readonly<Record<IndexKind, readonly TypeName[]>> = {
  inverted: ['STRING', 'UUID'],
  range: ['INT', 'LONG', 'FLOAT', 'DOUBLE', 'DECIMAL', 'DATE', 'TIMESTAMP'],
  bloom: ['STRING', 'UUID', 'BYTES', 'INT', 'LONG', 'FLOAT', 'DOUBLE', 'DECIMAL', 'DATE', 'TIMESTAMP'],
};

const invalid = (message: string, hint?: string) => fault('INVALID_DEFINITION', message, { hint });

/**
 * The definition of a new table: ids from 1 in the order of the columns, version 1, settings filled in.
 * @param identity `id` 12 hexadecimal digits, never used before.
 * @throws FaultError INVALID_DEFINITION, UNKNOWN_COLUMN, UNSUPPORTED
 */
export function defineTable(
  request: TableDefinitionRequest,
  identity: { readonly id: string; readonly createdAtMs: number },
): TableDefinition {
  checkTableName(request.name);
  const columns = defineColumns(request);
  const timeColumn = request.timeColumn === null ? null : findColumn({ columns }, request.timeColumn);
  if (timeColumn !== null && timeColumn.type.name !== 'TIMESTAMP' && timeColumn.type.name !== 'DATE')
    throw invalid(
      `the time column ${timeColumn.name} is ${typeText(timeColumn.type)}`,
      'a time column is TIMESTAMP or DATE',
    );
  return {
    id: identity.id,
    name: request.name,
    version: 1,
    columns,
    timeColumnId: timeColumn?.id ?? null,
    indexes: defineIndexes(request, columns),
    source: defineSource(request.source),
    settings: defineSettings(request.settings, timeColumn !== null),
    createdAtMs: identity.createdAtMs,
  };
}

/**
 * The definition with nullable columns added, one version further; itself where there is none to add. Ids go on where they
 * ended, also behind columns that were dropped. What cannot be a column (it exists, its name is none, the table has
 * `columnCountMax`) is left out: the names are the data's, and no message may stop those behind it.
 */
export function withColumns(
  definition: TableDefinition,
  columns: readonly { readonly name: string; readonly type: Type }[],
): TableDefinition {
  const known = new Set(definition.columns.map(({ name }) => foldName(name)));
  const fresh = columns
    .filter(({ name }) => isColumnName(name) && !known.has(foldName(name)) && known.add(foldName(name)))
    .slice(0, Math.max(0, columnCountMax - definition.columns.length));
  if (fresh.length === 0) return definition;
  const all = defineColumns({ ...definition, columns: [...definition.columns, ...fresh.map(asNullable)] });
  const firstId = nextColumnIdOf(definition);
  const added = all.slice(definition.columns.length).map((column, index) => ({ ...column, id: firstId + index }));
  return {
    ...definition,
    version: definition.version + 1,
    columns: [...definition.columns, ...added],
    nextColumnId: firstId + added.length,
  };
}

const asNullable = ({ name, type }: { readonly name: string; readonly type: Type }) => ({ name, type, nullable: true });

/** Columns that hold together, with ids from 1. @throws FaultError INVALID_DEFINITION */
export function defineColumns({
  name: table,
  columns,
}: Pick<TableDefinitionRequest, 'name' | 'columns'>): ColumnDefinition[] {
  if (columns.length === 0) throw invalid(`table ${table} has no columns`, 'declare at least one');
  if (columns.length > columnCountMax)
    throw invalid(
      `table ${table} has ${columns.length} columns`,
      `at most ${columnCountMax} are allowed; keep rare fields together in a JSON column`,
    );
  const seen = new Map<string, string>();
  return columns.map(({ name, type, nullable, defaultValue = null }, index) => {
    checkColumnName(name);
    const twin = seen.get(foldName(name));
    if (twin !== undefined)
      throw invalid(
        twin === name ? `column ${name} is declared twice` : `columns ${twin} and ${name} differ only by case`,
        'rename one of them',
      );
    seen.set(foldName(name), name);
    checkType(name, type);
    checkDefault(name, type, defaultValue);
    return { id: index + 1, name, type, nullable, defaultValue };
  });
}

function checkType(column: string, { name, precision, scale }: Type): void {
  if (!typeNames.includes(name)) throw invalid(`column ${column} has no known type`, `types: ${typeNames.join(', ')}`);
  if (name !== 'DECIMAL') {
    if (precision !== undefined || scale !== undefined)
      throw invalid(`column ${column}: ${name} takes no precision`, `write ${name}, or DECIMAL(p,s)`);
    return;
  }
  if (precision === undefined || !isWhole(precision, 1, decimalPrecisionMax))
    throw invalid(
      `column ${column}: DECIMAL with precision ${precision}`,
      `the precision is a whole number from 1 to ${decimalPrecisionMax}`,
    );
  if (scale === undefined || !isWhole(scale, 0, precision))
    throw invalid(
      `column ${column}: DECIMAL(${precision}) with scale ${scale}`,
      `the scale is a whole number from 0 to the precision, ${precision}`,
    );
}

function checkDefault(column: string, type: Type, value: Value): void {
  if (value === null) return;
  if (!fitsType(value, type))
    throw invalid(`column ${column}: its default is no ${typeText(type)}`, `give a ${typeText(type)} value, or none`);
  const length = typeof value === 'string' || value instanceof Uint8Array ? value.length : 0;
  if (length > defaultSizeBytesMax)
    throw invalid(`column ${column}: its default is ${length} long`, `at most ${defaultSizeBytesMax} are allowed`);
}

function defineIndexes(request: TableDefinitionRequest, columns: readonly ColumnDefinition[]): IndexDefinition[] {
  checkIndexCount(request.indexes.length);
  const indexes: IndexDefinition[] = [];
  for (const { column: name, kind, name: given } of request.indexes) {
    const column = findColumn({ columns }, name);
    checkIndex(column, kind);
    if (indexes.some(index => index.columnId === column.id && index.kind === kind))
      throw invalid(`column ${name} has its ${kind} index twice`, 'declare it once');
    if (given !== undefined) checkIndexName(given);
    const index: IndexDefinition = { columnId: column.id, kind, ...(given !== undefined && { name: given }) };
    const table = { name: request.name, columns, indexes };
    const called = indexNameOf(table, index);
    if (findIndex(table, called) !== null) throw invalid(`two indexes are called ${called}`, 'rename one of them');
    indexes.push(index);
  }
  return indexes;
}

export function checkIndexCount(count: number): void {
  if (count > indexCountMax) throw invalid(`${count} indexes are declared`, `at most ${indexCountMax} are allowed`);
}

/** @throws FaultError INVALID_DEFINITION where the column cannot have it */
export function checkIndex({ name, type }: ColumnDefinition, kind: IndexKind): void {
  const types: readonly TypeName[] | undefined = Object.hasOwn(indexableTypes, kind) ? indexableTypes[kind] : undefined;
  if (types === undefined)
    throw invalid(`${kind} is no kind of index`, `kinds: ${Object.keys(indexableTypes).join(', ')}`);
  if (!types.includes(type.name))
    throw invalid(
      `column ${name}: ${kind} indexes are on ${new Intl.ListFormat('en').format(types)} columns, and this is ${typeText(type)}`,
      'leave it out: zone maps prune blocks on every column without an index',
    );
}

function defineSource(source: Source = { kind: 'log', partitionCount: 1 }): Source {
  if (source.kind === 'kafka') checkKafkaSource(source, () => undefined);
  else if (source.partitionCount !== 1)
    throw fault('UNSUPPORTED', `a log of ${source.partitionCount} partitions; the embedded log has 1`);
  return source;
}

function defineSettings(request: Partial<TableSettings>, hasTimeColumn: boolean): TableSettings {
  const segmentRows = request.segmentRows ?? segmentRowsDefault;
  const segmentAgeMs = request.segmentAgeMs ?? segmentAgeMsDefault;
  const retentionMs = request.retentionMs ?? null;
  checkRange('segment_rows', segmentRows, 1, segmentRowsMax, 'rows');
  checkRange('segment_age', segmentAgeMs, segmentAgeMsMin, segmentAgeMsMax, 'ms');
  if (retentionMs !== null) {
    checkRange('retention', retentionMs, 1, retentionMsMax, 'ms');
    if (!hasTimeColumn)
      throw invalid('retention needs a time column', "name one with time_column = '…', or leave retention out");
  }
  return { segmentRows, segmentAgeMs, retentionMs };
}

const isWhole = (value: unknown, min: number, max: number): boolean =>
  Number.isInteger(value) && min <= (value as number) && (value as number) <= max;

function checkRange(setting: string, value: number, min: number, max: number, unit: string): void {
  if (!isWhole(value, min, max))
    throw invalid(`${setting} is ${value} ${unit}`, `give a whole number of ${unit} from ${min} to ${max}`);
}
