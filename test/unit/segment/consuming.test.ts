import fc from 'fast-check';
import { expect, test } from 'vitest';
import { virtualColumns } from '../../../src/catalog/table.ts';
import { columnOf } from '../../../src/column/builder.ts';
import type { Batch, Column } from '../../../src/column/column.ts';
import { formatUuid } from '../../../src/column/text.ts';
import {
  BOOLEAN,
  BYTES,
  DATE,
  DOUBLE,
  decimal,
  FLOAT,
  INT,
  INTERVAL,
  JSON_TYPE,
  LONG,
  STRING,
  TIMESTAMP,
  type Type,
  UUID,
  type Value,
} from '../../../src/column/type.ts';
import { Arena } from '../../../src/kernel/allocator.ts';
import { blockRows } from '../../../src/segment/block.ts';
import { ConsumingSegment } from '../../../src/segment/consuming.ts';
import { appendRows, copyBlockColumn, nullCountOf, tableOf, valuesOf } from './consuming-fixtures.ts';

const megabyte = 1 << 20;

const arbitraries: readonly { readonly type: Type; readonly value: fc.Arbitrary<Value> }[] = [
  { type: BOOLEAN, value: fc.boolean() },
  { type: INT, value: fc.integer() },
  { type: LONG, value: fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.integer().map(BigInt)) },
  { type: FLOAT, value: fc.float() },
  { type: DOUBLE, value: fc.double() },
  {
    type: decimal(38, 2),
    value: fc.oneof(fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n }), fc.integer().map(BigInt)),
  },
  { type: TIMESTAMP, value: fc.integer({ min: -1e12, max: 1e13 }) },
  { type: DATE, value: fc.integer() },
  { type: INTERVAL, value: fc.record({ months: fc.integer(), days: fc.integer(), ms: fc.maxSafeInteger() }) },
  {
    type: STRING,
    value: fc.oneof(fc.constantFrom('', 'US', 'DE', 'ü'), fc.string({ maxLength: 200, unit: 'binary' })),
  },
  { type: UUID, value: fc.uint8Array({ minLength: 16, maxLength: 16 }).map(bytes => formatUuid(bytes, 0)) },
  { type: JSON_TYPE, value: fc.json() },
  { type: BYTES, value: fc.uint8Array({ maxLength: 20 }) },
];
const types = arbitraries.map(({ type }) => type);
const row = fc.tuple(...arbitraries.map(({ value }) => fc.option(value, { freq: 5 })));

/** As a batch sends a dictionary: distinct entries in an order of its own, one of them unused. */
function dictionaryOf(column: Column): Column {
  if (column.form !== 'raw') return column;
  const { type, length, validity } = column;
  const entries = new Map<string, number>([['unused', 0]]);
  const codes = Uint32Array.from({ length }, (_, row) => {
    const text = Buffer.from(column.bytes.subarray(column.offsets[row], column.offsets[row + 1])).toString('latin1');
    if (!entries.has(text)) entries.set(text, entries.size);
    return entries.get(text)!;
  });
  const parts = [...entries.keys()].map(text => Buffer.from(text, 'latin1'));
  const offsets = Uint32Array.from([0, ...parts.map((_, index) => Buffer.concat(parts.slice(0, index + 1)).length)]);
  return { form: 'dictionary', type, length, validity, codes, offsets, bytes: new Uint8Array(Buffer.concat(parts)) };
}

const batchOfRows = (rows: readonly (readonly Value[])[], asDictionary: boolean): Batch => ({
  rowCount: rows.length,
  columns: types.map((type, index) => {
    const column = columnOf(
      type,
      rows.map(row => row[index]!),
    );
    return asDictionary ? dictionaryOf(column) : column;
  }),
});

/** As zone maps must say: exact; NaN is above all numbers, so it takes away the maximum. */
function expectedZone(type: Type, values: readonly Value[]): { min: unknown; max: unknown } {
  if (['STRING', 'UUID', 'JSON', 'BYTES', 'INTERVAL'].includes(type.name)) return { min: null, max: null };
  const present = values.filter(value => value !== null).map(value => (typeof value === 'boolean' ? +value : value));
  const numbers = present.filter(value => !Number.isNaN(value)) as (number | bigint)[];
  if (numbers.length === 0) return { min: null, max: null };
  const tidy = (value: number | bigint): number | bigint =>
    typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value;
  const min = tidy(numbers.reduce((a, b) => (b < a ? b : a)));
  const max = tidy(numbers.reduce((a, b) => (b > a ? b : a)));
  return { min, max: numbers.length < present.length ? null : max };
}

