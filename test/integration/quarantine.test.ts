/** A segment whose bytes are damaged, in a whole cluster: named, kept out of answers, given up or whole again. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FaultError } from '../../src/base/fault.ts';
import type { SegmentEntry } from '../../src/catalog/table.ts';
import { openSqliteMeta } from '../../src/meta/sqlite.ts';
import type { MetaStore } from '../../src/meta/store.ts';
import { type Cluster, codeOf, openCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { until } from '../support/http.ts';

let folder: string;
let cluster: Cluster;
let meta: MetaStore;
let segments: readonly SegmentEntry[];
let tableId: string;

async function start(): Promise<void> {
  cluster = await openCluster({ meta, folder, controllerSettings: { sweepIntervalMs: 50 } });
}

beforeEach(async () => {
  meta = await openSqliteMeta(':memory:');
  folder = await mkdtemp(join(tmpdir(), 'weir-quarantine-'));
  await start();
  await cluster.query(
    "CREATE TABLE events (ts TIMESTAMP, id LONG, city STRING) FROM LOG WITH (time_column = 'ts', index = 'city: inverted')",
  );
  const { tables } = await cluster.controller.call('catalog', null);
  tableId = tables[0]!.id;
  for (let first = 0; first < 300; first += 100) {
    const rows = Array.from({ length: 100 }, (_, row) =>
      JSON.stringify({
        ts: new Date(1_700_000_000_000 + (first + row) * 1000).toISOString(),
        id: first + row,
        city: ['Rome', 'Oslo', null][row % 3],
      }),
    );
    const body = new TextEncoder().encode(rows.join('\n'));
    await cluster.ingest.call('push', { tableId, format: 'ndjson', body, strict: true, idempotencyKey: null });
    await cluster.commit('events');
  }
  segments = (await meta.load()).segments;
});
afterEach(async () => {
  await cluster.close();
  await meta.close();
  await rm(folder, { recursive: true });
});

const pathOf = (segment: number, file: string): string =>
  join(cluster.folder, 'store', tableId, segments[segment]!.id, file);

async function damageColumn(segment: number, column: string): Promise<() => Promise<void>> {
  const manifest = JSON.parse(await readFile(pathOf(segment, 'manifest-1.json'), 'utf8'));
  const offset = manifest.columns.find(({ name }: { name: string }) => name === column).blocks[0].at(-3);
  return damage(pathOf(segment, 'columns.arrow'), offset + 4);
}

/** Flips a byte; what it gives flips it back. */
async function damage(path: string, at: number): Promise<() => Promise<void>> {
  const flip = async (): Promise<void> => {
    const bytes = await readFile(path);
    bytes[at]! ^= 0x10;
    await writeFile(path, bytes);
  };
  await flip();
  return flip;
}

async function faultOf(sql: string): Promise<FaultError['fault']> {
  try {
    await cluster.query(sql);
  } catch (error) {
    if (error instanceof FaultError) return error.fault;
    throw error;
  }
  throw new Error(`${sql} was answered`);
}

const states = async (): Promise<unknown[]> =>
  (await cluster.query('SELECT state FROM system.segments ORDER BY start_offset')).rows.map(([state]) => state);
const untilQuarantined = () => until(states, seen => seen.includes('quarantined'));

