/** Flipped and torn bytes of the metadata: found, or in a place that says nothing. */
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FaultError } from '../../../src/base/fault.ts';
import type { SegmentEntry, TableDefinition } from '../../../src/catalog/table.ts';
import { openSqliteMeta } from '../../../src/meta/sqlite.ts';
import { verifyMeta } from '../../../src/meta/verify.ts';
import { seededRandom } from '../../support/random.ts';

const table: TableDefinition = {
  ...{ id: 'a0a0a0a0a0a0', name: 'events', version: 1, timeColumnId: null, indexes: [], createdAtMs: 1 },
  columns: [{ id: 1, name: 'id', type: { name: 'LONG' }, nullable: false, defaultValue: null }],
  source: { kind: 'log', partitionCount: 1 },
  settings: { segmentRows: 1_000, segmentAgeMs: 60_000, retentionMs: null },
};
const segment = (startOffset: number): SegmentEntry => ({
  ...{
    id: `${table.id}-0-${startOffset}-aa`,
    tableId: table.id,
    partition: 0,
    startOffset,
    endOffset: startOffset + 1,
  },
  ...{ rowCount: 1, sizeBytes: 1, generation: 1, tableVersion: 1, minTimeMs: null, maxTimeMs: null, createdAtMs: 5 },
  zones: { 1: { nullCount: 0, min: 1n, max: 2n } },
});

let folder: string;
/** Closed in good order; and as a kill leaves it, with its last transactions in the log. */
let closed: string;
let killed: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weir-meta-'));
  const path = join(folder, 'weir.sqlite');
  let meta = await openSqliteMeta(path);
  await meta.createTable(table);
  for (let offset = 0; offset < 12; offset++) await meta.publish(segment(offset));
  await meta.close();
  closed = join(folder, 'closed');
  copyFileSync(path, closed);
  meta = await openSqliteMeta(path);
  for (let offset = 12; offset < 16; offset++) await meta.publish(segment(offset));
  await meta.putQuarantine({ segmentId: segment(3).id, cause: 'why', atMs: 7 });
  await meta.dropSegments([segment(2).id]);
  killed = join(folder, 'killed');
  for (const suffix of ['', '-wal']) copyFileSync(path + suffix, killed + suffix);
  await meta.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let copies = 0;
/** A copy of the file (and its log), of which one is changed. */
function changed(path: string, suffix: '' | '-wal', edit: (bytes: Buffer) => Buffer): string {
  const copy = join(folder, `copy-${copies++}`);
  for (const each of ['', '-wal']) if (existsSync(path + each)) copyFileSync(path + each, copy + each);
  writeFileSync(copy + suffix, edit(readFileSync(path + suffix)));
  return copy;
}

/** All that it says, as text; or the code of its fault. */
async function outcome(path: string): Promise<string> {
  try {
    const meta = await openSqliteMeta(path);
    try {
      return JSON.stringify([await meta.load(), await meta.audit(null)], (_, value) =>
        typeof value === 'bigint' ? `${value}n` : value,
      );
    } finally {
      await meta.close();
    }
  } catch (error) {
    expect(error).toBeInstanceOf(FaultError);
    return (error as FaultError).fault.code;
  }
}

const flip = (at: number) => (bytes: Buffer) => {
  bytes[at]! ^= 1 << (at % 8);
  return bytes;
};

test('whole files have no problems, and say what was written', async () => {
  for (const path of [closed, killed]) {
    const { problems, content } = await verifyMeta(path);
    expect(problems).toEqual([]);
    expect(content!.state.segments).toHaveLength(path === closed ? 12 : 15);
  }
});

describe('a flipped byte', () => {
  test('of a file that was closed is found at the start and by the check, or changes nothing', async () => {
    const whole = await outcome(changed(closed, '', bytes => bytes));
    const random = seededRandom(7);
    const size = readFileSync(closed).length;
    let found = 0;
    for (let round = 0; round < 130; round++) {
      const at = round < 30 ? round * 3 : Math.floor(random.next() * size);
      const copy = changed(closed, '', flip(at));
      const { problems } = await verifyMeta(copy);
      const result = await outcome(copy);
      if (result === whole) continue;
      found++;
      expect([at, ['CORRUPT_METADATA', 'UNSUPPORTED'].includes(result), result]).toEqual([at, true, result]);
      expect([at, problems]).not.toEqual([at, []]);
    }
    expect(found).toBeGreaterThan(10);
  }, 60_000);

  test('of a digit in a row is found, which SQLite itself takes as it is', async () => {
    const copy = changed(closed, '', bytes => {
      const at = bytes.indexOf('"endOffset":6');
      bytes[at + '"endOffset":'.length]! ^= 1;
      return bytes;
    });
    const raw = new Sqlite(copy);
    expect(raw.pragma('integrity_check', { simple: true })).toBe('ok');
    raw.close();
    expect(await outcome(copy)).toBe('CORRUPT_METADATA');
    expect((await verifyMeta(copy)).problems).toEqual([expect.stringMatching(/^segments, row \d+ is not as it was/)]);
  });

  test('of the log, before its last transaction, is found: nothing is forgotten', async () => {
    const frame = 24 + 4096;
    const log = readFileSync(`${killed}-wal`);
    const isCommit = (index: number): boolean => log.readUInt32BE(32 + index * frame + 4) !== 0;
    const frames = Math.floor((log.length - 32) / frame);
    const commits = Array.from({ length: frames }, (_, index) => index).filter(isCommit);
    const last = 32 + (commits.at(-2)! + 1) * frame;
    const whole = await outcome(changed(killed, '', bytes => bytes));
    for (let at = 0; at < log.length; at += 1_733) {
      const copy = changed(killed, '-wal', flip(at));
      const { problems } = await verifyMeta(copy);
      const result = await outcome(copy);
      if (at < last) expect([at, result, problems.length > 0]).toEqual([at, 'CORRUPT_METADATA', true]);
      // The last one may as well have been cut short by the crash: then it never was.
      else expect(result.startsWith('[') || problems.length > 0).toBe(true);
    }
    expect(commits.length).toBeGreaterThan(4);
    expect(whole).toContain('quarantine');
  }, 60_000);
});

test('a file cut anywhere is found', async () => {
  const size = readFileSync(closed).length;
  // Of no bytes at all the metadata cannot tell: the controller looks into the deep store then.
  for (let at = 1; at < size; at += Math.floor(size / 11)) {
    const copy = changed(closed, '', bytes => bytes.subarray(0, at));
    expect([at, (await verifyMeta(copy)).problems]).not.toEqual([at, []]);
    expect(await outcome(copy)).toBe('CORRUPT_METADATA');
  }
});

test('a file of the version before gets its sums', async () => {
  const copy = changed(closed, '', bytes => bytes);
  const raw = new Sqlite(copy);
  raw.exec('DROP TABLE checksums');
  raw.pragma('user_version = 3');
  raw.close();
  expect((await verifyMeta(copy)).problems).toEqual([]);
  expect(await outcome(copy)).toBe(await outcome(changed(closed, '', bytes => bytes)));
  expect((await verifyMeta(copy)).problems).toEqual([]);
});
