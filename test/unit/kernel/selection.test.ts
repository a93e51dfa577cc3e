import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  countSelected,
  fillRange,
  intersect,
  listSelected,
  setRange,
  subtract,
  unite,
} from '../../../src/kernel/selection.ts';

/** Words that are mostly mixed, sometimes all zeros or all ones: those have fast paths. */
const word = fc.oneof(
  fc.integer({ min: 0, max: 0xffff_ffff }),
  fc.constantFrom(0, 0xffff_ffff, 0x8000_0000, 1, 0x7fff_ffff),
);
const words = fc.array(word, { maxLength: 12 }).map(values => Uint32Array.from(values));
const pair = fc
  .array(fc.tuple(word, word), { maxLength: 12 })
  .map(
    values => [Uint32Array.from(values, ([first]) => first), Uint32Array.from(values, ([, second]) => second)] as const,
  );

const bitsOf = (bitmap: Uint32Array): boolean[] =>
  Array.from({ length: bitmap.length * 32 }, (_, row) => ((bitmap[row >> 5]! >>> (row & 31)) & 1) === 1);

test('rows are counted and listed between any two words', () => {
  fc.assert(
    fc.property(words, fc.nat(12), fc.nat(12), (bitmap, a, b) => {
      const from = Math.min(a, b, bitmap.length);
      const to = Math.min(Math.max(a, b), bitmap.length);
      const expected = bitsOf(bitmap).flatMap((set, row) => (set && row >= from * 32 && row < to * 32 ? [row] : []));
      const rows = new Uint32Array(32 * (to - from));
      expect(countSelected(bitmap, from, to)).toBe(expected.length);
      expect(listSelected(bitmap, from, to, rows)).toBe(expected.length);
      expect([...rows.subarray(0, expected.length)]).toEqual(expected);
    }),
  );
});

test('a range is filled exactly, or added to what is there', () => {
  fc.assert(
    fc.property(words, fc.nat(400), fc.nat(400), (bitmap, a, b) => {
      const rowCount = bitmap.length * 32;
      const start = Math.min(a, rowCount);
      const end = Math.min(b, rowCount);
      const before = bitsOf(bitmap);
      const isInside = (row: number): boolean => start <= row && row < end;
      const added = bitmap.slice();
      setRange(added, start, end);
      expect(bitsOf(added)).toEqual(before.map((set, row) => set || isInside(row)));
      const filled = bitmap.slice();
      fillRange(filled, filled.length, start, end);
      expect(bitsOf(filled)).toEqual(before.map((_, row) => isInside(row)));
    }),
  );
});

test('sets of rows are intersected, subtracted, united', () => {
  fc.assert(
    fc.property(pair, fc.nat(3), ([first, second], at) => {
      const placed = new Uint32Array(at + second.length);
      placed.set(second, at);
      const apply = (change: (into: Uint32Array) => void): boolean[] => {
        const into = first.slice();
        change(into);
        return bitsOf(into);
      };
      const [left, right] = [bitsOf(first), bitsOf(second)];
      expect(apply(into => intersect(into, placed, at, into.length))).toEqual(
        left.map((set, row) => set && right[row]),
      );
      expect(apply(into => subtract(into, placed, at, into.length))).toEqual(
        left.map((set, row) => set && !right[row]),
      );
      expect(apply(into => unite(into, second, into.length))).toEqual(left.map((set, row) => set || right[row]));
    }),
  );
});
