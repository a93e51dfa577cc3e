/** Loads that add and replace, among inserts, seals, merges and queries. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LoadStatus } from '../../src/wire/load-calls.ts';
import { type Cluster, openCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { MemoryKafka } from '../support/memory-kafka.ts';
import { noStreams } from '../support/no-streams.ts';
import { Gates } from './gates.ts';

interface Row {
  readonly ts: number | null;
  readonly x: number;
}

interface Range {
  readonly fromMs: number;
  readonly toMs: number;
}

const isIn = ({ ts }: Row, { fromMs, toMs }: Range): boolean => ts !== null && ts >= fromMs && ts < toMs;
const timeText = (ts: number): string => new Date(ts).toISOString();

let fileCount = 0;

async function startLoad(cluster: Cluster, rows: readonly Row[], replace: Range | null): Promise<LoadStatus> {
  const path = join(cluster.folder, `rows-${fileCount++}.ndjson`);
  const lines = rows.map(({ ts, x }) => JSON.stringify({ ts: ts === null ? null : timeText(ts), x }));
  await writeFile(path, lines.join('\n'));
  const { load } = await cluster.loads.call('start', {
    ...{
      table: 't',
      files: [{ path }],
      options: { format: 'ndjson' },
      rejectsMax: 0,
      replace,
      key: null,
      create: false,
    },
  });
  return load;
}

const ended = (cluster: Cluster, { id }: LoadStatus): Promise<LoadStatus> =>
  eventually(async () => {
    const load = await cluster.loads.call('get', { loadId: id });
    expect(load.state).not.toBe('running');
    return load;
  });

const insert = (cluster: Cluster, rows: readonly Row[]): Promise<unknown> =>
  cluster.query(
    `INSERT INTO t VALUES ${rows
      .map(({ ts, x }) => `(${ts === null ? 'NULL' : `TIMESTAMP '${timeText(ts)}'`}, ${x})`)
      .join(', ')}`,
  );

const createTable = "CREATE TABLE t (ts TIMESTAMP, x LONG) FROM LOG WITH (time_column = 'ts', segment_rows = 40)";
const answers = async (cluster: Cluster): Promise<unknown> => {
  const rows = (await cluster.query('SELECT x FROM t ORDER BY x')).rows.map(([x]) => Number(x));
  const counts = (await cluster.query('SELECT COUNT(*), MAX(x) FROM t')).rows[0]!;
  expect(Number(counts[0])).toBe(rows.length);
  expect(Number(counts[1] ?? -1)).toBe(rows.at(-1) ?? -1);
  return rows;
};

describe('any sequence of inserts, seals, merges, loads and replaces', () => {
  const times = fc.array(fc.option(fc.integer({ min: 0, max: 20 }), { freq: 9 }), { minLength: 1, maxLength: 50 });
  const range = fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 1, max: 20 }));
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('insert' as const), times }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('commit' as const) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('load' as const), times }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('replace' as const), times, range }) },
  );

  test.each([
    ['without merges', null],
    ['with merges', 20],
  ])(
    'gives the rows of a naive table, %s',
    async (_, mergeIntervalMs) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 10 }), async steps => {
          const cluster = await openCluster({
            shardCount: 2,
            arenaBytes: 16 << 20,
            controllerSettings: { mergeIntervalMs },
          });
          try {
            await cluster.query(createTable);
            let model: Row[] = [];
            let next = 0;
            const make = (drawn: readonly (number | null)[]): Row[] => drawn.map(ts => ({ ts, x: next++ }));
            for (const each of steps) {
              if (each.kind === 'commit') {
                await cluster.commit('t');
                continue;
              }
              const rows = make(each.times);
              if (each.kind === 'insert') await insert(cluster, rows);
              else {
                const replace =
                  each.kind === 'replace' ? { fromMs: each.range[0], toMs: each.range[0] + each.range[1] } : null;
                const load = await ended(cluster, await startLoad(cluster, rows, replace));
                expect(load).toMatchObject({ state: 'finished', rowsLoaded: rows.length });
                if (replace) model = model.filter(row => !isIn(row, replace));
              }
              model.push(...rows);
              expect(await answers(cluster)).toEqual(model.map(({ x }) => x).sort((a, b) => a - b));
            }
          } finally {
            await cluster.close();
          }
        }),
        { numRuns: 15 },
      );
    },
    120_000,
  );
});

describe('a query stopped anywhere, while a load replaces what it reads', () => {
  const loadSteps = ['before load', 'before stageSegment', 'after stageSegment', 'after load'];
  const querySteps = ['before pin', 'after pin', 'before snapshot', 'after snapshot', 'before run', 'after run'];
  const old = Array.from({ length: 30 }, (_, x) => ({ ts: x, x }));
  const replace = { fromMs: 10, toMs: 20 };
  const fresh = Array.from({ length: 50 }, (_, index) => ({ ts: 10 + (index % 10), x: 100 + index }));
  /** In the range too, but after the load was asked for. */
  const late = { ts: 15, x: 1_000 };
  const sum = (rows: readonly Row[]): bigint => rows.reduce((total, { x }) => total + BigInt(x), 0n);
  const before = [...old, late];
  const after = [...old.filter(row => !isIn(row, replace)), ...fresh, late];

  test.each(loadSteps)(
    'the load stands %s when the query begins',
    async loadStep => {
      for (const queryStep of querySteps) {
        const gates = new Gates(async () => {});
        const cluster = await openCluster({
          ...{ shardCount: 2, arenaBytes: 16 << 20 },
          intercept: (role, client) =>
            role === 'shard' || role === 'builder' ? client : (gates.wrap(client as object) as typeof client),
        });
        try {
          await cluster.query(createTable);
          await insert(cluster, old.slice(0, 20));
          await cluster.commit('t');
          await insert(cluster, old.slice(20));
          const atLoad = gates.close(loadStep);
          const load = await startLoad(cluster, fresh, replace);
          await atLoad.reached;
          await insert(cluster, [late]);
          const atQuery = gates.close(queryStep);
          const query = cluster.query('SELECT COUNT(*), SUM(x), (SELECT COUNT(*) FROM t) FROM t');
          await atQuery.reached;
          atLoad.open();
          expect(await ended(cluster, load)).toMatchObject({ state: 'finished' });
          atQuery.open();
          const sees = ['before pin', 'after pin', 'before snapshot'].includes(queryStep) ? after : before;
          const expected = [[BigInt(sees.length), sum(sees), BigInt(sees.length)]];
          expect((await query).rows, `the query stopped ${queryStep}`).toEqual(expected);
          expect((await cluster.query('SELECT COUNT(*), SUM(x) FROM t')).rows).toEqual([
            [BigInt(after.length), sum(after)],
          ]);
        } finally {
          await cluster.close();
        }
      }
    },
    60_000,
  );
});

