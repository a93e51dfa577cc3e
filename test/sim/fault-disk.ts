/**
 * A disk in memory that fails as real ones do: a power cut keeps what was synced and any part of the rest, by sectors; names
 * are durable only once their folder is synced; writes may stop in the middle, syncs fail and lose what they were to keep.
 */
import type { Disk, DiskFile, Random } from '../../src/base/seams.ts';

const sectorSizeBytes = 512;

type Change =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly sizeBytes: number };

class Inode {
  /** What a reader sees. */
  current: Uint8Array;
  /** What a power cut leaves for sure. */
  durable: Uint8Array;
  /** Since the last sync. */
  changes: Change[] = [];

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.current = bytes;
    this.durable = bytes;
  }
}

function applied(bytes: Uint8Array, change: Change): Uint8Array {
  if (change.kind === 'truncate') {
    const cut = new Uint8Array(change.sizeBytes);
    cut.set(bytes.subarray(0, change.sizeBytes));
    return cut;
  }
  const grown = new Uint8Array(Math.max(bytes.length, change.position + change.bytes.length));
  grown.set(bytes);
  grown.set(change.bytes, change.position);
  return grown;
}

/** One step in a folder: names that come (with what they name) and names that go, together. */
interface NameChange {
  readonly folder: string;
  readonly adds: readonly (readonly [string, Inode])[];
  readonly removes: readonly string[];
}

export class PowerCut extends Error {}

export const diskError = (code: 'EIO' | 'ENOSPC' | 'ENOENT' | 'EEXIST', path: string): Error =>
  Object.assign(new Error(`${code}: ${path}`), { code });

export type DiskStep = 'open' | 'write' | 'read' | 'sync' | 'truncate' | 'rename' | 'remove' | 'syncFolder';

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));

export class FaultDisk implements Disk {
  readonly #random: Random;
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  #nameChanges: NameChange[] = [];
  readonly #folders = new Set<string>();
  /** Steps until the power goes. */
  #stepsLeft = Number.POSITIVE_INFINITY;
  #dark = false;
  capacityBytes = Number.POSITIVE_INFINITY;
  /** Asked before every step; an answer is thrown after the step was done in part (write, sync) or not at all. */
  onStep: (step: DiskStep, path: string) => Error | null = () => null;
  /** Every step that was taken. */
  stepCount = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** The power goes after so many further steps: each one then fails, for ever. */
  cutPowerAfter(steps: number): void {
    this.#stepsLeft = steps;
  }

