/**
 * The embedded log of one partition: durable before it is acknowledged, replayed after a crash, truncated once its rows
 * are in published segments. One owner (see `lock`). The bytes are specified in segments/README.md.
 */
import { assert } from '../base/assert.ts';
import { type Fault, FaultError, fault, toFault } from '../base/fault.ts';
import type { Clock, Disk, DiskFile, Log, Random } from '../base/seams.ts';
import { writeClosed } from './closed.ts';
import { type KeyAnswer, type KeyWindow, writeKeys } from './keys.ts';
import { groupSizeBytesMax, logFileSizeBytesDefault, recordSizeBytesMax, repairDelayMs } from './limits.ts';
import { isMark, logFileName, scanFile } from './log-file.ts';
import {
  encodeFileHeader,
  encodeRecord,
  fileHeaderSizeBytes,
  type LogRecord,
  type NewRecord,
  recordSizeBytes,
} from './record.ts';

export interface LogSettings {
  /** `log/<tableId>/<partition>`. */
  readonly folder: string;
  /** Where the log begins if it has no files: what is below is in published segments. */
  readonly startOffset: number;
  readonly fileSizeBytes?: number;
}

export interface LogComponents {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Offsets that an append took, [start, end). */
export interface Appended {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly appendedAtMs: number;
}

interface Pending {
  readonly record: NewRecord;
  readonly sizeBytes: number;
  readonly resolve: (appended: Appended) => void;
  readonly reject: (error: Error) => void;
}

export interface LogFile {
  readonly path: string;
  readonly salt: number;
  readonly baseOffset: number;
  endOffset: number;
  /** Durable. */
  sizeBytes: number;
}

/** Files being written; nobody reads one under such a name. */
export const unfinishedSuffix = '.tmp';

/** A record with nothing in it, whose place in the file vouches for all before it. */
const mark: NewRecord = {
  rowCount: 0,
  rejectedCount: 0,
  idempotencyKey: null,
  tableVersion: 0,
  maxTimeMs: null,
  columnIds: [],
  frame: new Uint8Array(0),
};

export class PartitionLog {
  readonly #settings: LogSettings;
  readonly #components: LogComponents;
  readonly #keys: KeyWindow;
  /** What the keys' ages are measured by: it goes on as the monotonic clock does, whatever the wall clock jumps. */
  readonly #keysOpenedAt: { readonly wallMs: number; readonly monotonicMs: number };
  /** Oldest first; the last is written to. */
  readonly #files: LogFile[];
  #file: DiskFile;
  #pending: Pending[] = [];
  /** The work on the files under way: appends, rolls and truncations take turns. */
  #turn: Promise<void> = Promise.resolve();
  #flushing = false;
  #rollWanted = false;
  #marked: boolean;
  #closed = false;
  /** Why the active file may hold more than what is durable; null in the good state. */
  #broken: Fault | null = null;
  #repairAtMs = 0;

  /** `openLog` makes them. */
  constructor(
    settings: LogSettings,
    components: LogComponents,
    keys: KeyWindow,
    files: LogFile[],
    file: DiskFile,
    marked: boolean,
  ) {
    this.#settings = settings;
    this.#components = components;
    this.#keys = keys;
    this.#files = files;
    this.#file = file;
    this.#marked = marked;
    const { clock } = components;
    this.#keysOpenedAt = { wallMs: keys.nowMs(clock.nowMs()), monotonicMs: clock.monotonicMs() };
  }

  get #keysNowMs(): number {
    return this.#keysOpenedAt.wallMs + this.#components.clock.monotonicMs() - this.#keysOpenedAt.monotonicMs;
  }

