/** A filter's rows are the same whether indexes, sorted search or a scan find them, and those of a loop over the values. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { IndexDefinition, TableDefinition } from '../../../src/catalog/table.ts';
import type { Type, Value } from '../../../src/column/type.ts';
import * as types from '../../../src/column/type.ts';
import type { CompareOperator, Expr } from '../../../src/plan/expr.ts';
import type { Node } from '../../../src/plan/node.ts';
import { blockRows } from '../../../src/segment/block.ts';
import { openEngine, type Rows } from '../../support/engine.ts';

const price = types.decimal(12, 2);
const doubles = fc.oneof(
  fc.integer({ min: -6, max: 6 }).map(value => value / 4),
  fc.constantFrom(Number.NaN, Infinity, -Infinity, -0, 1e300),
);
const columns: readonly (readonly [name: string, type: Type, value: fc.Arbitrary<Value>])[] = [
  ['ts', types.TIMESTAMP, fc.integer({ min: 0, max: 40 })],
  ['i', types.INT, fc.oneof(fc.integer({ min: -4, max: 4 }), fc.constantFrom(2 ** 31 - 1, -(2 ** 31)))],
  ['l', types.LONG, fc.oneof(fc.bigInt(-4n, 4n), fc.constantFrom(2n ** 63n - 1n, -(2n ** 63n)))],
  ['f', types.FLOAT, doubles.map(Math.fround)],
  ['d', types.DOUBLE, doubles],
  ['n', price, fc.bigInt(-300n, 300n)],
  ['day', types.DATE, fc.integer({ min: -3, max: 3 })],
  ['b', types.BOOLEAN, fc.boolean()],
  ['s', types.STRING, fc.constantFrom('', 'a', 'ab', 'Ü', '😀')],
  ['u', types.UUID, fc.integer({ min: 0, max: 5 }).map(id => `00000000-0000-4000-8000-00000000000${id}`)],
  ['x', types.BYTES, fc.uint8Array({ maxLength: 1 })],
];

const define = (indexes: readonly IndexDefinition[]): TableDefinition => ({
  id: '00000000000b',
  name: 'indexed',
  version: 1,
  columns: columns.map(([name, type], index) => ({ id: index + 1, name, type, nullable: true, defaultValue: null })),
  timeColumnId: 1,
  indexes,
  source: { kind: 'log', partitionCount: 1 },
  settings: { segmentRows: 1000, segmentAgeMs: 1000, retentionMs: null },
  createdAtMs: 0,
});
const every = (kind: IndexDefinition['kind'], names: readonly string[]): IndexDefinition[] =>
  names.map(name => ({ columnId: columns.findIndex(column => column[0] === name) + 1, kind }));
const plain = define([]);
const indexed = define([
  ...every('range', ['ts', 'i', 'l', 'f', 'd', 'n', 'day']),
  ...every('bloom', ['ts', 'i', 'l', 'f', 'd', 'n', 'day', 's', 'u', 'x']),
  ...every('inverted', ['s', 'u']),
]);

const BOOLEAN = types.BOOLEAN;
const scan = (filter: Expr, { id, name }: TableDefinition = plain): Node => ({
  kind: 'scan',
  tableId: id,
  table: name,
  columns: columns.map(([name, type], index) => ({ id: index + 1, name, type })),
  filter,
  limit: null,
});
const column = (at: number): Expr => ({ kind: 'column', type: columns[at]![1], index: at });

/** One comparable form: times and integers may be numbers or bigints, bytes are text. */
function order(left: Value, right: Value): number {
  if (typeof left === 'string' || left instanceof Uint8Array)
    return Buffer.compare(Buffer.from(left as string), Buffer.from(right as string));
  const [a, b] = [Number(left), Number(right)];
  if (Number.isNaN(a) || Number.isNaN(b)) return +Number.isNaN(a) - +Number.isNaN(b);
  return left! < right! ? -1 : left! > right! ? 1 : 0;
}
const accepts: Record<CompareOperator, (difference: number) => boolean> = {
  '=': difference => difference === 0,
  '<>': difference => difference !== 0,
  '<': difference => difference < 0,
  '<=': difference => difference <= 0,
  '>': difference => difference > 0,
  '>=': difference => difference >= 0,
};

/** An expression, and what it is of a row: true, false, or null. */
interface Condition {
  readonly expr: Expr;
  readonly of: (row: readonly Value[]) => boolean | null;
}
const operators = fc.constantFrom<CompareOperator>('=', '<>', '<', '<=', '>', '>=');
const leaf: fc.Arbitrary<Condition> = fc.nat(columns.length - 1).chain(at => {
  const [, type, value] = columns[at]!;
  return fc.oneof(
    fc.tuple(operators, value).map(
      ([op, right]): Condition => ({
        expr: { kind: 'compare', type: BOOLEAN, op, left: column(at), right: { kind: 'literal', type, value: right } },
        of: row => (row[at] === null ? null : accepts[op](order(row[at]!, right))),
      }),
    ),
    fc.array(value, { minLength: 1, maxLength: 4 }).map(
      (values): Condition => ({
        expr: { kind: 'in', type: BOOLEAN, arg: column(at), values },
        of: row => (row[at] === null ? null : values.some(each => order(row[at]!, each) === 0)),
      }),
    ),
    fc.constant<Condition>({
      expr: { kind: 'isNull', type: BOOLEAN, arg: column(at) },
      of: row => row[at] === null,
    }),
  );
});
const not = ({ expr, of }: Condition): Condition => ({
  expr: { kind: 'not', type: BOOLEAN, arg: expr },
  of: row => {
    const holds = of(row);
    return holds === null ? null : !holds;
  },
});
const part = fc.tuple(leaf, fc.boolean()).map(([condition, negated]) => (negated ? not(condition) : condition));
const conditions: fc.Arbitrary<Condition> = fc
  .tuple(fc.array(part, { minLength: 1, maxLength: 3 }), fc.constantFrom<'and' | 'or'>('and', 'and', 'or'))
  .map(([parts, kind]) =>
    parts.length === 1
      ? parts[0]!
      : {
          expr: { kind, type: BOOLEAN, args: parts.map(({ expr }) => expr) },
          of: row => {
            const holds = parts.map(({ of }) => of(row));
            return kind === 'and' ? holds.every(each => each === true) : holds.includes(true);
          },
        },
  );