  /** The machine starts again: a new disk with what this one had really kept. */
  restart(): FaultDisk {
    this.#dark = true;
    const next = new FaultDisk(this.#random);
    for (const change of this.#nameChanges) if (this.#random.next() < 0.5) commit(this.#durableNames, change);
    const survivors = new Map<Inode, Inode>();
    for (const [path, inode] of this.#durableNames) {
      const survivor = survivors.get(inode) ?? new Inode(this.#survivingBytes(inode));
      survivors.set(inode, survivor);
      next.#names.set(path, survivor);
      next.#durableNames.set(path, survivor);
      // A file that came back, for its removal was not durable, lies in a folder again.
      for (let folder = folderOf(path); folder !== ''; folder = folderOf(folder)) next.#folders.add(folder);
    }
    for (const folder of this.#folders) next.#folders.add(folder);
    return next;
  }

  /** The process died, the machine did not: nothing is lost. */
  reopen(): FaultDisk {
    this.#dark = true;
    const next = new FaultDisk(this.#random);
    next.#names = this.#names;
    next.#durableNames = this.#durableNames;
    next.#nameChanges = this.#nameChanges;
    for (const folder of this.#folders) next.#folders.add(folder);
    return next;
  }

  /** The bytes of a file as a reader sees them, to damage them. */
  bytes(path: string): Uint8Array {
    return this.#inode(path).current;
  }

  get paths(): string[] {
    return [...this.#names.keys()].sort();
  }

  #survivingBytes(inode: Inode): Uint8Array {
    const mode = this.#random.next();
    let bytes = inode.durable;
    for (const change of inode.changes) {
      if (mode < 0.25) break;
      if (mode < 0.5) bytes = applied(bytes, change);
      else if (change.kind === 'truncate') bytes = this.#random.next() < 0.5 ? applied(bytes, change) : bytes;
      else for (const part of sectorsOf(change)) if (this.#random.next() < 0.7) bytes = applied(bytes, part);
    }
    return bytes.slice();
  }

  /** Counts the step; throws what goes wrong with it. `partly` does a part of it first. */
  #step(step: DiskStep, path: string, partly: () => void = () => {}): void {
    if (this.#dark) throw new PowerCut(`the power is gone: ${step} ${path}`);
    if (this.#stepsLeft-- <= 0) {
      this.#dark = true;
      partly();
      throw new PowerCut(`the power went: ${step} ${path}`);
    }
    this.stepCount++;
    const error = this.onStep(step, path);
    if (error === null) return;
    partly();
    throw error;
  }

  #inode(path: string): Inode {
    const inode = this.#names.get(path);
    if (!inode) throw diskError('ENOENT', path);
    return inode;
  }

  #changeNames(change: NameChange): void {
    commit(this.#names, change);
    this.#nameChanges.push(change);
  }

  async open(path: string, mode: 'read' | 'write' | 'create'): Promise<DiskFile> {
    this.#step('open', path);
    const found = this.#names.get(path);
    if (mode === 'read' || (mode === 'write' && found)) return this.#file(path, this.#inode(path));
    if (found) throw diskError('EEXIST', path);
    if (!this.#folders.has(folderOf(path))) throw diskError('ENOENT', path);
    const inode = new Inode();
    this.#changeNames({ folder: folderOf(path), adds: [[path, inode]], removes: [] });
    return this.#file(path, inode);
  }

  openSync(path: string): DiskFile {
    this.#step('open', path);
    return this.#file(path, this.#inode(path));
  }

  #file(path: string, inode: Inode): DiskFile {
    const change = (made: Change): void => {
      inode.current = applied(inode.current, made);
      inode.changes.push(made);
    };
    const readAt = (into: Uint8Array, position: number): number => {
      this.#step('read', path);
      const part = inode.current.subarray(position, position + into.length);
      into.set(part);
      return part.length;
    };
    return {
      path,
      write: async (bytes, position) => {
        const write = (size: number): void => change({ kind: 'write', position, bytes: bytes.slice(0, size) });
        this.#step('write', path, () => write(Math.floor(this.#random.next() * bytes.length)));
        const room = this.capacityBytes - this.#usedBytes() + Math.max(0, inode.current.length - position);
        if (bytes.length > room) {
          write(Math.max(0, room));
          throw diskError('ENOSPC', path);
        }
        write(bytes.length);
      },
      read: async (into, position) => readAt(into, position),
      readSync: readAt,
      sync: async () => {
        this.#step('sync', path, () => {
          // What a failed sync leaves behind is never written again, as on Linux.
          inode.durable = this.#survivingBytes(inode);
          inode.changes = [];
        });
        inode.durable = inode.changes.reduce(applied, inode.durable);
        inode.changes = [];
      },
      truncate: async sizeBytes => {
        this.#step('truncate', path);
        change({ kind: 'truncate', sizeBytes });
      },
      sizeBytes: async () => inode.current.length,
      stat: async () => ({ isFile: true, sizeBytes: inode.current.length, fingerprint: String(inode.current.length) }),
      close: async () => {},
    };
  }

  #usedBytes(): number {
    let used = 0;
    for (const inode of this.#names.values()) used += inode.current.length;
    return used;
  }

  async makeFolder(path: string): Promise<void> {
    for (let folder = path; folder !== ''; folder = folderOf(folder)) this.#folders.add(folder);
  }

  async list(path: string): Promise<string[]> {
    const prefix = `${path}/`;
    const names = new Set<string>();
    for (const each of [...this.#names.keys(), ...this.#folders])
      if (each.startsWith(prefix)) names.add(each.slice(prefix.length).split('/')[0]!);
    return [...names].sort();
  }

  async exists(path: string): Promise<boolean> {
    return this.#names.has(path) || this.#folders.has(path);
  }

  async rename(from: string, to: string): Promise<void> {
    this.#step('rename', from);
    this.#changeNames({ folder: folderOf(to), adds: [[to, this.#inode(from)]], removes: [from] });
  }

  async remove(path: string): Promise<void> {
    this.#step('remove', path);
    for (const each of [...this.#names.keys()])
      if (each === path || each.startsWith(`${path}/`))
        this.#changeNames({ folder: folderOf(each), adds: [], removes: [each] });
    for (const folder of [...this.#folders])
      if (folder === path || folder.startsWith(`${path}/`)) this.#folders.delete(folder);
  }

  async space(): Promise<{ readonly freeBytes: number; readonly sizeBytes: number }> {
    return { freeBytes: Math.max(0, this.capacityBytes - this.#usedBytes()), sizeBytes: this.capacityBytes };
  }

  async syncFolder(path: string): Promise<void> {
    this.#step('syncFolder', path);
    for (const change of this.#nameChanges) if (change.folder === path) commit(this.#durableNames, change);
    this.#nameChanges = this.#nameChanges.filter(change => change.folder !== path);
  }
}

function commit(names: Map<string, Inode>, { adds, removes }: NameChange): void {
  for (const path of removes) names.delete(path);
  for (const [path, inode] of adds) names.set(path, inode);
}

function* sectorsOf(change: Extract<Change, { kind: 'write' }>): Generator<Change> {
  for (let from = 0; from < change.bytes.length; ) {
    const end = Math.min(change.bytes.length, from + sectorSizeBytes - ((change.position + from) % sectorSizeBytes));
    yield { kind: 'write', position: change.position + from, bytes: change.bytes.subarray(from, end) };
    from = end;
  }
}
