import type { Account } from '../../base/accounts.ts';
import { type FaultError, toFault } from '../../base/fault.ts';
import type { FetchedPartition } from './fetch.ts';
import { decodeRecordSet } from './record-batch.ts';
import type { MessageBatch, PartitionListener } from './types.ts';

/** One partition that is read: where it is, what it holds, and how it fares. A new `assign` makes a new one. */
export class Assignment {
  readonly partition: number;
  /** Where the next request begins: what is before was taken, or is fetched and not decoded yet. */
  position: number;
  /** Node id of the broker to ask; null: to be found. */
  leader: number | null = null;
  /** Unassigned, or another one took its place: its listener hears no more. */
  isOver = false;
  /** The position is out of range: whether it is lost is being asked, or was told; nothing is read. */
  isParked = false;
  failureCount = 0;
  /** On the monotonic clock: not to be tried again before. */
  dueAtMs = 0;
  readonly #listener: PartitionListener;
  readonly #account: Account | undefined;
  #isInTrouble = false;
  #heldSizeBytes = 0;

  constructor(partition: number, position: number, listener: PartitionListener, account?: Account) {
    this.partition = partition;
    this.position = position;
    this.#listener = listener;
    this.#account = account;
  }

  /** Bytes fetched and not decoded, and of batches whose `take` is not resolved. */
  get heldSizeBytes(): number {
    return this.#heldSizeBytes;
  }

  hold(sizeBytes: number): void {
    this.#heldSizeBytes += sizeBytes;
    this.#account?.note(sizeBytes);
  }

  /** `onRoom` is called when a batch is taken. */
  take(batch: MessageBatch, onRoom: () => void): void {
    const sizeBytes = batch.bytes.length;
    this.hold(sizeBytes);
    const release = (): void => {
      this.hold(-sizeBytes);
      onRoom();
    };
    this.#listener.take(batch).then(release, release);
  }

  /** Decodes what was fetched from `position` on. @returns the error of the first batch that cannot be decoded. */
  deliver(fetched: FetchedPartition, position: number, onRoom: () => void): FaultError | null {
    const { partition, records, aborted } = fetched;
    let end = position;
    try {
      for (const batch of decodeRecordSet({ partition, bytes: records, position, aborted })) {
        this.take(batch, onRoom);
        end = batch.endOffset;
        if (this.isOver) return null;
      }
      return null;
    } catch (error) {
      this.position = end;
      return error as FaultError;
    }
  }

  observe(fetched: FetchedPartition, observedAtMs: number): void {
    const { endOffset, logStartOffset } = fetched;
    if (!this.isOver) this.#listener.observe({ endOffset, logStartOffset, observedAtMs });
  }

  lose(end: Parameters<PartitionListener['lost']>[0]): void {
    if (!this.isOver) this.#listener.lost(end);
  }

  fail(error: unknown): void {
    this.failureCount++;
    this.#isInTrouble = true;
    if (!this.isOver) this.#listener.trouble(toFault(error));
  }

  succeed(): void {
    this.failureCount = 0;
    if (!this.#isInTrouble) return;
    this.#isInTrouble = false;
    if (!this.isOver) this.#listener.trouble(null);
  }
}
