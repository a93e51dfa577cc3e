/**
 * Comparisons of a cast column with a literal, as comparisons of the column itself: only those can use zone maps and
 * indexes. Casts here keep the order of values: x <= y ⇒ cast(x) <= cast(y).
 */

import { FaultError } from '../../base/fault.ts';
import { dayMs } from '../../column/text.ts';
import { BOOLEAN, type Type, type Value } from '../../column/type.ts';
import { castValue } from '../../function/cast.ts';
import type { FunctionContext } from '../../function/scalar.ts';
import type { CompareOperator, Expr } from '../../plan/expr.ts';
import { booleanLiteral, compareValues, isLiteral, type Literal } from '../fold.ts';

/** Below this every whole number is a DOUBLE of its own. */
const exactDoubleMax = 2 ** 53;

/** A cast that loses nothing and keeps the order, at least near `value`: each value of `from` has its own of `to`. */
function isWidening(from: Type, to: Type, value: Value): boolean {
  switch (from.name) {
    case 'INT':
      return to.name === 'LONG' || (to.name === 'DECIMAL' && to.precision! - to.scale! >= 10) || to.name === 'DOUBLE';
    case 'LONG':
      if (to.name === 'DOUBLE') return Math.abs(value as number) < exactDoubleMax;
      return to.name === 'DECIMAL' && to.precision! - to.scale! >= 19;
    case 'DECIMAL':
      return (
        to.name === 'DECIMAL' && to.scale! >= from.scale! && to.precision! - to.scale! >= from.precision! - from.scale!
      );
    case 'FLOAT':
      return to.name === 'DOUBLE';
    case 'DATE':
      return to.name === 'TIMESTAMP';
    default:
      return false;
  }
}

/** False for every value, NULL for NULL. */
const never = (arg: Expr): Expr => ({
  kind: 'and',
  type: BOOLEAN,
  args: [{ kind: 'isNull', type: BOOLEAN, arg }, booleanLiteral(null)],
});
/** True for every value, NULL for NULL. */
const always = (arg: Expr): Expr => ({
  kind: 'or',
  type: BOOLEAN,
  args: [{ kind: 'not', type: BOOLEAN, arg: { kind: 'isNull', type: BOOLEAN, arg } }, booleanLiteral(null)],
});

const compare = (op: CompareOperator, left: Expr, value: Value): Expr => ({
  kind: 'compare',
  type: BOOLEAN,
  op,
  left,
  right: { kind: 'literal', type: left.type, value },
});

/** null: nothing to unwrap. `right` is not NULL. */
export function unwrapCompare(op: CompareOperator, left: Expr, right: Literal, context: FunctionContext): Expr | null {
  if (left.kind !== 'cast' || isLiteral(left.source)) return null;
  const { source } = left;
  if (source.type.name === 'TIMESTAMP' && left.type.name === 'DATE')
    return compareDay(op, source, right.value as number);
  if (!isWidening(source.type, left.type, right.value)) return null;
  const exact = exactValue(right, source.type, context);
  if (exact !== null) return compare(op, source, exact);
  if (op === '=') return never(source);
  if (op === '<>') return always(source);
  const below = valueBelow(right, source.type, context);
  if (below === null) return null;
  if (below === 'none') return op === '<' || op === '<=' ? never(source) : always(source);
  if (below === 'all') return op === '<' || op === '<=' ? always(source) : never(source);
  return compare(op === '<' || op === '<=' ? '<=' : '>', source, below);
}

/** null: nothing to unwrap. Values that the column cannot have are dropped: they never match. */
export function unwrapIn(arg: Expr, values: readonly Value[], context: FunctionContext): Expr | null {
  if (arg.kind !== 'cast') return null;
  const { source, type } = arg;
  if (!values.every(value => value === null || isWidening(source.type, type, value))) return null;
  const kept: Value[] = [];
  for (const value of values) {
    const exact = value === null ? null : exactValue({ kind: 'literal', type, value }, source.type, context);
    if (value === null || exact !== null) kept.push(exact);
  }
  return kept.length === 0 ? never(source) : { kind: 'in', type: BOOLEAN, arg: source, values: kept };
}

/** The value of the narrow type that casts to the literal's, or null where there is none. */
function exactValue(wide: Literal, narrow: Type, context: FunctionContext): Value {
  const value = tryCast(wide.value, wide.type, narrow, context);
  if (value === null) return null;
  const back = tryCast(value, narrow, wide.type, context);
  return back !== null && compareValues(wide.type, back, wide.value!) === 0 ? value : null;
}

function tryCast(value: Value, from: Type, to: Type, context: FunctionContext): Value {
  try {
    return castValue(value, from, to, context);
  } catch (error) {
    if (error instanceof FaultError) return null;
    throw error;
  }
}

/**
 * The greatest value of the narrow type below a literal that lies between two of them; 'none' and 'all' where it lies below
 * or above all of them; null where that is not worth knowing.
 */
function valueBelow(wide: Literal, narrow: Type, context: FunctionContext): Value | 'none' | 'all' {
  const rounded = tryCast(wide.value, wide.type, narrow, context);
  if (rounded === null) return wide.type.name === 'DOUBLE' ? null : isNegative(wide.value) ? 'none' : 'all';
  const back = tryCast(rounded, narrow, wide.type, context);
  if (back === null) return null;
  if (compareValues(wide.type, back, wide.value!) < 0) return rounded;
  if (narrow.name === 'INT') return rounded === -(2 ** 31) ? 'none' : (rounded as number) - 1;
  if (narrow.name === 'LONG') return rounded === -(2n ** 63n) ? 'none' : (rounded as bigint) - 1n;
  return narrow.name === 'DECIMAL' ? (rounded as bigint) - 1n : null;
}

const isNegative = (value: Value): boolean => (typeof value === 'bigint' ? value < 0n : (value as number) < 0);

/** `ts::date = d` is `d <= ts AND ts < d + 1`. */
function compareDay(op: CompareOperator, ts: Expr, day: number): Expr {
  const start = day * dayMs;
  const end = start + dayMs;
  switch (op) {
    case '=':
      return { kind: 'and', type: BOOLEAN, args: [compare('>=', ts, start), compare('<', ts, end)] };
    case '<>':
      return { kind: 'or', type: BOOLEAN, args: [compare('<', ts, start), compare('>=', ts, end)] };
    case '<':
      return compare('<', ts, start);
    case '<=':
      return compare('<', ts, end);
    case '>':
      return compare('>=', ts, end);
    case '>=':
      return compare('>=', ts, start);
  }
}
