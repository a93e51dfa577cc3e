import { expect, test } from 'vitest';
import { compareDoubles } from '../../../src/function/compare.ts';

test('doubles are ordered with NaN last, infinities equal to themselves, and one zero', () => {
  const ascending = [-Infinity, -1, 0, 5e-324, 1, Infinity, NaN];
  ascending.forEach((a, i) => {
    ascending.forEach((b, j) => {
      expect([a, b, compareDoubles(a, b)]).toEqual([a, b, Math.sign(i - j)]);
    });
  });
  expect(compareDoubles(-0, 0)).toBe(0);
});
