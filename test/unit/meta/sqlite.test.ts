import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LoadEntry } from '../../../src/catalog/load.ts';
import { loadPartition, type SegmentEntry, type TableDefinition } from '../../../src/catalog/table.ts';
import { defineTable } from '../../../src/catalog/validate.ts';
import { INT } from '../../../src/column/type.ts';
import { openSqliteMeta } from '../../../src/meta/sqlite.ts';
import type { MetaStore } from '../../../src/meta/store.ts';
import { bundle } from '../../support/bundle.ts';

let folder: string;
let path: string;
let meta: MetaStore;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weir-meta-'));
  path = join(folder, 'meta', 'weir.sqlite');
  meta = await openSqliteMeta(path);
});
afterEach(async () => {
  await meta.close();
  rmSync(folder, { recursive: true });
});

const table = (id: string, name: string): TableDefinition =>
  defineTable(
    { name, columns: [{ name: 'a', type: INT, nullable: true }], timeColumn: null, indexes: [], settings: {} },
    { id, createdAtMs: 0 },
  );
const a = table('aaaaaaaaaaaa', 'a');
const b = table('bbbbbbbbbbbb', 'b');

const segment = (tableId: string, startOffset: number, endOffset: number, attempt = 'x'): SegmentEntry => ({
  id: `${tableId}-0-${startOffset}-${attempt}`,
  tableId,
  partition: 0,
  startOffset,
  endOffset,
  rowCount: endOffset - startOffset,
  sizeBytes: 100,
  generation: 1,
  tableVersion: 1,
  minTimeMs: null,
  maxTimeMs: null,
  zones: { '1': { nullCount: 0, min: -5n, max: 9007199254740993n } },
  createdAtMs: 0,
});

/** A table of the embedded log as it is loaded. */
const tableAt = (definition: TableDefinition, committedEnd: number) => ({
  ...{ definition, paused: false },
  partitions: [{ committedEnd, paused: false, streamId: null, epoch: 0 }],
  replacements: [],
});

/** What else the metadata has, of a fresh file. */
const nothingElse = { loads: [], staged: {}, quarantine: [], servers: [] };

const withCode = (code: string) => expect.objectContaining({ fault: expect.objectContaining({ code }) });

const reopen = async () => {
  await meta.close();
  meta = await openSqliteMeta(path);
};

test('starts empty, at version 0', async () => {
  expect(await meta.load()).toEqual({ version: 0, tables: [], segments: [], ...nothingElse });
});

test('keeps tables, segments and committed ends across a restart, each change one version', async () => {
  expect(await meta.createTable(b)).toBe(1);
  expect(await meta.createTable(a)).toBe(2);
  const [first, second] = [segment(a.id, 0, 10), segment(a.id, 10, 25)];
  expect(await meta.publish(first)).toBe(3);
  expect(await meta.publish(second)).toBe(4);
  await reopen();
  expect(await meta.load()).toStrictEqual({
    version: 4,
    tables: [tableAt(b, 0), tableAt(a, 25)],
    segments: [first, second],
    ...nothingElse,
  });
});

