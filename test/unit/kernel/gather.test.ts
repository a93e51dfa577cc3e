import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as gather from '../../../src/kernel/gather.ts';

/** Which rows are wanted: a list of them, or a run. */
interface Wanted {
  readonly rows: Uint32Array | null;
  readonly first: number;
  readonly count: number;
}

/** A column's values, where it begins in its array, and some of its rows. */
const column = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<{ values: T[]; at: number; wanted: Wanted }> =>
  fc.array(value, { minLength: 1, maxLength: 80 }).chain(values => {
    const last = values.length - 1;
    const run = fc
      .tuple(fc.nat(last), fc.nat(last))
      .map(([a, b]): Wanted => ({ rows: null, first: Math.min(a, b), count: Math.abs(a - b) + 1 }));
    const list = fc
      .array(fc.nat(last), { maxLength: 80 })
      .map((rows): Wanted => ({ rows: Uint32Array.from(rows), first: 0, count: rows.length }));
    return fc.record({ values: fc.constant(values), at: fc.nat(5), wanted: fc.oneof(run, list) });
  });

const pick = <T>(values: readonly T[], { rows, first, count }: Wanted): T[] =>
  Array.from({ length: count }, (_, index) => values[rows ? rows[index]! : first + index]!);

test('gatherI32 adds the base', () => {
  fc.assert(
    fc.property(column(fc.integer()), fc.maxSafeInteger(), ({ values, at, wanted }, wide) => {
      const base = Math.trunc(wide / 2);
      const view = new Int32Array(at + values.length);
      view.set(values, at);
      const out = new Float64Array(wanted.count);
      gather.gatherI32(view, at, base, wanted.rows, wanted.first, wanted.count, out);
      expect([...out]).toEqual(pick(values, wanted).map(value => base + value));
    }),
  );
});

test('gatherI64 gives exact doubles, or says that there are none', () => {
  const edges = fc.constantFrom(
    2n ** 53n,
    2n ** 53n - 1n,
    -(2n ** 53n),
    -(2n ** 53n) - 1n,
    2n ** 63n - 1n,
    -(2n ** 63n),
  );
  const small = fc.bigInt(-(2n ** 53n), 2n ** 53n - 1n);
  const weighted = fc.oneof({ weight: 40, arbitrary: small }, { weight: 1, arbitrary: edges });
  fc.assert(
    fc.property(column(weighted), ({ values, at, wanted }) => {
      const view = new BigInt64Array(at + values.length);
      view.set(values, at);
      const out = new Float64Array(wanted.count);
      const picked = pick(values, wanted);
      const fits = gather.gatherI64(new Int32Array(view.buffer), 2 * at, wanted.rows, wanted.first, wanted.count, out);
      expect(fits).toBe(picked.every(value => -(2n ** 53n) <= value && value < 2n ** 53n));
      if (fits) expect([...out].map(BigInt)).toEqual(picked);
    }),
  );
});

describe('values as they are', () => {
  type Kernel = (view: never, at: number, rows: Uint32Array | null, first: number, count: number, out: never) => void;
  const kernels: readonly (readonly [
    string,
    Kernel,
    new (length: number) => Float32Array | Float64Array | Uint8Array | Uint16Array | Uint32Array,
    fc.Arbitrary<number>,
  ])[] = [
    ['gatherF32', gather.gatherF32, Float32Array, fc.float()],
    ['gatherF64', gather.gatherF64, Float64Array, fc.double()],
    ['gatherCodes8', gather.gatherCodes8, Uint8Array, fc.nat(0xff)],
    ['gatherCodes16', gather.gatherCodes16, Uint16Array, fc.nat(0xffff)],
    ['gatherCodes32', gather.gatherCodes32, Uint32Array, fc.integer({ min: 0, max: 0xffff_ffff })],
  ];
  test.each(kernels)('%s', (_, kernel, array, value) => {
    fc.assert(
      fc.property(column(value), ({ values, at, wanted }) => {
        const view = new array(at + values.length);
        view.set(values, at);
        const isFloat = view instanceof Float32Array || view instanceof Float64Array;
        const out = isFloat ? new Float64Array(wanted.count) : new Uint32Array(wanted.count);
        kernel(view as never, at, wanted.rows, wanted.first, wanted.count, out as never);
        expect([...out]).toEqual(pick(values, wanted));
      }),
    );
  });
});

test('gatherNulls turns bits into bytes, whatever was in them before', () => {
  const mostlyPresent = fc.oneof({ weight: 12, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.boolean() });
  fc.assert(
    fc.property(fc.oneof(column(mostlyPresent), column(fc.boolean())), ({ values, at, wanted }) => {
      const bitmap = new Uint8Array(at + 16);
      values.forEach((present, row) => {
        if (present) bitmap[at + (row >> 3)]! |= 1 << (row & 7);
      });
      const out = new Uint8Array(wanted.count + 1).fill(7);
      const any = gather.gatherNulls(bitmap, at, wanted.rows, wanted.first, wanted.count, out);
      const picked = pick(values, wanted);
      expect(any).toBe(picked.includes(false));
      expect([...out]).toEqual([...picked.map(present => (present ? 0 : 1)), 7]);
    }),
  );
});
