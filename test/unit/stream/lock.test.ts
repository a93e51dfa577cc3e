import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { type LockComponents, lockFolder, type ProcessIdentity } from '../../../src/stream/lock.ts';
import { systemProcesses } from '../../../src/stream/processes.ts';
import { FaultDisk } from '../../sim/fault-disk.ts';
import { ManualClock } from '../../support/clock.ts';
import { seededRandom } from '../../support/random.ts';

/** A machine with processes that start and die, and one data folder. */
function machine() {
  const disk = new FaultDisk(seededRandom(1));
  const alive = new Set<string>();
  const nameOf = ({ pid, start }: ProcessIdentity): string => `${pid}-${start}`;
  const start = (pid: number, since: string): LockComponents & { die(): void } => {
    const self = { pid, start: since };
    alive.add(nameOf(self));
    const clock = new ManualClock();
    clock.sleep = async () => {};
    return {
      disk,
      clock,
      random: seededRandom(pid),
      processes: { self, isAlive: identity => alive.has(nameOf(identity)) },
      die: () => alive.delete(nameOf(self)),
    };
  };
  return { disk, start };
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'locked',
    error => error.fault.code,
  );

describe('the lock of a data folder', () => {
  test('one owner; free again after its release', async () => {
    const { start } = machine();
    const first = await lockFolder('/data', start(7, 'a'));
    await expect(lockFolder('/data', start(8, 'b'))).rejects.toMatchObject({
      fault: { code: 'DATA_FOLDER_IN_USE', message: 'the data folder /data is in use by process 7' },
    });
    await first.release();
    await lockFolder('/data', start(9, 'c'));
  });

  test('a lock left by kill -9 is taken over, also where the number lives on in another process', async () => {
    const { disk, start } = machine();
    const killed = start(7, 'a');
    await lockFolder('/data', killed);
    killed.die();
    start(7, 'b');
    await lockFolder('/data', start(8, 'c'));
    expect(await disk.list('/data/lock')).toEqual(['8-c']);
  });

  test('the same process cannot own it twice', async () => {
    const { start } = machine();
    const world = start(7, 'a');
    await lockFolder('/data', world);
    expect(await codeOf(lockFolder('/data', world))).toBe('DATA_FOLDER_IN_USE');
  });

  test('of many that start at once at most one wins', async () => {
    for (let seed = 0; seed < 50; seed++) {
      const { disk, start } = machine();
      const random = seededRandom(seed);
      // Every step of the disk takes its own while.
      const list = disk.list.bind(disk);
      disk.list = async path => {
        for (let wait = Math.floor(random.next() * 5); wait > 0; wait--) await null;
        return list(path);
      };
      const outcomes = await Promise.all([7, 8, 9].map(pid => codeOf(lockFolder('/data', start(pid, 'a')))));
      expect(outcomes.filter(outcome => outcome === 'locked').length).toBeLessThanOrEqual(1);
      expect(outcomes.filter(outcome => outcome === 'DATA_FOLDER_IN_USE').length).toBeGreaterThanOrEqual(2);
    }
  });
});

describe('processes', () => {
  test('this one is alive, another start of its number is not, nor one that has ended', async () => {
    const { self } = systemProcesses;
    expect(self.pid).toBe(process.pid);
    expect(systemProcesses.isAlive(self)).toBe(true);
    expect(systemProcesses.isAlive({ pid: self.pid, start: 'x' })).toBe(false);
    const child = spawn(process.execPath, ['-e', '']);
    const { pid } = child;
    await once(child, 'exit');
    expect(systemProcesses.isAlive({ pid: pid!, start: self.start })).toBe(false);
  });
});
