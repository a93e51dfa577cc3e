/** The real disk. Bare descriptors rather than FileHandles: shards read from them synchronously. */
import fs from 'node:fs';
import { promisify } from 'node:util';
import { assert } from './assert.ts';
import type { Disk, DiskFile, FileStat } from './seams.ts';

const { O_CREAT, O_EXCL, O_RDONLY, O_RDWR } = fs.constants;
const flags = { read: O_RDONLY, write: O_RDWR | O_CREAT, create: O_RDWR | O_CREAT | O_EXCL } as const;

const open = promisify(fs.open);
const read = promisify(fs.read);
const write = promisify(fs.write);
const fdatasync = promisify(fs.fdatasync);
const ftruncate = promisify(fs.ftruncate);
const fstat = promisify(fs.fstat);
const close = promisify(fs.close);

/** Of a file, by descriptor or by path. */
export const statOf = (stat: fs.BigIntStats): FileStat => ({
  isFile: stat.isFile(),
  sizeBytes: Number(stat.size),
  fingerprint: [stat.dev, stat.ino, stat.size, stat.mtimeNs].join('-'),
});

class NodeFile implements DiskFile {
  readonly path: string;
  readonly #descriptor: number;
  #closed = false;

  constructor(path: string, descriptor: number) {
    this.path = path;
    this.#descriptor = descriptor;
  }

  /** A number used after `close` may by then be another file's. */
  get #handle(): number {
    assert(!this.#closed, `${this.path} is closed`);
    return this.#descriptor;
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await write(this.#handle, bytes, done, bytes.length - done, position + done);
      done += bytesWritten;
    }
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    let done = 0;
    while (done < into.length) {
      const { bytesRead } = await read(this.#handle, into, done, into.length - done, position + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  }

  readSync(into: Uint8Array, position: number): number {
    let done = 0;
    while (done < into.length) {
      const readBytes = fs.readSync(this.#handle, into, done, into.length - done, position + done);
      if (readBytes === 0) break;
      done += readBytes;
    }
    return done;
  }

  sync(): Promise<void> {
    return fdatasync(this.#handle);
  }

  truncate(sizeBytes: number): Promise<void> {
    return ftruncate(this.#handle, sizeBytes);
  }

  async sizeBytes(): Promise<number> {
    return (await fstat(this.#handle)).size;
  }

  async stat(): Promise<FileStat> {
    return statOf(await fstat(this.#handle, { bigint: true }));
  }

  /** At once: a trip to the thread pool costs many times the call, and a shard closes a file for each manifest it reads. */
  async close(): Promise<void> {
    const descriptor = this.#handle;
    this.#closed = true;
    fs.closeSync(descriptor);
  }
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

export const nodeDisk: Disk = {
  open: async (path, mode) => new NodeFile(path, await open(path, flags[mode], 0o666)),
  openSync: path => new NodeFile(path, fs.openSync(path, O_RDONLY)),
  async makeFolder(path) {
    await fs.promises.mkdir(path, { recursive: true });
  },
  async list(path) {
    try {
      return (await fs.promises.readdir(path)).sort();
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  },
  async exists(path) {
    try {
      await fs.promises.access(path);
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  },
  rename: (from, to) => fs.promises.rename(from, to),
  remove: path => fs.promises.rm(path, { recursive: true, force: true }),
  async space(path) {
    const { bavail, blocks, bsize } = await fs.promises.statfs(path);
    return { freeBytes: bavail * bsize, sizeBytes: blocks * bsize };
  },
  async syncFolder(path) {
    const folder = await open(path, O_RDONLY);
    try {
      await promisify(fs.fsync)(folder);
    } finally {
      await close(folder);
    }
  },
};
