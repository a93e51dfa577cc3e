import { expect, test } from 'vitest';
import type { PartitionFreshness, TableInfo } from '../../web/src/api/client.ts';
import { formatBytes, formatDuration, formatValue, plural } from '../../web/src/components/format.ts';
import { freshnessOf } from '../../web/src/components/freshness.ts';
import { breakdownColumns, perSecondSql } from '../../web/src/pages/live/live-sql.ts';
import { perSecond, recentRate } from '../../web/src/pages/live/per-second.ts';

const partition = (changes: Partial<PartitionFreshness> = {}): PartitionFreshness => ({
  partition: 0,
  ingestedOffset: 10,
  endOffset: 10,
  observedAtMs: 1000,
  lagMs: 0,
  watermarkMs: 900,
  state: 'consuming',
  cause: null,
  ...changes,
});

test('every second of the window has a count, zero where the answer has none; the unfinished second has no point', () => {
  const rows = [
    ['2026-03-01T00:00:07.000Z', 70],
    ['2026-03-01T00:00:09.000Z', 90n],
    ['2026-03-01T00:00:10.000Z', 3],
    ['2026-02-01T00:00:00.000Z', 5],
  ];
  expect(perSecond(rows, Date.parse('2026-03-01T00:00:10.400Z'), 2).counts).toEqual([70, 0]);
  const counted = perSecond(rows, Date.parse('2026-03-01T00:00:10.500Z'), 4);
  expect(counted.counts).toEqual([0, 70, 0, 90]);
  expect(counted.seconds.at(-1)).toBe(Date.parse('2026-03-01T00:00:09.000Z') / 1000);
  expect(recentRate(counted, 2)).toBe(45);
  expect(recentRate({ seconds: [], counts: [] })).toBe(0);
});

test('freshness names the worst: a failed partition with its cause before a late one, an idle one is not late', () => {
  expect(freshnessOf([])).toBeNull();
  expect(freshnessOf([partition({ state: 'idle' })])).toEqual({ level: 'good', text: 'up to date' });
  expect(freshnessOf([partition(), partition({ lagMs: 12_300 })])).toEqual({ level: 'warn', text: '12.3 s behind' });
  expect(freshnessOf([partition({ lagMs: 1e6 }), partition({ state: 'failed', cause: 'disk full' })])).toEqual({
    level: 'bad',
    text: '1 partition failed: disk full',
  });
});

test("a table's statements quote what needs quotes", () => {
  const table = { name: 'Odd "one"', timeColumn: 'at time', columns: [], indexes: [] } as unknown as TableInfo;
  expect(perSecondSql(table)).toContain('FROM "Odd ""one"""');
  expect(perSecondSql(table)).toContain('"at time" >= NOW()');
});

test('the breakdown takes the telling columns, then indexed ones, then any text', () => {
  const table = (names: string[], indexed: string[]) =>
    ({
      columns: names.map(name => ({ name, type: 'STRING' })),
      indexes: indexed.map(column => ({ column, kind: 'inverted' })),
    }) as unknown as TableInfo;
  expect(breakdownColumns(table(['a', 'merchant', 'status'], []))).toEqual(['status', 'merchant']);
  expect(breakdownColumns(table(['a', 'b', 'c'], ['c']))).toEqual(['c', 'a']);
  expect(breakdownColumns(table([], []))).toEqual([]);
});

test('values are shown exact and with units', () => {
  expect(formatValue(9007199254740993n, 'LONG')).toBe('9007199254740993');
  expect(formatValue('2026-03-01T12:00:00.250Z', 'TIMESTAMP')).toBe('2026-03-01 12:00:00.250');
  expect(formatValue('2026-03-01T12:00:00.250Z', 'STRING')).toBe('2026-03-01T12:00:00.250Z');
  expect([0, 999, 1000, 48_000_000, 476_000_000].map(formatBytes)).toEqual([
    '0 B',
    '999 B',
    '1.0 KB',
    '48.0 MB',
    '476 MB',
  ]);
  expect([0, 0.44, 12.4, 3200, 300_000, 7_776_000_000].map(formatDuration)).toEqual([
    '0 ms',
    '0.4 ms',
    '12 ms',
    '3.2 s',
    '5 min',
    '90 days',
  ]);
  expect([plural(1, 'row'), plural(2, 'row'), plural(20, 'series')]).toEqual(['1 row', '2 rows', '20 series']);
});
