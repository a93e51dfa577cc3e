/** Tables as JSON: the model of CREATE TABLE, spelled for HTTP. */
import { fault } from '../base/fault.ts';
import { indexNameOf } from '../catalog/index-name.ts';
import type { TableDefinitionRequest } from '../catalog/table.ts';
import { loadPartition, type SegmentEntry, type TableDefinition } from '../catalog/table.ts';
import type { Cell, CreateTable, SegmentInfo, TableColumn, TableInfo } from '../client/types.ts';
import {
  formatDate,
  formatDecimal,
  formatInterval,
  formatTimestampIso,
  formatUuid,
  parseDate,
  parseDecimal,
  parseTimestamp,
  parseUuid,
} from '../column/text.ts';
import { type Interval, type Type, typeText, type Value } from '../column/type.ts';
import { sourceInfo, sourceOfRequest } from './json-source.ts';
import { parseType } from './json-type.ts';

/** A default as JSON has it to the column's Value. @throws FaultError INVALID_LITERAL */
export function valueOfCell(cell: Cell, type: Type, column: string): Value {
  if (cell === null) return null;
  const value = convert(cell, type);
  if (value === null)
    throw fault(
      'INVALID_LITERAL',
      `the default of column ${column} is no ${typeText(type)}: ${String(cell).slice(0, 100)}`,
    );
  return value;
}

function convert(cell: Exclude<Cell, null>, type: Type): Value {
  switch (type.name) {
    case 'BOOLEAN':
      return typeof cell === 'boolean' ? cell : null;
    case 'INT':
      return typeof cell === 'number' && Number.isInteger(cell) ? cell : null;
    case 'LONG':
      return typeof cell === 'bigint' || (typeof cell === 'number' && Number.isInteger(cell)) ? BigInt(cell) : null;
    case 'FLOAT':
    case 'DOUBLE':
      return typeof cell === 'number' || typeof cell === 'bigint' ? Number(cell) : null;
    case 'DECIMAL': {
      if (typeof cell === 'boolean' || type.precision === undefined) return null;
      const unscaled = parseDecimal(String(cell), type.precision, type.scale!);
      return unscaled === 'overflow' ? null : unscaled;
    }
    case 'TIMESTAMP':
      return typeof cell === 'string' ? parseTimestamp(cell) : null;
    case 'DATE':
      return typeof cell === 'string' ? parseDate(cell) : null;
    case 'UUID': {
      const bytes = typeof cell === 'string' ? parseUuid(cell) : null;
      return bytes && formatUuid(bytes);
    }
    case 'BYTES':
      return typeof cell === 'string' ? new Uint8Array(Buffer.from(cell, 'base64')) : null;
    case 'STRING':
    case 'JSON':
      return typeof cell === 'string' ? cell : null;
    case 'INTERVAL':
      return null;
  }
}

/** The inverse of `valueOfCell`, as answers spell cells. */
export function cellOfValue(value: Value, type: Type): Cell {
  if (value === null) return null;
  switch (type.name) {
    case 'DECIMAL':
      return formatDecimal(value as bigint, type.scale!);
    case 'TIMESTAMP':
      return formatTimestampIso(value as number);
    case 'DATE':
      return formatDate(value as number);
    case 'INTERVAL':
      return formatInterval(value as Interval);
    case 'BYTES':
      return Buffer.from(value as Uint8Array).toString('base64');
    case 'LONG': {
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : (value as bigint);
    }
    default:
      return value as boolean | number | string;
  }
}

/** @throws FaultError INVALID_DEFINITION, INVALID_LITERAL; the rest is the controller's to check */
export const tableOfRequest = (request: CreateTable): TableDefinitionRequest => ({
  name: request.name,
  columns: request.columns.map(({ name, type: text, nullable = true, default: cell = null }) => {
    const type = parseType(text);
    return { name, type, nullable, defaultValue: valueOfCell(cell, type, name) };
  }),
  timeColumn: request.timeColumn ?? null,
  indexes: request.indexes ?? [],
  source: sourceOfRequest(request.source ?? { kind: 'log' }),
  settings: request.settings ?? {},
});

export interface TableSize {
  readonly segments: readonly SegmentEntry[];
  /** In consuming segments. */
  readonly consumingRows: number;
}

export function tableInfo(definition: TableDefinition, { segments, consumingRows }: TableSize): TableInfo {
  const nameOf = (columnId: number): string | null =>
    definition.columns.find(column => column.id === columnId)?.name ?? null;
  const sum = (of: (segment: SegmentEntry) => number): number =>
    segments.reduce((total, entry) => total + of(entry), 0);
  return {
    id: definition.id,
    name: definition.name,
    version: definition.version,
    createdAtMs: definition.createdAtMs,
    columns: definition.columns.map(
      ({ id, name, type, nullable, defaultValue }): TableColumn => ({
        id,
        name,
        type: typeText(type),
        nullable,
        default: cellOfValue(defaultValue, type),
      }),
    ),
    timeColumn: definition.timeColumnId === null ? null : nameOf(definition.timeColumnId),
    indexes: definition.indexes.map(index => ({
      name: indexNameOf(definition, index),
      column: nameOf(index.columnId) ?? String(index.columnId),
      kind: index.kind,
    })),
    source: sourceInfo(definition.source),
    settings: definition.settings,
    segments: segments.length,
    rows: sum(entry => entry.rowCount) + consumingRows,
    consumingRows,
    sizeBytes: sum(entry => entry.sizeBytes),
  };
}

export const segmentInfo = (entry: SegmentEntry): SegmentInfo => ({
  id: entry.id,
  partition: entry.partition === loadPartition ? null : entry.partition,
  startOffset: entry.startOffset,
  endOffset: entry.endOffset,
  rows: entry.rowCount,
  sizeBytes: entry.sizeBytes,
  generation: entry.generation,
  tableVersion: entry.tableVersion,
  minTimeMs: entry.minTimeMs,
  maxTimeMs: entry.maxTimeMs,
  createdAtMs: entry.createdAtMs,
});
