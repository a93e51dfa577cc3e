import { describe, expect, test } from 'vitest';
import { findColumn, findTable, matchName } from '../../../src/catalog/name.ts';
import { defineTable } from '../../../src/catalog/validate.ts';
import { INT } from '../../../src/column/type.ts';

const table = (name: string, ...columns: string[]) =>
  defineTable(
    {
      name,
      columns: columns.map(column => ({ name: column, type: INT, nullable: true })),
      timeColumn: null,
      indexes: [],
      settings: {},
    },
    { id: '000000000000', createdAtMs: 0 },
  );
const tables = [table('payments', 'amount', 'Fee'), table('Orders', 'a'), table('refunds', 'a'), table('Refunds', 'a')];

describe('a table is found', () => {
  test('by its exact name first', () => {
    expect(findTable(tables, 'refunds')).toBe(tables[2]);
    expect(findTable(tables, 'Refunds')).toBe(tables[3]);
  });
  test('then without regard to case, if only one fits', () => {
    expect(findTable(tables, 'PAYMENTS')).toBe(tables[0]);
    expect(findTable(tables, 'orders')).toBe(tables[1]);
  });
});

describe('a name is refused', () => {
  const position = { line: 1, column: 15, offset: 14 };
  test('when several fit', () => {
    expect(() => findTable(tables, 'REFUNDS', position)).toThrow(
      expect.objectContaining({
        fault: expect.objectContaining({
          code: 'AMBIGUOUS_NAME',
          message: 'table REFUNDS is ambiguous: refunds, Refunds',
          position,
        }),
      }),
    );
  });
  test('when none does, with the nearest', () => {
    expect(() => findTable(tables, 'paymets', position)).toThrow(
      expect.objectContaining({
        fault: expect.objectContaining({ code: 'UNKNOWN_TABLE', hint: 'did you mean payments?', position }),
      }),
    );
    expect(() => findColumn(tables[0]!, 'amout')).toThrow(
      expect.objectContaining({
        fault: expect.objectContaining({ code: 'UNKNOWN_COLUMN', hint: 'did you mean amount?' }),
      }),
    );
  });
});

test('case folding knows Unicode forms', () => {
  expect(matchName([{ name: 'GRÖSSE' }], 'gro\u0308sse')).toHaveLength(1);
});
