/**
 * Aggregates as states of groups: add rows, merge states, finish. One merge serves segments, shards and servers.
 * A state travels as ordinary columns (`stateTypes`), so that an exchange needs no format of its own.
 */
import { fault } from '../base/fault.ts';
import { DOUBLE, LONG, type Type, typeText } from '../column/type.ts';
import type { Nulls, Vector } from '../column/vector.ts';
import { compareBytes } from '../kernel/hash.ts';
import type { AggregateCall } from '../plan/expr.ts';
import { DistinctAggregate } from './distinct.ts';

export interface Aggregate {
  /** Of the columns that carry a state between partial and final. */
  readonly stateTypes: readonly Type[];
  readonly sizeBytes: number;
  /** Groups `[0, groupCount)` exist from now on. */
  grow(groupCount: number): void;
  /** Rows `[0, length)`; `groups` null: all of group 0. `values` null: COUNT(*). */
  add(groups: Uint32Array | null, values: Vector | null, length: number): void;
  /** States (as `states` gave them) of rows `[0, length)`. */
  merge(groups: Uint32Array | null, states: readonly Vector[], length: number): void;
  /** States of groups `[from, to)`. */
  states(from: number, to: number): Vector[];
  /** Results of groups `[from, to)`. @throws FaultError NUMERIC_OVERFLOW */
  finish(from: number, to: number): Vector;
}

/** @throws FaultError UNSUPPORTED for an aggregate that the catalogue knows and execution does not. */
export function createAggregate(call: AggregateCall): Aggregate {
  const input = call.args[0]?.type ?? null;
  if (call.distinct && input) return new DistinctAggregate(call, input);
  return createPlainAggregate(call.function, input, call.type);
}

export function createPlainAggregate(name: string, input: Type | null, result: Type): Aggregate {
  switch (name) {
    case 'count':
      return new Count();
    case 'sum':
      if (result.name === 'DOUBLE' || result.name === 'FLOAT') return new SumDouble(false);
      return new SumInteger(result, false);
    case 'avg':
      if (input!.name === 'DOUBLE' || input!.name === 'FLOAT') return new SumDouble(true);
      return new SumInteger(input!, true);
    case 'min':
    case 'max':
      return createExtreme(input!, name === 'min' ? -1 : 1);
    default:
      throw fault('UNSUPPORTED', `aggregate ${name} cannot be executed`);
  }
}

export const grownF64 = (array: Float64Array, count: number, fill = 0): Float64Array<ArrayBuffer> => {
  const bigger = new Float64Array(Math.max(count, array.length * 2, 16));
  bigger.set(array);
  if (fill !== 0) bigger.fill(fill, array.length);
  return bigger;
};

type NumberVector = Extract<Vector, { form: 'number' }>;

const numbers = (vector: Vector): Float64Array => {
  if (vector.form === 'number') return vector.values;
  if (vector.form === 'bool' || vector.form === 'bigint') return Float64Array.from(vector.values as Uint8Array, Number);
  throw new Error(`expected numbers, got a ${vector.form} vector`);
};

class Count implements Aggregate {
  readonly stateTypes = [LONG];
  #counts = new Float64Array(16);

  get sizeBytes(): number {
    return this.#counts.byteLength;
  }

