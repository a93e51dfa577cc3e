import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Bound,
  boundSizeBytesMax,
  decodeBound,
  encodeBound,
  lowerText,
  mergeZones,
  upperText,
} from '../../../src/segment/zone.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

test('bounds survive JSON', () => {
  const bounds: Bound[] = [
    0,
    -1.5,
    1e300,
    Infinity,
    -Infinity,
    2n ** 63n - 1n,
    -(10n ** 38n),
    '',
    'n12',
    'fInfinity',
    null,
  ];
  for (const bound of bounds) expect(decodeBound(JSON.parse(JSON.stringify(encodeBound(bound))))).toBe(bound);
  expect(encodeBound(-0)).toBe(0);
  for (const json of ['x', '', 'n', 'n1.5', 'fNaN', true, {}, undefined]) expect(decodeBound(json)).toBeUndefined();
});

test('cut strings still bound what they were cut from', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 120 }),
    fc.string({
      unit: fc.constantFrom('a', 'é', '\ud7ff', '東', '\uffff', '😀', '\u{10ffff}'),
      minLength: 15,
      maxLength: 90,
    }),
  );
  fc.assert(
    fc.property(text, each => {
      const bytes = bytesOf(each);
      const padded = bytesOf(`xx${each}yy`);
      const lower = bytesOf(lowerText(padded, 2, 2 + bytes.length)!);
      const upper = upperText(padded, 2, 2 + bytes.length);
      expect(Buffer.compare(lower, bytes)).toBeLessThanOrEqual(0);
      expect(lower.length).toBeLessThanOrEqual(boundSizeBytesMax);
      if (bytes.length <= boundSizeBytesMax) expect([lower, upper]).toEqual([bytes, each]);
      else if (upper !== null) {
        expect(Buffer.compare(bytesOf(upper), bytes)).toBeGreaterThan(0);
        expect(bytesOf(upper).length).toBeLessThanOrEqual(boundSizeBytesMax);
      } else expect(each.startsWith('\u{10ffff}'.repeat(15))).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('what is not UTF-8 has no bounds', () => {
  expect(lowerText(Uint8Array.of(0xff, 0xfe), 0, 2)).toBeNull();
  expect(upperText(new Uint8Array(100).fill(0xff), 0, 100)).toBeNull();
});

test('zones merge: NULLs alone say nothing, the unknown stays unknown', () => {
  const zone = (nullCount: number, min: Bound, max: Bound) => ({ nullCount, min, max });
  expect(mergeZones([], [])).toEqual(zone(0, null, null));
  expect(mergeZones([zone(1, 5, 9), zone(0, 2, 3), zone(4, null, null)], [10, 10, 4])).toEqual(zone(5, 2, 9));
  expect(mergeZones([zone(0, 5, 9), zone(0, 7, null)], [10, 10])).toEqual(zone(0, 5, null));
  // By bytes U+FFFF comes before an emoji, by UTF-16 units after it.
  expect(mergeZones([zone(0, '😀', '😀'), zone(0, '\uffff', '\uffff')], [1, 1])).toEqual(zone(0, '\uffff', '😀'));
});
