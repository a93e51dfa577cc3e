/** Segments for tests: a table of every type, its rows by number, and rows read back out of the arena. */
import type { ColumnDefinition, IndexDefinition, SegmentEntry, TableDefinition } from '../../../src/catalog/table.ts';
import { columnOf } from '../../../src/column/builder.ts';
import { type Column, isPresent } from '../../../src/column/column.ts';
import { formatHex } from '../../../src/column/text.ts';
import * as types from '../../../src/column/type.ts';
import { isPooled, type Type, type Value } from '../../../src/column/type.ts';
import { decimalOf, intervalOf, pooledValue } from '../../../src/column/value.ts';
import { Arena } from '../../../src/kernel/allocator.ts';
import { type Block, blockRows } from '../../../src/segment/block.ts';
import { buildSegment } from '../../../src/segment/builder.ts';
import { SegmentCache } from '../../../src/segment/cache.ts';
import { OpenFiles, type SegmentFiles } from '../../../src/segment/files.ts';
import { orderedWordCount } from '../../../src/segment/ordered.ts';
import { openSegment, type StoredSegment } from '../../../src/segment/reader.ts';
import type { DeepStore } from '../../../src/store/deep-store.ts';
import { ingestedAtMs, withRowColumns } from '../../support/row-columns.ts';

export interface TestColumn {
  readonly name: string;
  readonly type: Type;
  readonly value: (row: number) => Value;
}

export const defineTestTable = (
  columns: readonly TestColumn[],
  timeColumn: string | null = null,
  indexed: readonly string[] = [],
): TableDefinition => {
  const idOf = (name: string): number => columns.findIndex(column => column.name === name) + 1;
  return {
    id: '0123456789ab',
    name: 'events',
    version: 3,
    columns: columns.map(
      ({ name, type }, index): ColumnDefinition => ({ id: index + 1, name, type, nullable: true, defaultValue: null }),
    ),
    timeColumnId: timeColumn === null ? null : idOf(timeColumn),
    indexes: indexed.map((name): IndexDefinition => ({ columnId: idOf(name), kind: 'inverted' })),
    source: { kind: 'log', partitionCount: 1 },
    settings: { segmentRows: 1_000_000, segmentAgeMs: 3_600_000, retentionMs: null },
    createdAtMs: 0,
  };
};

const uuid = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
const nullEach = (every: number, value: (row: number) => Value) => (row: number) =>
  row % every === 3 ? null : value(row);
const strange = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 5e-324];

/** Every type, with NULLs, dictionaries and raw strings. The golden segment holds rows 0 to 299: it must never change. */
export const everyType: readonly TestColumn[] = [
  { name: 'ts', type: types.TIMESTAMP, value: row => 1_700_000_000_000 + ((row * 7_919) % 90_000) },
  { name: 'flag', type: types.BOOLEAN, value: nullEach(7, row => row % 3 === 0) },
  { name: 'int', type: types.INT, value: nullEach(11, row => (row * 2_654_435_761) | 0) },
  { name: 'long', type: types.LONG, value: nullEach(5, row => 9_007_199_254_740_993n * BigInt((row % 7) - 3)) },
  { name: 'small_long', type: types.LONG, value: row => BigInt(row * 3) - 50n },
  { name: 'float', type: types.FLOAT, value: nullEach(13, row => Math.fround(row / 7)) },
  { name: 'double', type: types.DOUBLE, value: nullEach(6, row => strange[row % 17] ?? row / 3) },
  {
    name: 'price',
    type: types.decimal(30, 4),
    value: nullEach(9, row => BigInt(row - 40) * 12_345_678_901_234_567_890n),
  },
  { name: 'day', type: types.DATE, value: nullEach(8, row => row * 37 - 5_000) },
  {
    name: 'span',
    type: types.INTERVAL,
    value: nullEach(10, row => ({ months: row - 9, days: -row, ms: row * 1e10 - 7 })),
  },
  {
    name: 'city',
    type: types.STRING,
    value: nullEach(12, row => ['Zürich', 'łódź', '', '東京', '😀', 'ab'][row % 6]!),
  },
  { name: 'id', type: types.STRING, value: nullEach(14, row => `payment-${(row * 7_919) % 1_000_003}`) },
  { name: 'device', type: types.UUID, value: nullEach(4, row => uuid(row % 20)) },
  { name: 'event', type: types.UUID, value: nullEach(15, row => uuid(row * 17)) },
  { name: 'body', type: types.JSON_TYPE, value: nullEach(16, row => `{"n": ${row}}`) },
  { name: 'blob', type: types.BYTES, value: nullEach(18, row => Uint8Array.of(row, row >> 8, 255)) },
  { name: 'nothing', type: types.STRING, value: () => null },
];

