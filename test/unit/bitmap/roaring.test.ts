import fc from 'fast-check';
import roaring from 'roaring';
import { expect, test } from 'vitest';
import { FaultError } from '../../../src/base/fault.ts';
import {
  bitmapSizeMax,
  bitsetAt,
  cardinality,
  containerSizeMax,
  selectContainer,
  writeBitmap,
  writeContainer,
} from '../../../src/bitmap/roaring.ts';
import { countSelected, listSelected } from '../../../src/kernel/selection.ts';

const { RoaringBitmap32 } = roaring;

/** Sets with arrays, bitsets and runs in several containers, some of them missing. */
const rowSets = fc
  .array(
    fc.record({
      key: fc.nat(9),
      start: fc.nat(65_535),
      size: fc.oneof(fc.nat(20), fc.nat(9_000)),
      step: fc.integer({ min: 1, max: 9 }),
    }),
    { maxLength: 8 },
  )
  .map(parts => {
    const rows = new Set<number>();
    for (const { key, start, size, step } of parts)
      for (let index = 0; index < size; index++) rows.add(key * 65_536 + ((start + index * step) % 65_536));
    return Uint32Array.from(rows).sort();
  });

function selected(bytes: Uint8Array, offset: number, size: number): number[] {
  const rows: number[] = [];
  const out = new Uint32Array(65_536);
  for (let key = 0; key < 10; key++) {
    const words = new Uint32Array(2_048);
    selectContainer(bytes, offset, size, key, words);
    for (const row of out.subarray(0, listSelected(words, 0, words.length, out))) rows.push(key * 65_536 + row);
  }
  return rows;
}

test('what the roaring library writes is read, wherever it lies', () => {
  fc.assert(
    fc.property(rowSets, fc.boolean(), fc.nat(7), (rows, withRuns, offset) => {
      const bitmap = new RoaringBitmap32(rows);
      if (withRuns) bitmap.runOptimize();
      const portable = bitmap.serialize('portable');
      const bytes = new Uint8Array(offset + portable.length + 3).fill(0xee);
      bytes.set(portable, offset);
      expect(cardinality(bytes, offset, portable.length)).toBe(rows.length);
      expect(selected(bytes, offset, portable.length)).toEqual([...rows]);
    }),
    { numRuns: 60 },
  );
});

test('what is written the roaring library reads', () => {
  fc.assert(
    fc.property(rowSets, fc.nat(7), (rows, at) => {
      const bytes = new Uint8Array(at + bitmapSizeMax(rows.length, 10));
      const size = writeBitmap(rows, 0, rows.length, bytes, at);
      const portable = Buffer.from(bytes.subarray(at, at + size));
      expect([...RoaringBitmap32.deserialize(portable, 'portable').toUint32Array()]).toEqual([...rows]);
      expect(portable.equals(new RoaringBitmap32(rows).serialize('portable'))).toBe(true);
      expect(selected(bytes, at, size)).toEqual([...rows]);
    }),
    { numRuns: 60 },
  );
});

test('a selection adds to what is selected', () => {
  const portable = new RoaringBitmap32([3, 65_536 + 4]).serialize('portable');
  const words = new Uint32Array(2_048);
  words[0] = 1;
  selectContainer(portable, 0, portable.length, 0, words);
  expect(words[0]).toBe(0b1001);
  expect(countSelected(words, 0, words.length)).toBe(2);
});

test('hostile bytes are refused or read, never beyond their end', () => {
  const source = new RoaringBitmap32([1, 2, 3, 70_000]);
  source.addRange(200_000, 206_000);
  const plain = new Uint8Array(source.serialize('portable'));
  source.runOptimize();
  const runs = new Uint8Array(source.serialize('portable'));
  const mutations = fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.constantFrom(plain, runs), mutations, fc.nat(100), (original, changes, cutBytes) => {
      const size = Math.max(0, original.length - cutBytes);
      // The bytes after the bitmap belong to another: reading one of them would select all of its rows.
      const bytes = new Uint8Array(size + 70_000).fill(0xff);
      bytes.set(original.subarray(0, size));
      for (const [at, value] of changes) if (at < size) bytes[at] = value;
      const ownBytes = bytes.slice(0, size);
      const outcome = (of: Uint8Array): unknown => {
        try {
          return [cardinality(of, 0, size), selected(of, 0, size)];
        } catch (error) {
          expect(error).toBeInstanceOf(FaultError);
          return (error as FaultError).fault.code;
        }
      };
      expect(outcome(bytes)).toEqual(outcome(ownBytes));
    }),
    { numRuns: 300 },
  );
});

test('one container out of words: what the library reads, and its bits in place where it is a bitset', () => {
  fc.assert(
    fc.property(rowSets, fc.nat(7), fc.nat(9), (rows, at, key) => {
      const words = new Uint32Array(2_048);
      const low = [...rows].filter(row => row < 65_536);
      for (const row of low) words[row >> 5]! |= 1 << (row & 31);
      const bytes = new Uint8Array(at + containerSizeMax);
      const size = writeContainer(words, key, bytes, at);
      const portable = Buffer.from(bytes.subarray(at, at + size));
      expect([...RoaringBitmap32.deserialize(portable, 'portable').toUint32Array()]).toEqual(
        low.map(row => key * 65_536 + row),
      );
      const found = bitsetAt(bytes, at, size, key);
      expect(found).toBe(low.length > 4_096 ? at + 16 : -1);
      expect(bitsetAt(bytes, at, size, key + 1)).toBe(-1);
      if (found >= 0) expect(bytes.slice(found, found + 8_192)).toEqual(new Uint8Array(words.buffer));
    }),
    { numRuns: 100 },
  );
});
