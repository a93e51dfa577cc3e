/**
 * Distinct byte strings with dense ids from 0: what makes one group of the same string in two dictionaries.
 * Open addressing over a table of ids, linear probing, at most half full. The strings lie one after another.
 */

import type { StringPool } from '../column/vector.ts';
import { equalBytes, hashBytes } from '../kernel/hash.ts';

const tableSizeMin = 1024;

export class Interner {
  count = 0;
  #bytes = new Uint8Array(4096);
  #offsets = new Uint32Array(tableSizeMin / 2 + 1);
  #hashes = new Uint32Array(tableSizeMin / 2);
  /** id + 1; 0 is free. */
  #table = new Uint32Array(tableSizeMin);
  readonly #key = {};
  /** Entry of a pool → id + 1 (0: not yet known), for pools whose entries are distinct. */
  readonly #maps = new WeakMap<object, Uint32Array>();
  /** Of all maps that were made: those of pools that are gone count on, for nobody tells. */
  #mapsBytes = 0;

  get sizeBytes(): number {
    const { length: tableLength } = this.#table;
    return this.#bytes.length + (this.#offsets.length + this.#hashes.length + tableLength) * 4 + this.#mapsBytes;
  }

  /** Id of `bytes[start .. end)`, given to it now if it is new. */
  intern(bytes: Uint8Array, start: number, end: number): number {
    const hash = hashBytes(bytes, start, end);
    const mask = this.#table.length - 1;
    let slot = hash & mask;
    for (;;) {
      const id = this.#table[slot]! - 1;
      if (id < 0) break;
      if (
        this.#hashes[id] === hash &&
        equalBytes(this.#bytes, this.#offsets[id]!, this.#offsets[id + 1]!, bytes, start, end)
      )
        return id;
      slot = (slot + 1) & mask;
    }
    return this.#add(bytes, start, end, hash, slot);
  }

  /** Whether `bytes[start .. end)` has an id. */
  has(bytes: Uint8Array, start: number, end: number): boolean {
    const hash = hashBytes(bytes, start, end);
    const mask = this.#table.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const id = this.#table[slot]! - 1;
      if (id < 0) return false;
      if (
        this.#hashes[id] === hash &&
        equalBytes(this.#bytes, this.#offsets[id]!, this.#offsets[id + 1]!, bytes, start, end)
      )
        return true;
    }
  }

  #add(bytes: Uint8Array, start: number, end: number, hash: number, slot: number): number {
    const id = this.count++;
    const from = this.#offsets[id]!;
    const to = from + end - start;
    if (to > this.#bytes.length) {
      const bigger = new Uint8Array(Math.max(this.#bytes.length * 2, to));
      bigger.set(this.#bytes.subarray(0, from));
      this.#bytes = bigger;
    }
    for (let at = start, into = from; at < end; at++, into++) this.#bytes[into] = bytes[at]!;
    this.#offsets[id + 1] = to;
    this.#hashes[id] = hash;
    this.#table[slot] = id + 1;
    if (this.count * 2 >= this.#table.length) this.#grow();
    return id;
  }

  #grow(): void {
    const size = this.#table.length * 2;
    const offsets = new Uint32Array(size / 2 + 1);
    offsets.set(this.#offsets);
    const hashes = new Uint32Array(size / 2);
    hashes.set(this.#hashes);
    this.#offsets = offsets;
    this.#hashes = hashes;
    const table = new Uint32Array(size);
    for (let id = 0; id < this.count; id++) {
      let slot = hashes[id]! & (size - 1);
      while (table[slot] !== 0) slot = (slot + 1) & (size - 1);
      table[slot] = id + 1;
    }
    this.#table = table;
  }

  /** For a distinct pool: entry → id + 1, 0 where `idOf` has not been asked yet. Kept as long as the pool. */
  mapOf(pool: StringPool): Uint32Array {
    let map = this.#maps.get(pool.key);
    if (!map || map.length < pool.count) {
      // A consuming dictionary grows: leave it room, so that not every block copies the map.
      const bigger = new Uint32Array(map ? Math.max(pool.count, map.length * 2) : pool.count);
      if (map) bigger.set(map);
      this.#mapsBytes += bigger.byteLength - (map?.byteLength ?? 0);
      map = bigger;
      this.#maps.set(pool.key, map);
    }
    return map;
  }

  /** Id of a pool's entry, given to it now if it is new. O(bytes of the entry). */
  idOf(pool: StringPool, entry: number): number {
    const start = pool.bytesBase + pool.offsets[pool.offsetsBase + entry]!;
    const end = pool.bytesBase + pool.offsets[pool.offsetsBase + entry + 1]!;
    return this.intern(pool.bytes, start, end);
  }

  /** Its strings by id; valid until the next `intern`. */
  pool(): StringPool {
    return {
      bytes: this.#bytes,
      bytesBase: 0,
      offsets: this.#offsets,
      offsetsBase: 0,
      count: this.count,
      sorted: false,
      distinct: true,
      key: this.#key,
    };
  }
}
