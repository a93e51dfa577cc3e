import fc from 'fast-check';
import { expect, test } from 'vitest';
import { murmurBytes, murmurWords } from '../../../src/kernel/hash.ts';

/** Of the reference implementation. */
test.each([
  ['', 0, 0],
  ['', 1, 0x514e_28b7],
  ['', 0xffff_ffff, 0x81f1_6f39],
  ['test', 0x9747_b28c, 0x704b_81dc],
  ['Hello, world!', 0x9747_b28c, 0x2488_4cba],
  ['The quick brown fox jumps over the lazy dog', 0x9747_b28c, 0x2fa8_26cd],
])('MurmurHash3 of %j with seed %i', (text, seed, hash) => {
  const bytes = new TextEncoder().encode(` ${text} `);
  expect(murmurBytes(bytes, 1, bytes.length - 1, seed)).toBe(hash);
});

test('words hash as their bytes do', () => {
  fc.assert(
    fc.property(fc.uint32Array({ maxLength: 5 }), fc.nat(), (words, seed) => {
      const bytes = new Uint8Array(words.slice().buffer);
      expect(murmurWords(words, 0, words.length, seed)).toBe(murmurBytes(bytes, 0, bytes.length, seed));
    }),
  );
});
