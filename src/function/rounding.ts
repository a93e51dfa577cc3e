/** ROUND, TRUNC, CEIL and FLOOR. DOUBLE to an integer rounds ties to even (C's rint), all else half away from zero. */
import { DOUBLE, decimal, LONG, type Type } from '../column/type.ts';
import { decimalPrecisionMax } from './coercion.ts';
import { checkDecimal, divideRounded, tenTo } from './decimal.ts';
import { integerOverflow } from './errors.ts';
import { roundHalfEven } from './number-text.ts';
import type { ScalarFunction } from './scalar.ts';
import { type Definition, define } from './signature.ts';
import {
  type BigintVector,
  longVector,
  type NumberVector,
  numbersOf,
  numberVector,
  toBigints,
  unionNulls,
  widesOf,
  wideVector,
} from './vectors.ts';

type Evaluate = ScalarFunction['evaluate'];

const mapDoubles =
  (convert: (value: number) => number): Evaluate =>
  ([arg], length) => {
    const values = numbersOf(arg!);
    const out = new Float64Array(length);
    for (let row = 0; row < length; row++) out[row] = convert(values[row]!);
    return numberVector(out, length, arg!.nulls);
  };

/** Quotients of decimals by a power of ten, towards each direction. */
type Divide = (value: bigint, by: bigint) => bigint;
const divideFloor: Divide = (value, by) => value / by - (value % by < 0n ? 1n : 0n);
const divideCeil: Divide = (value, by) => value / by + (value % by > 0n ? 1n : 0n);
const divideTrunc: Divide = (value, by) => value / by;

const mapDecimals =
  (divide: Divide): Evaluate =>
  ([arg], length, _context, types) => {
    const by = tenTo(types.args[0]!.scale!);
    const out = widesOf(arg!).slice(0, length);
    for (let row = 0; row < length; row++) out[row] = divide(out[row]!, by);
    return wideVector(out, length, arg!.nulls);
  };

/** An integer, one digit longer where rounding carries. */
const integralType = ([arg]: readonly Type[]): Type =>
  decimal(Math.min(decimalPrecisionMax, arg!.precision! - arg!.scale! + 1), 0);

/** The digits asked for are data, a type is not: the scale stays, and the digits after `n` are 0. */
const sameScaleType = ([arg]: readonly Type[]): Type =>
  decimal(Math.min(decimalPrecisionMax, arg!.precision! + 1), arg!.scale!);

/** Places beyond these change no value that a type holds. */
const placesMax = 400;
const clampPlaces = (places: number): number => Math.max(-placesMax, Math.min(placesMax, places));

/** To a multiple of 10^-places, in units of 10^-scale. */
function roundUnscaled(value: bigint, scale: number, places: number, divide: Divide): bigint {
  if (places >= scale) return value;
  const step = tenTo(scale - clampPlaces(places));
  return divide(value, step) * step;
}

const roundDecimals =
  (divide: Divide): Evaluate =>
  (args, length, _context, types) => {
    const nulls = unionNulls(args, length);
    const [values, places] = [widesOf(args[0]!), numbersOf(args[1]!)];
    const scale = types.args[0]!.scale!;
    const out = new Array<bigint>(length).fill(0n);
    for (let row = 0; row < length; row++)
      if (nulls === null || nulls[row] === 0)
        out[row] = checkDecimal(roundUnscaled(values[row]!, scale, places[row]!, divide), types.result);
    return wideVector(out, length, nulls);
  };

const roundLongs =
  (divide: Divide): Evaluate =>
  (args, length) => {
    const nulls = unionNulls(args, length);
    const values = toBigints(args[0] as NumberVector | BigintVector, length);
    const places = numbersOf(args[1]!);
    const out = new BigInt64Array(length);
    for (let row = 0; row < length; row++) {
      if (nulls !== null && nulls[row] !== 0) continue;
      const result = roundUnscaled(values[row]!, 0, places[row]!, divide);
      if (BigInt.asIntN(64, result) !== result) throw integerOverflow('LONG');
      out[row] = result;
    }
    return longVector(out, length, nulls);
  };

