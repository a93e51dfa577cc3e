/**
 * A scan's filter as what can be asked of a block: by its zone maps (`judge`), by its segment's indexes (`access`), and by
 * its rows (`narrow`), each part by the cheapest means that answers.
 */
import { decimalPrecisionMax } from '../catalog/limits.ts';
import { isPooled, type Type, type Value } from '../column/type.ts';
import type { FunctionContext } from '../function/scalar.ts';
import { nextAbove, nextBelow } from '../kernel/select.ts';
import type { CompareOperator, Expr } from '../plan/expr.ts';
import { addColumnsUsed } from '../plan/visit.ts';
import { floorDivide } from '../segment/ordered.ts';
import type { ScanColumn } from './block-input.ts';
import { EntryTable, entryTestOf, opposite } from './entry-test.ts';
import { compileExpr, type Evaluator } from './evaluate.ts';

export type BlockPredicate =
  | { readonly kind: 'constant'; readonly holds: boolean }
  | { readonly kind: 'and'; readonly args: readonly BlockPredicate[] }
  | { readonly kind: 'or'; readonly args: readonly BlockPredicate[] }
  /** `low <= column <= high`, or its negation; NULL never holds. */
  | {
      readonly kind: 'range';
      readonly column: ScanColumn;
      readonly low: number | bigint;
      readonly high: number | bigint;
      readonly negated: boolean;
      /** Doubles: whether NaN holds. */
      readonly nan: boolean;
    }
  | {
      readonly kind: 'entries';
      readonly column: ScanColumn;
      readonly table: EntryTable;
      readonly op: CompareOperator | null;
    }
  | { readonly kind: 'null'; readonly column: ScanColumn; readonly negated: boolean }
  | { readonly kind: 'general'; readonly columns: readonly ScanColumn[]; readonly evaluate: Evaluator };

/** @param columns What the expression's column indexes mean: the scan's output, in order. */
export function compileFilter(expr: Expr, columns: readonly ScanColumn[], context: FunctionContext): BlockPredicate {
  const leaf = compileLeaf(expr, columns);
  if (leaf) return leaf;
  if (expr.kind === 'and' || expr.kind === 'or') {
    const args = expr.args.map(arg => compileFilter(arg, columns, context));
    return { kind: expr.kind, args: expr.kind === 'and' ? joinRanges(args) : args };
  }
  if (expr.kind === 'literal') return { kind: 'constant', holds: expr.value === true };
  const used = new Set<number>();
  addColumnsUsed(expr, used);
  return {
    kind: 'general',
    columns: [...used].map(index => columns[index]!),
    evaluate: compileExpr(expr, context),
  };
}

function compileLeaf(expr: Expr, columns: readonly ScanColumn[], negated = false): BlockPredicate | null {
  const stored = (index: number): ScanColumn | null => (columns[index]!.id >= -1 ? columns[index]! : null);
  if (expr.kind === 'not') return compileLeaf(expr.arg, columns, !negated);
  if (expr.kind === 'isNull' && expr.arg.kind === 'column') {
    const column = stored(expr.arg.index);
    return column && { kind: 'null', column, negated };
  }
  if (expr.kind === 'column' && expr.type.name === 'BOOLEAN') {
    const column = stored(expr.index);
    const wanted = negated ? 0 : 1;
    return column && { kind: 'range', column, low: wanted, high: wanted, negated: false, nan: false };
  }
  const entries = entryTestOf(expr, negated);
  if (entries) {
    const column = stored(entries.column);
    const op = expr.kind === 'compare' ? (negated ? opposite[expr.op] : expr.op) : null;
    return column && { kind: 'entries', column, table: new EntryTable(entries.test), op };
  }
  if (expr.kind === 'in' && expr.arg.kind === 'column') return rangesOf(expr.values, stored(expr.arg.index), negated);
  if (expr.kind !== 'compare' || expr.right.kind !== 'literal') return null;
  const left = withoutWidening(expr.left);
  if (left.kind !== 'column') return null;
  const column = stored(left.index);
  if (!column || expr.right.value === null || isPooled(column.type)) return null;
  return rangeOf(column, negated ? opposite[expr.op] : expr.op, expr.right.value, expr.right.type);
}

/** Bounds of a FLOAT column are doubles, so that it need not be cast to be compared with one. */
const withoutWidening = (expr: Expr): Expr =>
  expr.kind === 'cast' && expr.type.name === 'DOUBLE' && expr.source.type.name === 'FLOAT' ? expr.source : expr;

type Range = Extract<BlockPredicate, { kind: 'range' }>;

