/** Walking bound expressions. Recursion is as deep as the expression, which `sql/limits` bounds. */
import { unreachable } from '../base/assert.ts';
import type { Interval, Value } from '../column/type.ts';
import { sameType } from '../column/type.ts';
import type { AggregateCall, Expr } from './expr.ts';

export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'literal':
    case 'column':
    case 'subquery':
      return [];
    case 'call':
    case 'coalesce':
    case 'and':
    case 'or':
      return expr.args;
    case 'cast':
      return [expr.source];
    case 'case':
      return [
        ...expr.branches.flatMap(branch => [branch.when, branch.then]),
        ...(expr.otherwise === null ? [] : [expr.otherwise]),
      ];
    case 'compare':
      return [expr.left, expr.right];
    case 'not':
    case 'in':
    case 'like':
    case 'isNull':
      return [expr.arg];
    default:
      return unreachable(expr);
  }
}

/** The same expression over changed children. Children come in the order of `childrenOf`. */
export function mapChildren(expr: Expr, change: (child: Expr) => Expr): Expr {
  switch (expr.kind) {
    case 'literal':
    case 'column':
    case 'subquery':
      return expr;
    case 'call':
    case 'coalesce':
    case 'and':
    case 'or':
      return { ...expr, args: expr.args.map(change) };
    case 'cast':
      return { ...expr, source: change(expr.source) };
    case 'case':
      return {
        ...expr,
        branches: expr.branches.map(branch => ({ when: change(branch.when), then: change(branch.then) })),
        otherwise: expr.otherwise === null ? null : change(expr.otherwise),
      };
    case 'compare':
      return { ...expr, left: change(expr.left), right: change(expr.right) };
    case 'not':
    case 'in':
    case 'like':
    case 'isNull':
      return { ...expr, arg: change(expr.arg) };
    default:
      return unreachable(expr);
  }
}

export const mapAggregate = (call: AggregateCall, change: (expr: Expr) => Expr): AggregateCall => ({
  ...call,
  args: call.args.map(change),
  filter: call.filter === null ? null : change(call.filter),
});

/** Expressions of one call: its arguments, then its filter. */
export const aggregateExprs = (call: AggregateCall): readonly Expr[] =>
  call.filter === null ? call.args : [...call.args, call.filter];

/** Every `column` becomes what `replace` gives for its index. */
export const replaceColumns = (expr: Expr, replace: (index: number, expr: Expr) => Expr): Expr =>
  expr.kind === 'column' ? replace(expr.index, expr) : mapChildren(expr, child => replaceColumns(child, replace));

export function addColumnsUsed(expr: Expr, into: Set<number>): void {
  if (expr.kind === 'column') into.add(expr.index);
  for (const child of childrenOf(expr)) addColumnsUsed(child, into);
}

export const someExpr = (expr: Expr, holds: (expr: Expr) => boolean): boolean =>
  holds(expr) || childrenOf(expr).some(child => someExpr(child, holds));

/** Same result for every row by construction; where in the SQL they stood does not count. */
export function sameExpr(a: Expr, b: Expr): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind || !sameType(a.type, b.type) || !sameOwnParts(a, b)) return false;
  const [left, right] = [childrenOf(a), childrenOf(b)];
  return left.length === right.length && left.every((child, index) => sameExpr(child, right[index]!));
}

function sameOwnParts(a: Expr, b: Expr): boolean {
  switch (a.kind) {
    case 'literal':
      return sameValue(a.value, (b as typeof a).value);
    case 'column':
    case 'subquery':
      return a.index === (b as typeof a).index;
    case 'call':
      return a.function === (b as typeof a).function;
    case 'case':
      return a.branches.length === (b as typeof a).branches.length;
    case 'compare':
      return a.op === (b as typeof a).op;
    case 'in': {
      const { values } = b as typeof a;
      return a.values.length === values.length && a.values.every((value, index) => sameValue(value, values[index]!));
    }
    case 'like': {
      const like = b as typeof a;
      return a.pattern === like.pattern && a.escape === like.escape && a.caseInsensitive === like.caseInsensitive;
    }
    default:
      return true;
  }
}

export function sameAggregate(a: AggregateCall, b: AggregateCall): boolean {
  if (a.function !== b.function || a.distinct !== b.distinct || (a.filter === null) !== (b.filter === null))
    return false;
  const [left, right] = [aggregateExprs(a), aggregateExprs(b)];
  return left.length === right.length && left.every((expr, index) => sameExpr(expr, right[index]!));
}

/** Identity of values: NaN is itself, 0 is not -0 (they print differently). */
function sameValue(a: Value, b: Value): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (a instanceof Uint8Array || b instanceof Uint8Array)
    return (
      a instanceof Uint8Array &&
      b instanceof Uint8Array &&
      a.length === b.length &&
      a.every((byte, index) => byte === b[index])
    );
  const [left, right] = [a as Interval, b as Interval];
  return left.months === right.months && left.days === right.days && left.ms === right.ms;
}
