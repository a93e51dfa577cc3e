/**
 * Values → dense ids in order of first appearance: the one mechanism behind GROUP BY, DISTINCT and COUNT(DISTINCT).
 * NULL is a value like any other here (SQL groups nulls together).
 *
 * An id costs one table look-up a row wherever the values allow it: dictionary codes, and integers whose range (in
 * steps of what DATE_TRUNC truncates to) is small. Everything else is hashed.
 */
import { unreachable } from '../base/assert.ts';
import type { Type } from '../column/type.ts';
import type { Interval } from '../column/type.ts';
import type { Nulls, Vector } from '../column/vector.ts';
import { hashPair } from '../kernel/hash.ts';
import { Interner } from './interner.ts';
import { ValueBuffer } from './row-buffer.ts';

/**
 * Slots that an integer window may always have: 16 MiB of ids. A look-up there misses the nearer caches, and still costs
 * a tenth of what a hash table of as many values costs.
 */
const windowSlotsMin = 1 << 22;
/** Beyond that, slots for each value that was met: a sparser window would take more memory than a hash table. */
const windowSlotsPerValue = 8;
/** 256 MiB of ids: more is refused by a query's budget anyway. */
const windowSlotsMax = 1 << 26;
/** An interner shared by the queries of a shard is left alone once it holds this many strings. */
export const sharedInternerCountMax = 1 << 20;

export interface Keyer {
  /** Ids given out so far; ids are `[0, count)`. */
  readonly count: number;
  readonly sizeBytes: number;
  /** Id of NULL; -1 where it was not met. */
  readonly nullId: number;
  /** Ids of the vector's rows into `out`. */
  ids(vector: Vector, out: Uint32Array): void;
  /** Values of the given ids, in order; valid until the next `ids`. */
  values(ids: Uint32Array, count: number): Vector;
}

export interface IntegerStep {
  readonly step: number;
  readonly origin: number;
}

/** `shared`: an interner that outlives the query; `step`: what every value is a multiple of (from an origin). */
export function createKeyer(type: Type, shared: Interner | null = null, step: IntegerStep | null = null): Keyer {
  switch (type.name) {
    case 'BOOLEAN':
    case 'INT':
    case 'LONG':
    case 'DATE':
    case 'TIMESTAMP':
      return new IntegerKeyer(type, step ?? { step: 1, origin: 0 });
    case 'FLOAT':
    case 'DOUBLE':
      return new IntegerKeyer(type, null);
    case 'STRING':
    case 'JSON':
    case 'UUID':
    case 'BYTES':
      return new StringKeyer(shared && shared.count < sharedInternerCountMax ? shared : null);
    case 'DECIMAL':
    case 'INTERVAL':
      return new ObjectKeyer(type);
    default:
      return unreachable(type.name);
  }
}

class StringKeyer implements Keyer {
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

  readonly #owned: boolean;

  constructor(shared: Interner | null) {
    this.#owned = shared === null;
    this.#interner = shared ?? new Interner();
  }

