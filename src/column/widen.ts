/** Types that hold every value of another: what a column may become, and its values in the new type. */
import type { Column, FixedColumn } from './column.ts';
import { isPresent } from './column.ts';
import { dayMs } from './text.ts';
import { sameType, type Type, typeText, type Value } from './type.ts';

/** Digits of the widest value. */
const integerDigits: Readonly<Record<string, number>> = { INT: 10, LONG: 19 };

/** True where `to` holds every value of `from` exactly, and is another type. */
export function canWiden(from: Type, to: Type): boolean {
  if (sameType(from, to)) return false;
  switch (from.name) {
    case 'INT':
    case 'LONG': {
      if (to.name === 'DECIMAL') return to.precision! - to.scale! >= integerDigits[from.name]!;
      return from.name === 'INT' && (to.name === 'LONG' || to.name === 'DOUBLE');
    }
    case 'FLOAT':
      return to.name === 'DOUBLE';
    case 'DATE':
      return to.name === 'TIMESTAMP';
    case 'DECIMAL':
      return to.name === 'DECIMAL' && to.scale === from.scale && to.precision! > from.precision!;
    default:
      return false;
  }
}

/** What `from` can be widened to, in words. */
export function wideningsOf(from: Type): string {
  switch (from.name) {
    case 'INT':
      return 'INT can become LONG, DOUBLE or a DECIMAL with 10 digits before the point';
    case 'LONG':
      return 'LONG can become a DECIMAL with 19 digits before the point';
    case 'FLOAT':
      return 'FLOAT can become DOUBLE';
    case 'DATE':
      return 'DATE can become TIMESTAMP';
    case 'DECIMAL':
      return `${typeText(from)} can become a DECIMAL of more digits and the same scale`;
    default:
      return `${typeText(from)} cannot be widened: add a column of the other type`;
  }
}

/** A value, or a bound of a zone map, in the wider type. */
export function widenValue(value: Value, from: Type, to: Type): Value {
  if (value === null || sameType(from, to)) return value;
  if (from.name === 'DATE') return (value as number) * dayMs;
  if (from.name === 'FLOAT') return Math.fround(value as number);
  if (to.name === 'LONG') return BigInt(value as number);
  if (to.name === 'DECIMAL' && from.name !== 'DECIMAL')
    return BigInt(value as number | bigint) * 10n ** BigInt(to.scale!);
  return value;
}

/** The same rows in the wider type, NULL under the same ones. */
export function widenColumn(column: Column, to: Type): Column {
  const { type: from, length, validity } = column;
  if (sameType(from, to)) return column;
  const { values } = column as FixedColumn;
  const fixed = (wide: FixedColumn['values']): Column => ({ form: 'fixed', type: to, length, validity, values: wide });
  if (from.name === 'DECIMAL') return fixed(values);
  if (to.name === 'DOUBLE') return fixed(Float64Array.from(values as Int32Array));
  const wide = new BigInt64Array(to.name === 'DECIMAL' ? 2 * length : length);
  for (let row = 0; row < length; row++) {
    if (validity !== null && !isPresent(validity, row)) continue;
    const value = BigInt(widenValue(values[row] as number | bigint, from, to) as number | bigint);
    if (to.name !== 'DECIMAL') wide[row] = value;
    else {
      wide[2 * row] = BigInt.asIntN(64, value);
      wide[2 * row + 1] = BigInt.asIntN(64, value >> 64n);
    }
  }
  return fixed(wide);
}
