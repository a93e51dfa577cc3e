import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IntegerSet } from '../../../src/exec/integer-set.ts';

function valuesOf(set: IntegerSet): number[] {
  const all: number[] = [];
  // Each vector is valid until the next.
  for (const { values, length } of set.vectors()) all.push(...values.subarray(0, length));
  return all;
}

test('holds what a Set holds, in order, as long as the range allows', () => {
  const near = fc.integer({ min: -100, max: 100 });
  const wide = fc.integer({ min: -4_000_000, max: 4_000_000 });
  const value = fc.option(fc.oneof(near, wide), { freq: 8 });
  fc.assert(
    fc.property(fc.maxSafeInteger(), fc.array(fc.array(value, { maxLength: 50 }), { maxLength: 8 }), (far, parts) => {
      const origin = Math.trunc(far / 2);
      const set = new IntegerSet();
      const known = new Set<number>();
      for (const part of parts) {
        const values = Float64Array.from(part, each => (each === null ? 0 : origin + each));
        const nulls = Uint8Array.from(part, each => (each === null ? 1 : 0));
        expect(set.add(values, part.includes(null) ? nulls : null, part.length)).toBe(true);
        for (const each of part) if (each !== null) known.add(origin + each);
      }
      expect(set.count).toBe(known.size);
      expect(valuesOf(set)).toEqual([...known].sort((a, b) => a - b));
    }),
    { numRuns: 60 },
  );
});

test('refuses a range that is too large for so few numbers, and keeps those it has', () => {
  const set = new IntegerSet();
  expect(set.add(Float64Array.of(5, 7), null, 2)).toBe(true);
  expect(set.add(Float64Array.of(6, 2 ** 40), null, 2)).toBe(false);
  expect(valuesOf(set)).toEqual([5, 6, 7]);
});

test('takes a wider range once it holds many numbers', () => {
  const set = new IntegerSet();
  const count = 300_000;
  expect(
    set.add(
      Float64Array.from({ length: count }, (_, index) => index * 20),
      null,
      count,
    ),
  ).toBe(true);
  expect(set.add(Float64Array.of(2 ** 24), null, 1)).toBe(true);
  expect(set.count).toBe(count + 1);
});