const zeroSign = (value: unknown): unknown => (value === 0 ? 0 : value);

test('what was appended is read back, exported and summed up in zone maps', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ rows: fc.array(row, { maxLength: 40 }), asDictionary: fc.boolean() })),
      appends => {
        const arena = new Arena(8 * megabyte);
        const segment = new ConsumingSegment(arena, tableOf(types), 3, 100);
        const columnIds = types.map((_, index) => index + 1);
        for (const { rows, asDictionary } of appends) appendRows(segment, columnIds, batchOfRows(rows, asDictionary));
        const rows = appends.flatMap(({ rows }) => rows);
        expect(segment.rowCount).toBe(rows.length);
        expect(segment.endOffset).toBe(100 + rows.length);
        expect(segment.blocks.length).toBe(rows.length > 0 ? 1 : 0);
        types.forEach((type, index) => {
          const want = valuesOf(
            columnOf(
              type,
              rows.map(row => row[index]!),
            ),
          );
          expect(valuesOf(segment.exportColumn(index + 1))).toEqual(want);
          for (const block of segment.blocks) {
            const column = copyBlockColumn(arena, block, index + 1)!;
            expect(valuesOf(column)).toEqual(want);
            const zone = block.zone(index + 1)!;
            expect(zone.nullCount).toBe(nullCountOf(column));
            const { min, max } = expectedZone(type, want);
            expect([zeroSign(zone.min), zeroSign(zone.max)]).toEqual([zeroSign(min), zeroSign(max)]);
          }
        });
        const offsets = rows.map((_, index) => BigInt(100 + index));
        expect(valuesOf(segment.exportColumn(virtualColumns.offset))).toEqual(offsets);
        for (const block of segment.blocks) {
          expect(valuesOf(copyBlockColumn(arena, block, virtualColumns.offset)!)).toEqual(offsets);
          expect(block.zone(virtualColumns.offset)).toEqual({ nullCount: 0, min: 100, max: 99 + rows.length });
          expect(block.column(99)).toBeNull();
          expect(block.zone(99)).toBeNull();
        }
        segment.free();
        expect(arena.usedBytes).toBe(0);
      },
    ),
    { numRuns: 60 },
  );
}, 30_000);

test('appends run on over the ends of blocks', () => {
  const arena = new Arena(64 * megabyte);
  const segment = new ConsumingSegment(arena, tableOf([LONG, STRING]), 0, 5);
  const rowCount = 2 * blockRows + 4321;
  const long = (row: number): bigint | null => (row % 7 === 3 && row > 70_000 ? null : BigInt(row) * 1_000_003n);
  const text = (row: number): string | null => (row % 11 === 0 ? null : `merchant ${row % 1000}`);
  for (let start = 0; start < rowCount; ) {
    const end = Math.min(rowCount, start + 1 + ((start * 7919) % 30_011));
    const rows = Array.from({ length: end - start }, (_, index) => start + index);
    appendRows(segment, [2, 1], {
      rowCount: rows.length,
      columns: [columnOf(STRING, rows.map(text)), columnOf(LONG, rows.map(long))],
    });
    start = end;
  }
  expect(segment.blocks.map(block => block.rowCount)).toEqual([blockRows, blockRows, 4321]);
  expect(segment.blocks[0]!.column(1)!.validityAddress, 'no null, no bitmap').toBe(0);
  expect(segment.blocks[0]!.column(2)!.pool, 'one pool a column').toBe(segment.blocks[2]!.column(2)!.pool);
  expect(segment.blocks[0]!.column(2)!.pool!.count).toBe(1000);
  const all = Array.from({ length: rowCount }, (_, row) => row);
  for (const [columnId, want] of [
    [1, all.map(long)],
    [2, all.map(text)],
    [virtualColumns.offset, all.map(row => BigInt(5 + row))],
  ] as const) {
    const blocks = segment.blocks.flatMap(block => valuesOf(copyBlockColumn(arena, block, columnId)!));
    expect(blocks.findIndex((value, row) => value !== want[row])).toBe(-1);
    const exported = valuesOf(segment.exportColumn(columnId));
    expect(exported.findIndex((value, row) => value !== want[row])).toBe(-1);
  }
  expect(segment.blocks[1]!.zone(1)).toMatchObject({
    min: blockRows * 1_000_003,
    max: (2 * blockRows - 2) * 1_000_003,
  });
});

