/** Vectors from values and back, and the null bookkeeping that every function shares. */
import { formatUuid, parseUuid } from '../column/text.ts';
import { type Interval, isPooled, type Type, type Value } from '../column/type.ts';
import type { Nulls, StringPool, StringVector, Vector } from '../column/vector.ts';
import { entryBytes, entryText, PoolBuilder } from './strings.ts';

export type BoolVector = Extract<Vector, { form: 'bool' }>;
export type NumberVector = Extract<Vector, { form: 'number' }>;
export type BigintVector = Extract<Vector, { form: 'bigint' }>;
export type WideVector = Extract<Vector, { form: 'wide' }>;
export type IntervalVector = Extract<Vector, { form: 'interval' }>;

const noInterval: Interval = { months: 0, days: 0, ms: 0 };

export const boolVector = (values: Uint8Array, length: number, nulls: Nulls): BoolVector => ({
  form: 'bool',
  length,
  nulls,
  values,
});
export const numberVector = (values: Float64Array, length: number, nulls: Nulls): NumberVector => ({
  form: 'number',
  length,
  nulls,
  values,
});
export const wideVector = (values: bigint[], length: number, nulls: Nulls): WideVector => ({
  form: 'wide',
  length,
  nulls,
  values,
});
export const intervalVector = (values: Interval[], length: number, nulls: Nulls): IntervalVector => ({
  form: 'interval',
  length,
  nulls,
  values,
});
export const stringVector = (ids: Uint32Array, pool: StringPool, length: number, nulls: Nulls): StringVector => ({
  form: 'string',
  length,
  nulls,
  ids,
  pool,
});

/** LONG in its canonical form: `number` where every present value is in [-2^53, 2^53), else `bigint` (then of `values`). */
export function longVector(values: BigInt64Array, length: number, nulls: Nulls): Vector {
  const words = new Int32Array(values.buffer, values.byteOffset, length * 2);
  const narrow = new Float64Array(length);
  let outside = 0;
  for (let row = 0; row < length; row++) {
    const high = words[2 * row + 1]!;
    const isOutside = (high + 0x20_0000) & ~0x3f_ffff;
    outside |= nulls === null || nulls[row] === 0 ? isOutside : 0;
    narrow[row] = isOutside === 0 ? high * 4_294_967_296 + (words[2 * row]! >>> 0) : 0;
  }
  return outside === 0 ? numberVector(narrow, length, nulls) : { form: 'bigint', length, nulls, values };
}

/** The `bigint` form of a LONG (or INT) vector. */
export function toBigints(vector: NumberVector | BigintVector, length: number): BigInt64Array {
  if (vector.form === 'bigint') return vector.values;
  const values = new BigInt64Array(length);
  for (let row = 0; row < length; row++) values[row] = BigInt(vector.values[row]!);
  return values;
}

/** 1 where any argument is NULL; null where none is. May be an argument's own array: do not write to it. */
export function unionNulls(args: readonly Vector[], length: number): Nulls {
  let union: Uint8Array | null = null;
  let owned = false;
  for (const { nulls } of args) {
    if (nulls === null || nulls === union) continue;
    if (union === null) {
      union = nulls;
      continue;
    }
    if (!owned) {
      union = union.slice(0, length);
      owned = true;
    }
    for (let row = 0; row < length; row++) union[row]! |= nulls[row]!;
  }
  return union;
}

export const numbersOf = (vector: Vector): Float64Array => (vector as NumberVector).values;
export const widesOf = (vector: Vector): bigint[] => (vector as WideVector).values;
export const intervalsOf = (vector: Vector): Interval[] => (vector as IntervalVector).values;

/** Does every row hold the same entry? Literals do. O(length). */
export function isConstant(vector: Vector, length: number): boolean {
  if (vector.nulls !== null || vector.form === 'wide' || vector.form === 'interval') return false;
  const values = vector.form === 'string' ? vector.ids : vector.values;
  for (let row = 1; row < length; row++) if (values[row] !== values[0]) return false;
  return true;
}

