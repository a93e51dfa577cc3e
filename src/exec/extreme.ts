/** MIN and MAX: of numbers, of what needs bigints, of byte strings. */
import type { Type } from '../column/type.ts';
import type { Vector } from '../column/vector.ts';
import { intervalLengthMs } from '../function/datetime.ts';
import { vectorOf } from '../function/vectors.ts';
import { compareBytes } from '../kernel/hash.ts';
import type { Aggregate } from './aggregate.ts';
import { grownF64, numbers } from './state-arrays.ts';

/** `sign`: -1 MIN, 1 MAX. */
export function createExtreme(type: Type, sign: -1 | 1): Aggregate {
  switch (type.name) {
    case 'STRING':
    case 'JSON':
    case 'UUID':
    case 'BYTES':
      return new ExtremeBytes(type, sign);
    case 'DECIMAL':
    case 'INTERVAL':
    case 'LONG':
      return new ExtremeObject(type, sign);
    default:
      return new ExtremeNumber(type, sign);
  }
}

/** NaN is greater than every number, as in PostgreSQL. */
const exceeds = (a: number, b: number, sign: number): boolean =>
  Number.isNaN(a) ? sign > 0 && !Number.isNaN(b) : Number.isNaN(b) ? sign < 0 : sign > 0 ? a > b : a < b;

class ExtremeNumber implements Aggregate {
  readonly stateTypes: readonly Type[];
  readonly #sign: -1 | 1;
  #best = new Float64Array(16);
  #seen = new Uint8Array(16);

  constructor(type: Type, sign: -1 | 1) {
    this.stateTypes = [type];
    this.#sign = sign;
  }

  get sizeBytes(): number {
    return this.#best.length * 9;
  }

