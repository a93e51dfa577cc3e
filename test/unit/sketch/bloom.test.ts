import fc from 'fast-check';
import { expect, test } from 'vitest';
import { murmurWords } from '../../../src/kernel/hash.ts';
import { addToBlock, blockCountFor, blockHolds, blockOf, blockWordCount } from '../../../src/sketch/bloom.ts';

const hash = (value: number, seed: number): number => murmurWords(Uint32Array.of(value, value >>> 7), 0, 2, seed);

function filterOf(values: readonly number[]) {
  const blockCount = blockCountFor(values.length);
  const words = new Uint32Array(blockCount * blockWordCount);
  const at = (value: number): number => blockOf(hash(value, 1), blockCount) * blockWordCount;
  for (const value of values) addToBlock(words, at(value), hash(value, 2));
  return (value: number): boolean => blockHolds(words, at(value), hash(value, 2));
}

test('what was added is always found', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 500 }), values => {
      const holds = filterOf(values);
      expect(values.every(holds)).toBe(true);
    }),
  );
});

test('what was not is found about once in a hundred times', () => {
  for (const count of [1_000, 20_000, 200_000]) {
    const holds = filterOf(Array.from({ length: count }, (_, value) => value));
    let found = 0;
    for (let value = 1e9; value < 1e9 + 50_000; value++) found += +holds(value);
    expect(found / 50_000).toBeLessThan(0.015);
  }
});

test('a filter without values holds nothing', () => {
  expect(filterOf([])(7)).toBe(false);
});
