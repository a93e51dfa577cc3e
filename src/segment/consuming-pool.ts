import { fault } from '../base/fault.ts';
import { isPresent } from '../column/column.ts';
import type { Arena } from '../kernel/allocator.ts';
import { hashBytes } from '../kernel/hash.ts';
import type { Pool } from './block.ts';

/** Most columns of most tables have few distinct values: start small, double. */
const initialEntries = 16;
const initialBytes = 256;

/** Above this many bytes an area grows by a half, not to twice: a pool of unique ids then wastes a third at most. */
const doublingBytesMax = 1 << 20;

/** Hashes computed ahead of the lookups, so that the lookups' cache misses overlap. */
const chunkRows = 2048;
const hashes = new Uint32Array(chunkRows);

const grown = (sizeBytes: number, neededBytes: number): number =>
  Math.max(neededBytes, sizeBytes < doublingBytesMax ? sizeBytes * 2 : Math.ceil(sizeBytes * 1.5));

/**
 * Distinct byte strings of one column of a consuming segment, in order of first appearance, all in the arena:
 *
 *   offsets u32[entries + 1], bytes u8[], slots (hash u32, entry + 1 u32)[2^k]
 *
 * Slots are open addressing with linear probing, at most three quarters full; 0 in place of an entry means free.
 * A lookup is O(size of the string); growing moves the areas, never the entries' numbers.
 */
export class ConsumingPool implements Pool {
  readonly sorted = false;
  readonly distinct = true;
  readonly #arena: Arena;
  #count = 0;
  #offsetsAddress: number;
  #bytesAddress: number;
  #slotsAddress: number;
  #slotCount = initialEntries * 2;

