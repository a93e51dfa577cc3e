/**
 * One owner per data folder. A claim is an empty file `lock/<pid>-<start>` whose name says it all, so that creating it is
 * one step. Who wants the folder first claims it and then looks for the claims of others: of two who start at once, each
 * sees the other, and at least one steps back. A claim whose process is gone, which `kill -9` leaves, is removed; the
 * process's start time tells it from another process that was given the same number. Processes that cannot see each
 * other (two machines, two containers) cannot share a folder safely, and this does not notice them.
 */
import { fault } from '../base/fault.ts';
import type { Clock, Disk, Random } from '../base/seams.ts';

/** A process, told from every other that had or will have its number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Differs between processes with one number; letters and digits. */
  readonly start: string;
}

export interface Processes {
  readonly self: ProcessIdentity;
  isAlive(identity: ProcessIdentity): boolean;
}

export interface LockComponents {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  readonly processes: Processes;
}

export interface FolderLock {
  /** Called once, after all work in the folder has ended. */
  release(): Promise<void>;
}

/** Two processes that start at the same moment both step back; after so many tries one of them is the owner. */
const attemptsMax = 5;

const claimPattern = /^(\d{1,10})-([A-Za-z0-9]{1,40})$/;

/** @throws FaultError DATA_FOLDER_IN_USE, which names the owner's process */
export async function lockFolder(folder: string, components: LockComponents): Promise<FolderLock> {
  const { disk, clock, random, processes } = components;
  const { pid, start } = processes.self;
  const claims = `${folder}/lock`;
  const own = `${pid}-${start}`;
  const path = `${claims}/${own}`;
  await disk.makeFolder(claims);
  for (let attempt = 1; ; attempt++) {
    await claim(disk, folder, path, pid);
    const other = await liveClaim(claims, own, components);
    if (other === null) return { release: () => disk.remove(path) };
    await disk.remove(path);
    if (attempt === attemptsMax) throw inUse(folder, other.pid);
    await clock.sleep(20 + random.next() * 80);
  }
}

async function claim(disk: Disk, folder: string, path: string, pid: number): Promise<void> {
  try {
    await (await disk.open(path, 'create')).close();
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'EEXIST' ? inUse(folder, pid) : error;
  }
}

/** Someone else who is there; claims of processes that are gone are removed. */
async function liveClaim(
  claims: string,
  own: string,
  { disk, processes }: LockComponents,
): Promise<ProcessIdentity | null> {
  for (const name of await disk.list(claims)) {
    const match = claimPattern.exec(name);
    if (name === own || match === null) continue;
    const identity = { pid: Number(match[1]), start: match[2]! };
    if (processes.isAlive(identity)) return identity;
    await disk.remove(`${claims}/${name}`);
  }
  return null;
}

const inUse = (folder: string, pid: number): Error =>
  fault('DATA_FOLDER_IN_USE', `the data folder ${folder} is in use by process ${pid}`, {
    hint: 'stop that process, or start with another --data folder',
    details: { pid },
  });
