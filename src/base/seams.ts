/**
 * The outside world as values, so that a test can hold them: time, chance, disk, log lines.
 * Only `boot` constructs the real ones (`systemClock`, `nodeDisk`, …).
 */
export interface Clock {
  /** Milliseconds since 1970 UTC. May jump in both directions. */
  nowMs(): number;
  /** Milliseconds from an arbitrary origin; never goes back. Fractional. */
  monotonicMs(): number;
  /** Resolves after `delayMs`; rejects with the signal's reason when aborted. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Lower-case hexadecimal digits, for attempt ids and query ids. */
  hex(digits: number): string;
}

/** An open file. Positions are bytes from the start. Owned by its opener, who closes it exactly once. */
export interface DiskFile {
  readonly path: string;
  /** Writes all of `bytes` at `position`; durable only after `sync`. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Reads up to `into.length` bytes; returns how many (fewer only at the end of the file). */
  read(into: Uint8Array, position: number): Promise<number>;
  /** As `read`, but blocking: shards read straight into the arena's view. */
  readSync(into: Uint8Array, position: number): number;
  /** What was written so far survives a power cut after this resolves (fdatasync). */
  sync(): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  sizeBytes(): Promise<number>;
  stat(): Promise<FileStat>;
  close(): Promise<void>;
}

export interface FileStat {
  readonly isFile: boolean;
  readonly sizeBytes: number;
  /** Another once the file was written to, or another took its place. */
  readonly fingerprint: string;
}

/** Paths are absolute or relative to the process; folders are separated by `/`. */
export interface Disk {
  /** `read` fails with ENOENT where there is none; `write` creates, keeps what is there; `create` fails with EEXIST. */
  open(path: string, mode: 'read' | 'write' | 'create'): Promise<DiskFile>;
  openSync(path: string): DiskFile;
  makeFolder(path: string): Promise<void>;
  /** Names in a folder, sorted; empty where the folder does not exist. */
  list(path: string): Promise<string[]>;
  exists(path: string): Promise<boolean>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file or a whole folder; nothing to do where there is none. */
  remove(path: string): Promise<void>;
  /** Bytes that are left for this process, and all there are, of the file system that the path is on. Cheap. */
  space(path: string): Promise<{ readonly freeBytes: number; readonly sizeBytes: number }>;
  /** Makes creations, renames and removals inside a folder durable (fsync of the folder). */
  syncFolder(path: string): Promise<void>;
}

/** Files that are not Weir's own: they are looked at and never changed. Failures are Node's, with their `code`. */
export interface FileTree {
  /** Absolute, without links. */
  realPath(path: string): Promise<string>;
  stat(path: string): Promise<FileStat>;
  /** Files that a pattern (`*`, `**`, `?`, `[…]`, `{…}`) stands for: absolute paths, sorted. No link is followed. */
  match(pattern: string, folder: string): Promise<string[]>;
  /** That are left on the folder's disk for who is not root. */
  freeBytes(folder: string): Promise<number>;
}

export interface Log {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
