/** A push of more rows than the shard's memory holds: durable at once, visible part by part, and all there. */
import { expect, test } from 'vitest';
import { systemRandom } from '../../src/base/system.ts';
import { openSqliteMeta } from '../../src/meta/sqlite.ts';
import { type Cluster, openCluster } from '../support/cluster.ts';
import { FaultDisk } from './fault-disk.ts';

const rowCount = 200_000;
const checksum = 'SELECT COUNT(*), SUM(id), COUNT(DISTINCT $offset), COUNT(DISTINCT name) FROM wide';
const whole = [[BigInt(rowCount), BigInt((rowCount * (rowCount - 1)) / 2), BigInt(rowCount), BigInt(rowCount)]];

test('it is taken, published in parts, and there after a restart', { timeout: 60_000 }, async () => {
  const meta = await openSqliteMeta(':memory:');
  const disk = new FaultDisk(systemRandom);
  const open = (): Promise<Cluster> => openCluster({ meta, disk, folder: '/weir', arenaBytes: 12 << 20 });
  let cluster = await open();
  try {
    await cluster.query('CREATE TABLE wide (id LONG, name STRING)');
    const { tables } = await cluster.controller.call('catalog', null);
    const lines = Array.from({ length: rowCount }, (_, row) => `${row},a name that nobody else has ${row}`);
    const body = new TextEncoder().encode(['id,name', ...lines].join('\n'));
    const pushed = { tableId: tables[0]!.id, format: 'csv', body, strict: false, idempotencyKey: 'k' } as const;
    expect(await cluster.ingest.call('push', pushed)).toMatchObject({ accepted: rowCount, duplicate: false });
    expect((await cluster.query(checksum)).rows).toEqual(whole);
    expect(Number((await cluster.query('SELECT COUNT(*) FROM system.segments')).rows[0]![0])).toBeGreaterThan(0);
    await cluster.close();
    cluster = await open();
    expect((await cluster.query(checksum)).rows).toEqual(whole);
    const again = { ...pushed, body: new TextEncoder().encode('id,name\n1,x') };
    expect(await cluster.ingest.call('push', again)).toMatchObject({ accepted: rowCount, duplicate: true });
  } finally {
    await cluster.close();
    await meta.close();
  }
});
