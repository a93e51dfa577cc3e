import { expect, test } from 'vitest';
import type { Row } from '../../web/src/api/client.ts';
import {
  barCountMax,
  chartData,
  defaultChoice,
  fitChoice,
  seriesCountMax,
} from '../../web/src/components/chart/chart-model.ts';

const columns = (...types: string[]) => types.map((type, index) => ({ name: `c${index}`, type }));
const day = (number: number): string => `2026-03-${String(number).padStart(2, '0')}T00:00:00.000Z`;
const daySeconds = (number: number): number => Date.parse(day(number)) / 1000;

const data = (types: readonly string[], ...rows: Row[]) => ({ columns: columns(...types), rows });

test('a time makes a line, a category bars, two numbers bars', () => {
  const line = { kind: 'line', split: null } as const;
  const bar = { kind: 'bar', split: null } as const;
  expect(defaultChoice(data(['TIMESTAMP', 'LONG', 'DOUBLE']))).toEqual({ ...line, x: 0, ys: [1] });
  expect(defaultChoice(data(['STRING', 'LONG', 'DATE']))).toEqual({ ...line, x: 2, ys: [1] });
  expect(defaultChoice(data(['STRING', 'DECIMAL(12,2)']))).toEqual({ ...bar, x: 0, ys: [1] });
  expect(defaultChoice(data(['INT', 'LONG']))).toEqual({ ...bar, x: 0, ys: [1] });
  for (const types of [['LONG'], ['STRING', 'STRING'], ['TIMESTAMP'], []])
    expect(defaultChoice(data(types))).toBeNull();
});

test('a second category splits where x repeats, and only there', () => {
  const types = ['TIMESTAMP', 'STRING', 'LONG'];
  expect(defaultChoice(data(types, [day(1), 'a', 1], [day(1), 'b', 2]))?.split).toBe(1);
  expect(defaultChoice(data(types, [day(1), 'a', 1], [day(2), 'b', 2]))?.split).toBeNull();
});

test('a choice that the columns do not allow gives way to the default', () => {
  const byTime = data(['TIMESTAMP', 'LONG']);
  expect(fitChoice({ kind: 'bar', x: 0, ys: [1], split: null }, byTime)?.kind).toBe('bar');
  for (const bad of [
    { kind: 'line', x: 7, ys: [1], split: null },
    { kind: 'line', x: 0, ys: [0], split: null },
    { kind: 'line', x: 0, ys: [], split: null },
    { kind: 'line', x: 0, ys: [1], split: 9 },
  ] as const)
    expect(fitChoice(bad, byTime)).toEqual(defaultChoice(byTime));
  const byName = data(['STRING', 'LONG']);
  expect(fitChoice({ kind: 'line', x: 0, ys: [1], split: null }, byName)).toEqual(defaultChoice(byName));
});

test('a line is in the order of time, whatever that of the rows; rows without time are counted', () => {
  const rows: Row[] = [
    [day(3), 30],
    [day(1), 10n],
    [null, 99],
    [day(2), null],
  ];
  const chart = chartData(
    { columns: columns('TIMESTAMP', 'LONG'), rows },
    { kind: 'line', x: 0, ys: [1], split: null },
  );
  expect(chart.xs).toEqual([1, 2, 3].map(daySeconds));
  expect(chart.series).toEqual([{ name: 'c1', values: [10, null, 30] }]);
  expect(chart.isTime).toBe(true);
  expect(chart.notes).toEqual(['1 row without c0 left out']);
});

test('a split makes a series of each value, largest first, with gaps where it has no row', () => {
  const rows: Row[] = [
    [day(1), 'few', 1],
    [day(1), 'many', 10],
    [day(2), 'many', 20],
    [day(2), null, 2],
  ];
  const shape = columns('TIMESTAMP', 'STRING', 'LONG');
  const chart = chartData({ columns: shape, rows }, { kind: 'line', x: 0, ys: [2], split: 1 });
  expect(chart.series).toEqual([
    { name: 'many', values: [10, 20] },
    { name: 'null', values: [null, 2] },
    { name: 'few', values: [1, null] },
  ]);
  expect(chart.notes).toEqual([]);
});

test('what does not fit is left out and said', () => {
  const shape = columns('STRING', 'STRING', 'LONG');
  const many: Row[] = Array.from({ length: 200 }, (_, index) => [`x${index}`, `s${index % 20}`, index]);
  const chart = chartData({ columns: shape, rows: many }, { kind: 'bar', x: 0, ys: [2], split: 1 });
  expect(chart.labels).toHaveLength(barCountMax);
  expect(chart.series).toHaveLength(seriesCountMax);
  expect(chart.notes).toEqual([`the first ${barCountMax} of 200 bars`, `the ${seriesCountMax} largest of 20 series`]);

  const twice: Row[] = [
    ['a', 'ignored', 1],
    ['a', 'ignored', 2],
  ];
  const collided = chartData({ columns: shape, rows: twice }, { kind: 'bar', x: 0, ys: [2], split: null });
  expect(collided.series[0]!.values).toEqual([2]);
  expect(collided.notes).toEqual(['1 value hidden by later ones of the same x: split or group them']);
});

test('NaN and infinities, which are texts in an answer, are gaps', () => {
  const rows: Row[] = [
    [1, 'NaN'],
    [2, 'Infinity'],
    [3, 4.5],
  ];
  const chart = chartData({ columns: columns('INT', 'DOUBLE'), rows }, { kind: 'line', x: 0, ys: [1], split: null });
  expect(chart.series[0]!.values).toEqual([null, null, 4.5]);
  expect(chart.isTime).toBe(false);
});
