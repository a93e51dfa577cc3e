/**
 * Expressions in the form that scans can prune by: constants folded, NOT at the leaves, literals on the right, columns
 * without casts. Every rewrite keeps three-valued logic; `simplifyFilter` may also take NULL for FALSE.
 */
import { BOOLEAN, type Value } from '../../column/type.ts';
import type { FunctionContext } from '../../function/scalar.ts';
import type { CompareOperator, Expr } from '../../plan/expr.ts';
import { mapChildren, sameExpr } from '../../plan/visit.ts';
import {
  booleanLiteral,
  compareHolds,
  compareValues,
  foldCall,
  foldCast,
  isFalse,
  isLiteral,
  isNullLiteral,
  isTrue,
  type Literal,
} from '../fold.ts';
import { unwrapCompare, unwrapIn } from './unwrap-cast.ts';

type Kind<K extends Expr['kind']> = Extract<Expr, { kind: K }>;

/** `a < b` is `b > a`. */
export const flipped: Readonly<Record<CompareOperator, CompareOperator>> = {
  '=': '=',
  '<>': '<>',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};
const opposite: Readonly<Record<CompareOperator, CompareOperator>> = {
  '=': '<>',
  '<>': '=',
  '<': '>=',
  '<=': '>',
  '>': '<=',
  '>=': '<',
};

/** Arguments of one AND or OR that are compared with each other for doubles: the cost is their number squared. */
const comparedArgsMax = 32;

/** Same value for every row, also where it is NULL. */
export function simplify(expr: Expr, context: FunctionContext): Expr {
  if (expr.kind === 'not') return simplifyNot(expr.arg, context);
  const inner = mapChildren(expr, child => simplify(child, context));
  switch (inner.kind) {
    case 'call':
      return foldCall(inner, context);
    case 'cast':
      return foldCast(inner, context);
    case 'and':
    case 'or':
      return simplifyLogic(inner);
    case 'compare':
      return simplifyCompare(inner, context);
    case 'in':
      return simplifyIn(inner, context);
    case 'like':
      return simplifyLike(inner);
    case 'isNull':
      return isLiteral(inner.arg) ? booleanLiteral(inner.arg.value === null) : inner;
    case 'case':
      return simplifyCase(inner);
    case 'coalesce':
      return simplifyCoalesce(inner);
    default:
      return inner;
  }
}

/** As a condition whose NULL drops the row as FALSE does. */
export const simplifyFilter = (expr: Expr, context: FunctionContext): Expr => dropNulls(simplify(expr, context));

function dropNulls(expr: Expr): Expr {
  if (isNullLiteral(expr)) return booleanLiteral(false);
  if (expr.kind === 'and' || expr.kind === 'or') return simplifyLogic({ ...expr, args: expr.args.map(dropNulls) });
  const isTruth = expr.kind === 'coalesce' && expr.args.length === 2 && isFalse(expr.args[1]!);
  return isTruth ? dropNulls(expr.args[0]!) : expr;
}

/** De Morgan holds in three-valued logic, and comparisons have opposites (NaN has its place in the order). */
function simplifyNot(arg: Expr, context: FunctionContext): Expr {
  switch (arg.kind) {
    case 'not':
      return simplify(arg.arg, context);
    case 'and':
    case 'or': {
      const kind = arg.kind === 'and' ? 'or' : 'and';
      return simplifyLogic({ kind, type: BOOLEAN, args: arg.args.map(part => simplifyNot(part, context)) });
    }
    case 'compare':
      return simplify({ ...arg, op: opposite[arg.op] }, context);
    default: {
      const inner = simplify(arg, context);
      if (isLiteral(inner)) return booleanLiteral(inner.value === null ? null : inner.value !== true);
      const isPushable =
        inner.kind === 'compare' || inner.kind === 'and' || inner.kind === 'or' || inner.kind === 'not';
      return isPushable ? simplifyNot(inner, context) : { kind: 'not', type: BOOLEAN, arg: inner };
    }
  }
}

/** Flattened, without doubles and neutral arguments; equalities of one expression become one IN. */
function simplifyLogic(expr: Kind<'and' | 'or'>): Expr {
  const { kind } = expr;
  const decides = kind === 'and' ? isFalse : isTrue;
  const isNeutral = kind === 'and' ? isTrue : isFalse;
  const args: Expr[] = [];
  for (const arg of expr.args.flatMap(part => (part.kind === kind ? part.args : [part]))) {
    if (decides(arg)) return arg;
    const isDouble = args.length < comparedArgsMax && args.some(known => sameExpr(known, arg));
    if (!isNeutral(arg) && !isDouble) args.push(arg);
  }
  const parts = kind === 'or' ? gatherEqualities(args) : args;
  if (parts.length === 0) return booleanLiteral(kind === 'and');
  return parts.length === 1 ? parts[0]! : { kind, type: BOOLEAN, args: parts };
}