  grow(groupCount: number): void {
    if (groupCount <= this.#best.length) return;
    this.#best = grownF64(this.#best, groupCount);
    const seen = new Uint8Array(this.#best.length);
    seen.set(this.#seen);
    this.#seen = seen;
  }

  add(groups: Uint32Array | null, vector: Vector | null, length: number): void {
    const values = numbers(vector!);
    const nulls = vector!.nulls;
    const best = this.#best;
    const seen = this.#seen;
    const sign = this.#sign;
    for (let row = 0; row < length; row++) {
      if (nulls?.[row]) continue;
      const group = groups ? groups[row]! : 0;
      const value = values[row]!;
      if (seen[group] === 0 || exceeds(value, best[group]!, sign)) {
        best[group] = value;
        seen[group] = 1;
      }
    }
  }

  merge(groups: Uint32Array | null, states: readonly Vector[], length: number): void {
    this.add(groups, states[0]!, length);
  }

  states(from: number, to: number): Vector[] {
    return [this.finish(from, to)];
  }

  finish(from: number, to: number): Vector {
    const nulls = this.#seen.slice(from, to).map(seen => 1 - seen);
    const length = to - from;
    return { form: 'number', length, nulls: nulls.includes(1) ? nulls : null, values: this.#best.slice(from, to) };
  }
}

/** LONG (whose vectors may be bigints), DECIMAL and INTERVAL: numbers while they come as numbers. */
class ExtremeObject implements Aggregate {
  readonly stateTypes: readonly Type[];
  readonly #type: Type;
  readonly #sign: -1 | 1;
  readonly #small: ExtremeNumber | null;
  #best: (bigint | null)[] = [];
  #intervals: (Extract<Vector, { form: 'interval' }>['values'][number] | null)[] = [];
  #groupCount = 0;

  constructor(type: Type, sign: -1 | 1) {
    this.#type = type;
    this.stateTypes = [type];
    this.#sign = sign;
    this.#small = type.name === 'LONG' ? new ExtremeNumber(type, sign) : null;
  }

  get sizeBytes(): number {
    return (this.#small?.sizeBytes ?? 0) + (this.#best.length + this.#intervals.length) * 32;
  }

  grow(groupCount: number): void {
    this.#small?.grow(groupCount);
    this.#groupCount = Math.max(this.#groupCount, groupCount);
  }

  add(groups: Uint32Array | null, vector: Vector | null, length: number): void {
    if (vector!.form === 'number') {
      this.#small!.add(groups, vector, length);
      return;
    }
    if (vector!.form !== 'bigint' && vector!.form !== 'wide' && vector!.form !== 'interval')
      throw new Error(`expected ${this.#type.name}, got a ${vector!.form} vector`);
    const { values, nulls } = vector!;
    for (let row = 0; row < length; row++) {
      if (nulls?.[row]) continue;
      const group = groups ? groups[row]! : 0;
      const value = values[row]!;
      const key = typeof value === 'bigint' ? value : intervalLengthMs(value);
      const best = this.#best[group] ?? null;
      if (best !== null && (this.#sign > 0 ? key <= best : key >= best)) continue;
      this.#best[group] = key;
      if (typeof value !== 'bigint') this.#intervals[group] = value;
    }
  }

  merge(groups: Uint32Array | null, states: readonly Vector[], length: number): void {
    this.add(groups, states[0]!, length);
  }

  states(from: number, to: number): Vector[] {
    return [this.finish(from, to)];
  }

  finish(from: number, to: number): Vector {
    const length = to - from;
    if (this.#type.name === 'LONG') {
      const small = this.#small!.finish(from, to) as Extract<Vector, { form: 'number' }>;
      if (this.#best.length === 0) return small;
      const nulls = new Uint8Array(length);
      const values = new BigInt64Array(length);
      for (let row = 0; row < length; row++) {
        const number = small.nulls?.[row] ? null : BigInt(small.values[row]!);
        const big = this.#best[from + row] ?? null;
        const best = number === null ? big : big === null ? number : this.#sign > 0 === big > number ? big : number;
        if (best === null) nulls[row] = 1;
        else values[row] = best;
      }
      return { form: 'bigint', length, nulls, values };
    }
    const nulls = new Uint8Array(length);
    for (let row = 0; row < length; row++) if ((this.#best[from + row] ?? null) === null) nulls[row] = 1;
    if (this.#type.name === 'DECIMAL')
      return { form: 'wide', length, nulls, values: Array.from({ length }, (_, row) => this.#best[from + row] ?? 0n) };
    const zero = { months: 0, days: 0, ms: 0 };
    return {
      form: 'interval',
      length,
      nulls,
      values: Array.from({ length }, (_, row) => this.#intervals[from + row] ?? zero),
    };
  }
}

/** MIN and MAX by bytes. The best string of a group is copied out; codes that cannot beat it are skipped unread. */
class ExtremeBytes implements Aggregate {
  readonly stateTypes: readonly Type[];
  readonly #sign: -1 | 1;
  #best: (Uint8Array | undefined)[] = [];
  #bestBytes = 0;
  /** Entry + 1 compared last, of the pool seen last: in a sorted pool only entries beyond it are news. */
  #lastEntry = new Uint32Array(16);
  #poolKey: object | null = null;

  constructor(type: Type, sign: -1 | 1) {
    this.stateTypes = [type];
    this.#sign = sign;
  }

  get sizeBytes(): number {
    return this.#bestBytes + this.#best.length * 64 + this.#lastEntry.byteLength;
  }

  grow(groupCount: number): void {
    if (groupCount <= this.#lastEntry.length) return;
    const bigger = new Uint32Array(Math.max(groupCount, this.#lastEntry.length * 2));
    bigger.set(this.#lastEntry);
    this.#lastEntry = bigger;
  }

  add(groups: Uint32Array | null, vector: Vector | null, length: number): void {
    if (vector?.form !== 'string') throw new Error('expected strings');
    const { ids, pool, nulls } = vector;
    if (this.#poolKey !== pool.key) {
      this.#poolKey = pool.key;
      this.#lastEntry.fill(0);
    }
    const last = this.#lastEntry;
    for (let row = 0; row < length; row++) {
      if (nulls?.[row]) continue;
      const group = groups ? groups[row]! : 0;
      const entry = ids[row]! + 1;
      const seen = last[group]!;
      if (seen === entry || (seen !== 0 && pool.sorted && (this.#sign > 0 ? entry < seen : entry > seen))) continue;
      last[group] = entry;
      const start = pool.bytesBase + pool.offsets[pool.offsetsBase + entry - 1]!;
      const end = pool.bytesBase + pool.offsets[pool.offsetsBase + entry]!;
      const best = this.#best[group];
      if (best && compareBytes(pool.bytes, start, end, best, 0, best.length) * this.#sign <= 0) continue;
      this.#bestBytes += end - start - (best?.length ?? 0);
      this.#best[group] = pool.bytes.slice(start, end);
    }
  }

  merge(groups: Uint32Array | null, states: readonly Vector[], length: number): void {
    this.add(groups, states[0]!, length);
  }

  states(from: number, to: number): Vector[] {
    return [this.finish(from, to)];
  }

  finish(from: number, to: number): Vector {
    return vectorOf(
      { name: 'BYTES' },
      Array.from({ length: to - from }, (_, row) => this.#best[from + row] ?? null),
    );
  }
}
