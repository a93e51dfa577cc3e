import { fault, toFault } from '../base/fault.ts';

/** An object of the deep store that is on this machine. */
export interface LocalFile {
  /** Reads up to `into.length` bytes at `position`; returns how many (fewer only at the end). */
  readSync(into: Uint8Array, position: number): number;
  close(): void;
}

/** What a reader needs of a deep store. */
export interface SegmentFiles {
  /** @throws FaultError NOT_FOUND */
  openSync(key: string): LocalFile;
}

/** Descriptors that a shard keeps open: well below the usual limit of 1,024 a process, for several shards. */
export const openFilesMax = 200;

/** A sector that cannot be read is as damaged as one that reads wrong. @throws FaultError CORRUPT_SEGMENT */
function readSync(file: LocalFile, key: string, into: Uint8Array, position: number): number {
  try {
    return file.readSync(into, position);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EIO' && code !== 'EBADMSG' && code !== 'EUCLEAN') throw error;
    throw fault('CORRUPT_SEGMENT', `${key} cannot be read at byte ${position}: ${code}`, {
      hint: 'look at the disk; restore the file from a copy of the data folder',
    });
  }
}

/** Segment files of one shard, the most recently used kept open. */
export class OpenFiles {
  readonly #files: SegmentFiles;
  readonly #countMax: number;
  /** In order of use. */
  readonly #open = new Map<string, LocalFile>();
  /** Where manifests are read to: one after another, so one buffer is enough. */
  #whole = new Uint8Array(1 << 16);

  constructor(files: SegmentFiles, countMax = openFilesMax) {
    this.#files = files;
    this.#countMax = countMax;
  }

  /** Fills `into` from `position`. @throws FaultError CORRUPT_SEGMENT where the file is missing or too short. */
  readExactly(key: string, into: Uint8Array, position: number): void {
    const readBytes = readSync(this.#file(key), key, into, position);
    if (readBytes < into.length)
      throw fault(
        'CORRUPT_SEGMENT',
        `${key} ends at byte ${position + readBytes}, ${into.length - readBytes} too early`,
      );
  }

  /**
   * The whole file, which is not kept open. Borrowed: the bytes are the next call's.
   * @throws FaultError CORRUPT_SEGMENT where it is missing or larger.
   */
  readWhole(key: string, sizeBytesMax: number): Uint8Array {
    const file = this.#openNow(key);
    try {
      for (let sizeBytes = 0; ; ) {
        sizeBytes += readSync(file, key, this.#whole.subarray(sizeBytes), sizeBytes);
        if (sizeBytes > sizeBytesMax) throw fault('CORRUPT_SEGMENT', `${key} is larger than ${sizeBytesMax} bytes`);
        if (sizeBytes < this.#whole.length) return this.#whole.subarray(0, sizeBytes);
        const larger = new Uint8Array(this.#whole.length * 2);
        larger.set(this.#whole);
        this.#whole = larger;
      }
    } finally {
      file.close();
    }
  }

  /** True where the file has bytes from `position` on. */
  isLonger(key: string, position: number): boolean {
    return readSync(this.#file(key), key, new Uint8Array(1), position) === 1;
  }

  /** Closes what is open of a segment that was dropped; of everything, for `''`. */
  close(keyPrefix: string): void {
    for (const [key, file] of [...this.#open]) {
      if (!key.startsWith(keyPrefix)) continue;
      this.#open.delete(key);
      file.close();
    }
  }

  #file(key: string): LocalFile {
    const known = this.#open.get(key);
    if (known) {
      this.#open.delete(key);
      this.#open.set(key, known);
      return known;
    }
    const file = this.#openNow(key);
    this.#open.set(key, file);
    if (this.#open.size > this.#countMax) {
      const [oldest, oldestFile] = this.#open.entries().next().value!;
      this.#open.delete(oldest);
      oldestFile.close();
    }
    return file;
  }

  #openNow(key: string): LocalFile {
    try {
      return this.#files.openSync(key);
    } catch (error) {
      if (toFault(error).code !== 'NOT_FOUND') throw error;
      throw fault('CORRUPT_SEGMENT', `${key} is missing`, {
        hint: 'files of the data folder are removed by Weir alone',
      });
    }
  }
}
