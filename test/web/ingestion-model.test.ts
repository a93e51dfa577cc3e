import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { IngestionPartition, PartitionFreshness, TableInfo } from '../../web/src/api/client.ts';
import { incidentsOf } from '../../web/src/pages/ingestion/incidents.ts';
import { byTable, partitionsText, sourceFacts, sourceText, summaryOf } from '../../web/src/pages/ingestion/summary.ts';
import {
  noThroughput,
  rateOf,
  ratesOf,
  sampleCountMax,
  type Throughput,
  withPoll,
} from '../../web/src/pages/ingestion/throughput.ts';
import { rejectsSql } from '../../web/src/pages/ingestion/use-rejects.ts';

const partition = (
  number: number,
  freshness: Partial<PartitionFreshness> = {},
  changes: Partial<IngestionPartition> = {},
): IngestionPartition => ({
  ...{ table: 't', tableId: 'a', partition: number, source: 'kafka', committedEnd: 0 },
  ...{ rowsIngested: 0, rowsRejected: 0, rowsFiltered: 0, offsetsLost: 0, logSizeBytes: 0 },
  ...{ notice: null, auditMismatches: 0, lastFault: null },
  freshness: {
    ...{ partition: number, ingestedOffset: 10, endOffset: 10, observedAtMs: 0, lagMs: 0, watermarkMs: null },
    ...{ state: 'consuming', cause: null },
    ...freshness,
  },
  ...changes,
});

test('a table is as its worst partition is; lags add up, and the longest counts', () => {
  expect(summaryOf([])).toMatchObject({ level: 'quiet', stateText: 'starting', lagMessages: 0, lagMs: 0 });
  expect(summaryOf([partition(0), partition(1)])).toMatchObject({ level: 'good', stateText: 'consuming' });
  expect(
    summaryOf([
      partition(0, { state: 'idle', endOffset: 15, lagMs: 3 }, { rowsRejected: 2 }),
      partition(1, { state: 'failed', endOffset: 12, lagMs: 9 }, { rowsRejected: 1 }),
      partition(2, { state: 'paused' }),
    ]),
  ).toEqual({ level: 'bad', stateText: 'failed (1 of 3)', lagMessages: 7, lagMs: 9, rowsRejected: 3 });
});

test('partitions belong to their tables, in order', () => {
  const groups = byTable([partition(1), partition(0, {}, { tableId: 'b' }), partition(0)]);
  expect(groups.get('a')!.map(each => each.partition)).toEqual([0, 1]);
  expect(groups.get('b')).toHaveLength(1);
  expect(groups.get('c')).toBeUndefined();
});

test('partitions are named by spans', () => {
  expect(partitionsText([0, 1, 2, 5, 7, 8])).toBe('0–2, 5, 7–8');
  expect(partitionsText([-1])).toBe('topic');
  expect(partitionsText([-1, 0, 1])).toBe('topic, 0–1');
});

test('a cause that many partitions share is told once, the worst first, with code and hint', () => {
  const lastFault = { code: 'UNAVAILABLE', message: 'broker gone', hint: 'start it' };
  const failed = { state: 'failed', cause: 'broker gone' } as const;
  const incidents = incidentsOf([
    partition(0, {}, { notice: '5 offsets lost', lastFault: { code: 'IO', message: 'disk full' } }),
    partition(1, failed, { lastFault }),
    partition(2, failed, { lastFault }),
    partition(3, { state: 'failed', cause: 'another' }, { auditMismatches: 2 }),
  ]);
  expect(incidents.map(({ title, partitions, text, code, hint }) => [title, partitions, text, code, hint])).toEqual([
    ['Failed', [1, 2], 'broker gone', 'UNAVAILABLE', 'start it'],
    ['Failed', [3], 'another', null, null],
    ['Offsets do not add up', [3], expect.stringMatching(/^2 spans/), null, expect.any(String)],
    ['Last fault', [0], 'disk full', 'IO', null],
    ['Healed', [0], '5 offsets lost', null, null],
  ]);
  expect(incidentsOf([partition(0), partition(1)])).toEqual([]);
});

/** Polls of one table. */
const polled = (...polls: readonly [atMs: number, rows: number][]): Throughput =>
  polls.reduce(
    (before, [atMs, rowsIngested]) => withPoll(before, [partition(0, {}, { rowsIngested })], atMs),
    noThroughput,
  );

test('rows per second are of the last five seconds; a server that starts again begins anew', () => {
  expect(rateOf(undefined)).toBeNull();
  expect(rateOf(polled([0, 100]).get('a'))).toBeNull();
  expect(rateOf(polled([0, 100], [1000, 350]).get('a'))).toBe(250);
  expect(rateOf(polled([0, 0], [5000, 5000], [10_000, 5500]).get('a'))).toBe(100);
  expect(rateOf(polled([0, 0], [60_000, 600]).get('a'))).toBe(10);
  expect(ratesOf(polled([0, 0], [1000, 7], [3000, 7]).get('a'))).toEqual([7, 0]);
  expect(polled([0, 100], [1000, 50]).get('a')).toEqual([{ atMs: 1000, rowsIngested: 50 }]);
  expect(polled([0, 100], [20, 900]).get('a')).toEqual([{ atMs: 0, rowsIngested: 100 }]);
  expect(withPoll(polled([0, 1]), [], 1000).size).toBe(0);
});

test('whatever the polls, rates are finite and not negative, and few samples are kept', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(2000), fc.nat(1e9)), { maxLength: 200 }), steps => {
      let atMs = 0;
      const polls = steps.map(([stepMs, rows]): [number, number] => {
        atMs += stepMs;
        return [atMs, rows];
      });
      const samples = polled(...polls).get('a') ?? [];
      expect(samples.length).toBeLessThanOrEqual(sampleCountMax);
      for (const rate of [...ratesOf(samples), rateOf(samples) ?? 0]) {
        expect(Number.isFinite(rate)).toBe(true);
        expect(rate).toBeGreaterThanOrEqual(0);
      }
    }),
  );
});

test('a source is told in full, but no secret', () => {
  const source = {
    ...{ kind: 'kafka', brokers: ['a:1', 'b:2'], topic: 'orders', format: 'avro', isolation: 'read_committed' },
    ...{ startFrom: 0, tls: {}, sasl: { mechanism: 'plain', username: 'paula', password: 'env:SECRET' } },
    ...{ schemaRegistry: null, deadLetterTopic: 'dead' },
  };
  const table = { source } as unknown as TableInfo;
  expect(sourceText(table)).toBe('Kafka orders · avro');
  const facts = Object.fromEntries(sourceFacts(table));
  expect(facts).toMatchObject({ Brokers: 'a:1, b:2', Begins: '1970-01-01T00:00:00.000Z', 'Dead letters': 'dead' });
  expect(facts.Security).toBe('TLS, SASL plain as paula');
  expect(JSON.stringify(facts)).not.toContain('SECRET');
});

test('the statement for rejects quotes the name', () => {
  expect(rejectsSql("o'clock")).toContain(`"table" = 'o''clock'`);
});
