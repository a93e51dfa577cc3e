/**
 * Constant folding. What would fail (1 / 0) stays as it is: only execution knows whether a row ever gets there, and a
 * branch of CASE that is never taken must not fail.
 */
import { Buffer } from 'node:buffer';
import { FaultError, fault, type Position } from '../base/fault.ts';
import { BOOLEAN, type Interval, type Type, type Value } from '../column/type.ts';
import { castValue } from '../function/cast.ts';
import { compareDoubles } from '../function/compare.ts';
import { compareIntervals } from '../function/datetime.ts';
import { evaluateCall } from '../function/fold.ts';
import type { FunctionContext } from '../function/scalar.ts';
import type { CompareOperator, Expr } from '../plan/expr.ts';

export type Literal = Extract<Expr, { kind: 'literal' }>;

export const isLiteral = (expr: Expr): expr is Literal => expr.kind === 'literal';
export const booleanLiteral = (value: boolean | null): Expr => ({ kind: 'literal', type: BOOLEAN, value });
export const isTrue = (expr: Expr): boolean => isLiteral(expr) && expr.value === true;
export const isFalse = (expr: Expr): boolean => isLiteral(expr) && expr.value === false;
export const isNullLiteral = (expr: Expr): boolean => isLiteral(expr) && expr.value === null;

/** Every function of the catalogue gives the same answer throughout a query. */
export function foldCall(expr: Extract<Expr, { kind: 'call' }>, context: FunctionContext): Expr {
  if (!expr.args.every(isLiteral)) return expr;
  const values = (expr.args as readonly Literal[]).map(arg => arg.value);
  const types = { args: expr.args.map(arg => arg.type), result: expr.type };
  return unlessItFails(expr, () => evaluateCall(expr.function, values, types, context));
}

export function foldCast(expr: Extract<Expr, { kind: 'cast' }>, context: FunctionContext): Expr {
  const { source } = expr;
  if (!isLiteral(source)) return expr;
  return unlessItFails(expr, () => castValue(source.value, source.type, expr.type, context));
}

/** What a simplified expression without columns comes to; undefined where it is no constant. Unlike folding, it fails. */
export function constantValue(expr: Expr, context: FunctionContext, position: Position): Value | undefined {
  if (isLiteral(expr)) return expr.value;
  const args = expr.kind === 'call' ? expr.args : expr.kind === 'cast' ? [expr.source] : null;
  const values = args?.map(arg => constantValue(arg, context, position));
  if (args === null || values === undefined || !values.every(value => value !== undefined)) return undefined;
  try {
    if (expr.kind === 'cast') return castValue(values[0]!, expr.source.type, expr.type, context);
    const types = { args: args.map(arg => arg.type), result: expr.type };
    return evaluateCall((expr as Extract<Expr, { kind: 'call' }>).function, values, types, context);
  } catch (error) {
    throw error instanceof FaultError ? locateFault(error, position) : error;
  }
}

function unlessItFails(expr: Expr, evaluate: () => Value): Expr {
  try {
    return { kind: 'literal', type: expr.type, value: evaluate() };
  } catch (error) {
    if (error instanceof FaultError) return expr;
    throw error;
  }
}

/** The same fault with a place in the SQL, unless it has one. */
export function locateFault(error: FaultError, position: Position): FaultError {
  const { code, message, kind: _, ...extras } = error.fault;
  return extras.position ? error : fault(code, message, { ...extras, position });
}

/** Sign of a - b in the type's order. NaN equals itself and is greater than all else; strings go by their bytes. */
export function compareValues(type: Type, a: NonNullable<Value>, b: NonNullable<Value>): number {
  switch (type.name) {
    case 'BOOLEAN':
      return Number(a) - Number(b);
    case 'FLOAT':
    case 'DOUBLE':
      return compareDoubles(a as number, b as number);
    case 'INTERVAL':
      return compareIntervals(a as Interval, b as Interval);
    case 'STRING':
    case 'JSON':
    case 'UUID':
      return Buffer.compare(Buffer.from(a as string), Buffer.from(b as string));
    case 'BYTES':
      return Buffer.compare(a as Uint8Array, b as Uint8Array);
    default:
      return a < b ? -1 : a > b ? 1 : 0;
  }
}

export function compareHolds(op: CompareOperator, difference: number): boolean {
  switch (op) {
    case '=':
      return difference === 0;
    case '<>':
      return difference !== 0;
    case '<':
      return difference < 0;
    case '<=':
      return difference <= 0;
    case '>':
      return difference > 0;
    case '>=':
      return difference >= 0;
  }
}
