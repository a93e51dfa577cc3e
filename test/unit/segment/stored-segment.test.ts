import fc from 'fast-check';
import { expect, test } from 'vitest';
import { columnOf } from '../../../src/column/builder.ts';
import {
  DOUBLE,
  decimal,
  FLOAT,
  INT,
  LONG,
  STRING,
  TIMESTAMP,
  type Type,
  type Value,
} from '../../../src/column/type.ts';
import { Arena } from '../../../src/kernel/allocator.ts';
import { listSelected } from '../../../src/kernel/selection.ts';
import { blockRows } from '../../../src/segment/block.ts';
import { buildSegment } from '../../../src/segment/builder.ts';
import { SegmentCache } from '../../../src/segment/cache.ts';
import { OpenFiles } from '../../../src/segment/files.ts';
import { openSegment } from '../../../src/segment/reader.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import { ingestedAtMs, withRowColumns } from '../../support/row-columns.ts';
import {
  asDictionary,
  buildTestSegment,
  defineTestTable,
  everyType,
  everyTypeTable,
  expectedColumns,
  openTestSegment,
  readColumn,
  readSegment,
  show,
} from './stored-fixtures.ts';

test('every type comes back as it was, sorted by time', async () => {
  const store = new MemoryStore();
  const opened = await openTestSegment(
    await buildTestSegment(store, everyType, 2_000, { definition: everyTypeTable }),
    store,
  );
  expect(await readSegment(opened)).toEqual(expectedColumns(everyType, 2_000, { byTime: true }));
});

test('rows cross from block to block as they are sorted', async () => {
  const rowCount = blockRows + 777;
  const store = new MemoryStore();
  const some = everyType.filter(({ name }) =>
    ['ts', 'flag', 'long', 'city', 'id', 'span', 'small_long', 'price', 'event', 'device'].includes(name),
  );
  const entry = await buildTestSegment(store, some, rowCount, { definition: defineTestTable(some, 'ts') });
  const opened = await openTestSegment(entry, store);
  const columns = await readSegment(opened);
  expectedColumns(some, rowCount, { byTime: true }).forEach((expected, index) => {
    const differs = columns[index]!.findIndex((value, row) => value !== expected[row]);
    expect([index, differs, columns[index]![differs]]).toEqual([index, -1, undefined]);
    expect(columns[index]!.length).toBe(rowCount);
  });
  const form = (name: string): string => {
    const { form, base, codeSizeBytes, pool } = opened.segment.blocks[0]!.column(
      name === '$offset' ? -1 : some.findIndex(column => column.name === name) + 1,
    )!;
    return `${form} ${base} ${codeSizeBytes} ${pool?.sorted ?? '-'}`;
  };
  expect(form('ts')).toBe('i32 1700000000000 0 -');
  expect(form('small_long')).toBe('i32 -50 0 -');
  expect(form('long')).toBe('i64 0 0 -');
  expect(form('$offset')).toBe('i32 100 0 -');
  expect(form('city')).toBe('codes 0 1 true');
  expect(form('device')).toBe('codes 0 1 true');
  expect(form('id')).toBe('rows 0 0 false');
  expect(form('event')).toBe('rows 0 0 false');
  expect(form('price')).toBe('i128 0 0 -');
}, 60_000);

test('the entry tells what the controller needs', async () => {
  const store = new MemoryStore();
  const entry = await buildTestSegment(store, everyType, 300, { definition: everyTypeTable });
  expect(entry).toMatchObject({
    id: '0123456789ab-0-100-aaaa',
    tableId: '0123456789ab',
    partition: 0,
    startOffset: 100,
    endOffset: 400,
    rowCount: 300,
    generation: 1,
    tableVersion: 3,
    minTimeMs: 1_700_000_000_000,
    createdAtMs: 1_700_000_000_000,
  });
  expect(entry.sizeBytes).toBe([...store.objects.values()].reduce((sum, bytes) => sum + bytes.length, 0));
  expect(entry.zones['-1']).toEqual({ nullCount: 0, min: 100n, max: 399n });
  expect(entry.zones['17']).toEqual({ nullCount: 300, min: null, max: null });
  expect((await store.list('0123456789ab/0123456789ab-0-100-aaaa')).filter(name => name.includes('inverted'))).toEqual([
    'index-inverted-11-1.bin',
    'index-inverted-13-1.bin',
  ]);
});