describe('damaged columns', () => {
  test('the query that meets them is told what, where, and what to do; later ones at once; others go on', async () => {
    await damageColumn(1, 'id');
    const first = await faultOf('SELECT SUM(id) FROM events');
    expect(first.code).toBe('CORRUPT_SEGMENT');
    for (const part of [
      segments[1]!.id,
      'table events',
      'column id, block 0',
      'columns.arrow',
      '100 rows',
      'offsets 100 to 200',
      '2023-11-14T22:15:00.000Z',
    ])
      expect(first.message).toContain(part);
    expect(first.hint).toContain(`DELETE /v1/tables/events/segments/${segments[1]!.id}`);
    await untilQuarantined();
    // Of any column, without a look at its files.
    await damage(pathOf(1, 'manifest-1.json'), 50);
    expect(await faultOf('SELECT SUM(id), COUNT(city) FROM events')).toMatchObject({
      code: 'CORRUPT_SEGMENT',
      message: first.message,
    });
    expect(
      (await cluster.query("SELECT SUM(id) FROM events WHERE ts >= TIMESTAMP '2023-11-14 22:16:40'")).rows,
    ).toEqual([[24_950n]]);
    const { rows, trailer } = await cluster.query('SELECT COUNT(*) FROM events', [], { allowPartial: true });
    expect(rows).toEqual([[200n]]);
    expect(trailer).toMatchObject({ complete: false, missing: [segments[1]!.id] });
    const cause = await cluster.query("SELECT cause FROM system.segments WHERE state = 'quarantined'");
    expect(cause.rows).toEqual([[expect.stringContaining('fails its checksum in columns.arrow')]]);
  });

  test('it is remembered over a restart, and lifted by itself once the bytes are right again', async () => {
    const restore = await damageColumn(1, 'id');
    await faultOf('SELECT SUM(id) FROM events');
    await untilQuarantined();
    await cluster.close();
    await start();
    expect(await states()).toEqual(['committed', 'quarantined', 'committed']);
    expect(await codeOf(cluster.query('SELECT MAX(id) FROM events'))).toBe('CORRUPT_SEGMENT');
    await restore();
    await cluster.close();
    await start();
    await until(states, seen => !seen.includes('quarantined'));
    expect((await cluster.query('SELECT SUM(id) FROM events')).rows).toEqual([[44_850n]]);
  });

  test('a missing file and a cut manifest are damage too', async () => {
    await writeFile(pathOf(0, 'manifest-1.json'), (await readFile(pathOf(0, 'manifest-1.json'))).subarray(0, 500));
    expect((await faultOf('SELECT SUM(id) FROM events')).message).toContain('manifest-1.json fails its checksum');
    await untilQuarantined();
  });

  test('rows may be given up: that is audited, and all the others are there', async () => {
    await damageColumn(1, 'id');
    await faultOf('SELECT SUM(id) FROM events');
    await untilQuarantined();
    const segmentId = segments[1]!.id;
    expect(await cluster.controller.call('dropSegment', { tableId, segmentId })).toEqual({ rowCount: 100 });
    expect(await codeOf(cluster.controller.call('dropSegment', { tableId, segmentId }))).toBe('NOT_FOUND');
    expect((await cluster.query('SELECT COUNT(*), SUM(id) FROM events')).rows).toEqual([[200n, 4_950n + 24_950n]]);
    expect(await cluster.controller.call('quarantine', null)).toEqual([]);
    const audit = await cluster.query("SELECT segment, lost, balanced FROM system.audit WHERE kind = 'drop'");
    expect(audit.rows).toEqual([[segmentId, 100n, true]]);
  });
});

test('a damaged index: the answer is right, the column is scanned, and the index is built anew', async () => {
  const manifest = JSON.parse(await readFile(pathOf(1, 'manifest-1.json'), 'utf8'));
  const { file } = manifest.indexes.find(({ kind }: { kind: string }) => kind === 'inverted');
  const sql = "SELECT COUNT(*) FROM events WHERE city = 'Rome'";
  const right = (await cluster.query(sql)).rows;
  await cluster.server.call('evict', { segmentIds: [segments[1]!.id] });
  for (let at = 0; at < 16 + 24; at += 8) await damage(pathOf(1, file), 16 + at);
  expect((await cluster.query(sql)).rows).toEqual(right);
  expect(await states()).toEqual(['committed', 'committed', 'committed']);
  const generations = 'SELECT generation FROM system.segments ORDER BY start_offset';
  await eventually(async () => expect((await cluster.query(generations)).rows).toEqual([[1], [2], [1]]));
  const { rows, trailer } = await cluster.query(sql);
  expect(rows).toEqual(right);
  expect(trailer.stats.filters['inverted index']).toBe(3);
  const damaged = async () => (await cluster.server.call('status', null)).flatMap(status => status.damaged);
  await eventually(async () => expect(await damaged()).toEqual([]));
});
