import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FaultError } from '../../../src/base/fault.ts';
import { silentLog } from '../../../src/base/seams.ts';
import { KeyWindow } from '../../../src/stream/keys.ts';
import { idempotencyKeysMax } from '../../../src/stream/limits.ts';
import type { PartitionLog } from '../../../src/stream/log.ts';
import { openLog } from '../../../src/stream/open-log.ts';
import type { LogRecord, NewRecord } from '../../../src/stream/record.ts';
import { diskError, FaultDisk } from '../../sim/fault-disk.ts';
import { ManualClock } from '../../support/clock.ts';
import { seededRandom } from '../../support/random.ts';

const folder = '/data/log/table/0';

const record = (key: string | null, rowCount: number, sizeBytes = 20): NewRecord => ({
  rowCount,
  rejectedCount: 1,
  idempotencyKey: key,
  tableVersion: 3,
  maxTimeMs: rowCount === 0 ? null : 1234.5,
  columnIds: [1, 2, -1],
  frame: Uint8Array.from({ length: sizeBytes }, (_, index) => (index * 7 + (key?.length ?? 0)) & 255),
});

function world(seed = 1) {
  const random = seededRandom(seed);
  const clock = new ManualClock();
  let disk = new FaultDisk(random);
  return {
    clock,
    get disk() {
      return disk;
    },
    open: (startOffset = 0, fileSizeBytes = 4096) =>
      openLog({ folder, startOffset, fileSizeBytes }, { disk, clock, random, log: silentLog }),
    powerCut() {
      disk = disk.restart();
    },
    kill() {
      disk = disk.reopen();
    },
  };
}

async function readAll(log: PartitionLog, from = 0): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for await (const each of log.read(from)) records.push(each);
  return records;
}

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    error => (error instanceof FaultError ? error.fault.code : String(error)),
  );

describe('a log', () => {
  test('gives back what was appended, in order, from any offset, also after a restart', async () => {
    const w = world();
    let log = await w.open();
    const given = [record('a', 3), record(null, 1, 5000), record('ü', 2, 0), record('b', 4)];
    const appended = await Promise.all(given.map(each => log.append(each)));
    expect(appended.map(({ startOffset, endOffset }) => [startOffset, endOffset])).toEqual([
      [0, 3],
      [3, 4],
      [4, 6],
      [6, 10],
    ]);
    w.kill();
    log = await w.open();
    for (const opened of [log]) {
      const records = await readAll(opened);
      expect(records).toMatchObject(given);
      expect(records.map(({ baseOffset, appendedAtMs }) => [baseOffset, appendedAtMs])).toEqual(
        [0, 3, 4, 6].map(offset => [offset, w.clock.nowMs()]),
      );
      expect((await readAll(opened, 4)).map(({ baseOffset }) => baseOffset)).toEqual([4, 6]);
      expect(await readAll(opened, 10)).toEqual([]);
    }
  });

  test('appends given together share one write and one sync', async () => {
    const w = world();
    const log = await w.open();
    const steps: string[] = [];
    w.disk.onStep = step => {
      steps.push(step);
      return null;
    };
    // The first finds the log idle; what comes while it is written goes together.
    await Promise.all(Array.from({ length: 50 }, (_, index) => log.append(record(`k${index}`, 1))));
    expect(steps).toEqual(['write', 'sync']);
  });

  test('rolls by size and on request, and truncates whole files', async () => {
    const w = world();
    const log = await w.open();
    for (let index = 0; index < 10; index++) await log.append(record(null, 10, 1000));
    const files = () => w.disk.paths.filter(path => path.endsWith('.log')).map(path => Number(path.slice(-24, -4)));
    expect(files()).toEqual([0, 40, 80]);
    await log.truncate(39);
    expect(files()).toEqual([0, 40, 80]);
    await log.truncate(85);
    expect(files()).toEqual([80]);
    log.roll();
    await log.append(record(null, 1));
    expect(files()).toEqual([80, 100]);
    await log.truncate(101);
    expect(files()).toEqual([101]);
    expect([log.startOffset, log.endOffset]).toEqual([101, 101]);
    await log.append(record('x', 1));
    w.kill();
    expect(await readAll(await w.open(101))).toMatchObject([{ baseOffset: 101, idempotencyKey: 'x' }]);
  });

  test('begins again after committed rows that it does not have; refuses to lack rows that nobody has', async () => {
    const w = world();
    const log = await w.open(100);
    await log.append(record('k', 5));
    await log.close();
    w.kill();
    const later = await w.open(200);
    expect([later.startOffset, later.endOffset]).toEqual([200, 200]);
    expect(later.findKey('k')).toMatchObject({ accepted: 5 });
    await later.append(record(null, 1));
    w.kill();
    await expect(w.open(150)).rejects.toMatchObject({ fault: { code: 'CORRUPT_LOG' } });
  });

  test('is closed once: later appends are refused, earlier ones finished', async () => {
    const w = world();
    const log = await w.open();
    const pending = log.append(record('k', 1));
    const closing = log.close();
    expect(await codeOf(log.append(record('l', 1)))).toBe('SHUTTING_DOWN');
    await closing;
    await log.close();
    expect((await pending).endOffset).toBe(1);
  });
});

