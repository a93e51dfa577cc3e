import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DOUBLE, decimal, INT, LONG, type Type, type Value } from '../../../src/column/type.ts';
import { isFailure, resolveScalar, scalarFunction } from '../../../src/function/resolve.ts';
import { vectorOf, vectorValue } from '../../../src/function/vectors.ts';
import { call, context, faultOf } from './calls.ts';

type Operation = 'add' | 'subtract' | 'multiply' | 'divide' | 'modulo';
const operations: readonly Operation[] = ['add', 'subtract', 'multiply', 'divide', 'modulo'];

const exact = (operation: Operation, a: bigint, b: bigint): bigint | null => {
  if (operation === 'add') return a + b;
  if (operation === 'subtract') return a - b;
  if (operation === 'multiply') return a * b;
  if (b === 0n) return null;
  return operation === 'divide' ? a / b : a % b;
};

/** Whole columns at once; NULL operands among them. */
function run(name: string, types: readonly Type[], columns: readonly (readonly Value[])[]): Value[] {
  const resolved = resolveScalar(name, types);
  if (isFailure(resolved)) throw new Error(`${name}: ${resolved.kind}`);
  const vectors = columns.map((values, index) => vectorOf(types[index]!, values));
  const length = columns[0]!.length;
  const result = scalarFunction(resolved.id).evaluate(vectors, length, context, {
    args: resolved.argTypes,
    result: resolved.returns,
  });
  return Array.from({ length }, (_, row) => vectorValue(result, resolved.returns, row));
}

const near = (edge: bigint) => fc.bigInt({ min: edge - 3n, max: edge + 3n });
const within = (bits: number) => (value: bigint) => BigInt.asIntN(bits, value) === value;

const longs = fc
  .oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.bigInt({ min: -1000n, max: 1000n }),
    fc.bigInt({ min: -(2n ** 32n), max: 2n ** 32n }),
    ...[2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n), 2n ** 31n].map(near),
  )
  .filter(within(64));
const ints = fc
  .oneof(
    fc.bigInt({ min: -(2n ** 31n), max: 2n ** 31n - 1n }),
    fc.bigInt({ min: -300n, max: 300n }),
    ...[2n ** 31n - 1n, -(2n ** 31n), 65_536n].map(near),
  )
  .filter(within(32));

for (const { type, bits, values, message, toValue } of [
  { type: INT, bits: 32, values: ints, message: 'integer out of range', toValue: Number },
  { type: LONG, bits: 64, values: longs, message: 'bigint out of range', toValue: (value: bigint) => value },
])
  test(`${type.name} is exact or an error`, () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...operations),
        fc.array(fc.tuple(values, values), { maxLength: 6 }),
        (name, pairs) => {
          const wants = pairs.map(([a, b]) => exact(name, a, b));
          const columns = [pairs.map(([a]) => toValue(a)), pairs.map(([, b]) => toValue(b))];
          const fails = wants.some(want => want === null || BigInt.asIntN(bits, want) !== want);
          if (fails) {
            const expected = wants.includes(null) ? 'division by zero' : message;
            expect(faultOf(() => run(name, [type, type], columns)).message).toBe(expected);
          }
          const isGood = (row: number): boolean =>
            wants[row] !== null && BigInt.asIntN(bits, wants[row]!) === wants[row];
          const hidden = columns.map((column, at) =>
            column.map((value, row) => (at === 0 && !isGood(row) ? null : value)),
          );
          const want = pairs.map((_, row) => (isGood(row) ? toValue(wants[row]!) : null));
          expect(run(name, [type, type], hidden)).toEqual(want);
        },
      ),
      { numRuns: 700 },
    );
  });

