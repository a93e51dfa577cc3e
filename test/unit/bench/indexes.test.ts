import { expect, test } from 'vitest';
import { indexesSuite } from '../../../bench/indexes.ts';

test('the suite of indexes runs: both give the same answers, each question by what it is about', async () => {
  const progress = { update() {}, done() {} };
  const rows = await indexesSuite.run({ rows: null, runs: 1, partitions: null, smoke: true, progress, note() {} });
  expect(rows.filter(({ answersEqual }) => !answersEqual)).toEqual([]);
  const by = rows.filter(({ engine }) => engine === 'weir').map(({ query, note }) => `${query}: ${note}`);
  expect(by).toEqual([
    'amount within 1 ‰: range index 2',
    'amount above the middle: range index 2',
    'one amount: range index 2',
    'amount within 1 ‰, in memory: scan 2',
    'an id that is there: scan 1, bloom filter 1',
    'an id that is not: bloom filter 2',
    'a minute: sorted search 1',
  ]);
}, 60_000);
