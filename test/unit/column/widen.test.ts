import fc from 'fast-check';
import { expect, test } from 'vitest';
import { columnOf } from '../../../src/column/builder.ts';
import { dayMs } from '../../../src/column/text.ts';
import {
  DATE,
  DOUBLE,
  decimal,
  FLOAT,
  INT,
  LONG,
  STRING,
  TIMESTAMP,
  type Type,
  typeText,
  type Value,
} from '../../../src/column/type.ts';
import { valueAt } from '../../../src/column/value.ts';
import { canWiden, widenColumn, wideningsOf, widenValue } from '../../../src/column/widen.ts';

const wide: readonly (readonly [Type, readonly Type[]])[] = [
  [INT, [LONG, DOUBLE, decimal(10, 0), decimal(12, 2), decimal(38, 28)]],
  [LONG, [decimal(19, 0), decimal(38, 19)]],
  [FLOAT, [DOUBLE]],
  [DATE, [TIMESTAMP]],
  [decimal(6, 2), [decimal(7, 2), decimal(38, 2)]],
];
const narrow: readonly (readonly [Type, Type])[] = [
  [INT, INT],
  [INT, FLOAT],
  [INT, STRING],
  [INT, decimal(11, 2)],
  [LONG, DOUBLE],
  [LONG, INT],
  [LONG, decimal(20, 2)],
  [DOUBLE, FLOAT],
  [TIMESTAMP, DATE],
  [decimal(6, 2), decimal(5, 2)],
  [decimal(6, 2), decimal(8, 3)],
  [STRING, LONG],
];

test.each(wide.flatMap(([from, tos]) => tos.map(to => [typeText(from), typeText(to), from, to] as const)))(
  '%s becomes %s',
  (_, __, from, to) => expect(canWiden(from, to)).toBe(true),
);

test.each(narrow.map(([from, to]) => [typeText(from), typeText(to), from, to] as const))(
  '%s does not become %s',
  (_, __, from, to) => {
    expect(canWiden(from, to)).toBe(false);
    expect(wideningsOf(from)).toContain(from.name);
  },
);

const valuesOf: Readonly<Record<string, fc.Arbitrary<Value>>> = {
  INT: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
  LONG: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  FLOAT: fc.float(),
  DATE: fc.integer({ min: -10_000_000, max: 10_000_000 }),
  DECIMAL: fc.bigInt({ min: -999_999n, max: 999_999n }),
};

/** What the value means, apart from its type. */
const meaning = (value: Value, type: Type): Value => {
  if (value === null) return null;
  if (type.name === 'DECIMAL') return (value as bigint) * 10n ** BigInt(30 - type.scale!);
  if (type.name === 'INT' || type.name === 'LONG') return BigInt(value as number | bigint) * 10n ** 30n;
  if (type.name === 'DATE') return (value as number) * dayMs;
  return value;
};

test.each(wide.flatMap(([from, tos]) => tos.map(to => [typeText(from), typeText(to), from, to] as const)))(
  'values of %s mean the same as %s, one by one and as a column',
  (_, __, from, to) => {
    fc.assert(
      fc.property(fc.array(fc.option(valuesOf[from.name]!), { maxLength: 40 }), values => {
        const column = widenColumn(columnOf(from, values), to);
        expect(column).toMatchObject({ type: to, length: values.length });
        values.forEach((value, row) => {
          const one = widenValue(value, from, to);
          expect(valueAt(column, row)).toEqual(one);
          if (to.name !== 'DOUBLE') expect(meaning(one, to)).toEqual(meaning(value, from));
          else expect(one).toEqual(value);
        });
      }),
    );
  },
);

test('a column of its type is itself', () => {
  const column = columnOf(INT, [1, null]);
  expect(widenColumn(column, INT)).toBe(column);
});