test('strings are the same whether they came raw or by dictionary', async () => {
  const definition = everyTypeTable;
  const rows = Array.from({ length: 1_000 }, (_, row) => row);
  const build = (encode: typeof asDictionary, segmentId: string, store: MemoryStore) =>
    buildSegment(
      {
        definition,
        segmentId,
        partition: 0,
        startOffset: 100,
        endOffset: 1_100,
        rowCount: 1_000,
        column: withRowColumns(100, 1_000, async id => {
          const source = everyType[id - 1]!;
          return encode(columnOf(source.type, rows.map(source.value)));
        }),
      },
      store,
      { createdAtMs: 0 },
    );
  const [first, second] = [new MemoryStore(), new MemoryStore()];
  await build(column => column, 'a', first);
  await build(asDictionary, 'a', second);
  for (const [key, bytes] of first.objects)
    expect([key, Buffer.compare(bytes, second.objects.get(key)!)]).toEqual([key, 0]);
});

test('a segment without rows has no blocks, and covers its offsets', async () => {
  const store = new MemoryStore();
  const entry = await buildTestSegment(store, everyType, 0, { definition: everyTypeTable });
  expect(entry).toMatchObject({ rowCount: 0, minTimeMs: null, maxTimeMs: null });
  const { segment } = await openTestSegment(entry, store);
  expect(segment.blocks).toEqual([]);
});

test('a DATE spans its day, and a table may have no time column', async () => {
  const day = { name: 'day', type: { name: 'DATE' } as Type, value: (row: number) => (row === 2 ? null : 10 - row) };
  const dated = await buildTestSegment(new MemoryStore(), [day], 3, { definition: defineTestTable([day], 'day') });
  expect(dated).toMatchObject({ minTimeMs: 9 * 86_400_000, maxTimeMs: 11 * 86_400_000 - 1 });
  const store = new MemoryStore();
  const timeless = await buildTestSegment(store, [day], 3);
  expect(timeless).toMatchObject({ minTimeMs: null, maxTimeMs: null });
  expect(await readSegment(await openTestSegment(timeless, store))).toEqual([
    ['10', '9', null],
    ['100', '101', '102'],
    Array.from({ length: 3 }, () => String(ingestedAtMs)),
  ]);
});

/** Values around the edges of each type's range. */
const edges: readonly (readonly [Type, fc.Arbitrary<Value>])[] = [
  [INT, fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })],
  [LONG, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
  [LONG, fc.bigInt({ min: 2n ** 53n - 3n, max: 2n ** 53n + 3n })],
  [LONG, fc.constantFrom(-(2n ** 31n), 2n ** 31n - 1n, 0n, -1n)],
  [LONG, fc.bigInt({ min: 0n, max: 2n ** 31n - 1n })],
  [TIMESTAMP, fc.integer({ min: -8.64e15, max: 8.64e15 })],
  [FLOAT, fc.float()],
  [DOUBLE, fc.double()],
  [decimal(38, 0), fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n })],
  [STRING, fc.string({ unit: 'binary', maxLength: 90 })],
];

const compareValues = (a: Value, b: Value): number =>
  typeof a === 'string' ? Buffer.compare(Buffer.from(a), Buffer.from(b as string)) : a! < b! ? -1 : a! > b! ? 1 : 0;

for (const [type, arbitrary] of edges)
  test(`${type.name}: values come back, and zone maps hold them`, async () => {
    const values = fc.array(fc.option(arbitrary, { freq: 5 }), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(values, async each => {
        const store = new MemoryStore();
        const column = { name: 'v', type, value: (row: number) => each[row]! };
        const opened = await openTestSegment(
          await buildTestSegment(store, [column], each.length),
          store,
          new Arena(1 << 20),
        );
        expect((await readSegment(opened))[0]).toEqual(each.map(show));
        const zone = opened.segment.blocks[0]!.zone(1)!;
        const present = each.filter(value => value !== null);
        expect(zone.nullCount).toBe(each.length - present.length);
        for (const value of present) {
          if (Number.isNaN(value)) expect(zone.max).toBeNull();
          else {
            if (zone.min !== null) expect(compareValues(zone.min, value)).toBeLessThanOrEqual(0);
            if (zone.max !== null) expect(compareValues(zone.max, value)).toBeGreaterThanOrEqual(0);
          }
        }
        if (present.length > 0 && type.name !== 'STRING' && !present.some(Number.isNaN as (value: Value) => boolean)) {
          expect([zone.min, zone.max]).not.toContain(null);
          expect(opened.segment.manifest.columns[0]!.zone).toEqual(zone);
        }
      }),
      { numRuns: 40 },
    );
  });

