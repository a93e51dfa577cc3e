import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ascendingIntegers, equalIntegers, integersOf } from '../../../src/column/integers.ts';
import { LONG } from '../../../src/column/type.ts';

const within = fc.integer({ min: -(2 ** 52), max: 2 ** 52 });

test('ascending and equal integers are what they say, below zero and above 32 bits too', () => {
  fc.assert(
    fc.property(within, fc.integer({ min: 0, max: 50 }), (first, length) => {
      expect(ascendingIntegers(LONG, length, first)).toEqual(integersOf(LONG, length, row => first + row));
      expect(equalIntegers(LONG, length, first)).toEqual(integersOf(LONG, length, () => first));
    }),
  );
});
