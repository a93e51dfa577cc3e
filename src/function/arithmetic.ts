/**
 * `+ - * / %` and unary minus over numbers. INT and LONG run in doubles: a sum or product of two integers below 2^53 that
 * leaves that range shows itself, since rounding keeps order; such a LONG vector is done again in 64 bits. Rows under a
 * NULL are computed too, but never fail.
 */
import { DOUBLE, FLOAT, INT, LONG, type Type, type TypeName } from '../column/type.ts';
import type { Nulls, Vector } from '../column/vector.ts';
import {
  checkDecimal,
  divideRounded,
  productType,
  quotientType,
  remainderType,
  rescale,
  sumType,
  tenTo,
} from './decimal.ts';
import { divisionByZero, integerOverflow, valueOverflow } from './errors.ts';
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
type Operation = 'add' | 'subtract' | 'multiply' | 'divide' | 'modulo';

/** Fills `out` and answers 1 where any magnitude (NaN aside) is above `limit`, else 0: the whole vector is in range. */
type Kernel = (a: Float64Array, b: Float64Array, out: Float64Array, length: number, limit: number) => number;

/** out = a + b, row by row. */
function addNumbers(a: Float64Array, b: Float64Array, out: Float64Array, length: number, limit: number): number {
  let above = 0;
  for (let row = 0; row < length; row++) {
    const result = a[row]! + b[row]!;
    out[row] = result;
    above |= Math.abs(result) > limit ? 1 : 0;
  }
  return above;
}

/** out = a - b, row by row. */
function subtractNumbers(a: Float64Array, b: Float64Array, out: Float64Array, length: number, limit: number): number {
  let above = 0;
  for (let row = 0; row < length; row++) {
    const result = a[row]! - b[row]!;
    out[row] = result;
    above |= Math.abs(result) > limit ? 1 : 0;
  }
  return above;
}

/** out = a × b, row by row. */
function multiplyNumbers(a: Float64Array, b: Float64Array, out: Float64Array, length: number, limit: number): number {
  let above = 0;
  for (let row = 0; row < length; row++) {
    const result = a[row]! * b[row]!;
    out[row] = result;
    above |= Math.abs(result) > limit ? 1 : 0;
  }
  return above;
}

/** As `multiplyNumbers`; adding 0 turns -0, which integers do not have, into 0. */
function multiplyIntegers(a: Float64Array, b: Float64Array, out: Float64Array, length: number, limit: number): number {
  let above = 0;
  for (let row = 0; row < length; row++) {
    const result = a[row]! * b[row]! + 0;
    out[row] = result;
    above |= Math.abs(result) > limit ? 1 : 0;
  }
  return above;
}

/** out = a / b, row by row; division by zero shows as an infinity or NaN, and is told apart before. */
function divideNumbers(a: Float64Array, b: Float64Array, out: Float64Array, length: number, limit: number): number {
  let above = 0;
  for (let row = 0; row < length; row++) {
    const result = a[row]! / b[row]!;
    out[row] = result;
    above |= Math.abs(result) > limit ? 1 : 0;
  }
  return above;
}

/** out = a / b cut to an integer. Exact: quotients of integers up to 2^53 never round up to the next integer. 0 / 0, under a NULL, is 0. */
function divideIntegers(a: Float64Array, b: Float64Array, out: Float64Array, length: number, limit: number): number {
  let above = 0;
  for (let row = 0; row < length; row++) {
    const result = Math.trunc(a[row]! / b[row]!) || 0;
    out[row] = result;
    above |= Math.abs(result) > limit ? 1 : 0;
  }
  return above;
}

/** out = a % b with the sign of a, row by row. a % 0, under a NULL, is 0: what comes after counts on integers. */
function moduloIntegers(a: Float64Array, b: Float64Array, out: Float64Array, length: number): number {
  for (let row = 0; row < length; row++) out[row] = a[row]! % b[row]! || 0;
  return 0;
}

const integerKernels: Readonly<Record<Operation, Kernel>> = {
  add: addNumbers,
  subtract: subtractNumbers,
  multiply: multiplyIntegers,
  divide: divideIntegers,
  modulo: moduloIntegers,
};

const doubleKernels: Readonly<Record<Operation, Kernel>> = {
  ...integerKernels,
  multiply: multiplyNumbers,
  divide: divideNumbers,
};

const divides = (operation: Operation): boolean => operation === 'divide' || operation === 'modulo';

/** @throws {FaultError} DIVISION_BY_ZERO where a present row has a zero divisor. */
function refuseZeros(divisors: ArrayLike<number | bigint>, length: number, nulls: Nulls): void {
  for (let row = 0; row < length; row++) {
    const divisor = divisors[row];
    if ((divisor === 0 || divisor === 0n) && (nulls === null || nulls[row] === 0)) throw divisionByZero();
  }
}

/** As `refuseZeros`, but NaN divided by zero is NaN. */
function refuseDoubleZeros(dividends: Float64Array, divisors: Float64Array, length: number, nulls: Nulls): void {
  for (let row = 0; row < length; row++)
    if (divisors[row] === 0 && !Number.isNaN(dividends[row]!) && (nulls === null || nulls[row] === 0))
      throw divisionByZero();
}

