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
  close(): Promise<void>;
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
  /** Makes creations, renames and removals inside a folder durable (fsync of the folder). */
  syncFolder(path: string): Promise<void>;
}

export interface Log {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
