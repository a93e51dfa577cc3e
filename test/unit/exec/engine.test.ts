import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TableDefinition } from '../../../src/catalog/table.ts';
import { DOUBLE, LONG, STRING, TIMESTAMP, type Type, type Value } from '../../../src/column/type.ts';
import type { AggregateCall, CompareOperator, Expr } from '../../../src/plan/expr.ts';
import type { Node } from '../../../src/plan/node.ts';
import { openEngine } from '../../support/engine.ts';

const columns = [
  { id: 1, name: 'ts', type: TIMESTAMP },
  { id: 2, name: 'country', type: STRING },
  { id: 3, name: 'amount', type: LONG },
  { id: 4, name: 'fee', type: DOUBLE },
  { id: 5, name: 'note', type: STRING },
];

const definition: TableDefinition = {
  id: '00000000000a',
  name: 'payments',
  version: 1,
  columns: columns.map(column => ({ ...column, nullable: true, defaultValue: null })),
  timeColumnId: 1,
  indexes: [{ columnId: 2, kind: 'inverted' }],
  source: { kind: 'log', partitionCount: 1 },
  settings: { segmentRows: 1000, segmentAgeMs: 1000, retentionMs: null },
  createdAtMs: 0,
};

const column = (index: number): Expr => ({ kind: 'column', type: columns[index]!.type, index });
const literal = (type: Type, value: Value): Expr => ({ kind: 'literal', type, value });
const compare = (op: CompareOperator, left: Expr, right: Expr): Expr => ({
  kind: 'compare',
  type: { name: 'BOOLEAN' },
  op,
  left,
  right,
});
const call = (name: string, args: Expr[], type: Type, extras: Partial<AggregateCall> = {}): AggregateCall => ({
  function: name,
  args,
  distinct: false,
  filter: null,
  type,
  ...extras,
});

const scan = (filter: Expr | null, limit: number | null = null): Node => ({
  kind: 'scan',
  tableId: definition.id,
  table: 'payments',
  columns,
  filter,
  limit,
});

function grouped(filter: Expr | null, keys: Expr[], calls: AggregateCall[]): Node[] {
  const types = [...keys.map(key => key.type), ...calls.map(each => each.type)];
  return [
    { kind: 'aggregate', mode: 'final', source: { kind: 'exchange', mode: 'gather', fragment: 1, types }, keys, calls },
    { kind: 'aggregate', mode: 'partial', source: scan(filter), keys, calls },
  ];
}

type Row = [number, string | null, bigint | null, number | null, string | null];

const rowArbitrary: fc.Arbitrary<Row> = fc.tuple(
  fc.integer({ min: 0, max: 100_000 }),
  fc.option(fc.constantFrom('US', 'DE', 'FR', 'BR', 'ÜÜ', '')),
  fc.option(fc.oneof(fc.bigInt(-50n, 50n), fc.bigInt(-(2n ** 62n), 2n ** 62n)), { freq: 10 }),
  fc.option(fc.integer({ min: -8, max: 8 }).map(value => value / 4)),
  fc.option(fc.string({ unit: 'binary', maxLength: 6 })),
);

const tables = fc.record({
  committed: fc.array(fc.array(rowArbitrary, { minLength: 1, maxLength: 40 }), { maxLength: 3 }),
  consuming: fc.array(rowArbitrary, { maxLength: 40 }),
});

const text = (value: Value): string => (typeof value === 'bigint' ? `${value}n` : JSON.stringify(value));
const sorted = (rows: readonly (readonly Value[])[]): string[] => rows.map(row => row.map(text).join('|')).sort();

const operators: readonly CompareOperator[] = ['=', '<>', '<', '<=', '>', '>='];
const holds = (op: CompareOperator, a: Value, b: Value): boolean => {
  if (a === null || b === null) return false;
  const difference =
    typeof a === 'string'
      ? Buffer.compare(Buffer.from(a), Buffer.from(b as string))
      : (a as number) < (b as number)
        ? -1
        : (a as number) > (b as number)
          ? 1
          : 0;
  return {
    '=': difference === 0,
    '<>': difference !== 0,
    '<': difference < 0,
    '<=': difference <= 0,
    '>': difference > 0,
    '>=': difference >= 0,
  }[op];
};

