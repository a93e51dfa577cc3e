import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as select from '../../../src/kernel/select.ts';

/** What the words hold where they were not written. */
const untouched = 0x5555_5555;

/** Runs a kernel over `rowCount` rows and gives back which of them hold; the words beyond them must be left alone. */
function rowsOf(rowCount: number, run: (words: Uint32Array) => void): boolean[] {
  const wordCount = (rowCount + 31) >> 5;
  const words = new Uint32Array(wordCount + 1).fill(untouched);
  run(words);
  expect(words[wordCount]).toBe(untouched);
  const unused = rowCount & 31;
  if (unused !== 0) expect(words[wordCount - 1]! >>> unused, 'rows past the end').toBe(0);
  return Array.from({ length: rowCount }, (_, row) => ((words[row >> 5]! >>> (row & 31)) & 1) === 1);
}

/** The values somewhere inside a longer array, as a block's column lies in the arena. */
function placed<T extends { set(values: never, at: number): void; readonly length: number }>(
  make: new (length: number) => T,
  values: ArrayLike<unknown>,
  at: number,
): T {
  const view = new make(at + values.length + 1);
  view.set(values as never, at);
  return view;
}

const at = fc.nat(5);
const int = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.integer(), fc.constantFrom(-0x8000_0000, 0x7fff_ffff));
const long = fc.oneof(
  fc.bigInt(-3n, 3n),
  fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
  fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n, 2n ** 32n, 2n ** 32n - 1n, -(2n ** 32n)),
);
const double = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double(), fc.constantFrom(NaN, 0, -0, Infinity, -Infinity));
const many = <T>(value: fc.Arbitrary<T>) => fc.array(value, { maxLength: 100 });
const ordered = <T extends number | bigint>(a: T, b: T): [T, T] => (a <= b ? [a, b] : [b, a]);

test('selectI32 is low <= value <= high', () => {
  fc.assert(
    fc.property(many(int), at, int, int, (values, start, a, b) => {
      const [low, high] = ordered(a, b);
      const view = placed(Int32Array, values, start);
      const rows = rowsOf(values.length, words => select.selectI32(view, start, values.length, low, high, words));
      expect(rows).toEqual(values.map(value => low <= value && value <= high));
    }),
  );
});

test('selectI64 is low <= value <= high, over all 64 bits', () => {
  fc.assert(
    fc.property(many(long), at, long, long, (values, start, low, high) => {
      const view = new Int32Array(placed(BigInt64Array, values, start).buffer);
      const rows = rowsOf(values.length, words => select.selectI64(view, 2 * start, values.length, low, high, words));
      expect(rows).toEqual(values.map(value => low <= value && value <= high));
    }),
  );
});

test('selectF64 is low <= value <= high, never for NaN', () => {
  fc.assert(
    fc.property(many(double), at, double, double, (values, start, low, high) => {
      const view = placed(Float64Array, values, start);
      const rows = rowsOf(values.length, words => select.selectF64(view, start, values.length, low, high, words));
      expect(rows).toEqual(values.map(value => low <= value && value <= high));
    }),
  );
});

describe('codes', () => {
  const widths = [
    ['8', Uint8Array, 0xff, select.selectCodes8, select.selectTable8],
    ['16', Uint16Array, 0xffff, select.selectCodes16, select.selectTable16],
    ['32', Uint32Array, 0xffff_ffff, select.selectCodes32, select.selectTable32],
  ] as const;

  test.each(widths)('of %s bits within a range', (_, array, codeMax, kernel) => {
    const code = fc.oneof(fc.nat(3), fc.integer({ min: 0, max: codeMax }), fc.constant(codeMax));
    fc.assert(
      fc.property(many(code), at, code, code, (codes, start, a, b) => {
        const [low, high] = ordered(a, b);
        const view = placed<Uint8Array | Uint16Array | Uint32Array>(array, codes, start);
        const rows = rowsOf(codes.length, words => kernel(view as never, start, codes.length, low, high, words));
        expect(rows).toEqual(codes.map(each => low <= each && each <= high));
      }),
    );
  });

  test.each(widths)('of %s bits by table', (_, array, _max, _range, kernel) => {
    const table = fc.array(fc.constantFrom(0, 1), { minLength: 200, maxLength: 200 });
    fc.assert(
      fc.property(many(fc.nat(199)), at, table, (codes, start, answers) => {
        const view = placed<Uint8Array | Uint16Array | Uint32Array>(array, codes, start);
        const rows = rowsOf(codes.length, words =>
          kernel(view as never, start, codes.length, Uint8Array.from(answers), words),
        );
        expect(rows).toEqual(codes.map(code => answers[code] === 1));
      }),
    );
  });
});

test('nothing lies between a double and its neighbour', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true }), value => {
      const above = select.nextAbove(value);
      const below = select.nextBelow(value);
      if (value === Number.POSITIVE_INFINITY) return expect(above).toBe(value);
      if (value === Number.NEGATIVE_INFINITY) return expect(below).toBe(value);
      expect(above).toBeGreaterThan(value);
      expect(below).toBeLessThan(value);
      expect([value, above]).toContain(Number.isFinite(above) ? value / 2 + above / 2 : above);
      // There and back again: 0 and -0 are one.
      expect(select.nextBelow(above) + 0).toBe(value + 0);
    }),
  );
  expect(select.nextAbove(0)).toBe(Number.MIN_VALUE);
  expect(select.nextAbove(-0)).toBe(Number.MIN_VALUE);
  expect(select.nextAbove(Number.MAX_VALUE)).toBe(Number.POSITIVE_INFINITY);
  expect(select.nextAbove(Number.NaN)).toBeNaN();
});