test('DECIMAL is exact, quotients rounded half away from zero', () => {
  const unscaled = fc.bigInt({ min: -(10n ** 12n) + 1n, max: 10n ** 12n - 1n });
  const scales = fc.integer({ min: 0, max: 6 });
  fc.assert(
    fc.property(fc.constantFrom(...operations), unscaled, scales, unscaled, scales, (name, a, aScale, b, bScale) => {
      const types = [decimal(12, aScale), decimal(12, bScale)];
      if (b === 0n && (name === 'divide' || name === 'modulo')) {
        expect(faultOf(() => run(name, types, [[a], [b]])).code).toBe('DIVISION_BY_ZERO');
        return;
      }
      const resolved = resolveScalar(name, types);
      if (isFailure(resolved)) throw new Error(name);
      const scale = resolved.returns.scale!;
      const [left, right] = [a * 10n ** BigInt(12 - aScale), b * 10n ** BigInt(12 - bScale)];
      let want: bigint;
      if (name === 'multiply') want = a * b;
      else if (name === 'divide') {
        const [top, bottom] = [left * 10n ** BigInt(scale), right];
        const [size, by] = [top < 0n ? -top : top, bottom < 0n ? -bottom : bottom];
        want = ((2n * size + by) / (2n * by)) * (top < 0n === bottom < 0n ? 1n : -1n);
      } else want = exact(name, left, right)! / 10n ** BigInt(12 - scale);
      expect(run(name, types, [[a], [b]])).toEqual([want]);
    }),
    { numRuns: 700 },
  );
});

test('a DECIMAL that outgrows 38 digits is an error', () => {
  const wide = decimal(38, 0);
  const most = 10n ** 38n - 1n;
  expect(faultOf(() => run('add', [wide, wide], [[most], [1n]])).code).toBe('NUMERIC_OVERFLOW');
  expect(faultOf(() => run('multiply', [wide, wide], [[most], [2n]])).code).toBe('NUMERIC_OVERFLOW');
  expect(
    run(
      'add',
      [wide, wide],
      [
        [most, null],
        [0n, most],
      ],
    ),
  ).toEqual([most, null]);
});

test('DOUBLE is what IEEE says, but for infinities out of nothing', () => {
  const doubles = fc.double({ noNaN: false });
  fc.assert(
    fc.property(fc.constantFrom('add', 'subtract', 'multiply'), doubles, doubles, (name, a, b) => {
      const want = name === 'add' ? a + b : name === 'subtract' ? a - b : a * b;
      const overflows = !Number.isFinite(want) && Number.isFinite(a) && Number.isFinite(b);
      const underflows = name === 'multiply' && want === 0 && a !== 0 && b !== 0;
      if (overflows || underflows)
        expect(faultOf(() => run(name, [DOUBLE, DOUBLE], [[a], [b]])).message).toBe(
          `value out of range: ${overflows ? 'overflow' : 'underflow'}`,
        );
      else expect(run(name, [DOUBLE, DOUBLE], [[a], [b]])).toEqual([want]);
      expect(
        run(
          name,
          [DOUBLE, DOUBLE],
          [
            [null, null],
            [a, b],
          ],
        ),
      ).toEqual([null, null]);
    }),
  );
});

test('rounding to places is rounding of the shortest decimal text', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -1e9, max: 1e9 }),
      fc.integer({ min: 0, max: 6 }),
      fc.integer({ min: -2, max: 6 }),
      (digits, scale, places) => {
        const value = Number(`${digits}e-${scale}`);
        const step = 10n ** BigInt(Math.max(scale - places, 0));
        const size = BigInt(Math.abs(digits));
        const cut = places >= scale ? size : (size / step) * step;
        const rounded = places >= scale ? size : ((2n * size + step) / (2n * step)) * step;
        const sign = digits < 0 ? '-' : '';
        expect(call('round', { type: DOUBLE, value }, places).value).toBe(Number(`${sign}${rounded}e-${scale}`));
        expect(call('trunc', { type: DOUBLE, value }, places).value).toBe(Number(`${sign}${cut}e-${scale}`));
      },
    ),
    { numRuns: 1000 },
  );
});
