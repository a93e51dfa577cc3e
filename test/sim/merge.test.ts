/** Small segments are merged while rows come, queries run and a partition is sealed: every answer is as if nothing were. */
import { expect, test } from 'vitest';
import { systemRandom } from '../../src/base/system.ts';
import { type Cluster, openCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { seededRandom } from '../support/random.ts';
import { FaultDisk } from './fault-disk.ts';

const create = `CREATE TABLE events (ts TIMESTAMP NOT NULL, id LONG, name STRING, amount DOUBLE)
  WITH (time_column = 'ts', index = 'name: inverted', segment_rows = 400)`;

/** Sums by which every row is known to be there once. */
const checksum = `SELECT COUNT(*), COUNT(DISTINCT id), SUM(id), COUNT(name), SUM(amount), COUNT(DISTINCT $offset),
  SUM($offset), MIN(ts), MAX(ts) FROM events`;
const byName = 'SELECT name, COUNT(*), SUM(id) FROM events GROUP BY name ORDER BY name';

const open = (mergeIntervalMs: number | null): Promise<Cluster> =>
  openCluster({
    shardCount: 2,
    arenaBytes: 32 << 20,
    disk: new FaultDisk(systemRandom),
    controllerSettings: { mergeIntervalMs, removalGraceMs: 0, sweepIntervalMs: 5 },
  });

const numberOf = async (cluster: Cluster, sql: string): Promise<number> =>
  Number((await cluster.query(sql)).rows[0]![0]);

test('answers stay the same while segments are merged under them', { timeout: 60_000 }, async () => {
  const random = seededRandom(7);
  const [merging, still] = [await open(1), await open(null)];
  try {
    for (const cluster of [merging, still]) await cluster.query(create);
    let id = 0;
    for (let round = 0; round < 40; round++) {
      const rows = Array.from({ length: 1 + Math.floor(random.next() * 12) }, () => {
        const ts = 1_700_000_000_000 + Math.floor(random.next() * 3_600_000);
        const name = random.next() < 0.2 ? 'NULL' : `'n${Math.floor(random.next() * 5)}'`;
        return `(CAST(${ts} AS TIMESTAMP), ${++id}, ${name}, ${Math.floor(random.next() * 100)} / 4.0)`;
      });
      for (const cluster of [merging, still]) {
        await cluster.query(`INSERT INTO events VALUES ${rows.join(', ')}`);
        await cluster.commit('events');
      }
      const answers = async (cluster: Cluster): Promise<unknown> => {
        const both = await Promise.all([checksum, byName].map(sql => cluster.query(sql)));
        return both.map(({ rows: found }) => found);
      };
      expect(await answers(merging)).toEqual(await answers(still));
    }
    const merges = `SELECT COUNT(*) FROM system.tasks WHERE kind = 'merge' AND state = 'finished'`;
    await eventually(async () => {
      expect(await numberOf(merging, merges)).toBeGreaterThan(3);
      expect(await numberOf(merging, 'SELECT COUNT(*) FROM system.segments')).toBeLessThan(8);
    });
    expect(await numberOf(merging, `SELECT COUNT(*) FROM system.tasks WHERE state = 'failed'`)).toBe(0);
    expect(await numberOf(still, 'SELECT COUNT(*) FROM system.segments')).toBe(40);
    const { rows: inOrder } = await merging.query('SELECT start_offset, end_offset FROM system.segments ORDER BY 1');
    for (const [index, [start]] of inOrder.entries()) if (index > 0) expect(start).toBe(inOrder[index - 1]![1]);
  } finally {
    await Promise.all([merging.close(), still.close()]);
  }
});