/** The value of one row; not for loops over many rows. */
export function vectorValue(vector: Vector, type: Type, row: number): Value {
  if (vector.nulls !== null && vector.nulls[row] !== 0) return null;
  switch (vector.form) {
    case 'bool':
      return vector.values[row] !== 0;
    case 'number':
      return type.name === 'LONG' ? BigInt(vector.values[row]!) : vector.values[row]!;
    case 'string': {
      if (type.name === 'UUID') return formatUuid(entryBytes(vector.pool, vector.ids[row]!));
      return type.name === 'BYTES'
        ? entryBytes(vector.pool, vector.ids[row]!).slice()
        : entryText(vector.pool, vector.ids[row]!);
    }
    default:
      return vector.values[row]!;
  }
}

/** Fills a vector of one type row by row, for what has no loop of its own. Rows that are never set are NULL. */
export class VectorBuilder {
  readonly #type: Type;
  readonly #length: number;
  readonly #nulls: Uint8Array;
  #nullCount: number;
  #bools: Uint8Array | null = null;
  #numbers: Float64Array | null = null;
  #bigints: BigInt64Array | null = null;
  #wides: bigint[] | null = null;
  #intervals: Interval[] | null = null;
  #ids: Uint32Array | null = null;
  readonly #pool = new PoolBuilder();

  constructor(type: Type, length: number) {
    this.#type = type;
    this.#length = length;
    this.#nulls = new Uint8Array(length).fill(1);
    this.#nullCount = length;
    if (isPooled(type)) this.#ids = new Uint32Array(length);
    else if (type.name === 'BOOLEAN') this.#bools = new Uint8Array(length);
    else if (type.name === 'LONG') this.#bigints = new BigInt64Array(length);
    else if (type.name === 'DECIMAL') this.#wides = new Array<bigint>(length).fill(0n);
    else if (type.name === 'INTERVAL') this.#intervals = new Array<Interval>(length).fill(noInterval);
    else this.#numbers = new Float64Array(length);
  }

  /** Each row at most once. LONG takes a bigint, DECIMAL the unscaled one, UUID its text. */
  set(row: number, value: Value): void {
    if (value === null) return;
    this.#nulls[row] = 0;
    this.#nullCount--;
    if (this.#numbers) this.#numbers[row] = value as number;
    else if (this.#ids) this.#ids[row] = this.#addEntry(value);
    else if (this.#bigints) this.#bigints[row] = value as bigint;
    else if (this.#bools) this.#bools[row] = value ? 1 : 0;
    else if (this.#wides) this.#wides[row] = value as bigint;
    else this.#intervals![row] = value as Interval;
  }

  #addEntry(value: Value): number {
    if (typeof value !== 'string') return this.#pool.addBytes(value as Uint8Array);
    return this.#type.name === 'UUID' ? this.#pool.addBytes(parseUuid(value)!) : this.#pool.addText(value);
  }

  finish(): Vector {
    const length = this.#length;
    const nulls = this.#nullCount === 0 ? null : this.#nulls;
    if (this.#numbers) return numberVector(this.#numbers, length, nulls);
    if (this.#ids) {
      if (this.#nullCount === length) this.#pool.addText('');
      return stringVector(this.#ids, this.#pool.finish(), length, nulls);
    }
    if (this.#bigints) return longVector(this.#bigints, length, nulls);
    if (this.#bools) return boolVector(this.#bools, length, nulls);
    if (this.#wides) return wideVector(this.#wides, length, nulls);
    return intervalVector(this.#intervals!, length, nulls);
  }
}

/** @param values As `Type` says of each type. Numbers are taken for LONG too where they are integral. */
export function vectorOf(type: Type, values: readonly Value[]): Vector {
  const builder = new VectorBuilder(type, values.length);
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    builder.set(row, type.name === 'LONG' && typeof value === 'number' ? BigInt(value) : value);
  }
  return builder.finish();
}
