import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FaultError } from '../../../src/base/fault.ts';
import { columnCountMax, segmentRowsMax } from '../../../src/catalog/limits.ts';
import type { TableDefinitionRequest } from '../../../src/catalog/table.ts';
import { defineTable } from '../../../src/catalog/validate.ts';
import {
  BYTES,
  DATE,
  DOUBLE,
  decimal,
  INT,
  LONG,
  STRING,
  TIMESTAMP,
  type Type,
  UUID,
} from '../../../src/column/type.ts';

const identity = { id: '0123456789ab', createdAtMs: 1_700_000_000_000 };
const payments: TableDefinitionRequest = {
  name: 'payments',
  columns: [
    { name: 'ts', type: TIMESTAMP, nullable: false },
    { name: 'merchant', type: STRING, nullable: true },
    { name: 'amount', type: LONG, nullable: true, defaultValue: 9007199254740993n },
  ],
  timeColumn: 'ts',
  indexes: [{ column: 'merchant', kind: 'inverted' }],
  settings: { retentionMs: 86_400_000 },
};

test('gives ids, version and the settings left out', () => {
  expect(defineTable(payments, identity)).toEqual({
    id: '0123456789ab',
    name: 'payments',
    version: 1,
    columns: [
      { id: 1, name: 'ts', type: TIMESTAMP, nullable: false, defaultValue: null },
      { id: 2, name: 'merchant', type: STRING, nullable: true, defaultValue: null },
      { id: 3, name: 'amount', type: LONG, nullable: true, defaultValue: 9007199254740993n },
    ],
    timeColumnId: 1,
    indexes: [{ columnId: 2, kind: 'inverted' }],
    source: { kind: 'log', partitionCount: 1 },
    settings: { segmentRows: 1_000_000, segmentAgeMs: 3_600_000, retentionMs: 86_400_000 },
    createdAtMs: 1_700_000_000_000,
  });
});

const column = (name: string, type: Type = INT, extras: object = {}) => ({ name, type, nullable: true, ...extras });
const columns = (...names: string[]) => ({
  columns: names.map(name => column(name)),
  timeColumn: null,
  indexes: [],
  settings: {},
});

/** The same table with some of it changed is refused, with this code and a message and hint that say why. */
const refused = (change: Partial<TableDefinitionRequest>, code: string, message: RegExp, hint: RegExp = /./) => {
  try {
    defineTable({ ...payments, ...change }, identity);
  } catch (error) {
    const { fault } = error as FaultError;
    expect(error).toBeInstanceOf(FaultError);
    expect(fault.code).toBe(code);
    expect(fault.message).toMatch(message);
    expect(fault.hint ?? '').toMatch(hint);
    return;
  }
  expect.unreachable('was accepted');
};

