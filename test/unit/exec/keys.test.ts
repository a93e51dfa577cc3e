import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Type, Value } from '../../../src/column/type.ts';
import { Interner } from '../../../src/exec/interner.ts';
import { createKeyer } from '../../../src/exec/keys.ts';
import { PairTable } from '../../../src/exec/pair-table.ts';
import { vectorOf, vectorValue } from '../../../src/function/vectors.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

test('an interner gives each string one id, in order of first appearance', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 5 }), { maxLength: 2000 }), texts => {
      const interner = new Interner();
      const known = new Map<string, number>();
      for (const text of texts) {
        const bytes = encode(text);
        const key = Buffer.from(bytes).toString('hex');
        expect(interner.has(bytes, 0, bytes.length)).toBe(known.has(key));
        if (!known.has(key)) known.set(key, known.size);
        expect(interner.intern(bytes, 0, bytes.length)).toBe(known.get(key));
      }
      expect(interner.count).toBe(known.size);
    }),
    { numRuns: 30 },
  );
});

describe('a keyer numbers values as a Map does', () => {
  const small = fc.integer({ min: -20, max: 20 });
  const arbitraries: readonly (readonly [Type, fc.Arbitrary<Value>])[] = [
    [{ name: 'BOOLEAN' }, fc.boolean()],
    [{ name: 'INT' }, fc.oneof(small, fc.integer())],
    [{ name: 'LONG' }, fc.oneof(fc.bigInt(-20n, 20n), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n))],
    [{ name: 'TIMESTAMP' }, fc.integer({ min: 0, max: 1e13 })],
    [
      { name: 'DOUBLE' },
      fc.oneof(
        small.map(value => value / 4),
        fc.double(),
        fc.constantFrom(NaN, 0, -0, Infinity),
      ),
    ],
    [{ name: 'STRING' }, fc.string({ unit: 'grapheme', maxLength: 2 })],
    [{ name: 'DECIMAL', precision: 38, scale: 2 }, fc.bigInt(-(10n ** 30n), 10n ** 30n)],
  ];
  // 0 and -0 are one value, and so are all NaN.
  const keyOf = (value: Value): string =>
    value === null ? 'null' : typeof value === 'number' ? `${value + 0}` : `v${value}`;

  test.each(arbitraries.map(([type, value]) => [type.name, type, value] as const))('%s', (_, type, value) => {
    const vectors = fc.array(fc.array(fc.option(value), { minLength: 1, maxLength: 60 }), { maxLength: 6 });
    fc.assert(
      fc.property(vectors, parts => {
        const keyer = createKeyer(type);
        const known = new Map<string, number>();
        for (const part of parts) {
          const ids = new Uint32Array(part.length);
          keyer.ids(vectorOf(type, part), ids);
          for (const each of part) if (!known.has(keyOf(each))) known.set(keyOf(each), known.size);
          expect([...ids]).toEqual(part.map(each => known.get(keyOf(each))));
          const back = keyer.values(ids, ids.length);
          expect(part.map((_, row) => keyOf(vectorValue(back, type, row)))).toEqual(part.map(keyOf));
        }
        expect(keyer.count).toBe(known.size);
        expect(keyer.nullId).toBe(known.get('null') ?? -1);
      }),
      { numRuns: 60 },
    );
  });
});

test('pairs are numbered as a Map does, and come apart again, dense or hashed', () => {
  const id = fc.oneof({ weight: 9, arbitrary: fc.nat(30) }, { weight: 1, arbitrary: fc.nat(100_000) });
  fc.assert(
    fc.property(fc.array(fc.array(fc.tuple(id, id), { minLength: 1, maxLength: 60 }), { maxLength: 6 }), parts => {
      const table = new PairTable();
      const known = new Map<string, number>();
      let firstCount = 0;
      let secondCount = 0;
      for (const part of parts) {
        const firsts = Uint32Array.from(part, ([first]) => first);
        const seconds = Uint32Array.from(part, ([, second]) => second);
        firstCount = Math.max(firstCount, ...firsts.map(each => each + 1));
        secondCount = Math.max(secondCount, ...seconds.map(each => each + 1));
        const ids = new Uint32Array(part.length);
        table.ids(firsts, firstCount, seconds, secondCount, part.length, ids);
        for (const pair of part) if (!known.has(`${pair}`)) known.set(`${pair}`, known.size);
        expect([...ids]).toEqual(part.map(pair => known.get(`${pair}`)));
        const backFirsts = new Uint32Array(part.length);
        const backSeconds = new Uint32Array(part.length);
        table.unfold(ids, backFirsts, backSeconds);
        expect([backFirsts, backSeconds]).toEqual([firsts, seconds]);
      }
      expect(table.count).toBe(known.size);
    }),
    { numRuns: 60 },
  );
});
