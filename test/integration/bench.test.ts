/** Every benchmark, small, so that none rots; the one of Kafka is in kafka-bench.test.ts. */
import { expect, test } from 'vitest';
import { smoke } from '../support/bench.ts';

test.each([
  ['payments', ['weir', 'duckdb']],
  ['scatter', ['weir', 'all in one']],
  ['push', ['weir']],
  ['seal', ['weir', 'duckdb']],
  ['load', ['weir', 'duckdb']],
  ['segments', ['weir']],
  ['memory', ['weir']],
  ['wire', ['weir', 'MessagePort']],
])('the benchmark %s runs, and its answers are right', async (suite, engines) => {
  const rows = await smoke(suite);
  expect([...new Set(rows.map(({ engine }) => engine))]).toEqual(engines);
  expect(rows.filter(({ answersEqual }) => !answersEqual)).toEqual([]);
});
