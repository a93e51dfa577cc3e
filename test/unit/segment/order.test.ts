import fc from 'fast-check';
import { expect, test } from 'vitest';
import { columnOf } from '../../../src/column/builder.ts';
import type { FixedColumn } from '../../../src/column/column.ts';
import { DATE, TIMESTAMP, type Type } from '../../../src/column/type.ts';
import { orderByTime } from '../../../src/segment/order.ts';

const check = (type: Type, times: readonly (number | null)[]): void => {
  const rows = times.map((_, row) => row);
  const key = (row: number): number => times[row] ?? Number.POSITIVE_INFINITY;
  const sorted = rows.toSorted((a, b) => (key(a) === key(b) ? a - b : key(a) < key(b) ? -1 : 1));
  const order = orderByTime(columnOf(type, times) as FixedColumn);
  expect(order ? [...order] : rows).toEqual(sorted);
  expect(order === null).toBe(sorted.every((row, position) => row === position));
};

test('rows are sorted by time, stably, NULLs last', () => {
  const spans = [3, 1_000, 2 ** 31, 2 ** 33, 8.64e15];
  const times = fc
    .constantFrom(...spans)
    .chain(span =>
      fc.array(fc.option(fc.integer({ min: -Math.floor(span / 2), max: Math.floor(span / 2) }), { freq: 6 })),
    );
  fc.assert(fc.property(times, each => check(TIMESTAMP, each)));
  const days = fc.array(fc.option(fc.integer({ min: -100_000_000, max: 100_000_000 })));
  fc.assert(fc.property(days, each => check(DATE, each)));
});

test('what is in order stays as it is', () => {
  check(TIMESTAMP, []);
  check(TIMESTAMP, [null, null]);
  check(TIMESTAMP, [1, 1, 2, null]);
  check(TIMESTAMP, [null, 1]);
});
