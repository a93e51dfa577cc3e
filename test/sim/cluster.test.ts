/** A broker, two servers and the owner of the data folder, over real sockets: every answer is the whole one, or an error. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { batchOf } from '../../src/column/builder.ts';
import { encodeBatch } from '../../src/column/frame.ts';
import { DOUBLE, INT } from '../../src/column/type.ts';
import type { Handlers } from '../../src/wire/call.ts';
import type { LeafCalls } from '../../src/wire/cluster-calls.ts';
import { codeOf } from '../support/cluster.ts';
import { openTcpCluster, type TcpCluster, type TcpClusterOptions } from '../support/tcp-cluster.ts';

let cluster: TcpCluster;
/** Leaf calls that servers took. */
let asked: number[];
afterEach(() => cluster.close());

const sql = 'SELECT k, COUNT(*), SUM(x) FROM t GROUP BY k ORDER BY k';
const segmentCount = 6;

/** Twelve rows in six segments, and two that consume. */
async function open(options: TcpClusterOptions = {}): Promise<unknown> {
  asked = [0, 0];
  cluster = await openTcpCluster({
    ...options,
    corruptLeaf: (server, leaf) => {
      const own = options.corruptLeaf?.(server, leaf) ?? leaf;
      return {
        leaf(input, context) {
          asked[server]!++;
          return own.leaf(input, context);
        },
      };
    },
  });
  await cluster.query("CREATE TABLE t (x LONG, k STRING) FROM LOG WITH (index = 'k: inverted')");
  for (let segment = 0; segment < segmentCount; segment++) {
    await cluster.query(`INSERT INTO t VALUES (${segment}, 'a'), (${segment * 10}, 'b')`);
    await cluster.owner.commit('t');
  }
  await cluster.query("INSERT INTO t VALUES (100, 'a'), (200, 'c')");
  await cluster.settled();
  return (await cluster.owner.query(sql)).rows;
}
const rows = async (text = sql): Promise<unknown> => (await cluster.query(text)).rows;

test('both servers answer, and what is consumed is in it', async () => {
  const whole = await open();
  expect(whole).toEqual([
    ['a', 7n, 115n],
    ['b', 6n, 150n],
    ['c', 1n, 200n],
  ]);
  const { rows: given, trailer } = await cluster.query(sql);
  expect(given).toEqual(whole);
  expect(asked).toEqual([1, 1]);
  expect(trailer.stats).toMatchObject({ segmentsExpected: 7, segmentsAnswered: 7, rowsScanned: 14 });
  const held = cluster.servers.map(({ holdings }) => holdings.segments.length);
  expect(held[0]! + held[1]!).toBe(segmentCount);
});

test.each([1, 2])('a server that is killed, with %d replicas: the answer stays whole', async replicaCount => {
  const whole = await open({ replicaCount });
  await cluster.servers[0]!.kill();
  for (let query = 0; query < 3; query++) expect(await rows()).toEqual(whole);
  await cluster.servers[1]!.kill();
  expect(await rows()).toEqual(whole);
});

const lies: Record<string, (leaf: Handlers<LeafCalls>) => Handlers<LeafCalls>['leaf']> = {
  'bytes that are no batch': leaf =>
    async function* (input, context) {
      yield new Uint8Array(64).fill(7);
      return yield* leaf.leaf(input, context);
    },
  'a batch of other types': leaf =>
    async function* (input, context) {
      yield encodeBatch(batchOf([INT, DOUBLE], [[1, 2]]));
      return yield* leaf.leaf(input, context);
    },
  'codes beyond its dictionary': leaf =>
    async function* (input, context) {
      for await (const frame of leaf.leaf(input, context)) {
        const torn = new Uint8Array(frame);
        // Offsets of a string column, wherever they are: anything that decodes is checked before it is used.
        torn.fill(0xff, Math.min(torn.length, 200));
        yield torn;
      }
      return yield* leaf.leaf({ ...input, scans: [] }, context);
    },
  'an answer for segments of its own choice': leaf =>
    async function* (input, context) {
      const stats = yield* leaf.leaf(input, context);
      return { ...stats, unitsAnswered: ['another'] };
    },
};