/** `a = 1 OR a = 2 OR a IN (3, 4)` is `a IN (1, 2, 3, 4)`. */
function gatherEqualities(args: readonly Expr[]): readonly Expr[] {
  const parts: Expr[] = [];
  const groups: { readonly part: number; readonly arg: Expr; readonly values: Value[] }[] = [];
  for (const arg of args) {
    const test = equalityOf(arg);
    const group = test && groups.find(candidate => sameExpr(candidate.arg, test.arg));
    if (test !== null && group) {
      group.values.push(...test.values);
      continue;
    }
    if (test !== null && groups.length < comparedArgsMax)
      groups.push({ part: parts.length, arg: test.arg, values: [...test.values] });
    parts.push(arg);
  }
  for (const { part, arg, values } of groups)
    if (values.length > 1) parts[part] = { kind: 'in', type: BOOLEAN, arg, values: [...new Set(values)] };
  return parts;
}

function equalityOf(expr: Expr): Kind<'in'> | null {
  if (expr.kind === 'in') return expr;
  if (expr.kind !== 'compare' || expr.op !== '=' || !isLiteral(expr.right) || expr.right.value === null) return null;
  if (expr.left.type.scale !== expr.right.type.scale) return null;
  return { kind: 'in', type: BOOLEAN, arg: expr.left, values: [expr.right.value] };
}

function simplifyCompare(expr: Kind<'compare'>, context: FunctionContext): Expr {
  const { op, left, right } = expr;
  if (isNullLiteral(left) || isNullLiteral(right)) return booleanLiteral(null);
  if (isLiteral(left) && isLiteral(right) && left.type.scale === right.type.scale)
    return booleanLiteral(compareHolds(op, compareValues(left.type, left.value!, right.value!)));
  if (isLiteral(left) && !isLiteral(right))
    return simplifyCompare({ ...expr, op: flipped[op], left: right, right: left }, context);
  if (!isLiteral(right)) return expr;
  const unwrapped = unwrapCompare(op, left, right, context);
  return unwrapped === null ? expr : simplify(unwrapped, context);
}

function simplifyIn(expr: Kind<'in'>, context: FunctionContext): Expr {
  const { arg } = expr;
  const values = [...new Set(expr.values)];
  if (isNullLiteral(arg)) return booleanLiteral(null);
  if (isLiteral(arg)) {
    const isFound = values.some(value => value !== null && compareValues(arg.type, arg.value!, value) === 0);
    return booleanLiteral(isFound ? true : values.includes(null) ? null : false);
  }
  if (values.length === 1) {
    const right: Literal = { kind: 'literal', type: arg.type, value: values[0]! };
    return simplifyCompare({ kind: 'compare', type: BOOLEAN, op: '=', left: arg, right }, context);
  }
  const unwrapped = unwrapIn(arg, values, context);
  return unwrapped === null ? { ...expr, values } : simplify(unwrapped, context);
}

/** A pattern without wildcards is an equality. */
function simplifyLike(expr: Kind<'like'>): Expr {
  const { arg, pattern } = expr;
  if (isNullLiteral(arg)) return booleanLiteral(null);
  if (expr.caseInsensitive || /[%_]/.test(pattern) || (expr.escape !== null && pattern.includes(expr.escape)))
    return expr;
  return {
    kind: 'compare',
    type: BOOLEAN,
    op: '=',
    left: arg,
    right: { kind: 'literal', type: arg.type, value: pattern },
  };
}

function simplifyCase(expr: Kind<'case'>): Expr {
  const branches: { when: Expr; then: Expr }[] = [];
  let { otherwise } = expr;
  for (const branch of expr.branches) {
    if (isFalse(branch.when) || isNullLiteral(branch.when)) continue;
    if (isTrue(branch.when)) {
      otherwise = branch.then;
      break;
    }
    branches.push(branch);
  }
  if (branches.length > 0) return { ...expr, branches, otherwise };
  return otherwise ?? { kind: 'literal', type: expr.type, value: null };
}

function simplifyCoalesce(expr: Kind<'coalesce'>): Expr {
  const args: Expr[] = [];
  for (const arg of expr.args.flatMap(part => (part.kind === 'coalesce' ? part.args : [part]))) {
    if (isNullLiteral(arg)) continue;
    args.push(arg);
    if (isLiteral(arg)) break;
  }
  if (args.length === 0) return { kind: 'literal', type: expr.type, value: null };
  return args.length === 1 ? args[0]! : { ...expr, args };
}