/** Each kind of index on every column that can have it. */
export const everyIndex = ({ columns }: TableDefinition): IndexDefinition[] =>
  columns.flatMap(({ id, type }) => {
    const isOrdered = orderedWordCount(type) !== null;
    const isString = isPooled(type) && type.name !== 'JSON';
    return [
      ...(isOrdered ? [{ columnId: id, kind: 'range' as const }] : []),
      ...(isOrdered || isString ? [{ columnId: id, kind: 'bloom' as const }] : []),
    ];
  });

const withInverted = defineTestTable(everyType, 'ts', ['city', 'id', 'device']);
export const everyTypeTable: TableDefinition = {
  ...withInverted,
  indexes: [...withInverted.indexes, ...everyIndex(withInverted)],
};

export interface BuildOptions {
  readonly definition?: TableDefinition;
  readonly segmentId?: string;
  readonly startOffset?: number;
}

/** Builds rows 0 to `rowCount - 1`; their offsets are `startOffset + row`. */
export function buildTestSegment(
  store: DeepStore,
  columns: readonly TestColumn[],
  rowCount: number,
  {
    definition = defineTestTable(columns),
    segmentId = `${definition.id}-0-100-aaaa`,
    startOffset = 100,
  }: BuildOptions = {},
): Promise<SegmentEntry> {
  const rows = Array.from({ length: rowCount }, (_, row) => row);
  return buildSegment(
    {
      definition,
      segmentId,
      partition: 0,
      startOffset,
      endOffset: startOffset + rowCount,
      rowCount,
      column: withRowColumns(startOffset, rowCount, id => {
        const { type, value } = columns[id - 1]!;
        return columnOf(type, rows.map(value));
      }),
    },
    store,
    { createdAtMs: 1_700_000_000_000 },
  );
}

/** The same bytes as a dictionary column with unsorted entries, some of them unused. */
export function asDictionary(column: Column): Column {
  if (column.form !== 'raw') return column;
  const entries: Uint8Array[] = [new TextEncoder().encode('never used')];
  const codes = new Uint32Array(column.length);
  const known = new Map<string, number>();
  for (let row = column.length - 1; row >= 0; row--) {
    if (!isPresent(column.validity, row)) continue;
    const bytes = column.bytes.subarray(column.offsets[row]!, column.offsets[row + 1]!);
    const key = formatHex(bytes);
    if (!known.has(key)) known.set(key, entries.push(bytes) - 1);
    codes[row] = known.get(key)!;
  }
  const offsets = new Uint32Array(entries.length + 1);
  entries.forEach((entry, index) => {
    offsets[index + 1] = offsets[index]! + entry.length;
  });
  const { type, length, validity } = column;
  return { form: 'dictionary', type, length, validity, codes, offsets, bytes: new Uint8Array(Buffer.concat(entries)) };
}

export interface Opened {
  readonly segment: StoredSegment;
  readonly cache: SegmentCache;
  readonly arena: Arena;
}

export async function openTestSegment(
  entry: SegmentEntry,
  files: SegmentFiles,
  arena = new Arena(64 << 20),
): Promise<Opened> {
  const cache = new SegmentCache(arena);
  return { segment: await openSegment(entry, new OpenFiles(files), cache), cache, arena };
}

/** One text for each value: comparable across readers, and quick to compare. */
export function show(value: Value): string | null {
  if (value === null) return null;
  if (value instanceof Uint8Array) return formatHex(value);
  if (typeof value === 'object') return `${value.months} ${value.days} ${value.ms}`;
  return Object.is(value, -0) ? '-0' : String(value);
}

