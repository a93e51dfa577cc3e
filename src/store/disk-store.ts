import { assert } from '../base/assert.ts';
import { fault } from '../base/fault.ts';
import type { Disk } from '../base/seams.ts';
import { assertKey, type DeepStore, type StoredFile, unfinishedSuffix } from './deep-store.ts';

/** Small parts are joined up to this size before they are written: a segment has thousands of buffers. */
const writeSizeBytes = 1 << 20;

/** The deep store as a local folder. */
export class DiskStore implements DeepStore {
  readonly #disk: Disk;
  readonly #root: string;

  /** @param root The folder, made on first use; its parent must exist durably. */
  constructor(disk: Disk, root: string) {
    this.#disk = disk;
    this.#root = root;
  }

  async put(key: string, parts: readonly Uint8Array[]): Promise<void> {
    const path = this.#path(key);
    const folder = path.slice(0, path.lastIndexOf('/'));
    await this.#makeFolder(key);
    assert(!(await this.#disk.exists(path)), `${key} exists already`);
    const unfinished = path + unfinishedSuffix;
    await this.#disk.remove(unfinished);
    try {
      await this.#write(unfinished, parts);
    } catch (error) {
      // A full disk must not be filled further by what came to nothing.
      await this.#disk.remove(unfinished).catch(() => {});
      throw error;
    }
    await this.#disk.rename(unfinished, path);
    await this.#disk.syncFolder(folder);
  }

  async #write(path: string, parts: readonly Uint8Array[]): Promise<void> {
    const file = await this.#disk.open(path, 'create');
    try {
      let position = 0;
      for (const chunk of joinParts(parts)) {
        await file.write(chunk, position);
        position += chunk.length;
      }
      await file.sync();
    } finally {
      await file.close();
    }
  }

  async get(key: string, offset: number, sizeBytes: number): Promise<Uint8Array> {
    const file = await missingAsFault(key, () => this.#disk.open(this.#path(key), 'read'));
    try {
      const bytes = new Uint8Array(sizeBytes);
      const readBytes = await file.read(bytes, offset);
      if (readBytes < sizeBytes) throw tooShort(key, offset + readBytes, offset + sizeBytes);
      return bytes;
    } finally {
      await file.close();
    }
  }

  async size(key: string): Promise<number> {
    const file = await missingAsFault(key, () => this.#disk.open(this.#path(key), 'read'));
    try {
      return await file.sizeBytes();
    } finally {
      await file.close();
    }
  }

  async list(folder: string): Promise<string[]> {
    const names = await this.#disk.list(folder === '' ? this.#root : this.#path(folder));
    return names.filter(name => !name.endsWith(unfinishedSuffix));
  }

  async remove(key: string): Promise<void> {
    const path = this.#path(key);
    if (!(await this.#disk.exists(path))) return;
    await this.#disk.remove(path);
    await this.#disk.syncFolder(path.slice(0, path.lastIndexOf('/')));
  }

  openSync(key: string): StoredFile {
    const path = this.#path(key);
    const file = missingAsFaultSync(key, () => this.#disk.openSync(path));
    return {
      readSync: (into, position) => file.readSync(into, position),
      // A file that was only read has nothing to lose in its close.
      close: () => void file.close().catch(() => {}),
    };
  }

  #path(key: string): string {
    assertKey(key);
    return `${this.#root}/${key}`;
  }

  /** Makes each missing folder on the way durable in its parent, else a power cut could take the whole branch. */
  async #makeFolder(key: string): Promise<void> {
    const names = key.split('/').slice(0, -1);
    let folder = this.#root;
    await this.#disk.makeFolder(folder);
    for (const name of names) {
      const child = `${folder}/${name}`;
      if (!(await this.#disk.exists(child))) {
        await this.#disk.makeFolder(child);
        await this.#disk.syncFolder(folder);
      }
      folder = child;
    }
  }
}

/** The same bytes in few pieces; large parts go through as they are. */
function* joinParts(parts: readonly Uint8Array[]): Generator<Uint8Array> {
  let buffer = new Uint8Array(0);
  let size = 0;
  for (const part of parts) {
    if (size + part.length > writeSizeBytes && size > 0) {
      yield buffer.subarray(0, size);
      size = 0;
      buffer = new Uint8Array(0);
    }
    if (part.length >= writeSizeBytes) {
      yield part;
      continue;
    }
    if (buffer.length === 0) buffer = new Uint8Array(writeSizeBytes);
    buffer.set(part, size);
    size += part.length;
  }
  if (size > 0) yield buffer.subarray(0, size);
}

export const missing = (key: string): Error =>
  fault('NOT_FOUND', `the deep store has no ${key}`, { hint: 'it was dropped, or removed by hand' });

export const tooShort = (key: string, sizeBytes: number, wantedBytes: number): Error =>
  fault('CORRUPT_SEGMENT', `${key} ends before byte ${wantedBytes}: at ${sizeBytes} or earlier`);

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

async function missingAsFault<T>(key: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    throw isMissing(error) ? missing(key) : error;
  }
}

function missingAsFaultSync<T>(key: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    throw isMissing(error) ? missing(key) : error;
  }
}