  get sizeBytes(): number {
    return (this.#owned ? this.#interner.sizeBytes : 0) + (this.#localOf.length + this.#internedOf.length + this.#poolMap.length) * 4;
  }

  ids(vector: Vector, out: Uint32Array): void {
    if (vector.form !== 'string') throw new Error(`a string key got a ${vector.form} vector`);
    const { ids, pool, nulls, length } = vector;
    if (!pool.distinct) {
      for (let row = 0; row < length; row++)
        out[row] = nulls && nulls[row] ? this.#idOfNull() : this.#localId(this.#interner.idOf(pool, ids[row]!));
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

const floats = new Float64Array(1);
const floatWords = new Int32Array(floats.buffer);

/** Slots of a hash table at first; four times as many as values when it has grown. */
const hashSlotsMin = 1024;

/** INT, LONG, DATE, TIMESTAMP, BOOLEAN by window or hash; FLOAT and DOUBLE (step null) always by hash. */
class IntegerKeyer implements Keyer {
  readonly #type: Type;
  readonly #step: IntegerStep | null;
  count = 0;
  nullId = -1;
  #nanId = -1;
  #valueOf = new Float64Array(1024);
  #bigValues: Map<bigint, number> | null = null;
  #bigOf: bigint[] = [];
  /** Window: slot of a value is (value - origin) / step - base; id + 1 there, 0 is free. */
  #window = new Uint32Array(0);
  #base = 0;
  /**
   * Hash table with linear probing, null while the window serves: key and id of slot s are elements 2s and 2s + 1, so
   * that a probe touches one cache line (tables of ids alone, with the keys elsewhere, took twice as long at 2 million
   * values). A free slot's key is NaN, which therefore has its id beside the table.
   */
  #slots: Float64Array | null = null;

  constructor(type: Type, step: IntegerStep | null) {
    this.#type = type;
    this.#step = step;
    if (!step) this.#slots = freeSlots(hashSlotsMin);
  }

  get sizeBytes(): number {
    return (
      this.#valueOf.length * 8 + this.#window.length * 4 + (this.#slots?.length ?? 0) * 8 + this.#bigOf.length * 64
    );
  }

  ids(vector: Vector, out: Uint32Array): void {
    const { nulls, length } = vector;
    if (vector.form === 'bigint') {
      for (let row = 0; row < length; row++)
        out[row] = nulls && nulls[row] ? this.#idOfNull() : this.#idOfBigint(vector.values[row]!);
      return;
    }
    if (vector.form !== 'number' && vector.form !== 'bool')
      throw new Error(`a numeric key got a ${vector.form} vector`);
    // One kind of array in the loops below: two would halve their speed.
    const values = vector.form === 'bool' ? Float64Array.from(vector.values.subarray(0, length)) : vector.values;
    let row = 0;
    while (row < length && !this.#slots) {
      row =
        this.#step!.step === 1
          ? this.#windowIds(values, nulls, row, length, out)
          : this.#steppedIds(values, nulls, row, length, out);
      if (row < length && !this.#fitWindow(values, nulls, row, length)) this.#toHashTable();
    }
    if (row < length) this.#hashIds(values, nulls, row, length, out);
  }

  /** Ids of rows from `from` on; returns the first row whose value is outside the window. */
  #windowIds(values: Float64Array, nulls: Nulls, from: number, length: number, out: Uint32Array): number {
    const window = this.#window;
    const size = window.length;
    const start = this.#step!.origin + this.#base;
    for (let row = from; row < length; row++) {
      if (nulls !== null && nulls[row] !== 0) {
        out[row] = this.#idOfNull();
        continue;
      }
      const value = values[row]!;
      const slot = value - start;
      if (!(slot >= 0 && slot < size)) return row;
      const id = window[slot]!;
      if (id !== 0) out[row] = id - 1;
      else window[slot] = (out[row] = this.#newId(value)) + 1;
    }
    return length;
  }

  /** As `#windowIds` where values are multiples of a step. Rows come sorted by time, so neighbours are mostly equal. */
  #steppedIds(values: Float64Array, nulls: Nulls, from: number, length: number, out: Uint32Array): number {
    const { step, origin } = this.#step!;
    const window = this.#window;
    const size = window.length;
    const start = origin + this.#base * step;
    let last = Number.NaN;
    let lastId = 0;
    for (let row = from; row < length; row++) {
      if (nulls !== null && nulls[row] !== 0) {
        out[row] = this.#idOfNull();
        continue;
      }
      const value = values[row]!;
      if (value !== last) {
        const slot = Math.round((value - start) / step);
        if (!(slot >= 0 && slot < size)) return row;
        last = value;
        lastId = window[slot]! - 1;
        if (lastId < 0) window[slot] = (lastId = this.#newId(value)) + 1;
      }
      out[row] = lastId;
    }
    return length;
  }

  /** Makes the window hold every value from row `from` on; false where that takes too many slots. */
  #fitWindow(values: Float64Array, nulls: Nulls, from: number, length: number): boolean {
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    for (let row = from; row < length; row++) {
      if (nulls && nulls[row]) continue;
      const value = values[row]!;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    const { step, origin } = this.#step!;
    let low = Math.round((min - origin) / step);
    let high = Math.round((max - origin) / step);
    if (this.#window.length > 0) {
      low = Math.min(low, this.#base);
      high = Math.max(high, this.#base + this.#window.length - 1);
    }
    const needed = high - low + 1;
    const allowed = Math.min(Math.max(this.count * windowSlotsPerValue, windowSlotsMin), windowSlotsMax);
    if (needed > allowed) return false;
    // Room to grow upwards: time moves on.
    const bigger = new Uint32Array(Math.min(allowed, Math.max(needed + (needed >> 1), 64)));
    bigger.set(this.#window, this.#window.length > 0 ? this.#base - low : 0);
    this.#window = bigger;
    this.#base = low;
    return true;
  }

  #toHashTable(): void {
    this.#window = new Uint32Array(0);
    this.#rehash();
  }

  /** A table with room for twice the values there are. */
  #rehash(): void {
    let slotCount = hashSlotsMin;
    while (slotCount < this.count * 4) slotCount *= 2;
    const slots = freeSlots(slotCount);
    for (let id = 0; id < this.count; id++) {
      if (id === this.nullId || id === this.#nanId || this.#bigOf[id] !== undefined) continue;
      const value = this.#valueOf[id]!;
      let at = 2 * (hashDouble(value) & (slotCount - 1));
      while (slots[at]! === slots[at]!) at = (at + 2) & (2 * slotCount - 1);
      slots[at] = value;
      slots[at + 1] = id;
    }
    this.#slots = slots;
  }

  #hashIds(values: Float64Array, nulls: Nulls, from: number, length: number, out: Uint32Array): void {
    let slots = this.#slots!;
    let mask = slots.length - 1;
    for (let row = from; row < length; row++) {
      if (nulls !== null && nulls[row] !== 0) {
        out[row] = this.#idOfNull();
        continue;
      }
      // PostgreSQL: -0 equals 0 and NaN equals NaN.
      const value = values[row]! + 0;
      let at = (2 * hashDouble(value)) & mask;
      let key = slots[at]!;
      while (key !== value && key === key) {
        at = (at + 2) & mask;
        key = slots[at]!;
      }
      if (key === value) out[row] = slots[at + 1]!;
      else {
        out[row] = this.#meet(value, at);
        slots = this.#slots!;
        mask = slots.length - 1;
      }
    }
  }

  /** Gives an id to a value that is not in the table, whose place there is `at`. */
  #meet(value: number, at: number): number {
    if (value !== value) {
      if (this.#nanId < 0) this.#nanId = this.#newId(value);
      return this.#nanId;
    }
    const id = this.#newId(value);
    const slots = this.#slots!;
    slots[at] = value;
    slots[at + 1] = id;
    // Half of the slots, of two elements each.
    if (this.count * 4 > slots.length) this.#rehash();
    return id;
  }

  #idOfBigint(value: bigint): number {
    if (value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)) {
      if (!this.#slots) this.#toHashTable();
      one[0] = Number(value);
      this.#hashIds(one, null, 0, 1, oneId);
      return oneId[0]!;
    }
    this.#bigValues ??= new Map();
    let id = this.#bigValues.get(value);
    if (id === undefined) {
      id = this.#newId(0);
      this.#bigOf[id] = value;
      this.#bigValues.set(value, id);
    }
    return id;
  }

  #newId(value: number): number {
    const id = this.count++;
    if (id >= this.#valueOf.length) {
      const bigger = new Float64Array(this.#valueOf.length * 2);
      bigger.set(this.#valueOf);
      this.#valueOf = bigger;
    }
    this.#valueOf[id] = value;
    return id;
  }

  #idOfNull(): number {
    if (this.nullId < 0) this.nullId = this.#newId(0);
    return this.nullId;
  }

  values(ids: Uint32Array, count: number): Vector {
    let nulls: Uint8Array | null = null;
    const values = new Float64Array(count);
    for (let row = 0; row < count; row++) {
      if (ids[row] === this.nullId) (nulls ??= new Uint8Array(count))[row] = 1;
      values[row] = this.#valueOf[ids[row]!]!;
    }
    if (this.#type.name === 'BOOLEAN') return { form: 'bool', length: count, nulls, values: Uint8Array.from(values) };
    if (!this.#bigValues) return { form: 'number', length: count, nulls, values };
    const bigints = BigInt64Array.from(values, (value, row) => this.#bigOf[ids[row]!] ?? BigInt(value));
    return { form: 'bigint', length: count, nulls, values: bigints };
  }
}

const one = new Float64Array(1);
const oneId = new Uint32Array(1);

const freeSlots = (slotCount: number): Float64Array => new Float64Array(2 * slotCount).fill(Number.NaN);

/** By its bits: those of a whole number below 2^21 are all in the upper half. */
function hashDouble(value: number): number {
  floats[0] = value;
  return hashPair(floatWords[0]!, floatWords[1]!);
}

/** DECIMAL and INTERVAL: rare as keys, so a Map serves. Intervals are equal as PostgreSQL compares them: a month is 30 days. */
class ObjectKeyer implements Keyer {
  readonly #ids = new Map<bigint | null, number>();
  readonly #buffer: ValueBuffer;

  constructor(type: Type) {
    this.#buffer = new ValueBuffer(type);
  }

  get count(): number {
    return this.#ids.size;
  }

  get nullId(): number {
    return this.#ids.get(null) ?? -1;
  }

  get sizeBytes(): number {
    return this.#ids.size * 96;
  }

  ids(vector: Vector, out: Uint32Array): void {
    if (vector.form !== 'wide' && vector.form !== 'interval') throw new Error(`an object key got a ${vector.form} vector`);
    for (let row = 0; row < vector.length; row++) {
      const value = vector.values[row]!;
      const isNull = vector.nulls !== null && vector.nulls[row] === 1;
      const key = isNull ? null : typeof value === 'bigint' ? value : intervalKey(value);
      let id = this.#ids.get(key);
      if (id === undefined) {
        id = this.#ids.size;
        this.#ids.set(key, id);
        const nulls = isNull ? Uint8Array.of(1) : null;
        this.#buffer.append({ form: vector.form, length: 1, nulls, values: [value] } as Vector);
      }
      out[row] = id;
    }
  }

  values(ids: Uint32Array, count: number): Vector {
    const all = this.#buffer.vector();
    if (all.form !== 'wide' && all.form !== 'interval') throw new Error('an object key keeps objects');
    const nulls = all.nulls ? Uint8Array.from(ids.subarray(0, count), id => all.nulls![id]!) : null;
    const values = Array.from(ids.subarray(0, count), id => all.values[id]!);
    return { form: all.form, length: count, nulls, values } as Vector;
  }
}

/** PostgreSQL compares intervals by their length with months of 30 days and days of 24 hours. */
export const intervalKey = ({ months, days, ms }: Interval): bigint =>
  (BigInt(months) * 30n + BigInt(days)) * 86_400_000n + BigInt(ms);

const doubled = (array: Uint32Array): Uint32Array<ArrayBuffer> => {
  const bigger = new Uint32Array(array.length * 2);
  bigger.set(array);
  return bigger;
};

/** Slots of a dense table of pairs: 4 MiB. */
const denseSlotsMax = 1 << 20;

/** Pairs of ids → dense ids, in order of first appearance: several keys, folded from the left. */
export class PairTable {
  count = 0;
  #firsts = new Uint32Array(1024);
  #seconds = new Uint32Array(1024);
  /** Dense: `table[first * stride + second]`; hashed: linear probing. id + 1, 0 is free. */
  #table = new Uint32Array(0);
  #stride = 0;
  #dense = true;

  get sizeBytes(): number {
    return (this.#firsts.length * 2 + this.#table.length) * 4;
  }

  /**
   * `out` may be `firsts`. `firstCount`, `secondCount`: ids below which all firsts and seconds lie.
   */
  ids(
    firsts: Uint32Array,
    firstCount: number,
    seconds: Uint32Array,
    secondCount: number,
    length: number,
    out: Uint32Array,
  ): void {
    if (this.#dense && !this.#fitDense(firstCount, secondCount)) {
      this.#dense = false;
      this.#rehash(2048);
    }
    if (this.#dense) {
      const table = this.#table;
      const stride = this.#stride;
      for (let row = 0; row < length; row++) {
        const slot = firsts[row]! * stride + seconds[row]!;
        const id = table[slot]!;
        if (id !== 0) out[row] = id - 1;
        else table[slot] = (out[row] = this.#newId(firsts[row]!, seconds[row]!)) + 1;
      }
    } else for (let row = 0; row < length; row++) out[row] = this.#hashedId(firsts[row]!, seconds[row]!);
  }

  #fitDense(firstCount: number, secondCount: number): boolean {
    if (secondCount <= this.#stride && firstCount * this.#stride <= this.#table.length) return true;
    const stride = Math.max(this.#stride, nextPower(secondCount));
    const rows = nextPower(firstCount);
    if (stride * rows > denseSlotsMax) return false;
    this.#stride = stride;
    this.#table = new Uint32Array(Math.max(stride * rows, this.#table.length));
    for (let id = 0; id < this.count; id++) this.#table[this.#firsts[id]! * stride + this.#seconds[id]!] = id + 1;
    return true;
  }

  #rehash(sizeMin: number): void {
    let size = sizeMin;
    while (size < this.count * 2 + 2) size *= 2;
    const table = new Uint32Array(size);
    for (let id = 0; id < this.count; id++) {
      let slot = hashPair(this.#firsts[id]!, this.#seconds[id]!) & (size - 1);
      while (table[slot] !== 0) slot = (slot + 1) & (size - 1);
      table[slot] = id + 1;
    }
    this.#table = table;
  }

  #hashedId(first: number, second: number): number {
    const mask = this.#table.length - 1;
    let slot = hashPair(first, second) & mask;
    for (;;) {
      const id = this.#table[slot]! - 1;
      if (id < 0) break;
      if (this.#firsts[id] === first && this.#seconds[id] === second) return id;
      slot = (slot + 1) & mask;
    }
    const id = this.#newId(first, second);
    this.#table[slot] = id + 1;
    if (this.count * 2 > this.#table.length) this.#rehash(this.#table.length * 2);
    return id;
  }

  #newId(first: number, second: number): number {
    const id = this.count++;
    if (id >= this.#firsts.length) {
      this.#firsts = doubled(this.#firsts);
      this.#seconds = doubled(this.#seconds);
    }
    this.#firsts[id] = first;
    this.#seconds[id] = second;
    return id;
  }

  firstOf(id: number): number {
    return this.#firsts[id]!;
  }

  secondOf(id: number): number {
    return this.#seconds[id]!;
  }

  /** What each pair is made of. `firsts` may be `ids`. */
  unfold(ids: Uint32Array, firsts: Uint32Array, seconds: Uint32Array): void {
    for (let row = 0; row < ids.length; row++) {
      const id = ids[row]!;
      seconds[row] = this.#seconds[id]!;
      firsts[row] = this.#firsts[id]!;
    }
  }
}

function nextPower(count: number): number {
  let size = 16;
  while (size < count) size *= 2;
  return size;
}