/** A loaded column of a block, row by row. Synchronous, as kernels are. */
export function readColumn(arena: Arena, block: Block, columnId: number): Value[] {
  const column = block.column(columnId)!;
  const { type, form, address, base, codeSizeBytes, pool, validityAddress } = column;
  const entry = (number: number): Value => {
    const at = pool!.offsetsAddress / 4 + number;
    const start = pool!.bytesAddress;
    return pooledValue(type, arena.u8, start + arena.u32[at]!, start + arena.u32[at + 1]!);
  };
  const pair = (row: number): [bigint, bigint] => [
    arena.i64[address / 8 + 2 * row]!,
    arena.i64[address / 8 + 2 * row + 1]!,
  ];
  const read = (row: number): Value => {
    switch (form) {
      case 'u8':
        return arena.u8[address + row] !== 0;
      case 'i32': {
        const value = base + arena.i32[address / 4 + row]!;
        return type.name === 'LONG' ? BigInt(value) : value;
      }
      case 'i64': {
        const value = arena.i64[address / 8 + row]!;
        return type.name === 'LONG' ? value : Number(value);
      }
      case 'f32':
        return arena.f32[address / 4 + row]!;
      case 'f64':
        return arena.f64[address / 8 + row]!;
      case 'i128':
        return type.name === 'DECIMAL' ? decimalOf(...pair(row)) : intervalOf(...pair(row));
      case 'codes':
        return entry(
          ({ 1: arena.u8, 2: arena.u16, 4: arena.u32 } as const)[codeSizeBytes as 1]![address / codeSizeBytes + row]!,
        );
      case 'rows':
        return entry(row);
    }
  };
  const validity = validityAddress === 0 ? null : arena.u8.subarray(validityAddress);
  return Array.from({ length: block.rowCount }, (_, row) => (isPresent(validity, row) ? read(row) : null));
}

/** All values of a segment as text, by column: the definition's, the offsets, the times of ingestion. */
export async function readSegment({ segment, arena }: Opened): Promise<(string | null)[][]> {
  const ids = segment.manifest.columns.map(column => column.id);
  const columns = ids.map((): (string | null)[] => []);
  for (const block of segment.blocks) {
    await block.load(ids);
    ids.forEach((id, index) => {
      for (const value of readColumn(arena, block, id)) columns[index]!.push(show(value));
    });
  }
  return columns;
}

/** What `readSegment` must answer for rows 0 to `rowCount - 1`, sorted by the first column if `byTime`. */
export function expectedColumns(
  columns: readonly TestColumn[],
  rowCount: number,
  { byTime = false, startOffset = 100 } = {},
): (string | null)[][] {
  const rows = Array.from({ length: rowCount }, (_, row) => row);
  if (byTime) rows.sort((a, b) => Number(columns[0]!.value(a)) - Number(columns[0]!.value(b)) || a - b);
  return [
    ...columns.map(({ value }) => rows.map(row => show(value(row)))),
    rows.map(row => String(startOffset + row)),
    rows.map(() => String(ingestedAtMs)),
  ];
}

/** Columns of numbers made without a Value a row, for segments of many blocks. */
export const intColumn = (rowCount: number, value: (row: number) => number): Column => {
  const values = new Int32Array(rowCount);
  for (let row = 0; row < rowCount; row++) values[row] = value(row);
  return { form: 'fixed', type: types.INT, length: rowCount, validity: null, values };
};

export const offsetsColumn = (rowCount: number): Column => {
  const values = new BigInt64Array(rowCount);
  for (let row = 0; row < rowCount; row++) values[row] = BigInt(row);
  return { form: 'fixed', type: types.LONG, length: rowCount, validity: null, values };
};

/** A segment of INT columns, `blockCount` full blocks: column id c holds `row * c`. */
export async function buildIntSegment(
  store: DeepStore,
  columnCount: number,
  blockCount: number,
): Promise<SegmentEntry> {
  const rowCount = blockCount * blockRows;
  const columns = Array.from({ length: columnCount }, (_, index) => ({
    name: `c${index + 1}`,
    type: types.INT,
    value: () => null,
  }));
  const definition = defineTestTable(columns);
  return buildSegment(
    {
      definition,
      segmentId: `${definition.id}-0-0-bbbb`,
      partition: 0,
      startOffset: 0,
      endOffset: rowCount,
      rowCount,
      column: withRowColumns(0, rowCount, id => intColumn(rowCount, row => row * id)),
    },
    store,
    { createdAtMs: 0 },
  );
}
