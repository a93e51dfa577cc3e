/** More queries than run or wait at once, against a whole cluster in one thread. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runningQueriesMax, waitingQueriesMax } from '../../../src/broker/limits.ts';
import { type Cluster, openCluster } from '../../support/cluster.ts';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await openCluster();
});
afterAll(() => cluster.close());

const request = (queryId: string, sql: string) => ({
  queryId,
  sql,
  parameters: [],
  timeoutMs: 60_000,
  allowPartial: false,
  identity: 'test',
  timeZone: 'UTC',
});

test('those beyond the limit are refused with its numbers; those that wait get their turn', async () => {
  // A stream that is not read on keeps its query running.
  const held = await Promise.all(
    Array.from({ length: runningQueriesMax }, async (_, index) => {
      await cluster.broker.call('open', request(`held-${index}`, 'SELECT 1'));
      const frames = cluster.broker.stream('fetch', { queryId: `held-${index}` });
      await frames.next();
      return frames;
    }),
  );
  const waiting = Array.from({ length: waitingQueriesMax }, () => cluster.query('SELECT 2'));
  const waits = (): Promise<number> =>
    cluster.broker.call('queries', null).then(all => all.filter(({ state }) => state === 'running').length);
  while ((await waits()) < runningQueriesMax + waitingQueriesMax) await new Promise(resolve => setImmediate(resolve));

  await expect(cluster.query('SELECT 3')).rejects.toMatchObject({
    fault: {
      code: 'TOO_MANY_QUERIES',
      message: `${runningQueriesMax} queries run and ${waitingQueriesMax} wait, which is the limit`,
      details: { running: runningQueriesMax, waiting: waitingQueriesMax },
    },
  });
  // One that waits may be cancelled, or be too late, like any other.
  await cluster.broker.call('cancel', { queryId: 'held-0' });
  await expect(held[0]!.next()).rejects.toMatchObject({ fault: { code: 'CANCELLED' } });
  for (const frames of held.slice(1)) await frames.return(undefined as never);
  for (const { rows } of await Promise.all(waiting)) expect(rows).toEqual([[2]]);
  expect((await cluster.query('SELECT 4')).rows).toEqual([[4]]);
});

test('a deadline holds while a query waits for its turn', async () => {
  const held = await Promise.all(
    Array.from({ length: runningQueriesMax }, async (_, index) => {
      await cluster.broker.call('open', request(`first-${index}`, 'SELECT 1'));
      const frames = cluster.broker.stream('fetch', { queryId: `first-${index}` });
      await frames.next();
      return frames;
    }),
  );
  await expect(cluster.query('SELECT 2', [], { timeoutMs: 5 })).rejects.toMatchObject({
    fault: { code: 'TIMEOUT', details: { timeoutMs: 5 } },
  });
  for (const frames of held) await frames.return(undefined as never);
  expect((await cluster.query('SELECT 4')).rows).toEqual([[4]]);
});