  get #active(): LogFile {
    return this.#files.at(-1)!;
  }

  /** First offset that is still in the log. */
  get startOffset(): number {
    return this.#files[0]!.baseOffset;
  }

  /** Offset after the last durable row. */
  get endOffset(): number {
    return this.#active.endOffset;
  }

  get sizeBytes(): number {
    return this.#files.reduce((sum, file) => sum + file.sizeBytes, 0);
  }

  /** Why appends are refused at present; null when they are not. */
  get cause(): Fault | null {
    return this.#broken;
  }

  /** What the push with this key answered, if it is in the window. */
  findKey(key: string): KeyAnswer | null {
    return this.#keys.find(key, this.#keysNowMs);
  }

  /**
   * Adds one record at the end. Resolves when it is durable; records given while a write is under way share the next write
   * and fsync, and resolve in the order of their offsets. Takes the frame's bytes before it returns control for good, that
   * is until it resolves they must not change.
   * @throws FaultError DISK_FULL, UNAVAILABLE: the rows are not in the log, but for a crash before the log is repaired,
   * after which they may be (a key tells). Later appends work when the disk does. LIMIT_EXCEEDED, SHUTTING_DOWN.
   */
  async append(record: NewRecord): Promise<Appended> {
    assert(record.idempotencyKey !== '', 'a key is not empty');
    if (this.#closed) throw fault('SHUTTING_DOWN', 'the log is closed');
    const sizeBytes = recordSizeBytes(record);
    if (sizeBytes > recordSizeBytesMax)
      throw fault('LIMIT_EXCEEDED', `a push of ${sizeBytes} bytes is more than a record's ${recordSizeBytesMax}`, {
        hint: 'send the rows in several pushes',
      });
    return new Promise((resolve, reject) => {
      this.#pending.push({ record, sizeBytes, resolve, reject });
      this.#startFlush();
    });
  }

  /** From the next append on, rows go to a new file: files then end where segments do, and leave with them. */
  roll(): void {
    this.#rollWanted = true;
  }

  /** Brings a broken log back if the disk allows; nothing to do for a good one. Never throws: `cause` tells. */
  repair(): Promise<void> {
    return this.#inTurn(() => this.#repair());
  }

  /**
   * Records with rows at or after `fromOffset`, in order, up to the end as it is now. Their memory is their own.
   * @throws FaultError CORRUPT_LOG
   */
  async *read(fromOffset: number): AsyncGenerator<LogRecord, void, void> {
    const { disk } = this.#components;
    for (const { path, endOffset, sizeBytes } of this.#files.map(file => ({ ...file }))) {
      if (endOffset <= fromOffset) continue;
      for await (const record of scanFile(disk, path, sizeBytes))
        if (record.rowCount > 0 && record.baseOffset + record.rowCount > fromOffset) yield record;
    }
  }

  /**
   * Removes whole files whose rows are all below `endOffset`, after their keys are safe in the checkpoint.
   * @throws what the disk throws; the log is good all the same, and the next call does it again
   */
  truncate(endOffset: number): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#active.endOffset <= endOffset && this.#hasRows && this.#broken === null) await this.#openNext();
      const count = this.#files.findIndex(file => file.endOffset > endOffset || file === this.#active);
      if (count === 0) return;
      const { disk } = this.#components;
      this.#keys.expire(this.#keysNowMs);
      await writeKeys(disk, this.#settings.folder, this.#keys);
      for (let removed = 0; removed < count; removed++) {
        await disk.remove(this.#files[0]!.path);
        this.#files.shift();
      }
      await disk.syncFolder(this.#settings.folder);
    });
  }

  /** Appends given before are finished; later ones refused. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#inTurn(async () => {
      // Without the mark the last group would pass for a torn write if its bytes were damaged while nobody looks.
      if (!this.#marked && this.#broken === null) await this.#writeGroup([mark]).catch(() => {});
      await this.#file.close();
      // Without it a log that is cut off meanwhile would pass for one that ended there.
      if (this.#marked) await writeClosed(this.#components.disk, this.#settings.folder, this.endOffset).catch(() => {});
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.then(
      () => {},
      () => {},
    );
    return done;
  }

  #startFlush(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    // A turn a group: truncations get theirs between two.
    void this.#inTurn(async () => {
      await this.#flushGroup(this.#takeGroup());
      this.#flushing = false;
      if (this.#pending.length > 0) this.#startFlush();
    });
  }

  #takeGroup(): Pending[] {
    let count = 1;
    let sizeBytes = this.#pending[0]!.sizeBytes;
    while (count < this.#pending.length && (sizeBytes += this.#pending[count]!.sizeBytes) <= groupSizeBytesMax) count++;
    return this.#pending.splice(0, count);
  }

  /** Never throws: the appends do. */
  async #flushGroup(group: readonly Pending[]): Promise<void> {
    try {
      if (this.#broken) await this.#repair();
      if (this.#broken) throw new FaultError(this.#broken);
      const { fileSizeBytes = logFileSizeBytesDefault } = this.#settings;
      if (this.#hasRows && (this.#rollWanted || this.#active.sizeBytes >= fileSizeBytes)) await this.#openNext();
      this.#rollWanted = false;
      const written = await this.#writeGroup(group.map(({ record }) => record));
      group.forEach(({ record, resolve }, index) => {
        const { baseOffset, appendedAtMs } = written[index]!;
        if (record.idempotencyKey !== null)
          this.#keys.add(record.idempotencyKey, {
            accepted: record.rowCount,
            rejected: record.rejectedCount,
            appendedAtMs,
          });
        resolve({ startOffset: baseOffset, endOffset: baseOffset + record.rowCount, appendedAtMs });
      });
    } catch (error) {
      const cause = asLogFault(error);
      for (const { reject } of group) reject(cause);
    }
  }

  /** One write, one fsync. Where it fails the file is cut back to what was durable before. */
  async #writeGroup(records: readonly NewRecord[]): Promise<LogRecord[]> {
    const active = this.#active;
    const bytes = new Uint8Array(records.reduce((sum, record) => sum + recordSizeBytes(record), 0));
    const appendedAtMs = this.#components.clock.nowMs();
    let baseOffset = active.endOffset;
    let position = 0;
    const written = records.map(record => {
      const whole: LogRecord = { ...record, baseOffset, appendedAtMs, durableSizeBytes: active.sizeBytes };
      position = encodeRecord(whole, active.salt, bytes, position);
      baseOffset += record.rowCount;
      return whole;
    });
    try {
      await this.#file.write(bytes, active.sizeBytes);
      await this.#file.sync();
    } catch (error) {
      this.#broken = asLogFault(error).fault;
      this.#repairAtMs = 0;
      await this.#repair();
      throw error;
    }
    active.sizeBytes += bytes.length;
    active.endOffset = baseOffset;
    this.#marked = isMark(written.at(-1)!);
    return written;
  }

  async #repair(): Promise<void> {
    const { clock, disk, log } = this.#components;
    if (this.#broken === null || clock.monotonicMs() < this.#repairAtMs) return;
    try {
      await this.#file.truncate(this.#active.sizeBytes);
      await this.#file.sync();
      await disk.syncFolder(this.#settings.folder);
      this.#broken = null;
    } catch (error) {
      // Until the end of the file is known, nothing may be written behind it.
      this.#broken = asLogFault(error).fault;
      this.#repairAtMs = clock.monotonicMs() + repairDelayMs;
      log.warn('the log cannot be cut back to its durable end', {
        path: this.#active.path,
        cause: this.#broken.message,
      });
    }
  }

  /** A file without rows would have its successor's name. */
  get #hasRows(): boolean {
    return this.#active.endOffset > this.#active.baseOffset;
  }

  async #openNext(): Promise<void> {
    const previous = this.#file;
    const { file, ...next } = await createFile(this.#settings.folder, this.#active.endOffset, this.#components);
    this.#file = file;
    this.#files.push(next);
    this.#marked = true;
    await previous.close().catch(() => {});
    try {
      await this.#components.disk.syncFolder(this.#settings.folder);
    } catch (error) {
      // It has its name, but not durably: nothing may be written to it, nor to the one before, which it vouches for.
      this.#broken = asLogFault(error).fault;
      this.#repairAtMs = 0;
      throw error;
    }
  }
}

