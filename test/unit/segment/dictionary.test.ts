import fc from 'fast-check';
import { expect, test } from 'vitest';
import { columnOf } from '../../../src/column/builder.ts';
import { STRING, type Value } from '../../../src/column/type.ts';
import {
  alwaysDictionaryCount,
  firstBlockDistinctMax,
  type SortedDictionary,
  sortDictionary,
  sortEntries,
} from '../../../src/segment/dictionary.ts';
import { asDictionary } from './stored-fixtures.ts';

type Pooled = Parameters<typeof sortDictionary>[0];

const poolOf = (strings: readonly Uint8Array[]) => {
  const offsets = new Uint32Array(strings.length + 1);
  strings.forEach((each, index) => {
    offsets[index + 1] = offsets[index]! + each.length;
  });
  return { offsets, bytes: new Uint8Array(Buffer.concat(strings)) };
};

test('entries are sorted by their bytes', () => {
  // Few letters make long common prefixes, and strings that are prefixes of others.
  const letters = fc.array(fc.constantFrom(0, 1, 127, 255), { maxLength: 12 }).map(list => Uint8Array.from(list));
  const strings = fc.uniqueArray(letters, { maxLength: 200, selector: each => each.join() });
  fc.assert(
    fc.property(strings, each => {
      const { offsets, bytes } = poolOf(each);
      const entries = Uint32Array.from(each.keys());
      sortEntries(entries, offsets, bytes);
      const sorted = each.map((_, index) => index).sort((a, b) => Buffer.compare(each[a]!, each[b]!));
      expect([...entries]).toEqual(sorted);
    }),
  );
});

test('a common prefix of a million bytes is no matter of stack', () => {
  const strings = Array.from({ length: 20 }, (_, index) => {
    const bytes = new Uint8Array(200_000).fill(97);
    bytes[bytes.length - 1] = (index * 7) % 20;
    return bytes;
  });
  const { offsets, bytes } = poolOf(strings);
  const entries = Uint32Array.from(strings.keys());
  sortEntries(entries, offsets, bytes);
  expect([...entries].map(entry => strings[entry]!.at(-1))).toEqual(Array.from({ length: 20 }, (_, rank) => rank));
});

const textOf = ({ offsets, bytes }: SortedDictionary, code: number): string =>
  new TextDecoder().decode(bytes.subarray(offsets[code]!, offsets[code + 1]!));

test('codes name the strings, raw or dictionary as they came', () => {
  const values = fc.array(fc.option(fc.string({ unit: 'binary', maxLength: 5 })), { maxLength: 300 });
  fc.assert(
    fc.property(values, fc.boolean(), (each, encoded) => {
      const raw = columnOf(STRING, each as Value[]);
      const dictionary = sortDictionary((encoded ? asDictionary(raw) : raw) as Pooled);
      const distinct = new Set(each.filter(value => value !== null));
      if (distinct.size > alwaysDictionaryCount) return expect(dictionary).toBeNull();
      expect(dictionary!.count).toBe(distinct.size);
      const entries = Array.from({ length: dictionary!.count }, (_, code) => textOf(dictionary!, code));
      expect(entries).toEqual([...distinct].sort((a, b) => Buffer.compare(Buffer.from(a!), Buffer.from(b!))));
      each.forEach((value, row) => {
        const code = dictionary!.codes[row]!;
        if (value === null) expect(code).toBe(0);
        else expect(entries[code]).toBe(value);
      });
    }),
  );
});

test('the code width and the choice follow the number of distinct strings', () => {
  const column = (rowCount: number, distinctCount: number) =>
    columnOf(
      STRING,
      Array.from({ length: rowCount }, (_, row) => `v${row % distinctCount}`),
    ) as Pooled;
  for (const make of [(each: Pooled) => each, asDictionary as (each: Pooled) => Pooled]) {
    expect(sortDictionary(make(column(256, 256)))?.codeSizeBytes).toBe(1);
    expect(sortDictionary(make(column(257, 257)))).toBeNull();
    expect(sortDictionary(make(column(514, 257)))?.codeSizeBytes).toBe(2);
    expect(sortDictionary(make(column(513, 257)))).toBeNull();
    expect(sortDictionary(make(column(140_000, 65_537)))?.codeSizeBytes).toBe(make === asDictionary ? 4 : undefined);
  }
  expect(sortDictionary(column(140_000, firstBlockDistinctMax))?.codeSizeBytes).toBe(2);
});
