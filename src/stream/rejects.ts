/** Rejected rows of a table, kept for people: `rejects.ndjson` and, when that is full, the one before. */
import { crc32c } from '../base/checksum.ts';
import type { Clock, Disk, Log } from '../base/seams.ts';
import { rejectLogSizeBytesMax, rejectsPerPushMax } from './limits.ts';

export interface NewReject {
  /** Of a message; null for pushed rows. */
  readonly partition: number | null;
  readonly offset: number | null;
  /** Of a push; null for messages. */
  readonly line: number | null;
  readonly idempotencyKey: string | null;
  readonly column: string | null;
  readonly reason: string;
  /** The start of the row as it came. */
  readonly text: string;
}

export interface LoggedReject extends NewReject {
  readonly atMs: number;
}

export const rejectFileNames = ['rejects.1.ndjson', 'rejects.ndjson'] as const;

/**
 * A help, not a record: it is not synced, and a disk that refuses it costs no push. One writer per table.
 */
export class RejectLog {
  readonly #folder: string;
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #log: Log;
  #turn: Promise<void> = Promise.resolve();

  /** @param folder `log/<tableId>`; made where there is none. */
  constructor(folder: string, { disk, clock, log }: { disk: Disk; clock: Clock; log: Log }) {
    this.#folder = folder;
    this.#disk = disk;
    this.#clock = clock;
    this.#log = log;
  }

  /** Returns at once; the lines are written one push after another. */
  add(rejects: readonly NewReject[]): void {
    if (rejects.length === 0) return;
    const time = new Date(this.#clock.nowMs()).toISOString();
    const lines = rejects
      .slice(0, rejectsPerPushMax)
      .map(reject => encodeEntry({ time, ...reject }))
      .join('');
    this.#turn = this.#turn
      .then(() => this.#write(new TextEncoder().encode(lines)))
      .catch(error => {
        this.#log.warn('rejected rows could not be logged', { folder: this.#folder, cause: String(error) });
      });
  }

  /** What is kept, oldest first; a message that was read and rejected again is there once. O(size of the files). */
  async read(): Promise<LoggedReject[]> {
    await this.#turn;
    const entries = new Map<string, LoggedReject>();
    for (const name of rejectFileNames)
      for (const line of (await this.#readText(`${this.#folder}/${name}`)).split('\n')) {
        const entry = parseReject(line);
        if (!entry) continue;
        const { partition, offset } = entry;
        entries.set(partition === null ? `row ${entries.size}` : `${partition} ${offset}`, entry);
      }
    return [...entries.values()];
  }

  async #readText(path: string): Promise<string> {
    if (!(await this.#disk.exists(path))) return '';
    const file = await this.#disk.open(path, 'read');
    try {
      const bytes = new Uint8Array(await file.sizeBytes());
      return new TextDecoder().decode(bytes.subarray(0, await file.read(bytes, 0)));
    } finally {
      await file.close();
    }
  }

  /** Resolves when what was added is written. */
  close(): Promise<void> {
    return this.#turn;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    // A table that consumes a stream has no log, which would have made the folder.
    await this.#disk.makeFolder(this.#folder);
    const path = `${this.#folder}/rejects.ndjson`;
    let file = await this.#disk.open(path, 'write');
    try {
      let sizeBytes = await file.sizeBytes();
      if (sizeBytes > 0 && sizeBytes + bytes.length > rejectLogSizeBytesMax) {
        await file.close();
        await this.#disk.rename(path, `${this.#folder}/rejects.1.ndjson`);
        file = await this.#disk.open(path, 'write');
        sizeBytes = 0;
      }
      try {
        await file.write(bytes, sizeBytes);
      } catch (error) {
        await file.truncate(sizeBytes);
        throw error;
      }
    } finally {
      await file.close();
    }
  }
}

const entryKeys: readonly string[] = ['partition', 'offset', 'line', 'idempotencyKey', 'column', 'reason', 'text'];
const sumSizeBytes = ',"crc32c":"xxxxxxxx"}'.length;
const sumOf = (body: Buffer): string => `,"crc32c":"${crc32c(body).toString(16).padStart(8, '0')}"}`;

/** A line, whose checksum is of all before it. */
function encodeEntry(entry: NewReject & { readonly time: string }): string {
  const body = JSON.stringify(entry).slice(0, -1);
  return `${body}${sumOf(Buffer.from(body))}\n`;
}

/** null for a line that was damaged, or cut short by a crash. Entries of older versions have no checksum, partition and offset. */
export function parseReject(line: string): LoggedReject | null {
  try {
    const {
      time,
      crc32c: sum,
      ...entry
    } = JSON.parse(line) as Omit<LoggedReject, 'atMs'> & {
      readonly time: string;
      readonly crc32c?: string;
    };
    // A sum whose own name was damaged.
    if (Object.keys(entry).some(key => !entryKeys.includes(key))) return null;
    if (sum !== undefined && sumOf(Buffer.from(line.slice(0, -sumSizeBytes))) !== line.slice(-sumSizeBytes))
      return null;
    return { ...entry, partition: entry.partition ?? null, offset: entry.offset ?? null, atMs: Date.parse(time) };
  } catch {
    return null;
  }
}