/** A file with a durable header, under its name, whose durability is the caller's. Leaves nothing behind if it fails. */
export async function createFile(
  folder: string,
  baseOffset: number,
  { disk, random }: LogComponents,
): Promise<LogFile & { readonly file: DiskFile }> {
  const path = `${folder}/${logFileName(baseOffset)}`;
  const salt = Number.parseInt(random.hex(8), 16);
  const file = await disk.open(`${path}${unfinishedSuffix}`, 'write');
  try {
    await file.truncate(0);
    await file.write(encodeFileHeader({ baseOffset, salt }), 0);
    await file.sync();
    await disk.rename(`${path}${unfinishedSuffix}`, path);
  } catch (error) {
    await file.close().catch(() => {});
    throw error;
  }
  return { path, salt, baseOffset, endOffset: baseOffset, sizeBytes: fileHeaderSizeBytes, file };
}

/** What a failed write or sync means to whoever waits for it. */
function asLogFault(error: unknown): FaultError {
  if (error instanceof FaultError) return error;
  const cause = toFault(error);
  if (cause.code === 'DISK_FULL') return new FaultError(cause, { cause: error });
  return fault(
    'UNAVAILABLE',
    `the log cannot be written: ${cause.message}`,
    { hint: 'check the disk of the data folder; the rows were not acknowledged: send them again' },
    { cause: error },
  );
}