/** Makes rows under NULL harmless, and finds the first present row that `isWrong`. */
function hasWrongRow(out: Float64Array, length: number, nulls: Nulls, isWrong: (row: number) => boolean): boolean {
  for (let row = 0; row < length; row++) {
    if (nulls !== null && nulls[row] !== 0) out[row] = 0;
    else if (isWrong(row)) return true;
  }
  return false;
}

const intSizeMax = 2147483647;

function evaluateInt(operation: Operation): Evaluate {
  const kernel = integerKernels[operation];
  return (args, length) => {
    const nulls = unionNulls(args, length);
    const [a, b] = [numbersOf(args[0]!), numbersOf(args[1]!)];
    const out = new Float64Array(length);
    if (divides(operation)) refuseZeros(b, length, nulls);
    if (kernel(a, b, out, length, intSizeMax) !== 0) {
      const isWrong = (row: number): boolean => out[row]! > intSizeMax || out[row]! < -intSizeMax - 1;
      if (hasWrongRow(out, length, nulls, isWrong)) throw integerOverflow('INT');
    }
    return numberVector(out, length, nulls);
  };
}

function applyBigint(operation: Operation, a: bigint, b: bigint): bigint {
  switch (operation) {
    case 'add':
      return a + b;
    case 'subtract':
      return a - b;
    case 'multiply':
      return a * b;
    case 'divide':
      return a / b;
    case 'modulo':
      return a % b;
  }
}

function computeBigints(
  operation: Operation,
  a: BigInt64Array,
  b: BigInt64Array,
  length: number,
  nulls: Nulls,
): Vector {
  const out = new BigInt64Array(length);
  for (let row = 0; row < length; row++) {
    if (nulls !== null && nulls[row] !== 0) continue;
    const result = applyBigint(operation, a[row]!, b[row]!);
    if (BigInt.asIntN(64, result) !== result) throw integerOverflow('LONG');
    out[row] = result;
  }
  return longVector(out, length, nulls);
}

function evaluateLong(operation: Operation): Evaluate {
  const kernel = integerKernels[operation];
  return (args, length) => {
    const nulls = unionNulls(args, length);
    const [left, right] = args as (NumberVector | BigintVector)[];
    if (divides(operation)) refuseZeros(right!.values, length, nulls);
    if (left!.form === 'number' && right!.form === 'number') {
      const out = new Float64Array(length);
      if (kernel(left!.values, right!.values, out, length, Number.MAX_SAFE_INTEGER) === 0)
        return numberVector(out, length, nulls);
    }
    return computeBigints(operation, toBigints(left!, length), toBigints(right!, length), length, nulls);
  };
}

/** @throws {FaultError} NUMERIC_OVERFLOW where a present row is infinite and its operands are not. */
function refuseOverflow(a: Float64Array, b: Float64Array, out: Float64Array, nulls: Nulls): void {
  for (let row = 0; row < out.length; row++)
    if (Math.abs(out[row]!) > Number.MAX_VALUE && Number.isFinite(a[row]!) && Number.isFinite(b[row]!))
      if (nulls === null || nulls[row] === 0) throw valueOverflow('overflow');
}

/** @throws {FaultError} NUMERIC_OVERFLOW where a present row is 0, and neither a zero nor an infinite divisor made it so. */
function refuseUnderflow(
  operation: Operation,
  a: Float64Array,
  b: Float64Array,
  out: Float64Array,
  nulls: Nulls,
): void {
  for (let row = 0; row < out.length; row++)
    if (out[row] === 0 && a[row] !== 0 && (operation === 'divide' ? Number.isFinite(b[row]!) : b[row] !== 0))
      if (nulls === null || nulls[row] === 0) throw valueOverflow('underflow');
}

/** Rounds to FLOAT in place; 1 where one became infinite. */
function toFloats(values: Float64Array): number {
  let above = 0;
  for (let row = 0; row < values.length; row++) {
    const value = Math.fround(values[row]!);
    values[row] = value;
    above |= Math.abs(value) > Number.MAX_VALUE ? 1 : 0;
  }
  return above;
}

function evaluateDouble(operation: Operation, single: boolean): Evaluate {
  const kernel = doubleKernels[operation];
  const mayUnderflow = operation === 'multiply' || operation === 'divide';
  return (args, length) => {
    const nulls = unionNulls(args, length);
    const [a, b] = [numbersOf(args[0]!), numbersOf(args[1]!)];
    const out = new Float64Array(length);
    if (divides(operation)) refuseDoubleZeros(a, b, length, nulls);
    let above = kernel(a, b, out, length, Number.MAX_VALUE);
    if (single) above |= toFloats(out);
    if (above !== 0) refuseOverflow(a, b, out, nulls);
    if (mayUnderflow) refuseUnderflow(operation, a, b, out, nulls);
    return numberVector(out, length, nulls);
  };
}

