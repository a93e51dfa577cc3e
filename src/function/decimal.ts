/** Exact decimals: unscaled bigints and the scales of results. */
import { fault } from '../base/fault.ts';
import { divideHalfAway, formatDecimal, powerOfTen } from '../column/text.ts';
import { decimal, type Type } from '../column/type.ts';
import { decimalPrecisionMax } from './coercion.ts';

/** 10^0 … 10^76: all that products of two DECIMALs need. */
const powers: readonly bigint[] = Array.from({ length: 2 * decimalPrecisionMax + 1 }, (_, index) => powerOfTen(index));
export const tenTo = (exponent: number): bigint => powers[exponent] ?? powerOfTen(exponent);

export const absolute = (value: bigint): bigint => (value < 0n ? -value : value);

const decimalOverflow = (type: Type) =>
  fault('NUMERIC_OVERFLOW', 'numeric field overflow', {
    hint: `DECIMAL(${type.precision},${type.scale}) holds values below 10^${type.precision! - type.scale!}; CAST to another precision or scale, or to DOUBLE`,
  });

/** @throws {FaultError} NUMERIC_OVERFLOW where `unscaled` has more digits than the type. */
export function checkDecimal(unscaled: bigint, type: Type): bigint {
  if (absolute(unscaled) >= tenTo(type.precision!)) throw decimalOverflow(type);
  return unscaled;
}

/** From one scale to another, rounded half away from zero. */
export function rescale(unscaled: bigint, fromScale: number, toScale: number): bigint {
  if (toScale >= fromScale) return unscaled * tenTo(toScale - fromScale);
  return divideHalfAway(unscaled, tenTo(fromScale - toScale));
}

/** numerator / denominator, rounded half away from zero; denominator not 0. */
export function divideRounded(numerator: bigint, denominator: bigint): bigint {
  return denominator > 0n ? divideHalfAway(numerator, denominator) : divideHalfAway(-numerator, -denominator);
}

/** 10^22 is the greatest power of ten that a double holds exactly (and 2^53 the greatest run of integers). */
const exactScaleMax = 22;

/** The nearest double. */
export function decimalToDouble(unscaled: bigint, scale: number): number {
  const value = Number(unscaled);
  if (scale <= exactScaleMax && Number.isSafeInteger(value)) return value / 10 ** scale;
  return Number(formatDecimal(unscaled, scale));
}

const integerDigits = (type: Type): number => type.precision! - type.scale!;
const capped = (digits: number, scale: number): Type => decimal(Math.min(decimalPrecisionMax, digits + scale), scale);

/** Sum and difference: the greater scale, one digit more before the point. */
export const sumType = ([a, b]: readonly Type[]): Type =>
  capped(Math.max(integerDigits(a!), integerDigits(b!)) + 1, Math.max(a!.scale!, b!.scale!));

/** Product: both scales added (at most 38), so that it is exact or an overflow. */
export const productType = ([a, b]: readonly Type[]): Type => {
  const scale = Math.min(decimalPrecisionMax, a!.scale! + b!.scale!);
  return capped(integerDigits(a!) + integerDigits(b!), scale);
};

/** PostgreSQL's least number of significant digits of a quotient. */
const quotientScaleWanted = 16;
/** Digits after the point that a quotient has even where its integer part could need them. */
const quotientScaleMin = 6;

/** Quotient: at least the scale of either, 16 digits where the integer part leaves room, never fewer than 6. */
export const quotientType = ([a, b]: readonly Type[]): Type => {
  const digits = integerDigits(a!) + b!.scale!;
  const room = Math.min(quotientScaleWanted, decimalPrecisionMax - digits);
  return capped(digits, Math.max(a!.scale!, b!.scale!, room, quotientScaleMin));
};

export const remainderType = ([a, b]: readonly Type[]): Type =>
  capped(Math.max(integerDigits(a!), integerDigits(b!)), Math.max(a!.scale!, b!.scale!));
