/**
 * Where committed segments live. Keys are paths of names (`<table>/<segment>/columns.arrow`); write-once: they carry an
 * attempt id, so that no two writers ever share one. Each implementation passes the same tests.
 */
import { assert } from '../base/assert.ts';

export interface DeepStore {
  /**
   * Writes the parts one after another as one object. Durable, and visible as a whole, once it resolves; before that
   * nobody sees any of it. The parts must not change until then.
   * @throws Error where the key exists already (a bug), or of the disk (ENOSPC).
   */
  put(key: string, parts: readonly Uint8Array[]): Promise<void>;
  /** Exactly `sizeBytes` bytes from `offset`. @throws FaultError NOT_FOUND; CORRUPT_SEGMENT where the object is shorter. */
  get(key: string, offset: number, sizeBytes: number): Promise<Uint8Array>;
  /** Bytes of an object. @throws FaultError NOT_FOUND */
  size(key: string): Promise<number>;
  /** Names right under a folder (`''` is the root), sorted: objects and folders. Empty where there is none. */
  list(folder: string): Promise<string[]>;
  /** Removes an object, or a folder with all that is under it; nothing to do where there is none. */
  remove(key: string): Promise<void>;
  /** @throws FaultError NOT_FOUND */
  openSync(key: string): StoredFile;
}

/** An object at hand on this machine, read without waiting: shards read straight into the arena. */
export interface StoredFile {
  /** Reads up to `into.length` bytes at `position`; returns how many (fewer only at the end). */
  readSync(into: Uint8Array, position: number): number;
  /** Called exactly once. */
  close(): void;
}

const keyPattern = /^[A-Za-z0-9$_-][A-Za-z0-9$_.-]*(\/[A-Za-z0-9$_-][A-Za-z0-9$_.-]*)*$/;

/** Names of objects being written: no key may end so, and no listing shows one. */
export const unfinishedSuffix = '.tmp';

/** Keys are made by Weir out of ids, so a bad one is a bug; the check keeps `..` and absolute paths off the disk for ever. */
export function assertKey(key: string): void {
  assert(keyPattern.test(key) && !key.endsWith(unfinishedSuffix), `${JSON.stringify(key)} is not a key`);
}
