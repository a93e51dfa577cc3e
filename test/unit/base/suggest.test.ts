import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { closestNames, didYouMean, editDistance, nearestName } from '../../../src/base/suggest.ts';

describe('editDistance', () => {
  const check = (a: string, b: string, want: number) => {
    expect(editDistance(a, b)).toBe(want);
    expect(editDistance(b, a)).toBe(want);
  };
  test('counts inserts, deletes, replacements and swaps', () => {
    check('', '', 0);
    check('', 'abc', 3);
    check('merchant', 'mercant', 1);
    check('merchant', 'merchent', 1);
    check('merchant', 'mercahnt', 1);
    check('kitten', 'sitting', 3);
    check('ca', 'abc', 3);
  });

  test('is zero only for equals, and no more than the longer length', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        const distance = editDistance(a, b);
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });
});

describe('nearestName', () => {
  const columns = ['merchant', 'country', 'amount', 'payment_id', 'ts'];
  const check = (name: string, want: string | null) => expect(nearestName(name, columns)).toBe(want);
  test('finds the nearest name, and none when nothing is near', () => {
    check('mercant', 'merchant');
    check('COUNTRY', 'country');
    check('paymentid', 'payment_id');
    check('t', 'ts');
    check('zebra', null);
    check('', null);
  });

  test('is a hint for a fault', () => {
    expect(didYouMean('amont', columns)).toBe('did you mean amount?');
    expect(didYouMean('zebra', columns)).toBeUndefined();
    expect(didYouMean('bar', ['foo', 'car', 'bat', 'ba', 'far', 'bar'])).toBe('did you mean bar, ba or bat?');
    expect(closestNames('tx', ['ts', 'tx0', 'long'])).toEqual(['ts', 'tx0']);
  });

  test('stays cheap for a hostile name', () => {
    expect(nearestName('x'.repeat(1_000_000), columns)).toBeNull();
  });
});
