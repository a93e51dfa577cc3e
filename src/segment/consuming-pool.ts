import { equalBytes, hashBytes } from '../kernel/hash.ts';
import type { Arena } from '../kernel/allocator.ts';
import type { Pool } from './block.ts';

/** Most columns of most tables have few distinct values: start small, double. */
const initialEntries = 16;
const initialBytes = 256;

/** Above this many bytes an area grows by a half, not to twice: a pool of unique ids then wastes a third at most. */
const doublingBytesMax = 1 << 20;

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
   * The entry equal to `source[start .. end)`, added where there is none.
   * @throws FaultError MEMORY_BUDGET; the pool is then as it was.
   */
  intern(source: Uint8Array, start: number, end: number): number {
    const { u32, u8 } = this.#arena;
    const hash = hashBytes(source, start, end);
    const mask = this.#slotCount - 1;
    const slots = this.#slotsAddress / 4;
    const offsets = this.#offsetsAddress / 4;
    const bytes = this.#bytesAddress;
    let slot = hash & mask;
    for (; ; slot = (slot + 1) & mask) {
      const entry = u32[slots + slot * 2 + 1]! - 1;
      if (entry < 0) break;
      if (u32[slots + slot * 2] !== hash) continue;
      if (equalBytes(u8, bytes + u32[offsets + entry]!, bytes + u32[offsets + entry + 1]!, source, start, end))
        return entry;
    }
    const needsSlots = (this.#count + 1) * 4 > this.#slotCount * 3;
    if (needsSlots) this.#growSlots();
    this.#reserve(end - start);
    if (needsSlots) slot = this.#freeSlot(hash);
    return this.#add(slot, hash, source, start, end);
  }

  free(): void {
    for (const address of [this.#offsetsAddress, this.#bytesAddress, this.#slotsAddress]) this.#arena.free(address);
  }

  #add(slot: number, hash: number, source: Uint8Array, start: number, end: number): number {
    const { u32, u8 } = this.#arena;
    const entry = this.#count;
    const offset = this.#offsetsAddress / 4 + entry;
    const to = this.#bytesAddress + u32[offset]!;
    const size = end - start;
    if (size < 64) for (let index = 0; index < size; index++) u8[to + index] = source[start + index]!;
    else u8.set(source.subarray(start, end), to);
    u32[offset + 1] = u32[offset]! + size;
    u32[this.#slotsAddress / 4 + slot * 2] = hash;
    u32[this.#slotsAddress / 4 + slot * 2 + 1] = entry + 1;
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