describe('a scan', () => {
  test('gives every row once, in every placement', async () => {
    await fc.assert(
      fc.asyncProperty(tables, async ({ committed, consuming }) => {
        const engine = await openEngine(definition, committed, consuming);
        const { rows } = await engine.run([scan(null)]);
        expect(sorted(rows)).toEqual(sorted([...committed.flat(), ...consuming]));
      }),
      { numRuns: 25 },
    );
  });

  const conditions = fc.oneof(
    fc.record({ at: fc.constant(0), op: fc.constantFrom(...operators), value: fc.integer({ min: 0, max: 100_000 }) }),
    fc.record({ at: fc.constant(1), op: fc.constantFrom(...operators), value: fc.constantFrom('US', 'DE', 'XX', '') }),
    fc.record({ at: fc.constant(2), op: fc.constantFrom(...operators), value: fc.bigInt(-60n, 60n) }),
    fc.record({ at: fc.constant(2), op: fc.constantFrom(...operators), value: fc.bigInt(-(2n ** 62n), 2n ** 62n) }),
    fc.record({
      at: fc.constant(3),
      op: fc.constantFrom(...operators),
      value: fc.constantFrom(-0.5, 0, 0.25, 3, Infinity),
    }),
    fc.record({ at: fc.constant(4), op: fc.constantFrom(...operators), value: fc.string({ maxLength: 3 }) }),
  );

  test('filters as a loop over the rows does: comparisons, AND, OR, NOT', async () => {
    await fc.assert(
      fc.asyncProperty(
        tables,
        conditions,
        conditions,
        fc.constantFrom('and', 'or', 'not'),
        async (table, a, b, how) => {
          const engine = await openEngine(definition, table.committed, table.consuming);
          const exprs = [a, b].map(({ at, op, value }) => compare(op, column(at), literal(columns[at]!.type, value)));
          const type: Type = { name: 'BOOLEAN' };
          const filter: Expr =
            how === 'not' ? { kind: 'not', type, arg: exprs[0]! } : { kind: how as 'and' | 'or', type, args: exprs };
          const { rows } = await engine.run([scan(filter)]);
          const expected = [...table.committed.flat(), ...table.consuming].filter(row => {
            const first = holds(a.op, row[a.at]!, a.value);
            const second = holds(b.op, row[b.at]!, b.value);
            if (how === 'not') return row[a.at] !== null && !first;
            return how === 'and' ? first && second : first || second;
          });
          expect(sorted(rows)).toEqual(sorted(expected));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('stops at its limit', async () => {
    const rows: Row[] = Array.from({ length: 50 }, (_, row) => [row, 'US', BigInt(row), row, null]);
    const engine = await openEngine(definition, [rows.slice(0, 30)], rows.slice(30));
    expect((await engine.run([scan(null, 7)])).rows).toHaveLength(7);
    expect((await engine.run([scan(null, 0)])).rows).toHaveLength(0);
    expect((await engine.run([scan(null, 40)])).rows).toHaveLength(40);
  });

  test('answers an equality by the inverted index', async () => {
    const rows: Row[] = Array.from({ length: 300 }, (_, row) => [row, row % 3 ? 'US' : 'DE', 1n, 1, null]);
    const engine = await openEngine(definition, [rows], []);
    const { rows: found, stats } = await engine.run([scan(compare('=', column(1), literal(STRING, 'DE')))]);
    expect(found).toHaveLength(100);
    expect(stats.filters).toEqual({ 'inverted index': 1 });
  });

  test('skips blocks by zone map', async () => {
    const rows: Row[] = Array.from({ length: 300 }, (_, row) => [row, 'US', 1n, 1, null]);
    const engine = await openEngine(definition, [rows.slice(0, 150), rows.slice(150)], []);
    const { rows: found, stats } = await engine.run([scan(compare('<', column(0), literal(TIMESTAMP, 10)))]);
    expect(found).toHaveLength(10);
    expect(stats.blocksPruned).toBe(1);
  });
});

describe('GROUP BY', () => {
  test('counts, sums, extremes and distinct values as a Map does, exactly', async () => {
    await fc.assert(
      fc.asyncProperty(tables, fc.subarray([0, 1, 2, 4]), async ({ committed, consuming }, keys) => {
        const engine = await openEngine(definition, committed, consuming);
        const all = [...committed.flat(), ...consuming];
        const total = all.reduce((sum, row) => sum + (row[2] ?? 0n), 0n);
        const partialSums = total < 2n ** 63n && total >= -(2n ** 63n) && keys.length === 0;
        const calls = [
          call('count', [], LONG),
          call('count', [column(2)], LONG),
          call('min', [column(2)], LONG),
          call('max', [column(4)], STRING),
          call('count', [column(1)], LONG, { distinct: true }),
          call('sum', [column(3)], DOUBLE),
          ...(partialSums ? [call('sum', [column(2)], LONG)] : []),
        ];
        const { rows } = await engine.run(grouped(null, keys.map(column), calls));
        const groups = new Map<string, Row[]>();
        for (const row of all) {
          const key = keys.map(at => text(row[at]!)).join('|');
          groups.set(key, [...(groups.get(key) ?? []), row]);
        }
        if (keys.length === 0 && all.length === 0) groups.set('', []);
        const expected = [...groups.values()].map(members => {
          const amounts = members.map(row => row[2]).filter(value => value !== null);
          const notes = members.map(row => row[4]).filter(value => value !== null);
          const fees = members.map(row => row[3]).filter(value => value !== null);
          return [
            ...keys.map(at => members[0]![at]!),
            BigInt(members.length),
            BigInt(amounts.length),
            amounts.length ? amounts.reduce((a, b) => (a < b ? a : b)) : null,
            notes.length ? notes.reduce((a, b) => (Buffer.compare(Buffer.from(a), Buffer.from(b)) > 0 ? a : b)) : null,
            BigInt(new Set(members.map(row => row[1]).filter(value => value !== null)).size),
            fees.length ? fees.reduce((a, b) => a + b) : null,
            ...(partialSums ? [amounts.length ? total : null] : []),
          ];
        });
        expect(sorted(rows)).toEqual(sorted(expected));
      }),
      { numRuns: 60 },
    );
  });

  test('a sum beyond 64 bits is an error that says so', async () => {
    const rows: Row[] = [
      [0, 'US', 2n ** 62n, 1, null],
      [0, 'US', 2n ** 62n, 1, null],
    ];
    const engine = await openEngine(definition, [rows], []);
    await expect(engine.run(grouped(null, [], [call('sum', [column(2)], LONG)]))).rejects.toMatchObject({
      fault: { code: 'NUMERIC_OVERFLOW' },
    });
  });

  test('FILTER sees only its rows', async () => {
    const rows: Row[] = Array.from({ length: 90 }, (_, row) => [row, row % 3 ? 'US' : 'DE', BigInt(row), 1, null]);
    const engine = await openEngine(definition, [rows.slice(0, 45)], rows.slice(45));
    const filter = compare('=', column(1), literal(STRING, 'DE'));
    const { rows: found } = await engine.run(
      grouped(null, [], [call('count', [], LONG, { filter }), call('count', [], LONG)]),
    );
    expect(found).toEqual([[30n, 90n]]);
  });
});

describe('ORDER BY', () => {
  test('sorts by several keys, nulls where they belong, with and without a limit', async () => {
    await fc.assert(
      fc.asyncProperty(
        tables,
        fc.array(fc.record({ at: fc.constantFrom(0, 1, 2, 3), descending: fc.boolean(), nullsFirst: fc.boolean() }), {
          minLength: 1,
          maxLength: 3,
        }),
        fc.option(fc.nat(50)),
        async ({ committed, consuming }, keys, limit) => {
          const engine = await openEngine(definition, committed, consuming);
          const all = [...committed.flat(), ...consuming];
          const { rows } = await engine.run([
            {
              kind: 'sort',
              source: scan(null),
              keys: keys.map(({ at, descending, nullsFirst }) => ({ expr: column(at), descending, nullsFirst })),
              limit,
            },
          ]);
          const keyOf = (row: readonly Value[]): string => keys.map(({ at }) => text(row[at]!)).join('|');
          const expected = all.toSorted((a, b) => {
            for (const { at, descending, nullsFirst } of keys) {
              const [x, y] = [a[at]!, b[at]!];
              if (x === null || y === null) {
                if (x === y) continue;
                return (x === null) === nullsFirst ? -1 : 1;
              }
              if (holds('=', x, y)) continue;
              return holds('<', x, y) !== descending ? -1 : 1;
            }
            return 0;
          });
          expect(rows.map(keyOf)).toEqual(expected.slice(0, limit ?? all.length).map(keyOf));
        },
      ),
      { numRuns: 50 },
    );
  });
});
