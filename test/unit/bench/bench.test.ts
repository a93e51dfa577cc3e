import { describe, expect, test } from 'vitest';
import { type CellRow, difference } from '../../../bench/answers.ts';
import { openDuckDb } from '../../../bench/duckdb.ts';
import { median, percentile, timeInTurns } from '../../../bench/measure.ts';
import { CodeRows, codesQuery } from '../../../bench/payments/codes.ts';
import { inputOf, paymentsDefinition } from '../../../bench/payments/data.ts';
import { createDuckDbTable, drawCodes } from '../../../bench/payments/draw.ts';
import { paymentsQueries } from '../../../bench/payments/queries.ts';
import { alignTable, geometricMean } from '../../../bench/row.ts';
import type { Column } from '../../../src/column/column.ts';
import type { Value } from '../../../src/column/type.ts';
import { valueAt } from '../../../src/column/value.ts';
import { bindStatement } from '../../../src/sql/bind.ts';
import { parseStatement } from '../../../src/sql/parse.ts';

describe('answers', () => {
  test('are equal up to the last digits of doubles', () => {
    const rows: CellRow[] = [
      [1n, 'a', null],
      [2n, 'b', 0.1 + 0.2],
    ];
    expect(difference(rows, structuredClone(rows))).toBeNull();
    expect(difference([[0.1 + 0.2]], [[0.3]])).toBeNull();
    expect(difference([[Number.NaN]], [[Number.NaN]])).toBeNull();
  });

  test.each<[CellRow[], CellRow[], string]>([
    [[[1n]], [], '1 rows against 0'],
    [[[1n]], [[1n, 2n]], 'row 0 has 1 columns against 2'],
    [
      [[1n], [9007199254740993n]],
      [[1n], [9007199254740992n]],
      'row 1, column 0: 9007199254740993 against 9007199254740992',
    ],
    [[[0.3]], [[0.300001]], 'row 0, column 0: 0.3 against 0.300001'],
    [[[0]], [[null]], 'row 0, column 0: 0 against null'],
    [[[1]], [[1n]], 'row 0, column 0: 1 against 1'],
    [[['a'], ['b']], [['b'], ['a']], 'row 0, column 0: a against b'],
  ])('differ: case %#', (left, right, says) => {
    expect(difference(left, right)).toBe(says);
  });
});

describe('measures', () => {
  test('the middle of the values, and the one that a share does not exceed', () => {
    expect(median([5, 1, 3])).toBe(3);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    const values = Array.from({ length: 200 }, (_, index) => 200 - index);
    expect(percentile(values, 0.5)).toBe(100);
    expect(percentile(values, 0.99)).toBe(198);
    expect(percentile([7], 0.99)).toBe(7);
    expect(geometricMean([1, 4, 16])).toBeCloseTo(4);
  });

  test('contestants take turns', async () => {
    const order: string[] = [];
    const contestant = (name: string) => async () => void order.push(name);
    const times = await timeInTurns([contestant('a'), contestant('b')], 3);
    expect(order.join('')).toBe('ababab');
    expect(times.map(each => each.length)).toEqual([3, 3]);
  });

  test('columns line up', () => {
    const table = alignTable(
      ['query', 'ms'],
      [
        ['first', '1.50'],
        ['the second', '1,200'],
      ],
    );
    expect(table.split('\n')).toEqual([
      'query          ms',
      '──────────  ─────',
      'first        1.50',
      'the second  1,200',
    ]);
  });
});

describe('payments', () => {
  const rowCount = 3_000;
  const definition = paymentsDefinition();

  test('are the same rows for both engines, nulls among them', async () => {
    const duckDb = await openDuckDb(':memory:', { threads: 1 });
    try {
      await drawCodes(duckDb, rowCount, 0.03);
      await createDuckDbTable(duckDb);
      const names = definition.columns.map(({ name }) => name);
      const expected = await duckDb.ask(`SELECT ${names.join(', ')} FROM payments`);
      const rows = new CodeRows(rowCount, 0);
      for await (const chunk of await duckDb.connection.stream(codesQuery)) rows.append(chunk, 0);
      const input = inputOf(definition, rows);
      const columns = definition.columns.map(({ id }) => input.column(id) as Column);
      const cellOf = (value: Value, type: string) => (type === 'INT' && value !== null ? Number(value) : value);
      const found = Array.from({ length: rowCount }, (_, row) =>
        columns.map(column => cellOf(valueAt(column, row), column.type.name)),
      );
      expect(found).toEqual(expected);
      const nullable = names.filter((_, index) => columns[index]!.validity !== null);
      expect(nullable.sort()).toEqual(
        ['amount', 'country', 'currency', 'customer_id', 'device', 'failure_reason', 'fee', 'ip_country'].sort(),
      );
    } finally {
      duckDb.close();
    }
  });

  test.each(paymentsQueries)('$name binds, and says in which order its rows come', ({ sql }) => {
    const catalog = { tables: [definition], systemTables: [] };
    const bound = bindStatement(parseStatement(sql), { catalog, parameters: [], nowMs: 0, timeZone: 'UTC' });
    expect(bound.kind).toBe('select');
    if (sql.includes('GROUP BY')) expect(sql).toContain('ORDER BY');
  });
});