test('a pool keeps entries apart and finds them again while it grows', () => {
  const arena = new Arena(64 * megabyte);
  const segment = new ConsumingSegment(arena, tableOf([STRING]), 0, 0);
  const ids = Array.from({ length: 50_000 }, (_, index) => `payment-${'x'.repeat(index % 80)}-${index}`);
  for (const round of [ids, ids.toReversed()])
    for (let start = 0; start < round.length; start += 10_000) {
      const rows = round.slice(start, start + 10_000);
      appendRows(segment, [1], { rowCount: rows.length, columns: [columnOf(STRING, rows)] });
    }
  expect(segment.blocks[0]!.column(1)!.pool!.count).toBe(50_000);
  expect(valuesOf(segment.exportColumn(1))).toEqual([...ids, ...ids.toReversed()]);
});

test('columns that a batch lacks take their default', () => {
  const arena = new Arena(8 * megabyte);
  const definition = tableOf([INT, LONG, STRING, STRING, decimal(4, 1)], [null, 7n, 'none', null, 12n]);
  const segment = new ConsumingSegment(arena, definition, 0, 0);
  appendRows(segment, [1], { rowCount: 2, columns: [columnOf(INT, [1, null])] });
  appendRows(segment, [1, 4], { rowCount: 1, columns: [columnOf(INT, [3]), columnOf(STRING, ['here'])] });
  expect([1, 2, 3, 4, 5].map(id => valuesOf(segment.exportColumn(id)))).toEqual([
    [1, null, 3],
    [7n, 7n, 7n],
    ['none', 'none', 'none'],
    [null, null, 'here'],
    [12n, 12n, 12n],
  ]);
});

test('a small segment costs little', () => {
  const arena = new Arena(64 * megabyte);
  const segment = new ConsumingSegment(arena, tableOf([TIMESTAMP, STRING, STRING, LONG, DOUBLE]), 0, 0);
  appendRows(segment, [4], { rowCount: 1, columns: [columnOf(LONG, [1n])] });
  expect(arena.usedBytes).toBeLessThan(40_000);
});

test('an append that fails leaves nothing behind', () => {
  const arena = new Arena(3 * megabyte);
  const segment = new ConsumingSegment(arena, tableOf([LONG, STRING]), 0, 0);
  const first: Batch = { rowCount: 2, columns: [columnOf(LONG, [5n, 6n]), columnOf(STRING, ['a', 'b'])] };
  appendRows(segment, [1, 2], first);
  const many = Array.from({ length: 200_000 }, (_, row) => row);
  const tooMany: Batch = {
    rowCount: many.length,
    columns: [
      columnOf(LONG, many.map(BigInt)),
      columnOf(
        STRING,
        many.map(row => (row % 2 ? 'c' : null)),
      ),
    ],
  };
  expect(() => appendRows(segment, [1, 2], tooMany)).toThrow('no room');
  expect(() =>
    appendRows(segment, [1, 2], { rowCount: 1, columns: [columnOf(INT, [1]), columnOf(STRING, ['a'])] }),
  ).toThrow('c1 is LONG; the batch has INT');
  expect(() => appendRows(segment, [9], { rowCount: 1, columns: [columnOf(INT, [1])] })).toThrow('no column with id 9');
  expect(() => appendRows(segment, [1], { rowCount: 2, columns: [columnOf(LONG, [1n])] })).toThrow(
    '1 rows in a batch of 2',
  );
  appendRows(segment, [1, 2], first);
  expect(segment.rowCount).toBe(4);
  expect(valuesOf(segment.exportColumn(2))).toEqual(['a', 'b', 'a', 'b']);
  expect(segment.blocks[0]!.zone(1)).toEqual({ nullCount: 0, min: 5, max: 6 });
  expect(segment.blocks[0]!.zone(2)).toMatchObject({ nullCount: 0 });
  segment.free();
  expect(arena.usedBytes).toBe(0);
});

test('hostile strings are refused', () => {
  const segment = new ConsumingSegment(new Arena(megabyte), tableOf([STRING]), 0, 0);
  const base = { type: STRING, length: 1, validity: null, bytes: new Uint8Array([65, 66]) };
  const hostile: Column[] = [
    { ...base, form: 'dictionary', codes: new Uint32Array([5]), offsets: new Uint32Array([0, 1]) },
    { ...base, form: 'dictionary', codes: new Uint32Array([0]), offsets: new Uint32Array([0, 9]) },
    { ...base, form: 'raw', offsets: new Uint32Array([2, 1]) },
    { ...base, form: 'raw', offsets: new Uint32Array([0]) },
  ];
  for (const column of hostile)
    expect(() => appendRows(segment, [1], { rowCount: 1, columns: [column] })).toThrow('a string at');
  expect(segment.rowCount).toBe(0);
});
