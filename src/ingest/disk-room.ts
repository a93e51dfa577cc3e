/**
 * Room on the disk that pushes leave alone. Were they to fill it to the last byte, nothing could be sealed, published or
 * removed any more, and so nothing would ever make room.
 */
import { type Fault, fault, toFault } from '../base/fault.ts';
import type { Disk, Log } from '../base/seams.ts';

/** A segment being built, its metadata, and a log's next file: pushes are refused where less is free. */
export const reserveBytesMax = 256 << 20;
/** Of a small file system, no more than this part. */
const reservePart = 0.05;

export class DiskRoom {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #log: Log;
  /** Free beyond the reserve when it was last looked at, less what was admitted since. */
  #roomBytes = Number.POSITIVE_INFINITY;
  #freeBytes = Number.POSITIVE_INFINITY;
  #reserveBytes = 0;
  #wasFull = false;
  /** Of the push that was refused last, until one is admitted or would be. */
  #refusedSizeBytes = 0;

  /** @param folder Of the log. */
  constructor(folder: string, disk: Disk, log: Log) {
    this.#disk = disk;
    this.#folder = folder;
    this.#log = log;
  }

  /** Looks at the disk: a system call. Never throws: where it cannot be told, writes tell. */
  async look(): Promise<void> {
    try {
      const { freeBytes, sizeBytes } = await this.#disk.space(this.#folder);
      this.#freeBytes = freeBytes;
      this.#reserveBytes = Math.min(reserveBytesMax, Math.floor(sizeBytes * reservePart));
      this.#roomBytes = freeBytes - this.#reserveBytes;
    } catch (error) {
      this.#roomBytes = Number.POSITIVE_INFINITY;
      this.#log.debug('the free space of the disk is not known', { cause: toFault(error).message });
    }
    const isFull = this.#roomBytes <= this.#refusedSizeBytes;
    if (!isFull) this.#refusedSizeBytes = 0;
    if (isFull !== this.#wasFull)
      this.#log.warn(isFull ? 'the disk is nearly full: pushes are refused' : 'the disk has room again', {
        ...{ freeBytes: this.#freeBytes, reserveBytes: this.#reserveBytes },
      });
    this.#wasFull = isFull;
  }

  /** Why no rows can be pushed at present; null where they can. */
  get shortage(): Fault | null {
    return this.#roomBytes > this.#refusedSizeBytes ? null : this.#refusal(this.#refusedSizeBytes).fault;
  }

  /** @throws FaultError DISK_FULL */
  admit(sizeBytes: number): void {
    if (sizeBytes >= this.#roomBytes) {
      this.#refusedSizeBytes = sizeBytes;
      throw this.#refusal(sizeBytes);
    }
    this.#refusedSizeBytes = 0;
    this.#roomBytes -= sizeBytes;
  }

  #refusal(sizeBytes: number) {
    return fault(
      'DISK_FULL',
      `the disk is full: ${this.#freeBytes} bytes are free, of which ${this.#reserveBytes} are kept for sealing what is there`,
      {
        hint: 'free space in the data folder; queries go on, and pushes are taken again once there is space',
        details: { freeBytes: this.#freeBytes, reserveBytes: this.#reserveBytes, pushSizeBytes: sizeBytes },
      },
    );
  }
}