describe('publish', () => {
  beforeEach(async () => {
    await meta.createTable(a);
    await meta.publish(segment(a.id, 0, 10));
  });

  test('takes only the segment that starts at the committed end, and else changes nothing', async () => {
    const before = await meta.load();
    for (const [start, end] of [
      [0, 10],
      [9, 20],
      [11, 20],
    ] as const)
      await expect(meta.publish(segment(a.id, start, end, 'y'))).rejects.toThrow(withCode('INVALID_REQUEST'));
    await expect(meta.publish(segment(b.id, 0, 10))).rejects.toThrow(withCode('UNKNOWN_TABLE'));
    await expect(meta.publish({ ...segment(a.id, 10, 20), partition: 1 })).rejects.toThrow(withCode('UNKNOWN_TABLE'));
    expect(await meta.load()).toEqual(before);
  });

  test('lets one of several attempts at the same offsets win', async () => {
    const attempts = ['p', 'q', 'r'].map(attempt => meta.publish(segment(a.id, 10, 20, attempt)));
    const outcomes = await Promise.allSettled(attempts);
    expect(outcomes.map(outcome => outcome.status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect((await meta.load()).tables[0]!.partitions).toMatchObject([{ committedEnd: 20 }]);
  });
});

const load = (tableId: string, change: Partial<LoadEntry> = {}): LoadEntry => ({
  ...{ id: 'feed', tableId, key: 'k', sequence: null, loadsBelow: 1, state: 'running', inputs: [] },
  ...{ options: { shapes: [], rejectsMax: null }, replace: null },
  ...{ cutoffs: [], rowsSettled: 0, rowsLoaded: 0, rowsRejected: 0, rejects: [], createdAtMs: 5 },
  ...{ finishedAtMs: null, error: null },
  ...change,
});

describe('loads', () => {
  const loaded = { ...segment(a.id, 0, 10, 'l'), partition: loadPartition };

  beforeEach(async () => {
    await meta.createTable(a);
    await meta.publish(segment(a.id, 0, 10));
    await meta.putLoad(load(a.id));
    await meta.stageSegment(load(a.id, { rowsSettled: 10 }), loaded);
  });

  test('stage segments that are not visible, and make them visible with what they replace, in one transaction', async () => {
    await reopen();
    const before = await meta.load();
    expect(before).toMatchObject({ loads: [load(a.id, { rowsSettled: 10 })], staged: { feed: [loaded] } });
    expect(before.segments).toHaveLength(1);
    const cutoffs = [{ streamId: null, offset: 10 }];
    const replacement = { sequence: 2, loadsBelow: 2, fromMs: 0, toMs: 9, cutoffs, createdAtMs: 6 };
    const finished = load(a.id, { state: 'finished', sequence: 2 });
    expect(await meta.finishLoad(finished, replacement, [segment(a.id, 0, 10).id])).toBe(before.version + 1);
    await reopen();
    expect(await meta.load()).toStrictEqual({
      ...{ version: before.version + 1, segments: [{ ...loaded, loadSequence: 2 }], loads: [finished] },
      ...{ staged: {}, quarantine: [], servers: [] },
      tables: [{ ...tableAt(a, 10), replacements: [replacement] }],
    });
    await meta.removeReplacements(a.id, [2]);
    expect((await meta.load()).tables).toEqual([tableAt(a, 10)]);
  });

  test('that end otherwise lose what they staged', async () => {
    await meta.putLoad(load(a.id, { error: 'the disk is full' }));
    expect(await meta.load()).toMatchObject({ staged: { feed: [loaded] } });
    await meta.putLoad(load(a.id, { state: 'cancelled' }));
    expect(await meta.load()).toMatchObject({ loads: [{ state: 'cancelled' }], staged: {} });
  });

  test('go with what they staged', async () => {
    await meta.removeLoads(['feed']);
    expect(await meta.load()).toMatchObject({ loads: [], staged: {} });
  });
});

test('a merged segment takes the place of its parts, or nothing changes', async () => {
  await meta.createTable(a);
  const parts = [segment(a.id, 0, 10), segment(a.id, 10, 25)];
  for (const part of parts) await meta.publish(part);
  const whole = segment(a.id, 0, 25, 'w');
  const before = await meta.load();
  await expect(meta.replaceSegments([parts[0]!.id, 'gone'], whole)).rejects.toThrow(withCode('INVALID_REQUEST'));
  expect(await meta.load()).toEqual(before);
  await meta.replaceSegments(
    parts.map(({ id }) => id),
    whole,
  );
  expect(await meta.load()).toMatchObject({ segments: [whole], tables: [tableAt(a, 25)] });
  await meta.updateSegment({ ...whole, generation: 2 });
  expect((await meta.load()).segments).toEqual([{ ...whole, generation: 2 }]);
  await expect(meta.updateSegment(parts[0]!)).rejects.toThrow(withCode('INVALID_REQUEST'));
});

test('damaged segments and servers are remembered', async () => {
  await meta.createTable(a);
  const damaged = segment(a.id, 0, 10);
  await meta.publish(damaged);
  const entry = { segmentId: damaged.id, cause: 'checksum', atMs: 3 };
  await meta.putQuarantine(entry);
  await meta.putServer({ id: 's1', registeredAtMs: 1, draining: false });
  await meta.putServer({ id: 's1', registeredAtMs: 9, draining: true });
  await reopen();
  expect(await meta.load()).toMatchObject({
    quarantine: [entry],
    servers: [{ id: 's1', registeredAtMs: 1, draining: true }],
  });
  await meta.dropSegments([damaged.id]);
  await meta.removeServer('s1');
  expect(await meta.load()).toMatchObject({ quarantine: [], servers: [] });
});

test('a dropped table takes its segments and partitions along; the name is free again', async () => {
  await meta.createTable(a);
  await meta.createTable(b);
  await meta.publish(segment(a.id, 0, 10));
  await meta.publish(segment(b.id, 0, 5));
  expect(await meta.dropTable(a.id)).toBe(5);
  await expect(meta.dropTable(a.id)).rejects.toThrow(withCode('UNKNOWN_TABLE'));
  const again = { ...a, id: 'cccccccccccc' };
  expect(await meta.createTable(again)).toBe(6);
  await expect(meta.createTable({ ...a, id: 'dddddddddddd' })).rejects.toThrow(withCode('TABLE_EXISTS'));
  expect(await meta.load()).toMatchObject({
    version: 6,
    tables: [tableAt(b, 5), tableAt(again, 0)],
    segments: [{ tableId: b.id }],
  });
});

test('dropped segments leave the committed end where it is', async () => {
  const meta = await openSqliteMeta(':memory:');
  await meta.createTable(a);
  const segments = Array.from({ length: 1_100 }, (_, index) => segment(a.id, index, index + 1));
  for (const each of segments) await meta.publish(each);
  expect(await meta.dropSegments([...segments.slice(0, 1_099).map(each => each.id), 'no such'])).toBe(1_102);
  expect(await meta.load()).toMatchObject({
    tables: [{ partitions: [{ committedEnd: 1_100 }] }],
    segments: [segments[1_099]],
  });
});

describe('opening', () => {
  test('is for one process at a time', async () => {
    await expect(openSqliteMeta(path)).rejects.toThrow(withCode('DATA_FOLDER_IN_USE'));
    expect((await meta.load()).version).toBe(0);
  });

  test('refuses a file of a newer Weir', async () => {
    await meta.close();
    const file = new Sqlite(path);
    file.pragma('user_version = 99');
    file.close();
    await expect(openSqliteMeta(path)).rejects.toThrow(
      expect.objectContaining({
        fault: expect.objectContaining({
          code: 'UNSUPPORTED',
          message: expect.stringContaining('schema version 99'),
          hint: expect.stringContaining('newer'),
        }),
      }),
    );
  });

  test('refuses what is not its file', async () => {
    const other = join(folder, 'other.sqlite');
    const file = new Sqlite(other);
    file.exec('CREATE TABLE x (y)');
    file.close();
    await expect(openSqliteMeta(other)).rejects.toThrow(withCode('CORRUPT_METADATA'));
    writeFileSync(other, 'no database at all, but long enough for a header '.repeat(20));
    await expect(openSqliteMeta(other)).rejects.toThrow(withCode('CORRUPT_METADATA'));
  });

  test('refuses a damaged file, and one that was cut', async () => {
    await meta.createTable(a);
    for (let offset = 0; offset < 150; offset++) await meta.publish(segment(a.id, offset, offset + 1));
    await meta.close();
    const bytes = readFileSync(path);
    const damaged = Buffer.from(bytes);
    damaged.fill(0xff, 4096 * 4, 4096 * 12);
    for (const broken of [damaged, bytes.subarray(0, bytes.length - 4096 * 5)]) {
      writeFileSync(path, broken);
      await expect(openSqliteMeta(path).then(opened => opened.load())).rejects.toThrow(withCode('CORRUPT_METADATA'));
    }
  });
});

test('nothing acknowledged is lost when the process is killed', async () => {
  await meta.close();
  const crash = join(folder, 'crash.sqlite');
  const publisher = await bundle('test/unit/meta/publisher.ts');
  let acknowledged = 0;
  for (let round = 0; round < 3; round++) {
    const child: ChildProcess = fork(publisher, [crash], { silent: true });
    let published = 0;
    child.on('message', (end: number) => {
      acknowledged = end;
      if (++published === 10 * (round + 1)) child.kill('SIGKILL');
    });
    const [code, signal] = await once(child, 'exit');
    expect([code, signal]).toEqual([null, 'SIGKILL']);
    const survivor = await openSqliteMeta(crash);
    const { version, tables, segments } = await survivor.load();
    const end = tables[0]!.partitions[0]!.committedEnd;
    expect(end).toBeGreaterThanOrEqual(acknowledged);
    expect(segments.map(each => each.startOffset)).toEqual(Array.from({ length: end }, (_, offset) => offset));
    expect(version).toBe(end + 1);
    await survivor.close();
  }
});

test('two thousand segments of twenty columns load in a fraction of a second', async () => {
  const meta = await openSqliteMeta(':memory:');
  await meta.createTable(a);
  const zones = Object.fromEntries(
    Array.from({ length: 20 }, (_, id) => [id + 1, { nullCount: id, min: BigInt(id), max: 2n ** 60n }]),
  );
  for (let offset = 0; offset < 2_000; offset++) await meta.publish({ ...segment(a.id, offset, offset + 1), zones });
  const startMs = performance.now();
  expect((await meta.load()).segments).toHaveLength(2_000);
  expect(performance.now() - startMs).toBeLessThan(500);
});
