import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Type, Value } from '../../../src/column/type.ts';
import * as types from '../../../src/column/type.ts';
import { Arena } from '../../../src/kernel/allocator.ts';
import { type ColumnStatistics, readStatistics } from '../../../src/segment/statistics.ts';
import { standardError } from '../../../src/sketch/hyperloglog.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import { buildTestSegment, openTestSegment } from './stored-fixtures.ts';

async function statisticsOf(
  type: Type,
  values: readonly Value[],
): Promise<ColumnStatistics & { readonly sorted: boolean }> {
  const store = new MemoryStore();
  const column = { name: 'v', type, value: (row: number) => values[row]! };
  const entry = await buildTestSegment(store, [column], values.length);
  const { segment } = await openTestSegment(entry, store, new Arena(8 << 20));
  return { ...readStatistics(segment.manifest).get(1)!, sorted: segment.indexes.isSorted(1) };
}

const kinds: readonly (readonly [Type, fc.Arbitrary<Value>, (value: Value) => Value])[] = [
  [types.BOOLEAN, fc.boolean(), Number],
  [types.INT, fc.integer({ min: -3, max: 3 }), value => value],
  [types.LONG, fc.bigInt(-3n, 3n), value => value],
  [
    types.DOUBLE,
    fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true })),
    value => (value === 0 ? 0 : value),
  ],
  [types.decimal(20, 2), fc.bigInt(-(10n ** 19n), 10n ** 19n), value => value],
  [types.STRING, fc.string({ unit: 'binary', maxLength: 3 }), value => value],
  [types.UUID, fc.uuid(), value => value],
];

/** Distinct values with their counts, and whether the values ascend with NULLs last. */
function countOf(values: readonly Value[], spell: (value: Value) => Value) {
  const counts = new Map<Value, number>();
  for (const value of values) if (value !== null) counts.set(spell(value), (counts.get(spell(value)) ?? 0) + 1);
  const present = values.filter(value => value !== null);
  const isSorted =
    present.every((value, row) => row === 0 || present[row - 1]! <= value) &&
    values.slice(present.length).every(value => value === null);
  return { counts, isSorted };
}

test.each(kinds)('of a few rows are exact: %o', async (type, value, spell) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(value), { minLength: 1, maxLength: 80 }), fc.boolean(), async (drawn, sort) => {
      const values = sort
        ? drawn.toSorted((a, b) => (a === null ? 1 : b === null ? -1 : a < b ? -1 : +(a > b)))
        : drawn;
      const { counts, isSorted } = countOf(values, spell);
      const found = await statisticsOf(type, values);
      const isNumber = !['BOOLEAN', 'STRING', 'UUID'].includes(type.name);
      expect(found).toMatchObject({
        nullCount: values.filter(each => each === null).length,
        distinctCount: counts.size,
        distinctIsExact: true,
        topIsExact: true,
        sorted: isNumber && isSorted,
      });
      const top = [...counts.values()].sort((a, b) => b - a).slice(0, 10);
      expect(found.topValues.map(({ count }) => count)).toEqual(top);
      for (const each of found.topValues) expect(counts.get(each.value)).toBe(each.count);
    }),
    { numRuns: 30 },
  );
});

test('of many rows are estimated within their error, and the frequent values found', async () => {
  const rowCount = 40_000;
  const values = Array.from({ length: rowCount }, (_, row) =>
    row % 4 === 0 ? 7n : row % 10 === 1 ? null : BigInt((row * 7_919) % 30_011) + 100n,
  );
  const { counts } = countOf(values, value => value);
  const found = await statisticsOf(types.LONG, values);
  expect(found).toMatchObject({ distinctIsExact: false, topIsExact: false, averageSizeBytes: 8, sorted: false });
  expect(Math.abs(found.distinctCount! - counts.size)).toBeLessThan(4 * standardError * counts.size);
  expect(found.topValues.map(({ value }) => value)).toEqual([7n]);
  expect(Math.abs(found.topValues[0]!.count - counts.get(7n)!)).toBeLessThan(1_000);
});

test('averages are of what is there; a time column ascends', async () => {
  expect(await statisticsOf(types.STRING, ['ab', null, 'abcd'])).toMatchObject({ averageSizeBytes: 3 });
  expect(await statisticsOf(types.INT, [null, null])).toMatchObject({
    averageSizeBytes: 0,
    distinctCount: 0,
    topValues: [],
  });
  const times = Array.from({ length: 5_000 }, (_, row) => row * 2);
  expect(await statisticsOf(types.TIMESTAMP, times)).toMatchObject({
    distinctCount: 5_000,
    distinctIsExact: true,
    sorted: true,
  });
});
