import fc from 'fast-check';
import { expect, test } from 'vitest';
import { columnOf } from '../../../src/column/builder.ts';
import type { Column, RawColumn } from '../../../src/column/column.ts';
import { concatColumns } from '../../../src/column/concat.ts';
import {
  BOOLEAN,
  BYTES,
  DATE,
  DOUBLE,
  decimal,
  FLOAT,
  INT,
  INTERVAL,
  LONG,
  STRING,
  type Type,
  type Value,
} from '../../../src/column/type.ts';
import { valueAt } from '../../../src/column/value.ts';

const valuesOf: readonly [Type, fc.Arbitrary<Value>][] = [
  [BOOLEAN, fc.boolean()],
  [INT, fc.integer()],
  [DATE, fc.integer({ min: -10_000, max: 10_000 })],
  [LONG, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
  [FLOAT, fc.float()],
  [DOUBLE, fc.double()],
  [decimal(38, 4), fc.bigInt({ min: -(10n ** 37n), max: 10n ** 37n })],
  [INTERVAL, fc.record({ months: fc.integer(), days: fc.integer(), ms: fc.integer() })],
  [STRING, fc.string({ unit: 'grapheme', maxLength: 8 })],
  [BYTES, fc.uint8Array({ maxLength: 6 })],
];

/** The same rows as a dictionary, each entry once. */
function asDictionary(raw: RawColumn): Column {
  const entries = new Map<string, number>();
  const codes = new Uint32Array(raw.length);
  const parts: Uint8Array[] = [];
  for (let row = 0; row < raw.length; row++) {
    const bytes = raw.bytes.subarray(raw.offsets[row]!, raw.offsets[row + 1]!);
    const key = Buffer.from(bytes).toString('hex');
    if (!entries.has(key)) {
      entries.set(key, entries.size);
      parts.push(bytes);
    }
    codes[row] = entries.get(key)!;
  }
  const offsets = new Uint32Array(Math.max(parts.length, 1) + 1);
  for (const [entry, { length }] of parts.entries()) offsets[entry + 1] = offsets[entry]! + length;
  const { type, length, validity } = raw;
  return { form: 'dictionary', type, length, validity, codes, offsets, bytes: new Uint8Array(Buffer.concat(parts)) };
}

test.each(valuesOf.map(([type, value]) => [type.name, type, value] as const))(
  '%s: the rows of all parts, in order',
  (_, type, value) => {
    const part = fc.record({
      values: fc.array(fc.option(value), { maxLength: 40 }),
      isDictionary: fc.boolean(),
      keep: fc.option(fc.array(fc.boolean(), { minLength: 40, maxLength: 40 })),
    });
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), parts => {
        const expected: Value[] = [];
        const joined = concatColumns(
          type,
          parts.map(({ values, isDictionary, keep }) => {
            const column = columnOf(type, values);
            const rows = keep && Uint32Array.from(values.keys()).filter(row => keep[row]);
            for (const row of rows ?? values.keys()) expected.push(valueAt(column, row));
            return { column: isDictionary && column.form === 'raw' ? asDictionary(column) : column, rows };
          }),
        );
        expect(joined.length).toBe(expected.length);
        expect(Array.from(expected, (_, row) => valueAt(joined, row))).toEqual(expected);
      }),
    );
  },
);
