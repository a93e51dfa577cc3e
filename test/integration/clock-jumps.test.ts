/** A whole cluster whose wall clock is set ahead and back: no row goes, no query ends or hangs, no push is taken twice. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../support/clock.ts';
import { type Cluster, codeOf, openCluster } from '../support/cluster.ts';
import { until } from '../support/http.ts';

const day = 86_400_000;
let clock: ManualClock;
let cluster: Cluster;
let tableId: string;

beforeEach(async () => {
  clock = new ManualClock();
  cluster = await openCluster({ clock });
  await cluster.query(
    "CREATE TABLE events (ts TIMESTAMP, id LONG) FROM LOG WITH (time_column = 'ts', retention = '1 day', segment_age = '1 hour')",
  );
  tableId = (await cluster.controller.call('catalog', null)).tables[0]!.id;
});
afterEach(() => cluster.close());

const push = (id: number, idempotencyKey: string | null = null) => {
  const body = new TextEncoder().encode(JSON.stringify({ id, ts: new Date(clock.nowMs()).toISOString() }));
  return cluster.ingest.call('push', { tableId, format: 'ndjson', body, strict: true, idempotencyKey });
};
const countOf = async (): Promise<unknown> => (await cluster.query('SELECT COUNT(*) FROM events')).rows[0]![0];

test.each([3_650 * day, -3_650 * day])('retention keeps everything over a jump of %d ms that is undone', async byMs => {
  await push(1);
  await cluster.commit('events');
  clock.jump(byMs);
  for (let round = 0; round < 5; round++) {
    clock.advance(30_000);
    await clock.untilSleeping();
    expect(await countOf()).toBe(1n);
  }
  expect(await cluster.controller.call('notices', null)).toEqual([expect.stringContaining('retention waits')]);
  clock.jump(-byMs);
  expect(await cluster.controller.call('notices', null)).toEqual([]);
  clock.advance(2 * day);
  await until(
    async () => {
      clock.advance(30_000);
      return countOf();
    },
    count => count === 0n,
  );
});

test.each([3_650 * day, -3_650 * day])('a query under way neither ends nor hangs by a jump of %d ms', async byMs => {
  await push(1);
  const queryId = 'q';
  const request = { queryId, sql: 'SELECT id FROM events', parameters: [], timeoutMs: 60_000 } as const;
  const more = { allowPartial: false, identity: 'test', timeZone: 'UTC' } as const;
  await cluster.broker.call('open', { ...request, ...more });
  clock.jump(byMs);
  const frames = cluster.broker.stream('fetch', { queryId });
  expect((await frames.next()).done).toBe(false);
  expect((await frames.next()).done).toBe(true);
  // Its time is what has passed, not what the clock says.
  await cluster.broker.call('open', { ...request, ...more, queryId: 'late' });
  clock.advance(60_001);
  expect(await codeOf(cluster.broker.stream('fetch', { queryId: 'late' }).next())).toMatch(/TIMEOUT|UNKNOWN_QUERY/);
});

test('a push that comes again is recognised over jumps in both directions', async () => {
  expect(await push(1, 'key')).toMatchObject({ duplicate: false });
  for (const byMs of [3_650 * day, -7_300 * day]) {
    clock.jump(byMs);
    expect(await push(1, 'key')).toMatchObject({ duplicate: true });
  }
  clock.advance(day + 1);
  expect(await push(1, 'key')).toMatchObject({ duplicate: false });
});

test('a segment seals by its age, not by the clock', async () => {
  const segments = async (): Promise<unknown> =>
    (await cluster.query('SELECT COUNT(*) FROM system.segments')).rows[0]![0];
  await push(1);
  clock.jump(-3_650 * day);
  clock.advance(1_000);
  expect(await segments()).toBe(0n);
  clock.advance(3_600_000);
  await until(
    async () => {
      clock.advance(200);
      return segments();
    },
    count => count === 1n,
  );
});
