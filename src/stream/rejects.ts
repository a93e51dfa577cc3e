/** Rejected rows of a table, kept for people: `rejects.ndjson` and, when that is full, the one before. */
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

const fileNames = ['rejects.1.ndjson', 'rejects.ndjson'] as const;

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
      .map(reject => `${JSON.stringify({ time, ...reject })}\n`)
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
    for (const name of fileNames)
      for (const line of (await this.#readText(`${this.#folder}/${name}`)).split('\n')) {
        const entry = parseEntry(line);
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

/** null for a line that was cut short, by a crash say. Entries of older versions have no partition and offset. */
function parseEntry(line: string): LoggedReject | null {
  try {
    const { time, ...entry } = JSON.parse(line) as Omit<LoggedReject, 'atMs'> & { readonly time: string };
    return { ...entry, partition: entry.partition ?? null, offset: entry.offset ?? null, atMs: Date.parse(time) };
  } catch {
    return null;
  }
}
