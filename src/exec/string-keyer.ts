/** Keys of strings: by dictionary code where the pool's entries are distinct, else by what the interner says of their bytes. */
import type { Vector } from '../column/vector.ts';
import { Interner } from './interner.ts';
import type { Keyer } from './keys.ts';
import { doubled } from './state-arrays.ts';

export class StringKeyer implements Keyer {
  count = 0;
  readonly #interner: Interner;
  /** Interner id → this keyer's id + 1. An interner shared with other queries holds strings that this one never saw. */
  #localOf = new Uint32Array(1024);
  /** This keyer's id → interner id; `nullId` has none. */
  #internedOf = new Uint32Array(1024);
  nullId = -1;
  /** Pool entry → this keyer's id + 1, of the pool seen last. */
  #poolKey: object | null = null;
  #poolMap = new Uint32Array(0);

  /** What a shared interner had before: of it, this keyer answers for what it added. */
  readonly #sharedBytes: number;

  constructor(shared: Interner | null) {
    this.#sharedBytes = shared?.sizeBytes ?? 0;
    this.#interner = shared ?? new Interner();
  }

  get sizeBytes(): number {
    return (
      this.#interner.sizeBytes -
      this.#sharedBytes +
      (this.#localOf.length + this.#internedOf.length + this.#poolMap.length) * 4
    );
  }

  ids(vector: Vector, out: Uint32Array): void {
    if (vector.form !== 'string') throw new Error(`a string key got a ${vector.form} vector`);
    const { ids, pool, nulls, length } = vector;
    if (!pool.distinct) {
      for (let row = 0; row < length; row++)
        out[row] = nulls?.[row] ? this.#idOfNull() : this.#localId(this.#interner.idOf(pool, ids[row]!));
      return;
    }
    if (this.#poolKey !== pool.key || this.#poolMap.length < pool.count) {
      const map = new Uint32Array(pool.count);
      if (this.#poolKey === pool.key) map.set(this.#poolMap);
      this.#poolKey = pool.key;
      this.#poolMap = map;
    }
    const map = this.#poolMap;
    if (nulls) {
      for (let row = 0; row < length; row++) {
        if (nulls[row]) {
          out[row] = this.#idOfNull();
          continue;
        }
        const id = map[ids[row]!]!;
        out[row] = id !== 0 ? id - 1 : this.#meet(vector, ids[row]!, map);
      }
    } else {
      for (let row = 0; row < length; row++) {
        const id = map[ids[row]!]!;
        out[row] = id !== 0 ? id - 1 : this.#meet(vector, ids[row]!, map);
      }
    }
  }

  /** First row with this entry of the pool: the interner remembers the entry beyond this query. */
  #meet(vector: Extract<Vector, { form: 'string' }>, entry: number, map: Uint32Array): number {
    const known = this.#interner.mapOf(vector.pool);
    let interned = known[entry]! - 1;
    if (interned < 0) {
      interned = this.#interner.idOf(vector.pool, entry);
      known[entry] = interned + 1;
    }
    const id = this.#localId(interned);
    map[entry] = id + 1;
    return id;
  }

  #localId(interned: number): number {
    if (interned >= this.#localOf.length) {
      const bigger = new Uint32Array(Math.max(this.#localOf.length * 2, this.#interner.count));
      bigger.set(this.#localOf);
      this.#localOf = bigger;
    }
    const local = this.#localOf[interned]!;
    if (local !== 0) return local - 1;
    const id = this.#newId(interned);
    this.#localOf[interned] = id + 1;
    return id;
  }

  #newId(interned: number): number {
    const id = this.count++;
    if (id >= this.#internedOf.length) this.#internedOf = doubled(this.#internedOf);
    this.#internedOf[id] = interned;
    return id;
  }

  #idOfNull(): number {
    if (this.nullId < 0) this.nullId = this.#newId(0);
    return this.nullId;
  }

  values(ids: Uint32Array, count: number): Vector {
    const entries = new Uint32Array(count);
    let nulls: Uint8Array | null = null;
    for (let row = 0; row < count; row++) {
      if (ids[row] === this.nullId) (nulls ??= new Uint8Array(count))[row] = 1;
      else entries[row] = this.#internedOf[ids[row]!]!;
    }
    // An interner without strings has no entry 0 to stand under a null.
    if (nulls && this.#interner.count === 0) this.#interner.intern(new Uint8Array(0), 0, 0);
    return { form: 'string', length: count, nulls, ids: entries, pool: this.#interner.pool() };
  }
}