/** Conjuncts with the ranges of one column made one: `low <= x AND x < high` is one pass over the column, not two. */
function joinRanges(conjuncts: readonly BlockPredicate[]): BlockPredicate[] {
  const joined: BlockPredicate[] = [];
  for (const conjunct of conjuncts) {
    const at = joined.findIndex(other => canJoin(other, conjunct));
    if (at < 0) joined.push(conjunct);
    else joined[at] = joinRange(joined[at] as Range, conjunct as Range);
  }
  return joined;
}

const canJoin = (left: BlockPredicate, right: BlockPredicate): boolean =>
  left.kind === 'range' &&
  right.kind === 'range' &&
  left.column.id === right.column.id &&
  !left.negated &&
  !right.negated &&
  typeof left.low === typeof right.low;

/** A bound that is NaN holds for nothing, and stays. */
function joinRange(left: Range, right: Range): Range {
  const low = left.low > right.low || Number.isNaN(left.low) ? left.low : right.low;
  const high = left.high < right.high || Number.isNaN(left.high) ? left.high : right.high;
  return { ...left, low, high, nan: left.nan && right.nan };
}

/** Numbers of an IN list that are compared one by one, a pass each; a longer list is looked up row by row. */
const rangesMax = 16;

/** IN over numbers as ranges, so that zone maps answer it too. */
function rangesOf(values: readonly Value[], column: ScanColumn | null, negated: boolean): BlockPredicate | null {
  if (!column || isPooled(column.type) || (negated && values.includes(null))) return null;
  const present = values.filter(value => value !== null);
  if (present.length > rangesMax) return null;
  const args = present
    .map(value => rangeOf(column, negated ? '<>' : '=', value, column.type))
    .filter(range => range !== null);
  return args.length === present.length ? { kind: negated ? 'and' : 'or', args } : null;
}

const longMin = -(2n ** 63n);
const longMax = 2n ** 63n - 1n;

/** @param type Of the value: a DECIMAL of any scale, else the column's. */
function rangeOf(column: ScanColumn, op: CompareOperator, value: Value, type: Type): BlockPredicate | null {
  const make = (low: number | bigint, high: number | bigint, nan: boolean): BlockPredicate => ({
    kind: 'range',
    column,
    low,
    high,
    negated: op === '<>',
    nan,
  });
  switch (column.type.name) {
    case 'INT':
    case 'LONG':
    case 'DATE':
    case 'TIMESTAMP':
    case 'BOOLEAN': {
      const at = BigInt(value as number | bigint | boolean);
      if (op === '<') return make(longMin, at - 1n, false);
      if (op === '<=') return make(longMin, at, false);
      if (op === '>') return make(at + 1n, longMax, false);
      if (op === '>=') return make(at, longMax, false);
      return make(at, at, false);
    }
    case 'FLOAT':
    case 'DOUBLE': {
      const at = value as number;
      if (Number.isNaN(at)) return null;
      if (op === '<') return make(Number.NEGATIVE_INFINITY, at === -Infinity ? Number.NaN : nextBelow(at), false);
      if (op === '<=') return make(Number.NEGATIVE_INFINITY, at, false);
      if (op === '>') return make(at === Infinity ? Number.NaN : nextAbove(at), Number.POSITIVE_INFINITY, true);
      if (op === '>=') return make(at, Number.POSITIVE_INFINITY, true);
      return make(at, at, false);
    }
    case 'DECIMAL': {
      const [floor, ceiling] = rescale(value as bigint, type.scale! - column.type.scale!);
      if (op === '<') return make(-decimalMax, ceiling - 1n, false);
      if (op === '<=') return make(-decimalMax, floor, false);
      if (op === '>') return make(floor + 1n, decimalMax, false);
      if (op === '>=') return make(ceiling, decimalMax, false);
      return floor === ceiling ? make(floor, floor, false) : make(1n, 0n, false);
    }
    default:
      return null;
  }
}

/** No unscaled value is as large. */
const decimalMax = 10n ** BigInt(decimalPrecisionMax);

/** The whole numbers around `value / 10^digits`. */
function rescale(value: bigint, digits: number): readonly [floor: bigint, ceiling: bigint] {
  if (digits <= 0) {
    const exact = value * 10n ** BigInt(-digits);
    return [exact, exact];
  }
  const by = 10n ** BigInt(digits);
  return [floorDivide(value, by), -floorDivide(-value, by)];
}

/** Ids of the columns that a predicate reads, added to `into`. */
export function columnsOf(predicate: BlockPredicate, into: Set<number>): void {
  if (predicate.kind === 'and' || predicate.kind === 'or') for (const arg of predicate.args) columnsOf(arg, into);
  else if (predicate.kind === 'general') for (const column of predicate.columns) into.add(column.id);
  else if (predicate.kind !== 'constant') into.add(predicate.column.id);
}
