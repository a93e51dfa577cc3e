/** Which types become which, as PostgreSQL decides it: the ground of overload resolution and of every cast. */
import { decimal, STRING, sameType, type Type, type TypeName } from '../column/type.ts';

/** Digits of a DECIMAL: what 128 bits hold. */
export const decimalPrecisionMax = 38;

const widerTypes: Partial<Record<TypeName, readonly TypeName[]>> = {
  INT: ['LONG', 'DECIMAL', 'FLOAT', 'DOUBLE'],
  LONG: ['DECIMAL', 'FLOAT', 'DOUBLE'],
  DECIMAL: ['DECIMAL', 'FLOAT', 'DOUBLE'],
  FLOAT: ['DOUBLE'],
  DATE: ['TIMESTAMP'],
};

/** Casts that must be written. Not listed: the implicit ones, and text from and to every type. */
const writtenTypes: Partial<Record<TypeName, readonly TypeName[]>> = {
  BOOLEAN: ['INT'],
  INT: ['BOOLEAN', 'TIMESTAMP'],
  LONG: ['INT', 'TIMESTAMP'],
  FLOAT: ['INT', 'LONG', 'DECIMAL'],
  DOUBLE: ['INT', 'LONG', 'DECIMAL', 'FLOAT'],
  DECIMAL: ['INT', 'LONG'],
  TIMESTAMP: ['DATE', 'LONG'],
};

/** A value of `from` stands where `to` is wanted without a word; `from` null is a NULL, string literal or parameter. */
export const canCastImplicitly = (from: Type | null, to: Type): boolean =>
  from === null || from.name === to.name || (widerTypes[from.name]?.includes(to.name) ?? false);

/** `CAST(x AS to)` is allowed; whether a given value survives it shows when it runs. */
export const canCastExplicitly = (from: Type | null, to: Type): boolean =>
  canCastImplicitly(from, to) ||
  to.name === 'STRING' ||
  from!.name === 'STRING' ||
  (writtenTypes[from!.name]?.includes(to.name) ?? false);

/** PostgreSQL's type categories: only types of one category unify. */
export type Category = 'boolean' | 'numeric' | 'string' | 'datetime' | 'timespan' | 'uuid' | 'json' | 'bytes';

export const categoryOf = (name: TypeName): Category => {
  switch (name) {
    case 'BOOLEAN':
      return 'boolean';
    case 'INT':
    case 'LONG':
    case 'FLOAT':
    case 'DOUBLE':
    case 'DECIMAL':
      return 'numeric';
    case 'STRING':
      return 'string';
    case 'TIMESTAMP':
    case 'DATE':
      return 'datetime';
    case 'INTERVAL':
      return 'timespan';
    case 'UUID':
      return 'uuid';
    case 'JSON':
      return 'json';
    case 'BYTES':
      return 'bytes';
  }
};

/** The type of its category that wins where several would do. */
export const isPreferred = (name: TypeName): boolean =>
  name === 'BOOLEAN' || name === 'DOUBLE' || name === 'STRING' || name === 'TIMESTAMP' || name === 'INTERVAL';

/** The narrowest DECIMAL that holds every value of an INT, LONG or DECIMAL type. */
export const decimalOf = (type: Type): Type =>
  type.name === 'INT' ? decimal(10, 0) : type.name === 'LONG' ? decimal(19, 0) : type;

/** Both scales and both integer parts, as far as 38 digits go: then the scale stays, and a value too long is an error. */
const unifyDecimals = (a: Type, b: Type): Type => {
  const scale = Math.max(a.scale!, b.scale!);
  const integerDigits = Math.max(a.precision! - a.scale!, b.precision! - b.scale!);
  return decimal(Math.min(decimalPrecisionMax, integerDigits + scale), scale);
};

const unifyTwo = (a: Type, b: Type): Type | null => {
  if (sameType(a, b)) return a;
  if (categoryOf(a.name) !== categoryOf(b.name)) return null;
  if (a.name === 'DECIMAL' || b.name === 'DECIMAL') {
    const [left, right] = [decimalOf(a), decimalOf(b)];
    if (left.name === 'DECIMAL' && right.name === 'DECIMAL') return unifyDecimals(left, right);
  }
  return canCastImplicitly(a, b) ? b : a;
};

/**
 * The type that all branches of a CASE, items of an IN list or sides of a UNION are cast to; null where there is none.
 * INT < LONG < DECIMAL < FLOAT < DOUBLE, DATE < TIMESTAMP; an unknown (null) takes the others' type; all unknown: STRING.
 */
export function commonType(types: readonly (Type | null)[]): Type | null {
  let common: Type | null = null;
  for (const type of types) {
    if (type === null) continue;
    const next: Type | null = common === null ? type : unifyTwo(common, type);
    if (next === null) return null;
    common = next;
  }
  return common ?? STRING;
}

/** As `commonType`, but FLOAT beside another number compares as DOUBLE, as PostgreSQL's mixed operators do. */
export function comparisonType(left: Type | null, right: Type | null): Type | null {
  const common = commonType([left, right]);
  const mixed = left !== null && right !== null && left.name !== right.name;
  return mixed && common?.name === 'FLOAT' ? { name: 'DOUBLE' } : common;
}