function applyDecimal(operation: Operation, a: bigint, b: bigint, left: Type, right: Type, result: Type): bigint {
  const scale = result.scale!;
  switch (operation) {
    case 'multiply':
      return rescale(a * b, left.scale! + right.scale!, scale);
    case 'divide':
      return divideRounded(a * tenTo(scale + right.scale! - left.scale!), b);
    default:
      return applyBigint(operation, rescale(a, left.scale!, scale), rescale(b, right.scale!, scale));
  }
}

function evaluateDecimal(operation: Operation): Evaluate {
  return (args, length, _context, types) => {
    const nulls = unionNulls(args, length);
    const [a, b] = [widesOf(args[0]!), widesOf(args[1]!)];
    const [left, right] = types.args as [Type, Type];
    if (divides(operation)) refuseZeros(b, length, nulls);
    const out = new Array<bigint>(length).fill(0n);
    for (let row = 0; row < length; row++)
      if (nulls === null || nulls[row] === 0)
        out[row] = checkDecimal(applyDecimal(operation, a[row]!, b[row]!, left, right, types.result), types.result);
    return wideVector(out, length, nulls);
  };
}

const decimalTypes: Readonly<Record<Operation, (args: readonly Type[]) => Type>> = {
  add: sumType,
  subtract: sumType,
  multiply: productType,
  divide: quotientType,
  modulo: remainderType,
};

const summaries: Readonly<Record<Operation, string>> = {
  add: 'Sum: a + b.',
  subtract: 'Difference: a - b.',
  multiply: 'Product: a * b.',
  divide: 'Quotient: a / b; of integers, cut towards zero.',
  modulo: 'Remainder of a / b, with the sign of a: a % b.',
};

/** FLOAT beside DOUBLE, as PostgreSQL's mixed operators: other numbers beside a FLOAT choose these too. */
const mixedFloats: readonly (readonly [TypeName, TypeName])[] = [
  ['FLOAT', 'DOUBLE'],
  ['DOUBLE', 'FLOAT'],
];

function defineOperation(operation: Operation, name: string = operation): Definition[] {
  const summary = summaries[operation];
  const definitions = [
    define(name, ['INT', 'INT'], INT, summary, evaluateInt(operation)),
    define(name, ['LONG', 'LONG'], LONG, summary, evaluateLong(operation)),
    define(name, ['DECIMAL', 'DECIMAL'], decimalTypes[operation], summary, evaluateDecimal(operation)),
  ];
  if (operation === 'modulo') return definitions;
  const evaluate = evaluateDouble(operation, false);
  return [
    ...definitions,
    define(name, ['FLOAT', 'FLOAT'], FLOAT, summary, evaluateDouble(operation, true)),
    define(name, ['DOUBLE', 'DOUBLE'], DOUBLE, summary, evaluate),
    ...mixedFloats.map(params => define(name, params, DOUBLE, summary, evaluate)),
  ];
}

/** Sign changes: `negate` of every row, `abs` of the negative ones. */
function evaluateSign(kind: 'negate' | 'abs'): Evaluate {
  return ([vector], length, _context, types) => {
    const arg = vector!;
    if (arg.form === 'wide') {
      const flip = (value: bigint): bigint => (kind === 'abs' && value >= 0n ? value : -value);
      return wideVector(arg.values.slice(0, length).map(flip), length, arg.nulls);
    }
    if (arg.form === 'bigint') {
      const zeros = new BigInt64Array(length);
      if (kind === 'negate') return computeBigints('subtract', zeros, arg.values, length, arg.nulls);
      const signs = zeros.map((_, row) => (arg.values[row]! < 0n ? -1n : 1n));
      return computeBigints('multiply', signs, arg.values, length, arg.nulls);
    }
    const values = numbersOf(arg);
    const isInteger = types.result.name === 'INT' || types.result.name === 'LONG';
    const out = new Float64Array(length);
    let peak = 0;
    for (let row = 0; row < length; row++) {
      const value = kind === 'abs' ? Math.abs(values[row]!) : isInteger ? 0 - values[row]! : -values[row]!;
      out[row] = value;
      if (value > peak) peak = value;
    }
    if (types.result.name === 'INT' && peak > intSizeMax)
      if (hasWrongRow(out, length, arg.nulls, row => out[row]! > intSizeMax)) throw integerOverflow('INT');
    return numberVector(out, length, arg.nulls);
  };
}

const signTypes = ['INT', 'LONG', 'FLOAT', 'DOUBLE', 'DECIMAL'] as const;

export const arithmetic: readonly Definition[] = [
  ...defineOperation('add'),
  ...defineOperation('subtract'),
  ...defineOperation('multiply'),
  ...defineOperation('divide'),
  ...defineOperation('modulo'),
  ...signTypes.map(name => define('negate', [name], ([arg]) => arg!, 'Negation: -a.', evaluateSign('negate'))),
  ...signTypes.map(name => define('abs', [name], ([arg]) => arg!, 'Absolute value.', evaluateSign('abs'))),
];
