/** CAST: PostgreSQL's conversions between all types. Text has a file of its own; here numbers and times. */
import { fault } from '../base/fault.ts';
import { dayMs, divideHalfAway, parseDecimal } from '../column/text.ts';
import { sameType, type Type, typeText, type Value } from '../column/type.ts';
import type { Nulls, Vector } from '../column/vector.ts';
import { fromText, toText } from './cast-text.ts';
import { checkDate, checkTimestamp } from './datetime.ts';
import { checkDecimal, decimalToDouble, rescale, tenTo } from './decimal.ts';
import { integerOverflow, valueOverflow } from './errors.ts';
import { roundHalfEven } from './number-text.ts';
import type { FunctionContext } from './scalar.ts';
import {
  type BigintVector,
  boolVector,
  longVector,
  type NumberVector,
  numbersOf,
  numberVector,
  vectorOf,
  vectorValue,
  type WideVector,
  wideVector,
} from './vectors.ts';

const longMax = 2n ** 63n - 1n;
const longMin = -(2n ** 63n);

const isAbsent = (nulls: Nulls, row: number): boolean => nulls !== null && nulls[row] !== 0;

/** Applies `convert` to present rows, 0 elsewhere. */
function mapNumbers(vector: Vector, length: number, convert: (value: number) => number): Vector {
  const values = numbersOf(vector);
  const converted = new Float64Array(length);
  for (let row = 0; row < length; row++) if (!isAbsent(vector.nulls, row)) converted[row] = convert(values[row]!);
  return numberVector(converted, length, vector.nulls);
}

function checkInt(value: number): number {
  if (!(value >= -2147483648 && value <= 2147483647)) throw integerOverflow('INT');
  return value + 0;
}

/** 2^63 and beyond do not fit; the doubles just below it do. */
function doubleToLong(value: number): bigint {
  if (!(value >= -(2 ** 63) && value < 2 ** 63)) throw integerOverflow('LONG');
  return BigInt(value);
}

function toInt(vector: Vector, from: Type, length: number): Vector {
  switch (vector.form) {
    case 'bool':
      return numberVector(Float64Array.from(vector.values.subarray(0, length)), length, vector.nulls);
    case 'wide': {
      const converted = new Float64Array(length);
      for (let row = 0; row < length; row++)
        if (!isAbsent(vector.nulls, row))
          converted[row] = checkInt(Number(divideHalfAway(vector.values[row]!, tenTo(from.scale!))));
      return numberVector(converted, length, vector.nulls);
    }
    case 'bigint': {
      const converted = new Float64Array(length);
      for (let row = 0; row < length; row++)
        if (!isAbsent(vector.nulls, row)) converted[row] = checkInt(Number(vector.values[row]!));
      return numberVector(converted, length, vector.nulls);
    }
    default:
      return mapNumbers(vector, length, value => checkInt(roundHalfEven(value)));
  }
}

function toLong(vector: Vector, from: Type, length: number): Vector {
  if (from.name === 'INT' || from.name === 'TIMESTAMP') return vector;
  const converted = new BigInt64Array(length);
  for (let row = 0; row < length; row++) {
    if (isAbsent(vector.nulls, row)) continue;
    if (vector.form === 'wide') {
      const whole = divideHalfAway(vector.values[row]!, tenTo(from.scale!));
      if (whole > longMax || whole < longMin) throw integerOverflow('LONG');
      converted[row] = whole;
    } else converted[row] = doubleToLong(roundHalfEven(numbersOf(vector)[row]!));
  }
  return longVector(converted, length, vector.nulls);
}

function toFloating(vector: Vector, from: Type, to: Type, length: number): Vector {
  let doubles: NumberVector;
  if (vector.form === 'number') doubles = vector;
  else {
    const converted = new Float64Array(length);
    if (vector.form === 'wide')
      for (let row = 0; row < length; row++) converted[row] = decimalToDouble(vector.values[row]!, from.scale!);
    else for (let row = 0; row < length; row++) converted[row] = Number((vector as BigintVector).values[row]!);
    doubles = numberVector(converted, length, vector.nulls);
  }
  return to.name === 'DOUBLE' ? doubles : mapNumbers(doubles, length, toFloat);
}

function toFloat(value: number): number {
  const float = Math.fround(value);
  if (!Number.isFinite(float) && Number.isFinite(value)) throw valueOverflow('overflow');
  if (float === 0 && value !== 0) throw valueOverflow('underflow');
  return float;
}

/** Decimal digits that every DOUBLE, every FLOAT keeps: what PostgreSQL converts. */
const doubleDigits = 15;
const floatDigits = 6;

