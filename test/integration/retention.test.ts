/** Old segments and orphans leave a whole cluster, on a clock that the test moves. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { ManualClock } from '../support/clock.ts';
import { type Cluster, openCluster } from '../support/cluster.ts';
import { until } from '../support/http.ts';

const minuteMs = 60_000;

test('segments past retention leave every answer at once, and the disk after the grace period; orphans too', async () => {
  const clock = new ManualClock();
  const startMs = clock.nowMs();
  const cluster: Cluster = await openCluster({ clock });
  try {
    await cluster.query(
      "CREATE TABLE events (ts TIMESTAMP, id LONG) FROM LOG WITH (time_column = 'ts', retention = '1 hour')",
    );
    const { id: tableId } = (await cluster.controller.call('catalog', null)).tables[0]!;
    const push = async (id: number, ageMs: number): Promise<void> => {
      const body = JSON.stringify({ id, ts: new Date(startMs - ageMs).toISOString() });
      await cluster.ingest.call('push', {
        tableId,
        format: 'ndjson',
        body: new TextEncoder().encode(body),
        strict: true,
        idempotencyKey: null,
      });
      await cluster.commit('events');
    };
    await push(1, 30 * minuteMs);
    await push(2, 0);
    const ids = async (): Promise<unknown[]> =>
      (await cluster.query('SELECT id FROM events ORDER BY id')).rows.map(([id]) => Number(id));
    const store = `${cluster.folder}/store/${tableId}`;
    expect(await ids()).toEqual([1, 2]);

    // What a crash leaves of a build whose offsets were then published by another, and what is not Weir's.
    const orphan = `${tableId}-0-0-ffffffffffff`;
    for (const name of [orphan, 'notes']) {
      await mkdir(`${store}/${name}`);
      await writeFile(`${store}/${name}/columns.arrow`, 'a part');
    }
    expect(await readdir(store)).toHaveLength(4);

    clock.advance(31 * minuteMs);
    await until(ids, seen => seen.length === 1);
    expect(await ids()).toEqual([2]);
    expect((await cluster.query('SELECT segment FROM system.segments')).rows).toHaveLength(1);
    const { trailer } = await cluster.query('SELECT COUNT(*) FROM events');
    expect(trailer).toMatchObject({ complete: true, stats: { segmentsExpected: 1, segmentsAnswered: 1 } });
    expect(await readdir(store), 'queries that began before may still read it').toContain(orphan);

    clock.advance(11 * minuteMs);
    await until(
      () => readdir(store),
      names => names.length === 2,
    );
    expect(await readdir(store)).not.toContain(orphan);
    expect(await readdir(store)).toContain('notes');
    expect(await ids()).toEqual([2]);
  } finally {
    await cluster.close();
  }
});
