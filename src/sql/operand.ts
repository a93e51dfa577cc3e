/**
 * Expressions while they are bound. A string literal, a NULL and a parameter are *open*: they take the type that their
 * context asks for, as in PostgreSQL, and are converted at once, so that no cast of a literal reaches a plan.
 */
import { FaultError, fault, type Position } from '../base/fault.ts';
import { formatHex, formatInterval } from '../column/text.ts';
import { DOUBLE, decimal, INT, LONG, STRING, sameType, type Type, typeText, type Value } from '../column/type.ts';
import { castValue } from '../function/cast.ts';
import { canCastExplicitly, canCastImplicitly, decimalPrecisionMax } from '../function/coercion.ts';
import type { FunctionContext } from '../function/scalar.ts';
import type { Expr } from '../plan/expr.ts';
import { foldCast, locateFault } from './fold.ts';

export interface Operand {
  /** Of an open operand: a literal STRING, or NULL. */
  readonly expr: Expr;
  /** null: open. */
  readonly type: Type | null;
  readonly at: Position;
  /** Index from 0 and the value given, where the operand is a parameter. */
  readonly parameter: { readonly index: number; readonly value: Value } | null;
}

export const typed = (expr: Expr, at: Position): Operand => ({ expr, type: expr.type, at, parameter: null });

export const literal = (type: Type, value: Value): Expr => ({ kind: 'literal', type, value });

export const openLiteral = (value: string | null, at: Position): Operand => ({
  expr: literal(STRING, value),
  type: null,
  at,
  parameter: null,
});

export function openParameter(index: number, value: Value, at: Position): Operand {
  return { expr: literal(STRING, parameterText(index, value, at)), type: null, at, parameter: { index, value } };
}

/** Parameters take part as text, as in PostgreSQL's protocol. */
function parameterText(index: number, value: Value, position: Position): string | null {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    default:
      if (value === null || value === undefined) return null;
      if (value instanceof Uint8Array) return `\\x${formatHex(value)}`;
      if (typeof value.months === 'number' && typeof value.days === 'number' && typeof value.ms === 'number')
        return formatInterval(value);
      throw fault('INVALID_PARAMETER', `parameter $${index + 1} is neither a scalar nor NULL`, { position });
  }
}

/** Longer numerals are DOUBLEs at once: no type but DOUBLE holds them, and matching costs their length squared. */
const numeralLengthMax = 200;

/** An integer is INT, LONG or DECIMAL, a fraction DECIMAL: the narrowest that holds it, as in PostgreSQL. Beyond 38 digits: DOUBLE. */
export function numberLiteral(text: string, position: Position): Expr {
  if (/^-?\d+$/.test(text) && text.length <= 20) {
    const value = BigInt(text);
    if (BigInt.asIntN(32, value) === value) return literal(INT, Number(value));
    if (BigInt.asIntN(64, value) === value) return literal(LONG, value);
  }
  const match = text.length > numeralLengthMax ? null : /^(-?)0*(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,9}))?$/.exec(text);
  if (match !== null) {
    const [, sign, whole = '', fraction = '', exponent = '0'] = match;
    const scale = Math.max(0, fraction.length - Number(exponent));
    const digits = whole.length + fraction.length + Math.max(0, Number(exponent) - fraction.length);
    const precision = Math.max(digits, scale, 1);
    if (precision <= decimalPrecisionMax) {
      const zeros = Math.max(0, Number(exponent) - fraction.length);
      const unscaled = BigInt(`${whole}${fraction}${'0'.repeat(zeros)}` || '0');
      return literal(decimal(precision, scale), sign === '-' ? -unscaled : unscaled);
    }
  }
  const value = Number(text);
  if (Number.isFinite(value)) return literal(DOUBLE, value);
  throw fault('NUMERIC_OVERFLOW', 'a number is too large for any type', { position });
}

const numberText = /^\s*[+]?(-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*$/;

/**
 * Open operands beside a DECIMAL that spell a number become that number, with digits of their own: the column's would
 * round 1.254 to 1.25, and then find it equal.
 */
export function settleDecimals(operands: readonly Operand[]): readonly Operand[] {
  if (!operands.some(operand => operand.type?.name === 'DECIMAL')) return operands;
  return operands.map(operand => {
    const { value } = operand.expr as { readonly value?: Value };
    const text = operand.type === null && typeof value === 'string' ? numberText.exec(value)?.[1] : undefined;
    if (text === undefined) return operand;
    const settled = numberLiteral(text, operand.at);
    return settled.type.name === 'DOUBLE' ? operand : typed(settled, operand.at);
  });
}

/** How a value gets from type to type: what stands by itself, or what CAST (and INSERT) may do. */
export type CastMode = 'implicit' | 'explicit';

/**
 * The operand as `to`. Open operands are converted here and now.
 * @throws {FaultError} INVALID_LITERAL, INVALID_PARAMETER, NUMERIC_OVERFLOW for a value that is none of `to`;
 *   TYPE_MISMATCH where no such cast exists.
 */
export function coerce(operand: Operand, to: Type, mode: CastMode, context: FunctionContext): Expr {
  if (operand.type === null) return convertOpen(operand, to, context);
  if (sameType(operand.type, to)) return operand.expr;
  const isAllowed = mode === 'explicit' ? canCastExplicitly : canCastImplicitly;
  if (!isAllowed(operand.type, to))
    throw fault('TYPE_MISMATCH', `cannot cast type ${typeText(operand.type)} to ${typeText(to)}`, {
      position: operand.at,
    });
  return foldCast({ kind: 'cast', type: to, source: operand.expr, position: operand.at }, context);
}

function convertOpen(operand: Operand, to: Type, context: FunctionContext): Expr {
  const { value } = operand.expr as Extract<Expr, { kind: 'literal' }>;
  const given = operand.parameter?.value;
  if (to.name === 'TIMESTAMP' && typeof given === 'number' && Number.isInteger(given)) return literal(to, given);
  try {
    return literal(to, castValue(value, STRING, to, context));
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    if (operand.parameter === null) throw locateFault(error, operand.at);
    const { message, hint } = error.fault;
    const which = `parameter $${operand.parameter.index + 1}`;
    throw fault('INVALID_PARAMETER', `${which}: ${message}`, { position: operand.at, hint });
  }
}
