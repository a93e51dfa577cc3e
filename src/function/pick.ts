/** GREATEST and LEAST: NULL arguments are passed over, as in PostgreSQL; NaN is greater than any number. */
import type { Interval, Type } from '../column/type.ts';
import type { StringVector, Vector } from '../column/vector.ts';
import { compareDoubles } from './compare.ts';
import { compareIntervals } from './datetime.ts';
import type { ScalarFunction } from './scalar.ts';
import { type Definition, define } from './signature.ts';
import { compareEntries, entryBytes, PoolBuilder } from './strings.ts';
import {
  type BigintVector,
  boolVector,
  intervalVector,
  longVector,
  type NumberVector,
  numberVector,
  stringVector,
  toBigints,
  type WideVector,
  wideVector,
} from './vectors.ts';

/** Index of the argument to take for a row; -1 where all are NULL. */
function pickRow(
  args: readonly Vector[],
  row: number,
  sign: 1 | -1,
  compare: (a: number, b: number, row: number) => number,
): number {
  let best = -1;
  for (let index = 0; index < args.length; index++) {
    const { nulls } = args[index]!;
    if (nulls !== null && nulls[row] !== 0) continue;
    if (best < 0 || sign * compare(index, best, row) > 0) best = index;
  }
  return best;
}

/** Three-way comparison of rows of two arguments, by the form they share. */
function comparator(args: readonly Vector[]): (a: number, b: number, row: number) => number {
  const first = args[0]!;
  if (first.form === 'string')
    return (a, b, row) => {
      const [left, right] = [args[a] as typeof first, args[b] as typeof first];
      return compareEntries(left.pool, left.ids[row]!, right.pool, right.ids[row]!);
    };
  if (first.form === 'interval')
    return (a, b, row) =>
      compareIntervals((args[a] as typeof first).values[row]!, (args[b] as typeof first).values[row]!);
  if (first.form === 'wide' || first.form === 'bigint')
    return (a, b, row) => {
      const left = (args[a] as WideVector | BigintVector).values[row]!;
      const right = (args[b] as WideVector | BigintVector).values[row]!;
      return left < right ? -1 : left > right ? 1 : 0;
    };
  return (a, b, row) => compareDoubles((args[a] as NumberVector).values[row]!, (args[b] as NumberVector).values[row]!);
}

/** LONG vectors may differ in form: then all take the wider. */
function alignForms(args: readonly Vector[], length: number): readonly Vector[] {
  if (!args.some(arg => arg.form === 'bigint')) return args;
  return args.map(arg =>
    arg.form === 'number' ? { form: 'bigint', length, nulls: arg.nulls, values: toBigints(arg, length) } : arg,
  );
}

const evaluatePick =
  (sign: 1 | -1): ScalarFunction['evaluate'] =>
  (given, length) => {
    const args = alignForms(given, length);
    const compare = comparator(args);
    const picks = new Int32Array(length);
    const nulls = new Uint8Array(length);
    let nullCount = 0;
    for (let row = 0; row < length; row++) {
      const pick = pickRow(args, row, sign, compare);
      picks[row] = Math.max(pick, 0);
      if (pick < 0) {
        nulls[row] = 1;
        nullCount++;
      }
    }
    return takeRows(args, picks, length, nullCount === 0 ? null : nulls);
  };

function takeRows(args: readonly Vector[], picks: Int32Array, length: number, nulls: Uint8Array | null): Vector {
  const first = args[0]!;
  if (first.form === 'string') {
    const pool = new PoolBuilder();
    const ids = new Uint32Array(length);
    for (let row = 0; row < length; row++) {
      const arg = args[picks[row]!] as typeof first;
      if (nulls === null || nulls[row] === 0) ids[row] = pool.addBytes(entryBytes(arg.pool, arg.ids[row]!));
    }
    if (pool.count === 0) pool.addText('');
    return stringVector(ids, pool.finish(), length, nulls);
  }
  const values = Array.from({ length }, (_, row) => (args[picks[row]!] as Exclude<Vector, StringVector>).values[row]!);
  switch (first.form) {
    case 'bool':
      return boolVector(Uint8Array.from(values as number[]), length, nulls);
    case 'number':
      return numberVector(Float64Array.from(values as number[]), length, nulls);
    case 'bigint':
      return longVector(BigInt64Array.from(values as bigint[]), length, nulls);
    case 'wide':
      return wideVector(values as bigint[], length, nulls);
    case 'interval':
      return intervalVector(values as Interval[], length, nulls);
  }
}

const sameType = (args: readonly Type[]): Type => args[0]!;

export const picks: readonly Definition[] = [
  define('greatest', ['SAME'], sameType, 'The greatest argument that is not NULL.', evaluatePick(1), true),
  define('least', ['SAME'], sameType, 'The least argument that is not NULL.', evaluatePick(-1), true),
];