describe('a table over a topic', () => {
  test('is loaded into, and a range of it replaced up to where the topic was read; a seek back hides the same rows again', async () => {
    const kafka = new MemoryKafka();
    kafka.createTopic('events', 2);
    const produce = (partition: number, rows: readonly Row[]): void =>
      kafka.produce('events', partition, ...rows.map(({ ts, x }) => JSON.stringify({ ts: timeText(ts!), x })));
    const cluster = await openCluster({
      ...{ shardCount: 2, arenaBytes: 16 << 20 },
      streams: { ...noStreams, openKafka: async () => kafka.open() },
    });
    const rows = async (): Promise<number[]> =>
      (await cluster.query('SELECT x FROM t ORDER BY x')).rows.map(([x]) => Number(x));
    const sees = (expected: readonly number[]): Promise<void> =>
      eventually(async () => expect(await rows()).toEqual(expected));
    try {
      await cluster.query(
        "CREATE TABLE t (ts TIMESTAMP, x LONG) FROM KAFKA (brokers = 'b:1', topic = 'events') WITH (time_column = 'ts', segment_rows = 40)",
      );
      produce(0, [
        { ts: 1, x: 1 },
        { ts: 50, x: 2 },
      ]);
      produce(1, [{ ts: 2, x: 3 }]);
      await sees([1, 2, 3]);
      await cluster.commit('t');
      produce(0, [{ ts: 3, x: 4 }]);
      await sees([1, 2, 3, 4]);
      const load = await startLoad(cluster, [{ ts: 5, x: 10 }], { fromMs: 0, toMs: 10 });
      expect(await ended(cluster, load)).toMatchObject({ state: 'finished' });
      await sees([2, 10]);
      produce(1, [{ ts: 4, x: 5 }]);
      await sees([2, 5, 10]);
      await cluster.commit('t');
      await sees([2, 5, 10]);
      const { tables } = await cluster.controller.call('catalog', null);
      await cluster.ingest.call('seek', { tableId: tables[0]!.id, partition: null, to: { kind: 'beginning' } });
      await sees([2, 5, 10]);
    } finally {
      await cluster.close();
    }
  }, 30_000);
});