const rows = fc.array(fc.tuple(...columns.map(([, , value]) => fc.option(value, { freq: 7 }))), {
  minLength: 1,
  maxLength: 60,
}) as fc.Arbitrary<Value[][]>;

const text = (value: Value): string =>
  value instanceof Uint8Array ? value.join() : Object.is(value, -0) ? '0' : String(value);
const shown = (found: Rows): string[] => found.map(row => row.map(text).join('|')).sort();

test('by indexes, by scan and by loop', async () => {
  const used = new Set<string>();
  await fc.assert(
    fc.asyncProperty(rows, rows, fc.array(conditions, { minLength: 1, maxLength: 6 }), async (first, second, asked) => {
      const by = [
        await openEngine(plain, [first], second),
        await openEngine(indexed, [first, second], [], { byIndex: true }),
        await openEngine(indexed, [[...first, ...second]], []),
      ];
      for (const { expr, of } of asked) {
        const expected = shown([...first, ...second].filter(row => of(row) === true));
        for (const engine of by) {
          const { rows: found, stats } = await engine.run([scan(expr)]);
          expect(shown(found)).toEqual(expected);
          for (const how of Object.keys(stats.filters)) used.add(how);
        }
      }
    }),
    { numRuns: 30 },
  );
  // What was not used was not tested.
  expect([...used].sort()).toEqual(
    ['bloom filter', 'inverted index', 'null index', 'range index', 'scan', 'sorted search', 'zone map'].sort(),
  );
}, 120_000);

describe('the cheapest is chosen', () => {
  const count = 30_000;
  const made: Rows = Array.from({ length: count }, (_, row) =>
    columns.map(([name], at): Value => {
      if (name === 'ts') return row;
      if (name === 'l') return BigInt((row * 7_919) % 1_000);
      if (name === 's') return row % 10 === 0 ? null : `payment-${row}`;
      return at === 1 ? row % 100 : null;
    }),
  );
  const at = (name: string): number => columns.findIndex(column => column[0] === name);
  const compare = (name: string, op: CompareOperator, value: Value): Expr => ({
    kind: 'compare',
    type: BOOLEAN,
    op,
    left: column(at(name)),
    right: { kind: 'literal', type: columns[at(name)]![1], value },
  });
  const counting = (filter: Expr): Node[] => {
    const calls = [{ function: 'count', args: [], distinct: false, filter: null, type: types.LONG }];
    const exchange: Node = { kind: 'exchange', mode: 'gather', fragment: 1, types: [types.LONG] };
    return [
      { kind: 'aggregate', mode: 'final', source: exchange, keys: [], calls },
      { kind: 'aggregate', mode: 'partial', source: scan(filter), keys: [], calls },
    ];
  };
  const isNull = (name: string): Expr => ({ kind: 'isNull', type: BOOLEAN, arg: column(at(name)) });

  test.each<[string, Expr, Record<string, number>, bigint]>([
    ['a range index where the column would have to be read', compare('l', '<', 10n), { 'range index': 1 }, 300n],
    ['sorted search in the time column', compare('ts', '<', 1_000), { 'sorted search': 1 }, 1_000n],
    ['a Bloom filter before anything', compare('s', '=', 'payment-2x'), { 'bloom filter': 1 }, 0n],
    ['zone maps before a Bloom filter', compare('l', '=', 5_000n), { 'zone map': 1 }, 0n],
    ['the null index', isNull('s'), { 'null index': 1 }, 3_000n],
    ['zone maps where every row is NULL', isNull('f'), {}, BigInt(count)],
    ['a scan for <>', compare('l', '<>', 10n), { scan: 1 }, 29_970n],
  ])('%s', async (_, filter, filters, found) => {
    const engine = await openEngine(indexed, [made], [], { arenaBytes: 32 << 20 });
    const { rows: answer, stats } = await engine.run(counting(filter));
    expect(stats.filters).toEqual(filters);
    expect(answer).toEqual([[found]]);
  });

  test('a scan where the column is at hand, or is needed of many rows', async () => {
    expect(blockRows).toBeGreaterThan(count);
    const engine = await openEngine(indexed, [made], [], { arenaBytes: 32 << 20 });
    const by = async (nodes: readonly Node[]) => (await engine.run(nodes)).stats.filters;
    expect(await by(counting(compare('l', '<', 500n)))).toEqual({ 'range index': 1 });
    expect(await by([scan(compare('l', '=', 500n))])).toEqual({ scan: 1 });
    expect(await by(counting(compare('l', '<', 500n)))).toEqual({ scan: 1 });
  });

  test('the range index of a column that is needed only of rows that are not there', async () => {
    const sparse = made.map((row, index) => row.with(at('l'), BigInt((index * 7_919) % count) * 1_000n));
    const engine = await openEngine(define(every('range', ['l'])), [sparse], [], { arenaBytes: 32 << 20 });
    const { rows: found, stats } = await engine.run([scan(compare('l', '=', 4_999n))]);
    expect(stats.filters).toEqual({ 'range index': 1 });
    expect(found).toEqual([]);
  });
});