  constructor(arena: Arena) {
    this.#arena = arena;
    const addresses: number[] = [];
    try {
      for (const size of [(initialEntries + 1) * 4, initialBytes, this.#slotCount * 8])
        addresses.push(arena.allocate(size));
    } catch (error) {
      for (const address of addresses) arena.free(address);
      throw error;
    }
    [this.#offsetsAddress, this.#bytesAddress, this.#slotsAddress] = addresses as [number, number, number];
    // Entry 0 reads as the empty string even while there is none: the harmless value under a null.
    arena.u32.fill(0, this.#offsetsAddress / 4, this.#offsetsAddress / 4 + 2);
    arena.u32.fill(0, this.#slotsAddress / 4, this.#slotsAddress / 4 + this.#slotCount * 2);
  }

  get count(): number {
    return this.#count;
  }

  get offsetsAddress(): number {
    return this.#offsetsAddress;
  }

  get bytesAddress(): number {
    return this.#bytesAddress;
  }

  /** Bytes of all entries together. */
  get sizeBytes(): number {
    return this.#arena.u32[this.#offsetsAddress / 4 + this.#count]!;
  }

  /**
   * For each row r of `[from, to)` the entry equal to `source[offsets[r] .. offsets[r + 1])`, added where there is none,
   * goes to `codes[r]`; 0 under a null.
   * @throws FaultError CORRUPT_FRAME where offsets lead outside, MEMORY_BUDGET; entries added before stay, without rows
   */
  intern(
    source: Uint8Array,
    offsets: Uint32Array,
    validity: Uint8Array | null,
    from: number,
    to: number,
    codes: Uint32Array,
  ): void {
    for (let start = from; start < to; start += chunkRows) {
      const end = Math.min(to, start + chunkRows);
      for (let row = start; row < end; row++) {
        if (validity !== null && !isPresent(validity, row)) continue;
        const first = offsets[row];
        const last = offsets[row + 1];
        if (first === undefined || last === undefined || first > last || last > source.length)
          throw fault('CORRUPT_FRAME', `a string at ${first} to ${last} of ${source.length} bytes`);
        hashes[row - start] = hashBytes(source, first, last);
      }
      this.#lookUp(source, offsets, validity, start, end, codes);
    }
  }

  /** Of at most `chunkRows` rows, whose hashes are ready. */
  #lookUp(
    source: Uint8Array,
    offsets: Uint32Array,
    validity: Uint8Array | null,
    from: number,
    to: number,
    codes: Uint32Array,
  ): void {
    const { u32, u8 } = this.#arena;
    let slots = this.#slotsAddress / 4;
    let entries = this.#offsetsAddress / 4;
    let bytes = this.#bytesAddress;
    let mask = this.#slotCount - 1;
    rows: for (let row = from; row < to; row++) {
      if (validity !== null && !isPresent(validity, row)) {
        codes[row] = 0;
        continue;
      }
      const start = offsets[row]!;
      const size = offsets[row + 1]! - start;
      const hash = hashes[row - from]!;
      for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
        const entry = u32[slots + slot * 2 + 1]! - 1;
        if (entry < 0) break;
        if (u32[slots + slot * 2] !== hash) continue;
        const at = bytes + u32[entries + entry]!;
        if (bytes + u32[entries + entry + 1]! - at !== size) continue;
        let same = 0;
        while (same < size && u8[at + same] === source[start + same]) same++;
        if (same < size) continue;
        codes[row] = entry;
        continue rows;
      }
      codes[row] = this.#add(hash, source, start, size);
      slots = this.#slotsAddress / 4;
      entries = this.#offsetsAddress / 4;
      bytes = this.#bytesAddress;
      mask = this.#slotCount - 1;
    }
  }

  free(): void {
    for (const address of [this.#offsetsAddress, this.#bytesAddress, this.#slotsAddress]) this.#arena.free(address);
  }

  #add(hash: number, source: Uint8Array, start: number, size: number): number {
    if ((this.#count + 1) * 4 > this.#slotCount * 3) this.#growSlots();
    this.#reserve(size);
    const { u32, u8 } = this.#arena;
    const entry = this.#count;
    const offset = this.#offsetsAddress / 4 + entry;
    const to = this.#bytesAddress + u32[offset]!;
    if (size < 64) for (let index = 0; index < size; index++) u8[to + index] = source[start + index]!;
    else u8.set(source.subarray(start, start + size), to);
    u32[offset + 1] = u32[offset]! + size;
    const slot = this.#slotsAddress / 4 + this.#freeSlot(hash) * 2;
    u32[slot] = hash;
    u32[slot + 1] = entry + 1;
    this.#count = entry + 1;
    return entry;
  }

  #freeSlot(hash: number): number {
    const { u32 } = this.#arena;
    const slots = this.#slotsAddress / 4;
    const mask = this.#slotCount - 1;
    let slot = hash & mask;
    while (u32[slots + slot * 2 + 1] !== 0) slot = (slot + 1) & mask;
    return slot;
  }

  #growSlots(): void {
    const { u32 } = this.#arena;
    const oldCount = this.#slotCount;
    const oldAddress = this.#slotsAddress;
    this.#slotsAddress = this.#arena.allocate(oldCount * 16);
    this.#slotCount = oldCount * 2;
    const slots = this.#slotsAddress / 4;
    u32.fill(0, slots, slots + this.#slotCount * 2);
    for (let old = oldAddress / 4; old < oldAddress / 4 + oldCount * 2; old += 2) {
      if (u32[old + 1] === 0) continue;
      const slot = this.#freeSlot(u32[old]!);
      u32[slots + slot * 2] = u32[old]!;
      u32[slots + slot * 2 + 1] = u32[old + 1]!;
    }
    this.#arena.free(oldAddress);
  }

  /** Room for one more entry of so many bytes. */
  #reserve(sizeBytes: number): void {
    const used = this.sizeBytes;
    this.#bytesAddress = this.#grow(this.#bytesAddress, used, used + sizeBytes);
    this.#offsetsAddress = this.#grow(this.#offsetsAddress, (this.#count + 1) * 4, (this.#count + 2) * 4);
  }

  #grow(address: number, usedBytes: number, neededBytes: number): number {
    const sizeBytes = this.#arena.sizeOf(address);
    if (neededBytes <= sizeBytes) return address;
    const moved = this.#arena.allocate(grown(sizeBytes, neededBytes));
    this.#arena.u8.copyWithin(moved, address, address + usedBytes);
    this.#arena.free(address);
    return moved;
  }
}
