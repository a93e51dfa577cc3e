import fc from 'fast-check';
import { expect, test } from 'vitest';
import { STRING } from '../../../src/column/type.ts';
import type { StringVector } from '../../../src/column/vector.ts';
import {
  buildPool,
  compareEntries,
  entryBytes,
  entryText,
  forEachEntry,
  PoolBuilder,
  poolSizeBytesMax,
} from '../../../src/function/strings.ts';
import { vectorOf } from '../../../src/function/vectors.ts';
import { faultOf } from './calls.ts';

const texts = fc.array(fc.string({ unit: 'binary', maxLength: 60 }));

test('a pool gives back what went in', () => {
  fc.assert(
    fc.property(texts, entries => {
      const pool = buildPool(entries);
      expect(pool.count).toBe(entries.length);
      for (let id = 0; id < entries.length; id++) {
        expect(entryText(pool, id)).toBe(entries[id]);
        expect(entryBytes(pool, id)).toEqual(new TextEncoder().encode(entries[id]));
      }
    }),
  );
});

test('appended parts make one entry', () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.uint8Array({ maxLength: 70 }))), entries => {
      const builder = new PoolBuilder();
      for (const parts of entries) {
        for (const part of parts) builder.append(part, 0, part.length);
        builder.endEntry();
      }
      const pool = builder.finish();
      for (let id = 0; id < entries.length; id++)
        expect(Buffer.from(entryBytes(pool, id))).toEqual(Buffer.concat(entries[id]!));
    }),
  );
});

test('entries are ordered by bytes, which is by code points', () => {
  const byCodePoint = (a: string, b: string): number => {
    const [left, right] = [Array.from(a), Array.from(b)];
    for (let at = 0; at < Math.min(left.length, right.length); at++) {
      const difference = left[at]!.codePointAt(0)! - right[at]!.codePointAt(0)!;
      if (difference !== 0) return Math.sign(difference);
    }
    return Math.sign(left.length - right.length);
  };
  const near = fc.string({ unit: fc.constantFrom('a', 'b', 'é', '\uffee', '😀', '\u0000'), maxLength: 6 });
  fc.assert(
    fc.property(near, near, (a, b) => {
      const order = compareEntries(buildPool([a]), 0, buildPool(['', b]), 1);
      expect(Math.sign(order)).toBe(byCodePoint(a, b));
    }),
    { numRuns: 2000 },
  );
});

test('entries that repeat are computed once', () => {
  const vector = vectorOf(STRING, ['a', 'b', null, 'c']) as StringVector;
  const repeated: StringVector = { ...vector, length: 6, ids: Uint32Array.of(0, 1, 0, 1, 0, 0), nulls: null };
  const computed: number[] = [];
  const seen: number[] = [];
  forEachEntry(
    repeated,
    null,
    6,
    id => computed.push(id) - 1,
    (_row, index) => seen.push(index),
  );
  expect(computed).toEqual([0, 1]);
  expect(seen).toEqual([0, 1, 0, 1, 0, 0]);
});

test('a pool has a limit', () => {
  const builder = new PoolBuilder();
  const part = new Uint8Array(32 * 1024 * 1024);
  const fill = () => {
    for (let count = 0; count <= poolSizeBytesMax / part.length; count++) builder.addBytes(part);
  };
  expect(faultOf(fill).code).toBe('LIMIT_EXCEEDED');
});