describe.each(Object.entries(lies))('a server that gives %s', (_, lie) => {
  test('is found out, and others answer', async () => {
    const whole = await open({
      replicaCount: 2,
      corruptLeaf: (server, leaf) => (server === 0 ? { leaf: lie(leaf) } : leaf),
    });
    expect(await rows()).toEqual(whole);
    expect(await rows('SELECT x, k FROM t ORDER BY x, k')).toEqual(
      (await cluster.owner.query('SELECT x, k FROM t ORDER BY x, k')).rows,
    );
  });
});

test('a cached file that is damaged is found out, dropped, and fetched again', async () => {
  const whole = await open({ serverCount: 1 });
  const [server] = cluster.servers;
  const tables = join(server!.cacheFolder, readdirSync(server!.cacheFolder)[0]!);
  const segment = readdirSync(tables)[0]!;
  const path = join(tables, segment, 'columns.arrow');
  const bytes = readFileSync(path);
  // Every byte: whatever is read first, its checksum fails.
  writeFileSync(
    path,
    bytes.map(byte => byte ^ 0xff),
  );
  expect(await rows()).toEqual(whole);
  await cluster.settled();
  for (let wait = 0; !existsSync(path) || !bytes.equals(readFileSync(path)); wait++) {
    if (wait > 500) throw new Error('it is not fetched again');
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  await cluster.settled();
  expect(await rows()).toEqual(whole);
});

test('a table that is dropped goes from the caches', async () => {
  await open({ serverCount: 1 });
  await cluster.query('DROP TABLE t');
  const [server] = cluster.servers;
  for (let wait = 0; server!.holdings.segments.length > 0; wait++) {
    if (wait > 500) throw new Error('it is not dropped');
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  expect(await codeOf(cluster.query(sql))).toBe('UNKNOWN_TABLE');
});

test('a server that is drained gives its segments to the other, and the answer stays whole', async () => {
  const whole = await open();
  const [leaving, staying] = cluster.servers;
  await cluster.members.call('drain', { serverId: leaving!.id });
  for (let wait = 0; ; wait++) {
    expect(await rows()).toEqual(whole);
    const entry = (await cluster.members.call('members', null)).find(({ id }) => id === leaving!.id);
    if (entry!.state === 'drained') break;
    if (wait > 500) throw new Error('it is not drained');
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  expect(staying!.holdings.segments).toHaveLength(segmentCount);
  await leaving!.kill();
  expect(await rows()).toEqual(whole);
});

test('DDL, system tables and errors are the same through a broker', async () => {
  await open();
  const servers = await cluster.query(
    "SELECT server, state, segments_announced = segments_placed FROM system.servers WHERE roles = 'server' ORDER BY server",
  );
  expect(servers.rows).toEqual([
    ['server-0', 'live', true],
    ['server-1', 'live', true],
  ]);
  expect(await codeOf(cluster.query('SELECT nothing FROM t'))).toBe('UNKNOWN_COLUMN');
  expect(await codeOf(cluster.query('SELECT 1 / (x - x) FROM t'))).toBe('DIVISION_BY_ZERO');
  expect((await cluster.query('SELECT 1')).rows).toEqual([[1]]);
  expect((await cluster.query('SELECT k FROM t ORDER BY x DESC LIMIT 1')).rows).toEqual([['c']]);
  expect((await cluster.query('SELECT x FROM t LIMIT 2')).rows).toHaveLength(2);
  expect((await cluster.query('SELECT COUNT(*) FROM t WHERE x > (SELECT AVG(x) FROM t)')).rows).toEqual(
    (await cluster.owner.query('SELECT COUNT(*) FROM t WHERE x > (SELECT AVG(x) FROM t)')).rows,
  );
});
