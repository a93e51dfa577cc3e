import fc from 'fast-check';
import { expect, test } from 'vitest';
import { narrowToRange, sliceCodes } from '../../../src/bitmap/bit-sliced.ts';
import { listSelected } from '../../../src/kernel/selection.ts';

/** Codes of some width, two bounds that occur or nearly do, and rows that are asked for. */
const cases = fc.integer({ min: 0, max: 70 }).chain(sliceCount => {
  const max = (1n << BigInt(sliceCount)) - 1n;
  const code = fc.oneof(
    fc.bigInt(0n, max),
    fc.bigInt(0n, max < 8n ? max : 8n),
    fc.constantFrom(0n, max, max >> 1n, (max >> 1n) + (max > 0n ? 1n : 0n)),
  );
  return fc.record({
    sliceCount: fc.constant(sliceCount),
    codes: fc.array(code, { minLength: 1, maxLength: 90 }),
    bounds: fc.tuple(code, code),
    asked: fc.array(fc.boolean(), { minLength: 90, maxLength: 90 }),
  });
});

test('a range of codes, as a loop over the codes finds it', () => {
  fc.assert(
    fc.property(cases, ({ sliceCount, codes, bounds, asked }) => {
      const [low, high] = bounds[0] <= bounds[1] ? bounds : [bounds[1], bounds[0]];
      const wordsPerRow = Math.max(1, Math.ceil(sliceCount / 32));
      const words = new Uint32Array(codes.length * wordsPerRow);
      codes.forEach((code, row) => {
        for (let word = 0; word < wordsPerRow; word++)
          words[row * wordsPerRow + word] = Number(BigInt.asUintN(32, code >> BigInt(32 * word)));
      });
      const slices = Array.from({ length: sliceCount }, (_, slice) => {
        const view = new Uint32Array(7 + 3);
        sliceCodes(words, wordsPerRow, codes.length, slice, view.subarray(7));
        return { view, at: 7 };
      });
      const selected = new Uint32Array(3);
      codes.forEach((_, row) => {
        if (asked[row]) selected[row >> 5]! |= 1 << (row & 31);
      });
      const scratch = [new Uint32Array(3), new Uint32Array(3)] as const;
      narrowToRange(sliceCount, slice => slices[slice]!, low, high, selected, 3, scratch);
      const rows = new Uint32Array(96);
      expect([...rows.subarray(0, listSelected(selected, 0, 3, rows))]).toEqual(
        codes.flatMap((code, row) => (asked[row] && low <= code && code <= high ? [row] : [])),
      );
    }),
    { numRuns: 2_000 },
  );
});
