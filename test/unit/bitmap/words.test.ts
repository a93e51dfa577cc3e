import fc from 'fast-check';
import { expect, test } from 'vitest';
import { and, andNot, count, fillRange, fromValidity, not, or, toRows, wordsFor } from '../../../src/bitmap/words.ts';

const rowCount = 200;
const rowSet = fc.uniqueArray(fc.nat(rowCount - 1)).map(rows => rows.sort((a, b) => a - b));

const wordsOf = (rows: readonly number[]): Uint32Array => {
  const words = new Uint32Array(wordsFor(rowCount));
  for (const row of rows) words[row >> 5]! |= 1 << (row & 31);
  return words;
};

const rowsOf = (words: Uint32Array, start = 0, end = rowCount): number[] => {
  const out = new Uint32Array(end - start);
  return [...out.subarray(0, toRows(words, start, end, out))];
};

test('set algebra is that of sets', () => {
  fc.assert(
    fc.property(rowSet, rowSet, (a, b) => {
      const applied = (operation: (into: Uint32Array, other: Uint32Array) => void): number[] => {
        const words = wordsOf(a);
        operation(words, wordsOf(b));
        return rowsOf(words);
      };
      expect(applied(and)).toEqual(a.filter(row => b.includes(row)));
      expect(applied(or)).toEqual([...new Set([...a, ...b])].sort((x, y) => x - y));
      expect(applied(andNot)).toEqual(a.filter(row => !b.includes(row)));
      expect(count(wordsOf(a))).toBe(a.length);
    }),
  );
});

test('the complement ends with the rows', () => {
  fc.assert(
    fc.property(rowSet, fc.integer({ min: 0, max: rowCount }), (rows, end) => {
      const words = wordsOf(rows);
      not(words, end);
      const outside = Array.from({ length: end }, (_, row) => row).filter(row => !rows.includes(row));
      expect(rowsOf(words)).toEqual(outside);
    }),
  );
});

test('ranges and listings stop where they say', () => {
  fc.assert(
    fc.property(rowSet, fc.nat(rowCount), fc.nat(rowCount), (rows, a, b) => {
      const [start, end] = [Math.min(a, b), Math.max(a, b)];
      expect(rowsOf(wordsOf(rows), start, end)).toEqual(rows.filter(row => row >= start && row < end));
      const words = wordsOf(rows);
      fillRange(words, start, end);
      const within = Array.from({ length: end - start }, (_, index) => start + index);
      expect(rowsOf(words)).toEqual([...new Set([...rows, ...within])].sort((x, y) => x - y));
    }),
  );
});

test('a whole block is a range', () => {
  const words = new Uint32Array(2_048);
  fillRange(words, 0, 65_536);
  expect(count(words)).toBe(65_536);
});

test('a validity bitmap is read from any position', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 30, maxLength: 30 }),
      fc.nat(4),
      fc.nat(rowCount),
      (bytes, position, rows) => {
        const words = new Uint32Array(wordsFor(rowCount)).fill(0xffff_ffff);
        fromValidity(bytes, position, rows, words);
        const present = Array.from({ length: rows }, (_, row) => row).filter(
          row => (bytes[position + (row >> 3)]! >> (row & 7)) & 1,
        );
        expect(rowsOf(words)).toEqual(present);
      },
    ),
  );
});