function doubleToDecimal(value: number, digits: number, to: Type): bigint {
  const unscaled = Number.isFinite(value) ? parseDecimal(value.toPrecision(digits), to.precision!, to.scale!) : null;
  if (unscaled === null)
    throw fault('NUMERIC_OVERFLOW', `cannot convert ${value} to ${typeText(to)}`, {
      hint: 'DECIMAL has no NaN and no infinity; filter such rows out',
    });
  if (unscaled === 'overflow') return checkDecimal(tenTo(to.precision!), to);
  return unscaled;
}

function toDecimal(vector: Vector, from: Type, to: Type, length: number): Vector {
  const converted = new Array<bigint>(length).fill(0n);
  const digits = from.name === 'FLOAT' ? floatDigits : doubleDigits;
  const integral = from.name === 'INT' || from.name === 'LONG';
  for (let row = 0; row < length; row++) {
    if (isAbsent(vector.nulls, row)) continue;
    const value = (vector as NumberVector | BigintVector | WideVector).values[row]!;
    if (typeof value === 'number' && !integral) converted[row] = doubleToDecimal(value, digits, to);
    else converted[row] = checkDecimal(rescale(BigInt(value), from.scale ?? 0, to.scale!), to);
  }
  return wideVector(converted, length, vector.nulls);
}

function toBoolean(vector: Vector, length: number): Vector {
  const values = numbersOf(vector);
  const converted = new Uint8Array(length);
  for (let row = 0; row < length; row++) converted[row] = values[row] === 0 ? 0 : 1;
  return boolVector(converted, length, vector.nulls);
}

function toTimestamp(vector: Vector, from: Type, length: number): Vector {
  if (from.name === 'DATE') return mapNumbers(vector, length, days => checkTimestamp(days * dayMs));
  if (vector.form !== 'bigint') return mapNumbers(vector, length, checkTimestamp);
  const converted = new Float64Array(length);
  for (let row = 0; row < length; row++)
    if (!isAbsent(vector.nulls, row)) converted[row] = checkTimestamp(Number(vector.values[row]!));
  return numberVector(converted, length, vector.nulls);
}

const numberNames: ReadonlySet<string> = new Set(['INT', 'LONG', 'FLOAT', 'DOUBLE', 'DECIMAL']);

/** True for the conversions below that need no text. */
function isDirect(from: Type, to: Type): boolean {
  if (numberNames.has(from.name) && numberNames.has(to.name)) return true;
  switch (`${from.name} ${to.name}`) {
    case 'BOOLEAN INT':
    case 'INT BOOLEAN':
    case 'DATE TIMESTAMP':
    case 'TIMESTAMP DATE':
    case 'INT TIMESTAMP':
    case 'LONG TIMESTAMP':
    case 'TIMESTAMP LONG':
      return true;
    default:
      return false;
  }
}

/**
 * The first `length` rows as another type; may be the same vector where the form does not change. O(rows), strings once
 * per entry where entries repeat. NULL stays NULL and never fails.
 * @throws {FaultError} INVALID_LITERAL for text that is no such value, NUMERIC_OVERFLOW for values out of range,
 *   TYPE_MISMATCH for types without a cast.
 */
export function castVector(vector: Vector, from: Type, to: Type, length: number, context: FunctionContext): Vector {
  if (sameType(from, to)) return vector;
  if (to.name === 'STRING' && vector.form === 'string' && from.name === 'JSON') return vector;
  if (to.name === 'STRING') return toText(vector, from, length);
  if (from.name === 'STRING' && vector.form === 'string') return fromText(vector, to, length, context);
  if (!isDirect(from, to))
    throw fault('TYPE_MISMATCH', `cannot cast type ${typeText(from)} to ${typeText(to)}`, {
      hint: 'cast to STRING first, if the text of one is a text of the other',
    });
  switch (to.name) {
    case 'INT':
      return toInt(vector, from, length);
    case 'LONG':
      return toLong(vector, from, length);
    case 'DECIMAL':
      return toDecimal(vector, from, to, length);
    case 'BOOLEAN':
      return toBoolean(vector, length);
    case 'TIMESTAMP':
      return toTimestamp(vector, from, length);
    case 'DATE':
      return mapNumbers(vector, length, ms => checkDate(Math.floor(ms / dayMs)));
    default:
      return toFloating(vector, from, to, length);
  }
}

/** `castVector` of one value. */
export function castValue(value: Value, from: Type, to: Type, context: FunctionContext): Value {
  return value === null ? null : vectorValue(castVector(vectorOf(from, [value]), from, to, 1, context), to, 0);
}
