import { type Account, refusal } from '../base/accounts.ts';
import type { SegmentCache } from '../segment/cache.ts';
import type { OpenFiles } from '../segment/files.ts';
import { openSegment, type StoredSegment } from '../segment/reader.ts';
import type { ScanTask } from '../wire/shard-calls.ts';

type SegmentEntry = ScanTask['segments'][number]['entry'];

/** Manifests that a shard keeps in memory: at some 50 KiB for a large segment, about 100 MiB at worst. */
export const segmentsOpenMax = 2048;

interface Opened {
  readonly generation: number;
  readonly reader: Promise<StoredSegment>;
  userCount: number;
  /** Evicted, or replaced by a later generation: closed by its last user. */
  dropped: boolean;
  /** Of the account. */
  heldBytes: number;
}

/**
 * Heap of an open segment: of itself, and of each column in each block (its place, its statistics, its checksums).
 * Measured at 496 bytes a column and block, with all of them parsed.
 */
const segmentHeapBytes = 8_192;
const blockColumnHeapBytes = 500;

const heapBytesOf = ({ manifest, blocks }: StoredSegment): number =>
  segmentHeapBytes + manifest.columns.length * (blocks.length + 1) * blockColumnHeapBytes;

/** A segment in use; released exactly once. */
export interface SegmentUse {
  readonly segment: StoredSegment;
  release(): void;
}

/** Committed segments of one shard, opened when first asked for; the least recently used, if idle, close at the limit. */
export class OpenSegments {
  readonly #files: OpenFiles;
  readonly #cache: SegmentCache;
  readonly #account: Account;
  readonly #countMax: number;
  /** By id, in order of use. */
  readonly #opened = new Map<string, Opened>();

  constructor(files: OpenFiles, cache: SegmentCache, account: Account, countMax = segmentsOpenMax) {
    this.#files = files;
    this.#cache = cache;
    this.#account = account;
    this.#countMax = countMax;
  }

  get count(): number {
    return this.#opened.size;
  }

  /** @throws FaultError CORRUPT_SEGMENT, MEMORY_BUDGET; the next use tries again */
  async use(entry: SegmentEntry): Promise<SegmentUse> {
    const opened = this.#open(entry);
    opened.userCount++;
    let released = false;
    const release = (): void => {
      if (released) return;
      released = true;
      opened.userCount--;
      if (opened.dropped) this.#closeIdle(opened);
    };
    try {
      return { segment: await opened.reader, release };
    } catch (error) {
      if (this.#opened.get(entry.id) === opened) this.#opened.delete(entry.id);
      throw error;
    }
  }

  /** Forgets segments that are gone; those in use close with their last user. */
  evict(segmentIds: readonly string[]): void {
    for (const id of segmentIds) this.#drop(id);
  }

  #open(entry: SegmentEntry): Opened {
    const known = this.#opened.get(entry.id);
    if (known?.generation === entry.generation) {
      this.#opened.delete(entry.id);
      this.#opened.set(entry.id, known);
      return known;
    }
    this.#drop(entry.id);
    const reader = openSegment(entry, this.#files, this.#cache).then(segment => {
      this.#charge(opened, segment);
      return segment;
    });
    const opened: Opened = { generation: entry.generation, reader, userCount: 0, dropped: false, heldBytes: 0 };
    this.#opened.set(entry.id, opened);
    if (this.#opened.size > this.#countMax) this.#dropIdle();
    return opened;
  }

  /** Counts the manifest; where the account is full, idle segments make room. @throws FaultError MEMORY_BUDGET */
  #charge(opened: Opened, segment: StoredSegment): void {
    const heapBytes = heapBytesOf(segment);
    while (!this.#account.tryHold(heapBytes))
      if (!this.#dropIdle()) {
        segment.close();
        throw refusal(this.#account, heapBytes);
      }
    opened.heldBytes = heapBytes;
  }

  /** The least recently used that nobody uses, whose manifest is there. */
  #dropIdle(): boolean {
    for (const [id, { userCount, heldBytes }] of this.#opened)
      if (userCount === 0 && heldBytes > 0) {
        this.#drop(id);
        return true;
      }
    return false;
  }

  #drop(id: string): void {
    const opened = this.#opened.get(id);
    if (!opened) return;
    this.#opened.delete(id);
    opened.dropped = true;
    this.#closeIdle(opened);
  }

  #closeIdle(opened: Opened): void {
    if (opened.userCount > 0) return;
    this.#account.release(opened.heldBytes);
    opened.heldBytes = 0;
    // A reader that failed to open has nothing to close; its users saw the fault.
    opened.reader.then(segment => segment.close()).catch(() => {});
  }
}
