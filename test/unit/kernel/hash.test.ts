import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareBytes, equalBytes, hashBytes, hashPair } from '../../../src/kernel/hash.ts';

const bytes = fc.uint8Array({ maxLength: 20 });

/** The bytes inside longer ones. */
function placed(value: Uint8Array, at: number): { all: Uint8Array; start: number; end: number } {
  const all = new Uint8Array(at + value.length + 3).fill(0xa5);
  all.set(value, at);
  return { all, start: at, end: at + value.length };
}

test('a hash is of the bytes, wherever they lie', () => {
  fc.assert(
    fc.property(bytes, fc.nat(9), fc.nat(9), (value, a, b) => {
      const first = placed(value, a);
      const second = placed(value, b);
      const hash = hashBytes(first.all, first.start, first.end);
      expect(hashBytes(second.all, second.start, second.end)).toBe(hash);
      expect(hash).toBe(hash >>> 0);
    }),
  );
});

test('bytes are equal and ordered as Buffer has them', () => {
  // Few letters, so that prefixes are shared.
  const word = fc.oneof(
    bytes,
    fc.array(fc.constantFrom(0, 1, 255), { maxLength: 4 }).map(value => Uint8Array.from(value)),
  );
  fc.assert(
    fc.property(word, word, fc.nat(3), fc.nat(3), (left, right, a, b) => {
      const first = placed(left, a);
      const second = placed(right, b);
      const expected = Buffer.compare(left, right);
      const args = [first.all, first.start, first.end, second.all, second.start, second.end] as const;
      expect(equalBytes(...args)).toBe(expected === 0);
      expect(Math.sign(compareBytes(...args))).toBe(expected);
    }),
  );
});

/** How far the fullest of `buckets` is above an even share. */
function skew(hashes: readonly number[], shift: number, buckets: number): number {
  const counts = new Uint32Array(buckets);
  for (const hash of hashes) counts[(hash >>> shift) & (buckets - 1)]!++;
  return Math.max(...counts) / (hashes.length / buckets);
}

test('values in a row spread over all bits', () => {
  const encoder = new TextEncoder();
  const doubles = new Float64Array(1);
  const words = new Int32Array(doubles.buffer);
  const count = 1 << 16;
  const texts: number[] = [];
  const numbers: number[] = [];
  const pairs: number[] = [];
  for (let value = 0; value < count; value++) {
    const text = encoder.encode(`pay_${value}`);
    texts.push(hashBytes(text, 0, text.length));
    doubles[0] = value;
    numbers.push(hashPair(words[0]!, words[1]!));
    pairs.push(hashPair(value >> 8, value & 255));
  }
  for (const hashes of [texts, numbers, pairs])
    for (const shift of [0, 12, 24]) expect(skew(hashes, shift, 256)).toBeLessThan(1.35);
});
