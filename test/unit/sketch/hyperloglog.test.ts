import fc from 'fast-check';
import { expect, test } from 'vitest';
import { murmurWords } from '../../../src/kernel/hash.ts';
import { HyperLogLog, standardError } from '../../../src/sketch/hyperloglog.ts';

function estimateOf(count: number, seed: number, repeats = 1): number {
  const sketch = new HyperLogLog();
  const hashes = Uint32Array.from({ length: count }, (_, value) => murmurWords(Uint32Array.of(value), 0, 1, seed));
  for (let repeat = 0; repeat < repeats; repeat++) sketch.add(hashes);
  return sketch.estimate();
}

test('estimates lie within five standard errors, whatever was added how often', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.nat(300), fc.nat(30_000)),
      fc.nat(2 ** 31),
      fc.integer({ min: 1, max: 2 }),
      (count, seed, repeats) => {
        const error = Math.abs(estimateOf(count, seed, repeats) - count);
        expect(error).toBeLessThanOrEqual(Math.max(2, 5 * standardError * count));
      },
    ),
    { numRuns: 100 },
  );
});

test('a million too', () => {
  expect(Math.abs(estimateOf(1_000_000, 7) - 1e6)).toBeLessThan(5 * standardError * 1e6);
  expect(estimateOf(0, 7)).toBe(0);
});
