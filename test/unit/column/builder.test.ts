import fc from 'fast-check';
import { expect, test } from 'vitest';
import { batchOf, ColumnBuilder, columnOf, decimalWords, intervalWords } from '../../../src/column/builder.ts';
import type { Type, Value } from '../../../src/column/type.ts';
import { decimalOf, intervalOf, rowsOf, valueAt } from '../../../src/column/value.ts';

const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const long = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n);
const interval = fc.record({ months: int, days: int, ms: fc.maxSafeInteger() });
const types: readonly (readonly [Type, fc.Arbitrary<Value>])[] = [
  [{ name: 'BOOLEAN' }, fc.boolean()],
  [{ name: 'INT' }, int],
  [{ name: 'LONG' }, long],
  [{ name: 'FLOAT' }, fc.float()],
  [{ name: 'DOUBLE' }, fc.double()],
  [{ name: 'DECIMAL', precision: 38, scale: 2 }, fc.bigInt(-(10n ** 38n) + 1n, 10n ** 38n - 1n)],
  [{ name: 'TIMESTAMP' }, fc.integer({ min: -8.64e15, max: 8.64e15 })],
  [{ name: 'DATE' }, int],
  [{ name: 'INTERVAL' }, interval],
  [{ name: 'STRING' }, fc.string({ unit: 'grapheme', maxLength: 50 })],
  [{ name: 'JSON' }, fc.json({ maxDepth: 2 })],
  [{ name: 'UUID' }, fc.uuid()],
  [{ name: 'BYTES' }, fc.uint8Array({ maxLength: 50 })],
];

test.each(types.map(([type, value]) => [type.name, type, value] as const))(
  'a column of %s gives its values back, nulls too, however few it had room for',
  (_, type, value) => {
    fc.assert(
      fc.property(fc.array(fc.option(value), { maxLength: 120 }), fc.nat(20), (values, capacity) => {
        const builder = new ColumnBuilder(type, capacity);
        for (const each of values) builder.append(each);
        expect(builder.length).toBe(values.length);
        const column = builder.build();
        expect(column.length).toBe(values.length);
        expect(column.type).toEqual(type);
        expect(values.map((_, row) => valueAt(column, row))).toEqual(values);
        expect(column.validity === null).toBe(!values.includes(null));
      }),
      { numRuns: 50 },
    );
  },
);

test('rows that are taken back leave no trace', () => {
  const texts = fc.array(fc.option(fc.string({ maxLength: 5 })), { maxLength: 40 });
  fc.assert(
    fc.property(texts, texts, texts, (kept, dropped, after) => {
      const builder = new ColumnBuilder({ name: 'STRING' }, 1);
      for (const text of [...kept, ...dropped]) builder.append(text);
      builder.truncate(kept.length);
      for (const text of after) builder.append(text);
      const column = builder.build();
      const expected = [...kept, ...after];
      expect(Array.from({ length: column.length }, (_, row) => valueAt(column, row))).toEqual(expected);
    }),
  );
});

test('a batch of rows gives them back', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(...types.map(([, value]) => fc.option(value))), { maxLength: 30 }), rows => {
      expect(
        rowsOf(
          batchOf(
            types.map(([type]) => type),
            rows,
          ),
        ),
      ).toEqual(rows);
    }),
    { numRuns: 50 },
  );
});

test('decimals and intervals go into two words and come out again', () => {
  fc.assert(
    fc.property(fc.bigInt(-(10n ** 38n) + 1n, 10n ** 38n - 1n), interval, (unscaled, span) => {
      expect(decimalOf(...decimalWords(unscaled))).toBe(unscaled);
      expect(intervalOf(...intervalWords(span))).toEqual(span);
    }),
  );
});

test('a column without rows is one all the same', () => {
  for (const [type] of types) expect(columnOf(type, []).length).toBe(0);
});