describe('idempotency keys', () => {
  test('hold across restart and truncation, with what was answered', async () => {
    const w = world();
    let log = await w.open();
    await log.append(record('a', 3));
    await log.append(record('rejected', 0));
    await log.truncate(3);
    await log.append(record('b', 2));
    for (let restart = 0; restart < 3; restart++) {
      expect(log.findKey('a')).toEqual({ accepted: 3, rejected: 1, appendedAtMs: w.clock.nowMs() });
      expect(log.findKey('rejected')).toMatchObject({ accepted: 0 });
      expect(log.findKey('b')).toMatchObject({ accepted: 2 });
      expect(log.findKey('c')).toBe(null);
      w.powerCut();
      log = await w.open(3);
    }
    w.clock.advance(24 * 3_600_000);
    expect(log.findKey('b')).toBe(null);
  });

  test('the oldest go when there are too many, and all go after a day', () => {
    const keys = new KeyWindow();
    const answer = { accepted: 1, rejected: 0, appendedAtMs: 0 };
    for (let index = 0; index < idempotencyKeysMax + 2; index++)
      keys.add(`${index}`, { ...answer, appendedAtMs: index });
    expect([keys.size, keys.find('1', 0), keys.find('2', 0)?.accepted]).toEqual([idempotencyKeysMax, null, 1]);
    expect(keys.find('10', 86_400_000 + 9)?.accepted).toBe(1);
    expect(keys.find('10', 86_400_000 + 10)).toBe(null);
  });

  test('a damaged checkpoint is no empty one', async () => {
    const w = world();
    const log = await w.open();
    await log.append(record('a', 1));
    await log.truncate(1);
    w.kill();
    w.disk.bytes(`${folder}/keys.checkpoint`)[20]! ^= 1;
    await expect(w.open(1)).rejects.toMatchObject({ fault: { code: 'CORRUPT_LOG' } });
  });
});

describe('a disk that fails', () => {
  test('full: these appends fail, the log stays good, later ones work', async () => {
    const w = world();
    const log = await w.open();
    await log.append(record('a', 1));
    w.disk.capacityBytes = w.disk.bytes(`${folder}/${'0'.repeat(20)}.log`).length + 50;
    expect(await codeOf(log.append(record('b', 1)))).toBe('DISK_FULL');
    expect(log.cause).toBe(null);
    expect(log.findKey('b')).toBe(null);
    w.disk.capacityBytes = Number.POSITIVE_INFINITY;
    await log.append(record('c', 1));
    w.powerCut();
    expect((await readAll(await w.open())).map(each => each.idempotencyKey)).toEqual(['a', 'c']);
  });

  test('a sync that fails, and then the repair: refused with the cause until the disk is back', async () => {
    const w = world();
    const log = await w.open();
    await log.append(record('a', 1));
    w.disk.onStep = (step, path) => (step === 'sync' || step === 'truncate' ? diskError('EIO', path) : null);
    expect(await codeOf(log.append(record('b', 1)))).toBe('UNAVAILABLE');
    expect(log.cause?.message).toContain('EIO');
    expect(await codeOf(log.append(record('c', 1)))).toBe('UNAVAILABLE');
    w.disk.onStep = () => null;
    w.clock.advance(1_000);
    await log.repair();
    expect(log.cause).toBe(null);
    expect(await log.append(record('d', 1))).toMatchObject({ startOffset: 1 });
    w.powerCut();
    expect((await readAll(await w.open())).map(each => each.idempotencyKey)).toEqual(['a', 'd']);
  });

  test('damage in the middle is CORRUPT_LOG; a torn end is dropped', async () => {
    const sizes = [32, 0, 0, 0];
    const w = world();
    const log = await w.open(0, 1 << 20);
    const path = `${folder}/${'0'.repeat(20)}.log`;
    for (let index = 0; index < 3; index++) {
      await log.append(record(`k${index}`, 1, 300));
      sizes[index + 1] = w.disk.bytes(path).length;
    }
    for (let index = 0; index < 3; index++)
      for (const at of [0, 4, 8, 24, 60, 100, 200]) {
        w.kill();
        const bytes = w.disk.bytes(path);
        bytes[sizes[index]! + at]! ^= 0x40;
        if (index < 2) await expect(w.open()).rejects.toMatchObject({ fault: { code: 'CORRUPT_LOG' } });
        bytes[sizes[index]! + at]! ^= 0x40;
      }
    w.kill();
    w.disk.bytes(path)[sizes[2]! + 100]! ^= 1;
    const dropped = await w.open();
    expect(dropped.endOffset).toBe(2);
    await dropped.close();
    w.kill();
    w.disk.bytes(path)[sizes[1]! + 100]! ^= 1;
    await expect(w.open()).rejects.toMatchObject({ fault: { code: 'CORRUPT_LOG' } });
    w.disk.bytes(path)[sizes[1]! + 100]! ^= 1;
    expect((await w.open()).endOffset).toBe(2);
  });

  test('after a clean close the last record is vouched for', async () => {
    const w = world();
    const log = await w.open();
    await log.append(record('a', 1, 300));
    await log.close();
    w.kill();
    const path = `${folder}/${'0'.repeat(20)}.log`;
    w.disk.bytes(path)[100]! ^= 1;
    await expect(w.open()).rejects.toMatchObject({ fault: { code: 'CORRUPT_LOG' } });
  });

  test('bytes that a client sent do not vouch for anything', async () => {
    const w = world();
    let log = await w.open(0, 1 << 20);
    await log.append(record('a', 1));
    await log.append(record('b', 1));
    const path = `${folder}/${'0'.repeat(20)}.log`;
    const forged = w.disk.bytes(path).slice(-152);
    await log.close();
    w.kill();
    // Another file has another salt.
    const other = world(2);
    log = await other.open(0, 1 << 20);
    await log.append(record('x', 1));
    const size = other.disk.bytes(path).length;
    await log.append({ ...record('y', 1), frame: forged });
    other.kill();
    other.disk.bytes(path)[size + 8]! ^= 1;
    expect((await other.open()).endOffset).toBe(1);
  });
});