describe('refuses', () => {
  test('names that are none', () => {
    for (const name of ['', ' ', 'a b', '1st', 'a.b', 'a/b', '../x', "a'b", 'a"b', 'a\0b'])
      refused({ name }, 'INVALID_DEFINITION', /name/);
    refused({ name: '$x' }, 'INVALID_DEFINITION', /begins with \$/, /virtual/);
    refused({ name: 'x'.repeat(129) }, 'INVALID_DEFINITION', /129 characters/, /128/);
    refused(columns('$offset'), 'INVALID_DEFINITION', /begins with \$/);
    for (const name of ['', ' a', 'a ', 'a\nb', '\ud800']) refused(columns(name), 'INVALID_DEFINITION', /name/);
  });

  test('columns that cannot stand together', () => {
    refused(columns(), 'INVALID_DEFINITION', /no columns/);
    refused(columns('a', 'a'), 'INVALID_DEFINITION', /twice/);
    refused(columns('User', 'user'), 'INVALID_DEFINITION', /differ only by case/);
    const tooMany = Array.from({ length: columnCountMax + 1 }, (_, index) => `c${index}`);
    refused(columns(...tooMany), 'INVALID_DEFINITION', /1001 columns/, /1000/);
  });

  test('types that do not exist', () => {
    const of = (type: Type) => ({ ...columns(), columns: [column('a', type)] });
    refused(of({ name: 'TEXT' as 'STRING' }), 'INVALID_DEFINITION', /no known type/, /STRING/);
    refused(of({ name: 'INT', precision: 3 }), 'INVALID_DEFINITION', /no precision/);
    refused(of({ name: 'DECIMAL' }), 'INVALID_DEFINITION', /precision/, /38/);
    refused(of(decimal(39, 2)), 'INVALID_DEFINITION', /39/, /38/);
    refused(of(decimal(10, 11)), 'INVALID_DEFINITION', /scale 11/, /10/);
    refused(of(decimal(10, -1)), 'INVALID_DEFINITION', /scale -1/);
    refused(of(decimal(1.5, 0)), 'INVALID_DEFINITION', /1\.5/);
  });

  test('defaults that do not fit', () => {
    const of = (type: Type, defaultValue: unknown) => ({
      ...columns(),
      columns: [column('a', type, { defaultValue })],
    });
    const misfits: [Type, unknown][] = [
      [INT, 2 ** 31],
      [INT, 1.5],
      [INT, 1n],
      [LONG, 1],
      [LONG, 2n ** 63n],
      [DOUBLE, '1'],
      [{ name: 'FLOAT' }, 1e39],
      [decimal(3, 1), 1000n],
      [STRING, 5],
      [STRING, '\udc00'],
      [UUID, 'abc'],
      [UUID, '00000000-0000-0000-0000-00000000000A'],
      [{ name: 'JSON' }, '{'],
      [{ name: 'BOOLEAN' }, 1],
      [BYTES, 'x'],
      [TIMESTAMP, 8.64e15 + 1],
      [DATE, 0.5],
      [{ name: 'INTERVAL' }, { months: 0.5, days: 0, ms: 0 }],
    ];
    for (const [type, value] of misfits) refused(of(type, value), 'INVALID_DEFINITION', /default/);
    refused(of(STRING, 'x'.repeat(4097)), 'INVALID_DEFINITION', /4097/, /4096/);
  });

  test('a time column that is missing or of another type', () => {
    refused({ timeColumn: 'tz' }, 'UNKNOWN_COLUMN', /unknown column tz/, /did you mean ts\?/);
    refused({ timeColumn: 'amount' }, 'INVALID_DEFINITION', /amount is LONG/, /TIMESTAMP or DATE/);
    refused({ timeColumn: null }, 'INVALID_DEFINITION', /retention needs a time column/);
  });

  test('indexes on what has none', () => {
    refused({ indexes: [{ column: 'mercant', kind: 'inverted' }] }, 'UNKNOWN_COLUMN', /mercant/, /merchant/);
    refused({ indexes: [{ column: 'amount', kind: 'inverted' }] }, 'INVALID_DEFINITION', /this is LONG/, /zone maps/);
    refused({ indexes: [{ column: 'merchant', kind: 'range' }] }, 'INVALID_DEFINITION', /this is STRING/, /zone maps/);
    refused({ indexes: [{ column: 'merchant', kind: 'toString' as 'range' }] }, 'INVALID_DEFINITION', /no kind/);
    const twice = { column: 'merchant', kind: 'inverted' } as const;
    refused({ indexes: [twice, { ...twice, column: 'MERCHANT' }] }, 'INVALID_DEFINITION', /twice/);
  });

  test('settings out of range', () => {
    for (const segmentRows of [0, -1, 1.5, segmentRowsMax + 1, Number.NaN])
      refused({ settings: { segmentRows } }, 'INVALID_DEFINITION', /segment_rows/, /67108864/);
    refused({ settings: { segmentAgeMs: 10 } }, 'INVALID_DEFINITION', /segment_age/);
    refused({ settings: { retentionMs: 0 } }, 'INVALID_DEFINITION', /retention/);
    refused({ settings: { retentionMs: 1e18 } }, 'INVALID_DEFINITION', /retention/);
  });
});

test('takes any printable column name, and defaults of every type', () => {
  const names = ['user.name', '@timestamp', 'größe', 'a b', '数', 'x"y', 'constructor', '__proto__'];
  expect(defineTable({ ...payments, ...columns(...names) }, identity).columns.map(each => each.name)).toEqual(names);
  const values: [Type, unknown][] = [
    [INT, -(2 ** 31)],
    [LONG, -(2n ** 63n)],
    [{ name: 'FLOAT' }, Number.POSITIVE_INFINITY],
    [DOUBLE, Number.NaN],
    [decimal(38, 0), 10n ** 38n - 1n],
    [UUID, '00000000-0000-0000-0000-00000000000a'],
    [{ name: 'JSON' }, '[1]'],
    [DATE, -1],
    [{ name: 'INTERVAL' }, { months: 1, days: -2, ms: 3 }],
    [BYTES, new Uint8Array([1])],
  ];
  for (const [type, defaultValue] of values)
    expect(
      defineTable({ ...payments, ...columns(), columns: [column('a', type, { defaultValue })] }, identity).columns[0],
    ).toMatchObject({ defaultValue });
});

const anyText = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map(unit => String.fromCharCode(unit)) });

test('whatever the names, the answer is a definition or a FaultError', () => {
  fc.assert(
    fc.property(anyText, fc.array(anyText), (name, names) => {
      try {
        const definition = defineTable({ ...payments, name, ...columns(...names) }, identity);
        expect(definition.columns.map(each => each.id)).toEqual(names.map((_, index) => index + 1));
      } catch (error) {
        expect(error).toBeInstanceOf(FaultError);
      }
    }),
  );
});
