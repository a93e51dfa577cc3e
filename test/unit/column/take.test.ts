import fc from 'fast-check';
import { expect, test } from 'vitest';
import { columnOf } from '../../../src/column/builder.ts';
import type { Column, DictionaryColumn } from '../../../src/column/column.ts';
import { settleDictionary, sliceColumn, takeRows } from '../../../src/column/take.ts';
import { BOOLEAN, DOUBLE, decimal, LONG, STRING, type Type, type Value } from '../../../src/column/type.ts';
import { valueAt } from '../../../src/column/value.ts';
import { concatBatches } from '../../../src/format/concat.ts';

const valuesOf = (column: Column): Value[] => Array.from({ length: column.length }, (_, row) => valueAt(column, row));

const nullable = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<(T | null)[]> =>
  fc.array(fc.option(arbitrary, { nil: null, freq: 3 }), { maxLength: 60 });

const columns: fc.Arbitrary<{ type: Type; values: Value[] }> = fc.oneof(
  nullable(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })).map(values => ({ type: LONG, values })),
  nullable(fc.double({ noNaN: true })).map(values => ({ type: DOUBLE, values })),
  nullable(fc.boolean()).map(values => ({ type: BOOLEAN, values })),
  nullable(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n })).map(values => ({ type: decimal(38, 2), values })),
  nullable(fc.string({ maxLength: 50 })).map(values => ({ type: STRING, values })),
);

/** Of strings, a dictionary; its entries need not be distinct. */
function dictionaryOf(entries: readonly string[], codes: readonly (number | null)[]): DictionaryColumn {
  const pool = columnOf(STRING, entries) as Column & { form: 'raw' };
  const { validity } = columnOf(
    LONG,
    codes.map(code => (code === null ? null : 1n)),
  );
  const { offsets, bytes } = pool;
  return {
    form: 'dictionary',
    type: STRING,
    length: codes.length,
    validity,
    codes: Uint32Array.from(codes, code => code ?? 0),
    offsets,
    bytes,
  };
}

const dictionaries = fc
  .array(fc.string({ maxLength: 3 }), { minLength: 1, maxLength: 12 })
  .chain(entries =>
    fc
      .array(fc.option(fc.nat(entries.length - 1), { nil: null, freq: 4 }), { maxLength: 60 })
      .map(codes => dictionaryOf(entries, codes)),
  );

const any = fc.oneof(
  columns.map(({ type, values }) => columnOf(type, values)),
  dictionaries,
);

test('rows taken and sliced are the rows', () => {
  fc.assert(
    fc.property(any, fc.nat(7), fc.nat(60), fc.array(fc.nat(1000)), (column, eighths, size, picks) => {
      const values = valuesOf(column);
      const from = Math.min(eighths * 8, column.length & ~7);
      const to = Math.min(column.length, from + size);
      expect(valuesOf(sliceColumn(column, from, to))).toEqual(values.slice(from, to));
      const rows = column.length === 0 ? [] : picks.map(pick => pick % column.length);
      expect(valuesOf(takeRows(column, Uint32Array.from(rows)))).toEqual(rows.map(row => values[row]));
    }),
  );
});

test('a settled dictionary has the values that it had, and no entry twice', () => {
  fc.assert(
    fc.property(dictionaries, column => {
      const settled = settleDictionary(column);
      expect(valuesOf(settled)).toEqual(valuesOf(column));
      if (settled.form !== 'dictionary') return;
      const entries = valuesOf({
        ...settled,
        form: 'raw',
        length: settled.offsets.length - 1,
        validity: null,
      } as Column);
      expect(new Set(entries).size).toBe(entries.length);
    }),
  );
});

test('batches one behind the other have all their rows', () => {
  fc.assert(
    fc.property(
      fc.array(
        any.filter(({ type }) => type === STRING),
        { minLength: 1, maxLength: 4 },
      ),
      parts => {
        const { rowCount, columns: joined } = concatBatches(
          parts.map(column => ({ rowCount: column.length, columns: [column] })),
        );
        const values = parts.flatMap(valuesOf);
        expect([rowCount, valuesOf(joined[0]!)]).toEqual([values.length, values]);
      },
    ),
  );
  fc.assert(
    fc.property(columns, fc.nat(60), ({ type, values }, at) => {
      const parts = [values.slice(0, at), values.slice(at)].map(part => columnOf(type, part));
      const { columns: joined } = concatBatches(parts.map(column => ({ rowCount: column.length, columns: [column] })));
      expect(valuesOf(joined[0]!)).toEqual(values);
    }),
  );
});
