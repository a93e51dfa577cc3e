/** Keys of numbers: by a window of slots where integers lie close together, else by a hash table. */
import type { Type } from '../column/type.ts';
import type { Nulls, Vector } from '../column/vector.ts';
import { hashPair } from '../kernel/hash.ts';
import type { IntegerStep, Keyer } from './keys.ts';

/**
 * Slots that an integer window may always have: 16 MiB of ids. A look-up there misses the nearer caches, and still costs
 * a tenth of what a hash table of as many values costs.
 */
const windowSlotsMin = 1 << 22;
/** Beyond that, slots for each value that was met: a sparser window would take more memory than a hash table. */
const windowSlotsPerValue = 8;
/** 256 MiB of ids: more is refused by a query's budget anyway. */
const windowSlotsMax = 1 << 26;
const floats = new Float64Array(1);
const floatWords = new Int32Array(floats.buffer);

/** Slots of a hash table at first; four times as many as values when it has grown. */
const hashSlotsMin = 1024;

/** INT, LONG, DATE, TIMESTAMP, BOOLEAN by window or hash; FLOAT and DOUBLE (step null) always by hash. */
export class IntegerKeyer implements Keyer {
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
   * that a probe touches one cache line (a table of ids, with the keys elsewhere, took 1.3 times as long at 2 million
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
        out[row] = nulls?.[row] ? this.#idOfNull() : this.#idOfBigint(vector.values[row]!);
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
      if (nulls?.[row]) continue;
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
      while (!Number.isNaN(slots[at]!)) at = (at + 2) & (2 * slotCount - 1);
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
      while (key !== value && !Number.isNaN(key)) {
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
    if (Number.isNaN(value)) {
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