/** What a client knows of a push it made. */
interface Push {
  readonly key: string;
  readonly record: NewRecord;
  acknowledged: { readonly startOffset: number; readonly endOffset: number } | null;
}

describe('whatever happens', () => {
  test('every acknowledged append survives exactly once, at its offsets, with its key', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.boolean(), async (seed, hardFaults) => {
        const random = seededRandom(seed);
        const w = world(seed ^ 0x5555);
        const pushes: Push[] = [];
        /** As if segments up to here had been published. */
        let committedEnd = 0;
        for (let life = 0; life < 4; life++) {
          const log = await w.open(committedEnd, 2000);
          await check(log, pushes, committedEnd);
          w.disk.cutPowerAfter(Math.floor(random.next() * 60));
          if (hardFaults)
            w.disk.onStep = (step, path) => {
              const chance = random.next();
              if (step === 'read' || chance > 0.08) return null;
              return diskError(chance < 0.04 ? 'ENOSPC' : 'EIO', path);
            };
          const work: Promise<unknown>[] = [];
          for (let step = 0; step < 30; step++) {
            const chance = random.next();
            if (chance < 0.6) work.push(push(log, pushes, random.next()));
            else if (chance < 0.75) {
              const ends = pushes.flatMap(each => each.acknowledged?.endOffset ?? []).filter(end => end > committedEnd);
              committedEnd = ends[Math.floor(random.next() * ends.length)] ?? committedEnd;
              const end = committedEnd;
              work.push(log.truncate(end).catch(() => {}));
            } else if (chance < 0.8) log.roll();
            else if (chance < 0.85) work.push(log.repair());
            else if (chance < 0.95) await Promise.all(work);
            else w.clock.advance(500);
          }
          if (random.next() < 0.3) work.push(log.close().catch(() => {}));
          await Promise.all(work);
          if (random.next() < 0.7) w.powerCut();
          else w.kill();
        }
        const log = await w.open(committedEnd, 2000);
        await check(log, pushes, committedEnd);
      }),
      { numRuns: 200 },
    );
  }, 60_000);

  async function push(log: PartitionLog, pushes: Push[], chance: number): Promise<void> {
    const key = `key ${pushes.length}`;
    const each: Push = {
      key,
      record: record(key, Math.floor(chance * 4), Math.floor(chance * 1500)),
      acknowledged: null,
    };
    pushes.push(each);
    each.acknowledged = await log.append(each.record).catch(() => null);
  }

  async function check(log: PartitionLog, pushes: readonly Push[], committedEnd: number): Promise<void> {
    const records = await readAll(log, committedEnd);
    const byKey = new Map(records.map(each => [each.idempotencyKey, each]));
    expect(byKey.size).toBe(records.length);
    const offsets = records.map(({ baseOffset }) => baseOffset);
    const ends = records.map(({ baseOffset, rowCount }) => baseOffset + rowCount);
    expect([...offsets, log.endOffset]).toEqual([committedEnd, ...ends]);

    const problems: string[] = [];
    for (const { key, record, acknowledged } of pushes) {
      const found = byKey.get(key);
      if (found && (found.rowCount !== record.rowCount || Buffer.compare(found.frame, record.frame) !== 0))
        problems.push(`${key} is not what was pushed`);
      if (acknowledged === null) continue;
      if (log.findKey(key)?.accepted !== record.rowCount) problems.push(`${key} is forgotten`);
      const wanted = record.rowCount > 0 && acknowledged.endOffset > committedEnd;
      if (wanted && found?.baseOffset !== acknowledged.startOffset) problems.push(`${key} is at ${found?.baseOffset}`);
    }
    expect(problems).toEqual([]);
  }
});
