/** A disk that fills up under a whole cluster, and has room again: nothing is restarted, nothing lost, nothing doubled. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FaultDisk } from '../../sim/fault-disk.ts';
import { type Cluster, codeOf, openCluster } from '../../support/cluster.ts';
import { until } from '../../support/http.ts';
import { seededRandom } from '../../support/random.ts';

let disk: FaultDisk;
let cluster: Cluster;
let tableId: string;

beforeEach(async () => {
  disk = new FaultDisk(seededRandom(3));
  cluster = await openCluster({ disk, shardCount: 1, arenaBytes: 32 << 20 });
  await cluster.query('CREATE TABLE events (batch LONG, text STRING) FROM LOG');
  tableId = (await cluster.controller.call('catalog', null)).tables[0]!.id;
});
afterEach(() => cluster.close());

const push = (batch: number): Promise<unknown> => {
  const line = JSON.stringify({ batch, text: `${batch} ${'x'.repeat(100)}` });
  const body = new TextEncoder().encode(`${line}\n`.repeat(50));
  return cluster.ingest.call('push', { tableId, format: 'ndjson', body, strict: true, idempotencyKey: `${batch}` });
};
const usedBytes = (): number => disk.paths.reduce((sum, path) => sum + disk.bytes(path).length, 0);
const countOf = async (): Promise<unknown> =>
  (await cluster.query('SELECT COUNT(*), COUNT(DISTINCT batch) FROM events')).rows;
const files = (): string[] => disk.paths.filter(path => path.includes('/store/'));

test('pushes are refused while the reserve is left; seals and queries go on', async () => {
  await push(0);
  disk.capacityBytes = usedBytes() + 150_000;
  let batch = 1;
  const stateOf = async () => (await cluster.ingest.call('state', null))[0]!.freshness;
  // What was admitted and not yet measured counts in full: a push may be refused a moment too early.
  const refused = await until(
    async () => {
      const code = await codeOf(push(batch));
      if (code === 'none') batch++;
      return code === 'DISK_FULL' && (await stateOf()).state === 'failed';
    },
    isFull => isFull,
  );
  expect(refused).toBe(true);
  expect(batch).toBeGreaterThan(3);
  const { freeBytes, sizeBytes } = await disk.space();
  expect(freeBytes).toBeGreaterThan(sizeBytes * 0.03);
  expect(await countOf()).toEqual([[BigInt(batch * 50), BigInt(batch)]]);
  disk.capacityBytes += 1 << 20;
  await until(
    async () => codeOf(push(batch)),
    code => code === 'none',
  );
  expect(await countOf()).toEqual([[BigInt((batch + 1) * 50), BigInt(batch + 1)]]);
});

test('seals that find the disk full leave nothing behind, and go on when there is room', async () => {
  for (let batch = 0; batch < 20; batch++) await push(batch);
  disk.capacityBytes = usedBytes() + 2_000;
  for (let attempt = 0; attempt < 4; attempt++) {
    expect(await codeOf(cluster.commit('events'))).toBe('DISK_FULL');
    expect(files()).toEqual([]);
  }
  expect(await countOf()).toEqual([[1000n, 20n]]);
  disk.capacityBytes = Number.POSITIVE_INFINITY;
  await until(
    async () => codeOf(cluster.commit('events')),
    code => code === 'none',
  );
  expect(await countOf()).toEqual([[1000n, 20n]]);
  expect((await cluster.query('SELECT COUNT(*) FROM system.segments')).rows).toEqual([[1n]]);
});
