import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import type { FaultError } from '../../../src/base/fault.ts';
import { type FileTree, silentLog } from '../../../src/base/seams.ts';
import { uploadAgeMsMax, uploadReserveBytes } from '../../../src/load/limits.ts';
import { Uploads } from '../../../src/load/uploads.ts';
import { FaultDisk } from '../../sim/fault-disk.ts';
import { ManualClock } from '../../support/clock.ts';
import { seededRandom } from '../../support/random.ts';

const bytes = new TextEncoder().encode('x\n1\n2\n3\n');
const id = createHash('sha256').update(bytes).digest('hex');

let disk: FaultDisk;
let clock: ManualClock;
let uploads: Uploads;
let freeBytes: number;
const open = (): Uploads => {
  const files = { freeBytes: async () => freeBytes } as unknown as FileTree;
  return new Uploads('/up', { clock, log: silentLog, disk, files });
};
beforeEach(() => {
  disk = new FaultDisk(seededRandom(1));
  clock = new ManualClock();
  freeBytes = uploadReserveBytes * 2;
  uploads = open();
});

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: FaultError) => error.fault.code,
  );
const put = (from: number, to: number) => uploads.put(id, from, bytes.length, bytes.subarray(from, to));

describe('an upload', () => {
  test('comes in parts, goes on after a restart, and is one when it is whole', async () => {
    expect(await uploads.state(id)).toEqual({ receivedBytes: 0, isWhole: false });
    expect(await put(0, 3)).toEqual({ receivedBytes: 3, isWhole: false });
    expect(await codeOf(uploads.input(id, 'a.csv'))).toBe('NOT_FOUND');
    uploads = open();
    expect(await uploads.state(id)).toEqual({ receivedBytes: 3, isWhole: false });
    expect(await put(3, bytes.length)).toEqual({ receivedBytes: bytes.length, isWhole: true });
    expect(await uploads.input(id, '../../etc/passwd')).toEqual({
      ...{ kind: 'upload', location: id, name: '../../etc/passwd', sizeBytes: bytes.length, fingerprint: id },
    });
    expect(await disk.list('/up')).toEqual([id]);
    // Sent once more, it is there already.
    expect(await put(0, 3)).toEqual({ receivedBytes: bytes.length, isWhole: true });
  });

  test('parts that do not follow are refused, and change nothing; two at once are one after the other', async () => {
    await put(0, 3);
    expect(await codeOf(put(4, 5))).toBe('INVALID_REQUEST');
    expect(await codeOf(put(0, 3))).toBe('INVALID_REQUEST');
    expect(await codeOf(uploads.put(id, 3, 4, bytes.subarray(3, 8)))).toBe('INVALID_REQUEST');
    const both = await Promise.allSettled([put(3, 5), put(3, 5)]);
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(await uploads.state(id)).toEqual({ receivedBytes: 5, isWhole: false });
  });

  test('of other content than its name says begins again', async () => {
    await put(0, 3);
    expect(await codeOf(uploads.put(id, 3, bytes.length, bytes.slice(3).fill(0)))).toBe('INVALID_REQUEST');
    expect(await uploads.state(id)).toEqual({ receivedBytes: 0, isWhole: false });
    expect(await put(0, bytes.length)).toMatchObject({ isWhole: true });
  });

  test.each(['', '..', '../../etc/passwd', `${id}.part`, id.toUpperCase(), `${id}/x`])(
    '%j is no name of one',
    async name => {
      expect(await codeOf(uploads.state(name))).toBe('INVALID_REQUEST');
      expect(await codeOf((async () => uploads.put(name, 0, 1, bytes.subarray(0, 1)))())).toBe('INVALID_REQUEST');
    },
  );

  test('leaves room for pushes on the disk; of a part that does not fit nothing stays', async () => {
    freeBytes = uploadReserveBytes + 2;
    expect(await codeOf(put(0, 3))).toBe('DISK_FULL');
    freeBytes = uploadReserveBytes * 2;
    await put(0, 3);
    disk.capacityBytes = 5;
    await expect(put(3, 8)).rejects.toThrow('ENOSPC');
    expect(await uploads.state(id)).toEqual({ receivedBytes: 3, isWhole: false });
  });

  test('that is too large is refused at once', async () => {
    expect(await codeOf(uploads.put(id, 0, 2 ** 50, bytes))).toBe('LIMIT_EXCEEDED');
  });
});

describe('a sweep', () => {
  const there = async (): Promise<string[]> => disk.list('/up');

  test('keeps what a load may read, removes what loads are done with', async () => {
    await put(0, bytes.length);
    await uploads.sweep(new Map([[id, null]]));
    clock.advance(uploadAgeMsMax * 2);
    await uploads.sweep(new Map([[id, null]]));
    expect(await there()).toEqual([id]);
    await uploads.sweep(new Map([[id, clock.nowMs()]]));
    expect(await there()).toEqual([]);
  });

  test('keeps what was asked for after the load that used it', async () => {
    await put(0, bytes.length);
    const endedMs = clock.nowMs();
    clock.advance(1_000);
    await uploads.state(id);
    await uploads.sweep(new Map([[id, endedMs]]));
    expect(await there()).toEqual([id]);
  });

  test('removes what nobody came back for within a day, also of an earlier process; no other file', async () => {
    await put(0, 3);
    const other = await disk.open('/up/readme.txt', 'create');
    await other.write(bytes, 0);
    uploads = open();
    await uploads.sweep(new Map());
    clock.advance(uploadAgeMsMax - 1);
    await uploads.sweep(new Map());
    expect(await there()).toEqual([`${id}.part`, 'readme.txt']);
    clock.advance(1);
    await uploads.sweep(new Map());
    expect(await there()).toEqual(['readme.txt']);
  });
});
