import { expect, test } from 'vitest';
import { pruneSegments } from '../../../src/broker/prune.ts';
import type { SegmentEntry, TableDefinition, ZoneMap } from '../../../src/catalog/table.ts';
import { BOOLEAN, DATE, LONG, STRING, TIMESTAMP } from '../../../src/column/type.ts';
import type { FunctionContext } from '../../../src/function/scalar.ts';
import type { CompareOperator, Expr } from '../../../src/plan/expr.ts';
import type { Node } from '../../../src/plan/node.ts';

const columns = [
  { id: 1, name: 'x', type: LONG },
  { id: 2, name: 's', type: STRING },
  // Added after the segments were built.
  { id: 3, name: 'late', type: LONG },
];
const definition = {
  id: '00000000000a',
  name: 't',
  columns: columns.map(column => ({ ...column, nullable: true, defaultValue: null })),
} as unknown as TableDefinition;

const segment = (id: string, x: ZoneMap, s: ZoneMap): SegmentEntry =>
  ({ id, tableId: definition.id, rowCount: 10, zones: { 1: x, 2: s } }) as unknown as SegmentEntry;
const segments = [
  segment('low', { nullCount: 0, min: 0n, max: 9n }, { nullCount: 0, min: 'a', max: 'c' }),
  segment('high', { nullCount: 2, min: 10n, max: 19n }, { nullCount: 0, min: 'd', max: 'f' }),
  segment('null', { nullCount: 10, min: null, max: null }, { nullCount: 0, min: 'a', max: 'z' }),
];

const scan = (filter: Expr | null): Extract<Node, { kind: 'scan' }> => ({
  kind: 'scan',
  tableId: definition.id,
  table: 't',
  columns,
  filter,
  limit: null,
});
const column = (index: number): Expr => ({ kind: 'column', type: columns[index]!.type, index });
const compare = (index: number, op: CompareOperator, value: bigint | string): Expr => ({
  kind: 'compare',
  type: BOOLEAN,
  op,
  left: column(index),
  right: { kind: 'literal', type: columns[index]!.type, value },
});
const isNull = (index: number): Expr => ({ kind: 'isNull', type: BOOLEAN, arg: column(index) });
const not = (arg: Expr): Expr => ({ kind: 'not', type: BOOLEAN, arg });

const kept = (...filters: (Expr | null)[]): string[] =>
  pruneSegments(filters.map(scan), definition, segments, {
    nowMs: 0,
    timeZone: 'UTC',
  } as unknown as FunctionContext).map(({ id }) => id);

test.each<[string, Expr | null, string[]]>([
  ['no filter', null, ['low', 'high', 'null']],
  ['x < 10', compare(0, '<', 10n), ['low']],
  ['x >= 10', compare(0, '>=', 10n), ['high']],
  ['x = 100', compare(0, '=', 100n), []],
  ['x <> 5', compare(0, '<>', 5n), ['low', 'high']],
  ['NOT x < 10', not(compare(0, '<', 10n)), ['high']],
  ['x IS NULL', isNull(0), ['high', 'null']],
  ['x IS NOT NULL', not(isNull(0)), ['low', 'high']],
  ["s = 'e'", compare(1, '=', 'e'), ['high', 'null']],
  ["s < 'b'", compare(1, '<', 'b'), ['low', 'null']],
  ['AND', { kind: 'and', type: BOOLEAN, args: [compare(0, '>', 3n), compare(1, '>', 'c')] }, ['high']],
  ['OR', { kind: 'or', type: BOOLEAN, args: [compare(0, '<', 3n), compare(1, '>', 'x')] }, ['low', 'null']],
  ['a column that the segments do not know', compare(2, '=', 1n), ['low', 'high', 'null']],
])('%s', (_, filter, expected) => {
  expect(kept(filter)).toEqual(expected);
});

test('a segment stays while one scan of the table may find rows in it', () => {
  expect(kept(compare(0, '<', 10n), compare(0, '=', 12n))).toEqual(['low', 'high']);
  expect(kept(compare(0, '<', 10n), null)).toEqual(['low', 'high', 'null']);
});

test('the zone of a column that was widened is read in the type that it has now', () => {
  const day = 86_400_000;
  const widened = {
    ...definition,
    columns: [
      {
        ...{ id: 1, name: 'd', type: TIMESTAMP, nullable: true, defaultValue: null },
        formerTypes: [{ type: DATE, untilVersion: 3 }],
      },
    ],
  } as unknown as TableDefinition;
  const built = (id: string, tableVersion: number, min: number, max: number): SegmentEntry => ({
    ...segment(id, { nullCount: 0, min, max }, { nullCount: 0, min: null, max: null }),
    tableVersion,
  });
  const entries = [built('days', 2, 10, 12), built('times', 3, 10 * day, 12 * day)];
  const filter = (op: CompareOperator, value: number): Expr => ({
    ...{ kind: 'compare', type: BOOLEAN, op },
    left: { kind: 'column', type: TIMESTAMP, index: 0 },
    right: { kind: 'literal', type: TIMESTAMP, value },
  });
  const at = (op: CompareOperator, value: number): string[] =>
    pruneSegments(
      [{ ...scan(filter(op, value)), columns: [{ id: 1, name: 'd', type: TIMESTAMP }] }],
      widened,
      entries,
      { nowMs: 0, timeZone: 'UTC' } as unknown as FunctionContext,
    ).map(({ id }) => id);
  expect(at('=', 11 * day)).toEqual(['days', 'times']);
  expect(at('>', 12 * day)).toEqual([]);
  expect(at('<', 10 * day)).toEqual([]);
  expect(at('=', 11)).toEqual([]);
});