/** Above it a double has no digits after the point. */
const fractionalMax = 2 ** 52;
/** Powers of ten that doubles hold exactly. */
const exactPlacesMax = 22;

/** How near to a tie the product with a power of ten can err: a few units in its last place, relative. */
const tieMargin = 1e-14;

/**
 * A double to `places` digits. The product with 10^places decides, unless it lies so near a tie (of rounding) or an
 * integer (of truncation) that its own rounding error could: then the shortest decimal text of the value does.
 */
function roundToPlaces(value: number, places: number, truncates: boolean): number {
  if (!Number.isFinite(value) || value === 0) return value;
  const size = Math.abs(value);
  if (places > 0 && size >= fractionalMax) return value;
  const sign = value < 0 ? -1 : 1;
  if (Math.abs(places) <= exactPlacesMax) {
    const power = 10 ** Math.abs(places);
    const scaled = places >= 0 ? size * power : size / power;
    if (scaled < fractionalMax) {
      const cut = truncates ? Math.round(scaled) : Math.floor(scaled) + 0.5;
      if (Math.abs(scaled - cut) > Math.max(scaled, 1) * tieMargin) {
        const whole = truncates ? Math.floor(scaled) : Math.round(scaled);
        return sign * (places >= 0 ? whole / power : whole * power);
      }
    }
  }
  return sign * roundText(size, places, truncates);
}

/** By the digits of the shortest decimal that reads back as `size`. */
function roundText(size: number, places: number, truncates: boolean): number {
  const [digits, exponent] = size.toExponential().split('e') as [string, string];
  const fraction = digits.length > 1 ? digits.length - 2 : 0;
  const unscaled = BigInt(digits.replace('.', ''));
  const scale = fraction - Number(exponent);
  if (places >= scale) return size;
  const dropped = scale - clampPlaces(places);
  const step = tenTo(dropped);
  const whole = truncates ? unscaled / step : divideRounded(unscaled, step);
  return Number(`${whole}e${-clampPlaces(places)}`);
}

const roundDoubles =
  (truncates: boolean): Evaluate =>
  (args, length) => {
    const nulls = unionNulls(args, length);
    const [values, places] = [numbersOf(args[0]!), numbersOf(args[1]!)];
    const out = new Float64Array(length);
    for (let row = 0; row < length; row++) out[row] = roundToPlaces(values[row]!, places[row]!, truncates);
    return numberVector(out, length, nulls);
  };

function defineDirection(
  name: string,
  summary: string,
  convert: (value: number) => number,
  divide: Divide,
): readonly Definition[] {
  return [
    define(name, ['DOUBLE'], DOUBLE, summary, mapDoubles(convert)),
    define(name, ['DECIMAL'], integralType, summary, mapDecimals(divide)),
  ];
}

const definePlaces = (name: string, summary: string, truncates: boolean, divide: Divide): readonly Definition[] => [
  define(name, ['DOUBLE', 'INT'], DOUBLE, summary, roundDoubles(truncates)),
  define(name, ['DECIMAL', 'INT'], sameScaleType, summary, roundDecimals(divide)),
  define(name, ['LONG', 'INT'], LONG, summary, roundLongs(divide)),
];

export const rounding: readonly Definition[] = [
  ...defineDirection(
    'round',
    'The nearest integer; DOUBLE ties to even, DECIMAL ties away from zero.',
    roundHalfEven,
    divideRounded,
  ),
  ...defineDirection('trunc', 'The integer towards zero.', Math.trunc, divideTrunc),
  ...defineDirection('ceil', 'The least integer that is not less.', Math.ceil, divideCeil),
  ...defineDirection('floor', 'The greatest integer that is not greater.', Math.floor, divideFloor),
  ...definePlaces(
    'round',
    'Rounded to n digits after the point, ties away from zero; n may be negative.',
    false,
    divideRounded,
  ),
  ...definePlaces('trunc', 'Cut to n digits after the point; n may be negative.', true, divideTrunc),
];
