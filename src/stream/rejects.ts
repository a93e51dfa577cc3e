/** Rejected rows of a table, kept for people: `rejects.ndjson` and, when that is full, the one before. */
import type { Clock, Disk, Log } from '../base/seams.ts';
import { rejectLogSizeBytesMax, rejectsPerPushMax } from './limits.ts';

export interface LoggedReject {
  readonly line: number;
  readonly column: string | null;
  readonly reason: string;
  /** The start of the row as it came. */
  readonly text: string;
}

/**
 * A help, not a record: it is not synced, and a disk that refuses it costs no push. One writer per table.
 */
export class RejectLog {
  readonly #folder: string;
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #log: Log;
  #turn: Promise<void> = Promise.resolve();

  /** @param folder `log/<tableId>`, which exists. */
  constructor(folder: string, { disk, clock, log }: { disk: Disk; clock: Clock; log: Log }) {
    this.#folder = folder;
    this.#disk = disk;
    this.#clock = clock;
    this.#log = log;
  }

  /** Returns at once; the lines are written one push after another. */
  add(rejects: readonly LoggedReject[], idempotencyKey: string | null): void {
    if (rejects.length === 0) return;
    const time = new Date(this.#clock.nowMs()).toISOString();
    const lines = rejects
      .slice(0, rejectsPerPushMax)
      .map(
        ({ line, column, reason, text }) => `${JSON.stringify({ time, line, column, reason, idempotencyKey, text })}\n`,
      )
      .join('');
    this.#turn = this.#turn
      .then(() => this.#write(new TextEncoder().encode(lines)))
      .catch(error => {
        this.#log.warn('rejected rows could not be logged', { folder: this.#folder, cause: String(error) });
      });
  }

  /** Resolves when what was added is written. */
  close(): Promise<void> {
    return this.#turn;
  }

  async #write(bytes: Uint8Array): Promise<void> {
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
