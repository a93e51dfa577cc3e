/** SUM and AVG: of integers and decimals exactly, of doubles compensated. */
import { fault } from '../base/fault.ts';
import { DOUBLE, LONG, type Type, typeText } from '../column/type.ts';
import type { Nulls, Vector } from '../column/vector.ts';
import type { NumberVector } from '../function/vectors.ts';
import type { Aggregate } from './aggregate.ts';
import { grownF64, numbers } from './state-arrays.ts';

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
export class SumInteger implements Aggregate {
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
    if (vector?.form === 'number') {
      this.#addNumbers(groups, vector, length);
      return;
    }
    if (vector?.form !== 'bigint' && vector?.form !== 'wide') throw new Error('SUM adds numbers');
    const carries = this.#carries ?? this.#carry();
    for (let row = 0; row < length; row++) {
      if (vector.nulls?.[row]) continue;
      const group = groups ? groups[row]! : 0;
      carries[group]! += vector.values[row]!;
      this.#counts[group]!++;
    }
  }

  #addNumbers(groups: Uint32Array | null, vector: NumberVector, length: number): void {
    const { values, nulls } = vector;
    const bound = vector.bound ?? largestOf(values, length);
    if (!this.#takeHeadroom(bound, length)) {
      this.#addSlowly(groups, values, nulls, length);
      return;
    }
    if (groups === null) {
      this.#addAll(values, nulls, length);
      return;
    }
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
      if (nulls?.[row]) continue;
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
      if (carried.nulls?.[row]) continue;
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
    const of = (values: Float64Array): Vector => ({
      form: 'number',
      length,
      nulls: null,
      values: values.slice(from, to),
    });
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
      hint:
        this.#type.name === 'LONG' ? 'SUM(CAST(x AS DECIMAL(38, 0))) has room for 38 digits' : 'divide before summing',
    });
  }
}

function nullsWhereZero(counts: Float64Array, from: number, to: number): Nulls {
  let nulls: Uint8Array | null = null;
  for (let group = from; group < to; group++)
    if (counts[group] === 0) (nulls ??= new Uint8Array(to - from))[group - from] = 1;
  return nulls;
}

/**
 * SUM and AVG of doubles, compensated (Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher
 * Summen", 1974): the answer does not change with the order in which segments and shards come in, but for sums that
 * cancel almost entirely.
 */
export class SumDouble implements Aggregate {
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
    if (groups === null) {
      this.#addAll(values, nulls, length);
      return;
    }
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
    const of = (values: Float64Array): Vector => ({
      form: 'number',
      length: to - from,
      nulls: null,
      values: values.slice(from, to),
    });
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