test('an inverted index lists the rows of each code, a null index the NULLs', async () => {
  const rowCount = blockRows + 5_000;
  const words = ['b', 'a', 'rare', 'c'];
  const word = (row: number): string | null => (row % 9 === 0 ? null : row === 65_600 ? 'rare' : words[(row % 5) % 4]!);
  const column = { name: 'w', type: STRING, value: word };
  const store = new MemoryStore();
  const entry = await buildTestSegment(store, [column], rowCount, {
    definition: defineTestTable([column], null, ['w']),
  });
  const { segment, arena } = await openTestSegment(entry, store);
  expect([segment.indexes.inverted(1) !== null, segment.indexes.inverted(-1)]).toEqual([true, null]);
  const index = segment.indexes.inverted(1)!;
  const nulls = segment.indexes.nulls(1)!;
  const out = new Uint32Array(blockRows);
  for (const block of segment.blocks) {
    await block.load([1]);
    const values = readColumn(arena, block, 1);
    const rowsWith = (value: Value): number[] => values.flatMap((each, row) => (each === value ? [row] : []));
    const selected = (from: typeof index, code: number): number[] => {
      const into = new Uint32Array(2_048);
      from.select(code, block.index, into);
      return [...out.subarray(0, listSelected(into, 0, into.length, out))];
    };
    ['a', 'b', 'c', 'rare'].forEach((value, code) => {
      expect(selected(index, code)).toEqual(rowsWith(value));
    });
    expect(selected(nulls, 0)).toEqual(rowsWith(null));
  }
  expect([0, 1, 2, 3].map(code => index.cardinality(code)).reduce((sum, each) => sum + each)).toBe(
    rowCount - nulls.cardinality(0),
  );
  expect(nulls.cardinality(0)).toBe(segment.manifest.columns[0]!.zone.nullCount);
  expect(() => index.cardinality(4)).toThrow('part 4 of 4');
});

test('a column that the segment does not have is no error', async () => {
  const store = new MemoryStore();
  const entry = await buildTestSegment(store, everyType, 10, { definition: everyTypeTable });
  const { segment } = await openTestSegment(entry, store);
  await segment.blocks[0]!.load([1, 99]);
  expect(segment.blocks[0]!.column(99)).toBeNull();
  expect(segment.blocks[0]!.zone(99)).toBeNull();
});

test('opening reads the manifest alone; 1,000 segments open in well under a second', async () => {
  const store = new MemoryStore();
  const entry = await buildTestSegment(store, everyType, 300, { definition: everyTypeTable });
  const opened: string[] = [];
  const files = new OpenFiles({
    openSync: key => {
      opened.push(key);
      return store.openSync(key);
    },
  });
  const cache = new SegmentCache(new Arena(1 << 20));
  const start = process.cpuUsage();
  for (let segment = 0; segment < 1_000; segment++) await openSegment(entry, files, cache);
  const { user, system } = process.cpuUsage(start);
  expect((user + system) / 1_000).toBeLessThan(1_000);
  expect(new Set(opened)).toEqual(new Set(['0123456789ab/0123456789ab-0-100-aaaa/manifest-1.json']));
});

test('the metadata and the manifest must agree', async () => {
  const store = new MemoryStore();
  const entry = await buildTestSegment(store, everyType, 10, { definition: everyTypeTable });
  await expect(openTestSegment({ ...entry, rowCount: 11 }, store)).rejects.toThrow(
    'has row count 10, the metadata says 11',
  );
  await expect(openTestSegment({ ...entry, generation: 2 }, store)).rejects.toThrow('manifest-2.json is missing');
});
