import { expect, test } from 'vitest';
import { StreamLag } from '../../../src/ingest/stream-lag.ts';

const end = (endOffset: number, observedAtMs: number) => ({ endOffset, logStartOffset: 0, observedAtMs });

test('a partition that has all is not late, however long ago its last message was', () => {
  const lag = new StreamLag();
  lag.observe(end(5, 1_000), 5);
  lag.advance(5, 10);
  expect([lag.isBehind, lag.ageMs(9_000, false)]).toEqual([false, 0]);
});

test('what is not visible is no older than the last message that is, and than since when more was seen', () => {
  const lag = new StreamLag();
  lag.observe(end(5, 1_000), 0);
  expect(lag.ageMs(3_000, false)).toBe(2_000);
  lag.advance(3, 2_500);
  expect([lag.isBehind, lag.ageMs(3_000, false)]).toEqual([true, 500]);
  lag.advance(5, 2_800);
  expect(lag.ageMs(3_000, false)).toBe(0);
});

test('while the stream cannot be seen, it may be ahead since the last look', () => {
  const lag = new StreamLag();
  expect(lag.ageMs(4_000, true)).toBe(0);
  lag.observe(end(5, 1_000), 5);
  expect(lag.ageMs(4_000, true)).toBe(3_000);
  lag.reset();
  expect([lag.end, lag.ageMs(4_000, true)]).toEqual([null, 0]);
});
