/**
 * What a shard has of committed segments in its arena; least recently used leaves first.
 *
 * The invariant that makes an address safe to use: **what was touched in the present turn of the event loop is never
 * evicted in it.** A turn ends only in a macrotask (`setImmediate`), by which time every synchronous stretch, and every
 * continuation of a resolved `load`, that was handed an address has run to its next await. So whoever awaits `load`
 * directly finds the columns there, however many scans interleave; whoever awaits something else in between may find a
 * column gone, and `Block.column` then reads it again. A load that finds room only among things touched in this turn
 * waits for the next one, and is refused (MEMORY_BUDGET) only if nothing else is left then.
 */
import { assert } from '../base/assert.ts';
import { toFault } from '../base/fault.ts';
import type { Arena } from '../kernel/allocator.ts';

/** One allocation of the cache; its owner can make it again. `address` is 0 once it is evicted. */
export interface Resident {
  readonly address: number;
  readonly sizeBytes: number;
}

class Node implements Resident {
  address = 0;
  sizeBytes = 0;
  turn = 0;
  older: Node = this;
  newer: Node = this;

  unlink(): void {
    this.older.newer = this.newer;
    this.newer.older = this.older;
  }
}

export interface CacheStats {
  readonly usedBytes: number;
  readonly residentCount: number;
  /** Since the start: allocations made, evicted, and buffers whose checksum failed. */
  readonly loadCount: number;
  readonly evictCount: number;
  readonly corruptCount: number;
}

export class SegmentCache {
  readonly arena: Arena;
  readonly #highWaterBytes: number;
  /** A ring: `newer` of it is the oldest, `older` the newest. */
  readonly #ring = new Node();
  #turn = 1;
  #turnEnds = false;
  #usedBytes = 0;
  #residentCount = 0;
  #loadCount = 0;
  #evictCount = 0;
  corruptCount = 0;

  /**
   * Takes the arena's `reclaim`, so that whoever else allocates there makes cached columns leave.
   * @param highWaterBytes Of the arena, at most so many bytes for the cache.
   */
  constructor(arena: Arena, highWaterBytes = arena.capacityBytes) {
    this.arena = arena;
    this.#highWaterBytes = highWaterBytes;
    arena.reclaim = () => this.#evictOldest();
  }

  get stats(): CacheStats {
    return {
      usedBytes: this.#usedBytes,
      residentCount: this.#residentCount,
      loadCount: this.#loadCount,
      evictCount: this.#evictCount,
      corruptCount: this.corruptCount,
    };
  }

  /** Room for `sizeBytes`, touched; null where only things touched in this turn are left to evict. */
  allocate(sizeBytes: number): Resident | null {
    while (this.#usedBytes + sizeBytes > this.#highWaterBytes) if (!this.#evictOldest()) return null;
    const node = new Node();
    try {
      node.address = this.arena.allocate(sizeBytes);
    } catch (error) {
      if (toFault(error).code !== 'MEMORY_BUDGET') throw error;
      return null;
    }
    node.sizeBytes = this.arena.sizeOf(node.address);
    this.#usedBytes += node.sizeBytes;
    this.#residentCount++;
    this.#loadCount++;
    this.#append(node);
    return node;
  }

  /** Keeps it for this turn, and makes it the most recently used. */
  touch(resident: Resident): void {
    const node = resident as Node;
    assert(node.address !== 0, 'what was evicted is not touched');
    if (node.turn === this.#turn) return;
    node.unlink();
    this.#append(node);
  }

  /** Frees it now: its segment is closed, or its bytes turned out corrupt. Nothing to do where it was evicted. */
  release(resident: Resident): void {
    const node = resident as Node;
    if (node.address === 0) return;
    node.unlink();
    this.arena.free(node.address);
    node.address = 0;
    this.#usedBytes -= node.sizeBytes;
    this.#residentCount--;
  }

  /** Resolves in a new turn: what was touched before may be evicted. */
  nextTurn(): Promise<void> {
    return new Promise(resolve =>
      setImmediate(() => {
        this.#turn++;
        resolve();
      }),
    );
  }

  #append(node: Node): void {
    node.turn = this.#turn;
    node.older = this.#ring.older;
    node.newer = this.#ring;
    node.older.newer = node;
    this.#ring.older = node;
    if (this.#turnEnds) return;
    this.#turnEnds = true;
    setImmediate(() => {
      this.#turnEnds = false;
      this.#turn++;
    });
  }

  #evictOldest(): boolean {
    const oldest = this.#ring.newer;
    if (oldest === this.#ring || oldest.turn === this.#turn) return false;
    this.release(oldest);
    this.#evictCount++;
    return true;
  }
}