  grow(groupCount: number): void {
    if (groupCount > this.#counts.length) this.#counts = grownF64(this.#counts, groupCount);
  }

  add(groups: Uint32Array | null, values: Vector | null, length: number): void {
    const counts = this.#counts;
    const nulls = values?.nulls ?? null;
    if (groups === null) {
      let count = length;
      if (nulls) for (let row = 0; row < length; row++) count -= nulls[row]!;
      counts[0]! += count;
    } else if (nulls) for (let row = 0; row < length; row++) counts[groups[row]!]! += 1 - nulls[row]!;
    else for (let row = 0; row < length; row++) counts[groups[row]!]!++;
  }

  merge(groups: Uint32Array | null, states: readonly Vector[], length: number): void {
    const counts = numbers(states[0]!);
    for (let row = 0; row < length; row++) this.#counts[groups ? groups[row]! : 0]! += counts[row]!;
  }

  states(from: number, to: number): Vector[] {
    return [this.finish(from, to)];
  }

  finish(from: number, to: number): Vector {
    return { form: 'number', length: to - from, nulls: null, values: this.#counts.slice(from, to) };
  }
}

/** Largest distance from 0. Least and greatest value in pairs: an absolute value a row took twice as long. */
function largestOf(values: Float64Array, length: number): number {
  let least = 0;
  let greatest = 0;
  for (let row = 1; row < length; row += 2) {
    const even = values[row - 1]!;
    const odd = values[row]!;
    if (even < least) least = even;
    if (odd < least) least = odd;
    if (even > greatest) greatest = even;
    if (odd > greatest) greatest = odd;
  }
  const last = length > 0 ? values[length - 1]! : 0;
  return Math.max(greatest, -least, Math.abs(last));
}

const safe = Number.MAX_SAFE_INTEGER;
const longMin = -(2n ** 63n);
const longMax = 2n ** 63n - 1n;
const wideMax = 10n ** 38n;

/**
 * SUM and AVG of INT, LONG and DECIMAL, exact in 128 bits. Doubles accumulate while they provably stay whole: before
 * rows are added, `rows × largest value` is taken from the headroom of 2^53, and when that runs out the doubles are
 * carried over into bigints. So the loop has no BigInt in it, and the carry costs O(groups) once in a while.
 */
class SumInteger implements Aggregate {
  /** What doubles hold, what was carried over (NULL: nothing), rows. */
  readonly stateTypes: readonly Type[] = [LONG, { name: 'DECIMAL', precision: 38, scale: 0 }, LONG];
  readonly #type: Type;
  readonly #average: boolean;
  #sums = new Float64Array(16);
  #counts = new Float64Array(16);
  #carries: bigint[] | null = null;
  #headroom = safe;

  /** `type`: of the result for a sum, of the input for an average. */
  constructor(type: Type, average: boolean) {
    this.#type = type;
    this.#average = average;
  }

  get sizeBytes(): number {
    return this.#sums.byteLength * 2 + (this.#carries?.length ?? 0) * 32;
  }

  grow(groupCount: number): void {
    if (groupCount <= this.#sums.length) return;
    this.#sums = grownF64(this.#sums, groupCount);
    this.#counts = grownF64(this.#counts, groupCount);
    if (this.#carries) while (this.#carries.length < this.#sums.length) this.#carries.push(0n);
  }

  #carry(): bigint[] {
    const carries = (this.#carries ??= new Array<bigint>(this.#sums.length).fill(0n));
    for (let group = 0; group < this.#sums.length; group++) {
      if (this.#sums[group] === 0) continue;
      carries[group]! += BigInt(this.#sums[group]!);
      this.#sums[group] = 0;
    }
    this.#headroom = safe;
    return carries;
  }

  add(groups: Uint32Array | null, vector: Vector | null, length: number): void {
    if (vector?.form === 'number') return this.#addNumbers(groups, vector, length);
    if (vector?.form !== 'bigint' && vector?.form !== 'wide') throw new Error('SUM adds numbers');
    const carries = this.#carries ?? this.#carry();
    for (let row = 0; row < length; row++) {
      if (vector.nulls && vector.nulls[row]) continue;
      const group = groups ? groups[row]! : 0;
      carries[group]! += vector.values[row]!;
      this.#counts[group]!++;
    }
  }

  #addNumbers(groups: Uint32Array | null, vector: NumberVector, length: number): void {
    const { values, nulls } = vector;
    const bound = vector.bound ?? largestOf(values, length);
    if (!this.#takeHeadroom(bound, length)) return this.#addSlowly(groups, values, nulls, length);
    if (groups === null) return this.#addAll(values, nulls, length);
    const sums = this.#sums;
    const counts = this.#counts;
    if (nulls) {
      for (let row = 0; row < length; row++) {
        if (nulls[row] !== 0) continue;
        const group = groups[row]!;
        sums[group]! += values[row]!;
        counts[group]!++;
      }
    } else {
      for (let row = 0; row < length; row++) {
        const group = groups[row]!;
        sums[group]! += values[row]!;
        counts[group]!++;
      }
    }
  }

  /** Into group 0. In two sums: in one, every addition waits for the one before, which takes twice as long. */
  #addAll(values: Float64Array, nulls: Nulls, length: number): void {
    const pairedLength = length & ~1;
    let count = length;
    let even = 0;
    let odd = 0;
    if (nulls) {
      for (let row = 0; row < pairedLength; row += 2) {
        if (nulls[row] === 0) even += values[row]!;
        else count--;
        if (nulls[row + 1] === 0) odd += values[row + 1]!;
        else count--;
      }
    } else {
      for (let row = 0; row < pairedLength; row += 2) {
        even += values[row]!;
        odd += values[row + 1]!;
      }
    }
    if (pairedLength < length) {
      if (!nulls || nulls[pairedLength] === 0) even += values[pairedLength]!;
      else count--;
    }
    this.#sums[0]! += even + odd;
    this.#counts[0]! += count;
  }

  /** False where so many values of this size might leave what doubles hold exactly, whatever was carried over before. */
  #takeHeadroom(largest: number, length: number): boolean {
    const most = largest * length;
    if (most > safe) return false;
    if (most > this.#headroom) this.#carry();
    this.#headroom -= most;
    return true;
  }

  #addSlowly(groups: Uint32Array | null, values: Float64Array, nulls: Nulls, length: number): void {
    const carries = this.#carries ?? this.#carry();
    for (let row = 0; row < length; row++) {
      if (nulls && nulls[row]) continue;
      const group = groups ? groups[row]! : 0;
      carries[group]! += BigInt(values[row]!);
      this.#counts[group]!++;
    }
  }

  merge(groups: Uint32Array | null, states: readonly Vector[], length: number): void {
    const [sums, carried, rows] = states as [Vector, Vector, Vector];
    const counts = numbers(rows);
    this.#addNumbers(groups, { form: 'number', length, nulls: null, values: numbers(sums) }, length);
    // Each state was counted as one row just now.
    for (let row = 0; row < length; row++) this.#counts[groups ? groups[row]! : 0]! += counts[row]! - 1;
    if (carried.form !== 'wide') throw new Error('a carried sum travels as DECIMAL');
    for (let row = 0; row < length; row++) {
      if (carried.nulls && carried.nulls[row]) continue;
      const carries = this.#carries ?? this.#carry();
      carries[groups ? groups[row]! : 0]! += carried.values[row]!;
    }
  }

  #total(group: number): bigint {
    return (this.#carries ? this.#carries[group]! : 0n) + BigInt(this.#sums[group]!);
  }

  states(from: number, to: number): Vector[] {
    const length = to - from;
    const carries = this.#carries;
    const of = (values: Float64Array): Vector => ({ form: 'number', length, nulls: null, values: values.slice(from, to) });
    const values = carries ? carries.slice(from, to) : new Array<bigint>(length).fill(0n);
    const nulls = new Uint8Array(length).fill(1);
    if (carries) for (let row = 0; row < length; row++) if (values[row] !== 0n) nulls[row] = 0;
    return [of(this.#sums), { form: 'wide', length, nulls, values }, of(this.#counts)];
  }

  finish(from: number, to: number): Vector {
    const length = to - from;
    const nulls = nullsWhereZero(this.#counts, from, to);
    if (this.#average) {
      const divisor = 10 ** (this.#type.scale ?? 0);
      const values = new Float64Array(length);
      for (let row = 0; row < length; row++) {
        const total = this.#carries ? Number(this.#total(from + row)) : this.#sums[from + row]!;
        values[row] = total / this.#counts[from + row]! / divisor;
      }
      return { form: 'number', length, nulls, values };
    }
    if (this.#type.name === 'DECIMAL') {
      const values = Array.from({ length }, (_, row) => this.#total(from + row));
      if (values.some(value => value >= wideMax || value <= -wideMax)) throw this.#overflow();
      return { form: 'wide', length, nulls, values };
    }
    if (!this.#carries) return { form: 'number', length, nulls, values: this.#sums.slice(from, to) };
    const values = new BigInt64Array(length);
    let small = true;
    for (let row = 0; row < length; row++) {
      const total = this.#total(from + row);
      if (total < longMin || total > longMax) throw this.#overflow();
      if (total > BigInt(safe) || total < -BigInt(safe)) small = false;
      values[row] = total;
    }
    if (!small) return { form: 'bigint', length, nulls, values };
    return { form: 'number', length, nulls, values: Float64Array.from(values, Number) };
  }

  #overflow(): Error {
    return fault('NUMERIC_OVERFLOW', `a sum is out of range for ${typeText(this.#type)}`, {
      hint: this.#type.name === 'LONG' ? 'SUM(CAST(x AS DECIMAL(38, 0))) has room for 38 digits' : 'divide before summing',
    });
  }
}

function nullsWhereZero(counts: Float64Array, from: number, to: number): Nulls {
  let nulls: Uint8Array | null = null;
  for (let group = from; group < to; group++) if (counts[group] === 0) (nulls ??= new Uint8Array(to - from))[group - from] = 1;
  return nulls;
}

/**
 * SUM and AVG of doubles, compensated (Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher
 * Summen", 1974): the answer does not change with the order in which segments and shards come in, but for sums that
 * cancel almost entirely.
 */
class SumDouble implements Aggregate {
  readonly stateTypes: readonly Type[] = [DOUBLE, DOUBLE, LONG];
  readonly #average: boolean;
  #sums = new Float64Array(16);
  #corrections = new Float64Array(16);
  #counts = new Float64Array(16);

  constructor(average: boolean) {
    this.#average = average;
  }

  get sizeBytes(): number {
    return this.#sums.byteLength * 3;
  }

  grow(groupCount: number): void {
    if (groupCount <= this.#sums.length) return;
    this.#sums = grownF64(this.#sums, groupCount);
    this.#corrections = grownF64(this.#corrections, groupCount);
    this.#counts = grownF64(this.#counts, groupCount);
  }

  add(groups: Uint32Array | null, vector: Vector | null, length: number): void {
    const values = numbers(vector!);
    const nulls = vector!.nulls;
    if (groups === null) return this.#addAll(values, nulls, length);
    const sums = this.#sums;
    const corrections = this.#corrections;
    const counts = this.#counts;
    for (let row = 0; row < length; row++) {
      if (nulls !== null && nulls[row] !== 0) continue;
      const group = groups[row]!;
      const value = values[row]!;
      const before = sums[group]!;
      const after = before + value;
      corrections[group]! += Math.abs(before) >= Math.abs(value) ? before - after + value : value - after + before;
      sums[group] = after;
      counts[group]!++;
    }
  }

  /** Into group 0: its sum stays in registers. */
  #addAll(values: Float64Array, nulls: Nulls, length: number): void {
    let sum = this.#sums[0]!;
    let correction = this.#corrections[0]!;
    let count = 0;
    for (let row = 0; row < length; row++) {
      if (nulls !== null && nulls[row] !== 0) continue;
      const value = values[row]!;
      const after = sum + value;
      correction += Math.abs(sum) >= Math.abs(value) ? sum - after + value : value - after + sum;
      sum = after;
      count++;
    }
    this.#sums[0] = sum;
    this.#corrections[0] = correction;
    this.#counts[0]! += count;
  }

  merge(groups: Uint32Array | null, states: readonly Vector[], length: number): void {
    const counts = numbers(states[2]!);
    const corrections = numbers(states[1]!);
    for (let row = 0; row < length; row++) this.#counts[groups ? groups[row]! : 0]! += counts[row]! - 1;
    this.add(groups, { ...states[0]!, nulls: null } as Vector, length);
    for (let row = 0; row < length; row++) this.#corrections[groups ? groups[row]! : 0]! += corrections[row]!;
  }

  states(from: number, to: number): Vector[] {
    const of = (values: Float64Array): Vector => ({ form: 'number', length: to - from, nulls: null, values: values.slice(from, to) });
    return [of(this.#sums), of(this.#corrections), of(this.#counts)];
  }

  finish(from: number, to: number): Vector {
    const values = new Float64Array(to - from);
    for (let group = from; group < to; group++) {
      const sum = this.#sums[group]!;
      // The correction of an infinite sum is NaN.
      const total = Number.isFinite(sum) ? sum + this.#corrections[group]! : sum;
      values[group - from] = this.#average ? total / this.#counts[group]! : total;
    }
    return { form: 'number', length: to - from, nulls: nullsWhereZero(this.#counts, from, to), values };
  }
}

/** `sign`: -1 MIN, 1 MAX. */
function createExtreme(type: Type, sign: -1 | 1): Aggregate {
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
  a !== a ? sign > 0 && b === b : b !== b ? sign < 0 : sign > 0 ? a > b : a < b;

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
      if (nulls && nulls[row]) continue;
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
    if (vector!.form === 'number') return this.#small!.add(groups, vector, length);
    if (vector!.form !== 'bigint' && vector!.form !== 'wide' && vector!.form !== 'interval')
      throw new Error(`expected ${this.#type.name}, got a ${vector!.form} vector`);
    const { values, nulls } = vector!;
    for (let row = 0; row < length; row++) {
      if (nulls && nulls[row]) continue;
      const group = groups ? groups[row]! : 0;
      const value = values[row]!;
      const key = typeof value === 'bigint' ? value : lengthOf(value);
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
        const number = small.nulls && small.nulls[row] ? null : BigInt(small.values[row]!);
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
    return { form: 'interval', length, nulls, values: Array.from({ length }, (_, row) => this.#intervals[from + row] ?? zero) };
  }
}

const lengthOf = ({ months, days, ms }: { months: number; days: number; ms: number }): bigint =>
  (BigInt(months) * 30n + BigInt(days)) * 86_400_000n + BigInt(ms);

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
      if (nulls && nulls[row]) continue;
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
    return bytesVector(Array.from({ length: to - from }, (_, row) => this.#best[from + row] ?? null));
  }
}

/** A string vector of its own pool; null entries are NULL. */
export function bytesVector(entries: readonly (Uint8Array | null)[]): Vector {
  const length = entries.length;
  const offsets = new Uint32Array(length + 1);
  let nulls: Uint8Array | null = null;
  entries.forEach((entry, row) => {
    offsets[row + 1] = offsets[row]! + (entry?.length ?? 0);
    if (entry === null) (nulls ??= new Uint8Array(length))[row] = 1;
  });
  const bytes = new Uint8Array(offsets[length]!);
  const ids = new Uint32Array(length);
  entries.forEach((entry, row) => {
    if (entry) bytes.set(entry, offsets[row]);
    ids[row] = row;
  });
  const pool = { bytes, bytesBase: 0, offsets, offsetsBase: 0, count: length, sorted: false, distinct: false, key: {} };
  return { form: 'string', length, nulls, ids, pool };
}

