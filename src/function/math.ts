/** Mathematics over DOUBLE. Arguments out of a function's domain are errors, as in PostgreSQL, not NaN. */

import type { FaultError } from '../base/fault.ts';
import { DOUBLE, decimal } from '../column/type.ts';
import { invalidArgument, valueOverflow } from './errors.ts';
import type { ScalarFunction } from './scalar.ts';
import { type Definition, define } from './signature.ts';
import { numbersOf, numberVector, unionNulls, widesOf, wideVector } from './vectors.ts';

type Evaluate = ScalarFunction['evaluate'];

/** A result that went wrong where no argument was: NaN is a matter of domain, an infinity of range. */
function explain(result: number, ...args: number[]): FaultError | null {
  if (result === 0) return null;
  if (Number.isNaN(result)) return args.some(Number.isNaN) ? null : invalidArgument('input is out of range');
  return args.every(Number.isFinite) ? valueOverflow('overflow') : null;
}

/** Math functions answer NaN, an infinity or 0 where PostgreSQL raises: those rows are looked at again. */
const unary =
  (compute: (value: number) => number, check: (value: number) => FaultError | null = () => null): Evaluate =>
  ([arg], length) => {
    const values = numbersOf(arg!);
    const nulls = arg!.nulls;
    const out = new Float64Array(length);
    for (let row = 0; row < length; row++) {
      const result = compute(values[row]!);
      if (Number.isFinite(result) && result !== 0) out[row] = result;
      else if (nulls === null || nulls[row] === 0) {
        const error = check(values[row]!) ?? explain(result, values[row]!);
        if (error) throw error;
        out[row] = result;
      }
    }
    return numberVector(out, length, nulls);
  };

const binary =
  (
    compute: (a: number, b: number) => number,
    check: (a: number, b: number) => FaultError | null = () => null,
  ): Evaluate =>
  (args, length) => {
    const nulls = unionNulls(args, length);
    const [a, b] = [numbersOf(args[0]!), numbersOf(args[1]!)];
    const out = new Float64Array(length);
    for (let row = 0; row < length; row++) {
      const result = compute(a[row]!, b[row]!);
      if (Number.isFinite(result) && result !== 0) out[row] = result;
      else if (nulls === null || nulls[row] === 0) {
        const error = check(a[row]!, b[row]!) ?? explain(result, a[row]!, b[row]!);
        if (error) throw error;
        out[row] = result;
      }
    }
    return numberVector(out, length, nulls);
  };

function checkLogarithm(value: number): FaultError | null {
  if (value === 0) return invalidArgument('cannot take logarithm of zero');
  return value < 0 ? invalidArgument('cannot take logarithm of a negative number') : null;
}

const checkExponential = (value: number): FaultError | null =>
  Number.isFinite(value) && Math.exp(value) === 0 ? valueOverflow('underflow') : null;

function checkPower(base: number, exponent: number): FaultError | null {
  if (base === 0 && exponent < 0) return invalidArgument('zero raised to a negative power is undefined');
  if (base < 0 && Number.isFinite(base) && Number.isFinite(exponent) && !Number.isInteger(exponent))
    return invalidArgument('a negative number raised to a non-integer power yields a complex result');
  const vanishes = base !== 0 && Number.isFinite(base) && Number.isFinite(exponent) && power(base, exponent) === 0;
  return vanishes ? valueOverflow('underflow') : null;
}

/** 1 to any power, and anything to the power 0, is 1 (POSIX; JavaScript says NaN for 1 to NaN and infinities). */
const power = (base: number, exponent: number): number => (base === 1 ? 1 : base ** exponent);

const logarithmOf = (base: number, value: number): number => Math.log2(value) / Math.log2(base);
const checkLogarithms = (base: number, value: number): FaultError | null =>
  checkLogarithm(base) ??
  checkLogarithm(value) ??
  (base === 1 ? invalidArgument('cannot take logarithm to base 1') : null);

const toDegrees = (radians: number): number => radians * (180 / Math.PI);
const toRadians = (degrees: number): number => degrees * (Math.PI / 180);

const signDecimals: Evaluate = ([arg], length) =>
  wideVector(
    widesOf(arg!)
      .slice(0, length)
      .map(value => (value > 0n ? 1n : value < 0n ? -1n : 0n)),
    length,
    arg!.nulls,
  );

const defineUnary = (
  name: string,
  summary: string,
  compute: (value: number) => number,
  check?: (value: number) => FaultError | null,
): Definition => define(name, ['DOUBLE'], DOUBLE, summary, unary(compute, check));

export const math: readonly Definition[] = [
  defineUnary('sign', '-1, 0 or 1.', value => (value > 0 ? 1 : value < 0 ? -1 : 0)),
  define('sign', ['DECIMAL'], decimal(1, 0), '-1, 0 or 1.', signDecimals),
  defineUnary('sqrt', 'Square root.', Math.sqrt, value =>
    value < 0 ? invalidArgument('cannot take square root of a negative number') : null,
  ),
  defineUnary('cbrt', 'Cube root.', Math.cbrt),
  define('power', ['DOUBLE', 'DOUBLE'], DOUBLE, 'a raised to the power b.', binary(power, checkPower)),
  defineUnary('exp', 'e raised to the power.', Math.exp, checkExponential),
  defineUnary('ln', 'Natural logarithm.', Math.log, checkLogarithm),
  defineUnary('log', 'Logarithm to base 10.', Math.log10, checkLogarithm),
  define('log', ['DOUBLE', 'DOUBLE'], DOUBLE, 'Logarithm to base b: log(b, x).', binary(logarithmOf, checkLogarithms)),
  defineUnary('log2', 'Logarithm to base 2.', Math.log2, checkLogarithm),
  defineUnary('degrees', 'Radians to degrees.', toDegrees),
  defineUnary('radians', 'Degrees to radians.', toRadians),
  defineUnary('sin', 'Sine of radians.', Math.sin),
  defineUnary('cos', 'Cosine of radians.', Math.cos),
  defineUnary('tan', 'Tangent of radians.', Math.tan),
  defineUnary('cot', 'Cotangent of radians.', value => 1 / Math.tan(value)),
  defineUnary('asin', 'Inverse sine, in radians.', Math.asin),
  defineUnary('acos', 'Inverse cosine, in radians.', Math.acos),
  defineUnary('atan', 'Inverse tangent, in radians.', Math.atan),
  define('atan2', ['DOUBLE', 'DOUBLE'], DOUBLE, 'Inverse tangent of y / x, in radians.', binary(Math.atan2)),
  define('pi', [], DOUBLE, 'The number pi.', (_args, length) =>
    numberVector(new Float64Array(length).fill(Math.PI), length, null),
  ),
];
