import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ColumnDefinition, MessageField } from '../../../src/catalog/table.ts';
import { batchOf } from '../../../src/column/builder.ts';
import {
  BOOLEAN,
  DOUBLE,
  decimal,
  INT,
  JSON_TYPE,
  LONG,
  STRING,
  TIMESTAMP,
  type Type,
  type Value,
} from '../../../src/column/type.ts';
import { rowsOf } from '../../../src/column/value.ts';
import { batchInput } from '../../../src/exec/input.ts';
import { createTransform, rollUp, rowContext } from '../../../src/exec/transform.ts';
import { bindTransform } from '../../../src/sql/bind-transform.ts';
import { ManualClock } from '../../support/clock.ts';

const clock = new ManualClock();

const columns = (types: Readonly<Record<string, Type>>, notNull: readonly string[] = []): ColumnDefinition[] =>
  Object.entries(types).map(([name, type], index) => ({
    ...{ id: index + 1, name, type, nullable: !notNull.includes(name), defaultValue: null },
  }));

const fields: readonly MessageField[] = [
  { name: 'merchant', type: STRING },
  { name: 'amount', type: LONG },
  { name: 'items', type: JSON_TYPE },
];

/** Messages as rows of `fields`; `$offset` and the like are made up from the row. */
function transform(sql: string, target: readonly ColumnDefinition[], rows: readonly (readonly Value[])[]) {
  const plan = bindTransform({ sql, fields }, target);
  const own: Readonly<Record<string, (row: number) => Value>> = {
    $key: row => `key-${row}`,
    $key_bytes: row => Uint8Array.of(row),
    $headers: row => `{"trace":"t${row}"}`,
    $timestamp: row => 1_000 + row,
    $partition: () => 3,
    $offset: row => BigInt(100 + row),
    $row: row => row,
  };
  const batch = batchOf(
    plan.message.map(({ type }) => type),
    rows.map((values, row) => plan.message.map(({ name }, index) => own[name]?.(row) ?? values[index]!)),
  );
  const { batch: out, rowOf, takenOf, rejects } = createTransform(plan, { clock }).run(batch);
  const counts = { taken: new Set(takenOf).size, rowsIn: takenOf.length };
  return { plan, rows: rowsOf(out), rowOf: [...rowOf], rejects, ...counts };
}

const payments = columns({ merchant: STRING, amount: LONG, doubled: LONG });

describe('row by row', () => {
  test('computed columns, a filter, and what the message has besides', () => {
    const target = columns({ shop: STRING, cents: LONG, at: TIMESTAMP, place: LONG, trace: STRING, who: STRING });
    const result = transform(
      `SELECT upper(merchant) AS shop, amount * 100 AS cents, $timestamp AS at, $offset AS place,
         $headers->>'trace' AS trace, $key AS who FROM message WHERE amount > 1`,
      target,
      [
        ['a', 1n, null],
        ['b', 2n, null],
        [null, 3n, null],
        ['d', null, null],
      ],
    );
    expect(result).toMatchObject({
      rows: [
        ['B', 200n, 1001, 101n, 't1', 'key-1'],
        [null, 300n, 1002, 102n, 't2', 'key-2'],
      ],
      rowOf: [1, 2],
      rejects: [],
      taken: 2,
      rowsIn: 2,
    });
  });

  test('outputs find their columns by name, in any order and case', () => {
    const { plan, rows } = transform('SELECT amount AS DOUBLED, merchant FROM message', payments, [['a', 7n, null]]);
    expect(plan.columns.map(({ id }) => id)).toEqual([3, 1]);
    expect(plan.message.map(({ name }) => name)).toEqual(['merchant', 'amount', 'items', '$row']);
    expect(rows).toEqual([[7n, 'a']]);
  });

  test('values are cast to their columns, literals take their types', () => {
    const target = columns({ price: decimal(10, 2), n: INT, at: TIMESTAMP, note: STRING });
    const { rows } = transform(
      "SELECT amount AS price, '5' AS n, '2024-01-02' AS at, amount + 1 AS note FROM message",
      target,
      [['a', 7n, null]],
    );
    expect(rows).toEqual([[700n, 5, Date.UTC(2024, 0, 2), '8']]);
  });

  test('one bad row costs itself and no other', () => {
    const rows = Array.from({ length: 1_000 }, (_, row): Value[] => [
      'm',
      row % 100 === 50 ? 0n : BigInt(row + 1),
      null,
    ]);
    const result = transform('SELECT merchant, 1000 / amount AS amount FROM message', payments, rows);
    expect(result.rejects).toEqual(
      Array.from({ length: 10 }, (_, index) => ({ row: index * 100 + 50, reason: 'division by zero', column: null })),
    );
    expect(result.rowOf).toEqual([...rows.keys()].filter(row => row % 100 !== 50));
    expect(result.taken).toBe(990);
  });

  test('a failing WHERE rejects as well, and NULL where there must be none', () => {
    const target = columns({ merchant: STRING, amount: LONG }, ['merchant']);
    const result = transform('SELECT merchant, amount FROM message WHERE 10 / amount > 1', target, [
      ['a', 1n, null],
      ['b', 0n, null],
      [null, 2n, null],
      ['d', 100n, null],
    ]);
    expect(result).toMatchObject({
      rows: [['a', 1n]],
      rowOf: [0],
      rejects: [
        { row: 1, reason: 'division by zero', column: null },
        { row: 2, reason: 'NULL in column merchant, which is NOT NULL', column: 'merchant' },
      ],
    });
  });

  test('nothing in, nothing out; WHERE false too', () => {
    expect(transform('SELECT amount FROM message', payments, [])).toMatchObject({ rows: [], rowOf: [], taken: 0 });
    expect(transform('SELECT amount FROM message WHERE false', payments, [['a', 1n, null]])).toMatchObject({
      rows: [],
      rejects: [],
    });
  });
});

describe('UNNEST', () => {
  const target = columns({ merchant: STRING, sku: STRING, n: INT }, ['sku']);
  const sql = "SELECT merchant, item->>'sku' AS sku, CAST(item->>'n' AS INT) AS n FROM message, UNNEST(items) AS item";

  test('a row for each element; none for NULL, an empty array, and what is no array', () => {
    const result = transform(sql, target, [
      ['a', 1n, '[{"sku":"x","n":1},{"sku":"y","n":2}]'],
      ['b', 1n, '[]'],
      ['c', 1n, null],
      ['d', 1n, '{"sku":"z"}'],
      ['e', 1n, ' [ {"sku" : "q\\u0041", "n": 3} ] '],
    ]);
    expect(result).toMatchObject({
      rows: [
        ['a', 'x', 1],
        ['a', 'y', 2],
        ['e', 'qA', 3],
      ],
      rowOf: [0, 0, 4],
      taken: 2,
      rowsIn: 3,
    });
  });

  test('a message with one bad element gives no row', () => {
    const result = transform(sql, target, [
      ['a', 1n, '[{"sku":"x","n":1},{"sku":"y","n":"many"}]'],
      ['b', 1n, '[{"sku":"x","n":1},{"n":2}]'],
      ['c', 1n, '[{"sku":"x","n":1}]'],
    ]);
    expect(result).toMatchObject({ rows: [['c', 'x', 1]], rowOf: [2], taken: 1 });
    expect(result.rejects.map(({ row }) => row)).toEqual([0, 1]);
  });

  test('more elements than a morsel has rows', () => {
    const target = columns({ merchant: STRING, n: LONG });
    const many = JSON.stringify(Array.from({ length: 40_000 }, (_, index) => index));
    const { rows, rowOf } = transform(
      'SELECT merchant, CAST(CAST(item AS STRING) AS LONG) AS n FROM message, UNNEST(items) AS item WHERE amount = 1',
      target,
      [
        ['a', 0n, many],
        ['b', 1n, many],
      ],
    );
    expect(rows).toHaveLength(40_000);
    expect(rows.at(-1)).toEqual(['b', 39_999n]);
    expect(new Set(rowOf)).toEqual(new Set([1]));
  });
});

describe('rollup', () => {
  const target = columns({ shop: STRING, total: LONG, n: LONG, least: LONG, most: LONG, paid: LONG });
  const sql = `SELECT merchant AS shop, SUM(amount) AS total, COUNT(*) AS n, MIN(amount) AS least, MAX(amount) AS most,
    COUNT(amount) FILTER (WHERE amount > 10) AS paid FROM message GROUP BY merchant`;

  test('rows of one key become one, with the first of their rows', () => {
    const result = transform(sql, target, [
      ['a', 5n, null],
      ['b', 20n, null],
      ['a', 15n, null],
      ['a', null, null],
      ['c', null, null],
    ]);
    expect(result).toMatchObject({
      rows: [
        ['a', 20n, 3n, 5n, 15n, 1n],
        ['b', 20n, 1n, 20n, 20n, 1n],
        ['c', null, 1n, null, null, 0n],
      ],
      rowOf: [0, 1, 4],
      taken: 5,
      rowsIn: 5,
    });
    expect(result.plan.columns.map(({ merge }) => merge)).toEqual(['key', 'sum', 'sum', 'min', 'max', 'sum']);
  });

  test('a bad row is left out of its group', () => {
    const result = transform(
      'SELECT merchant AS shop, SUM(100 / amount) AS total FROM message GROUP BY merchant',
      target,
      [
        ['a', 5n, null],
        ['a', 0n, null],
        ['a', 10n, null],
      ],
    );
    expect(result).toMatchObject({ rows: [['a', 30n]], rejects: [{ row: 1, reason: 'division by zero' }], taken: 2 });
  });

  test('a sum that no longer fits stays in two rows', () => {
    const big = 2n ** 62n;
    const { rows } = transform('SELECT merchant AS shop, SUM(amount) AS total FROM message GROUP BY merchant', target, [
      ['a', big, null],
      ['a', 1n, null],
      ['a', big, null],
      ['a', 1n, null],
    ]);
    expect(rows).toEqual([
      ['a', big + 1n],
      ['a', big + 1n],
    ]);
  });

  test('in batches and then as a segment: the same as all at once', () => {
    const plan = bindTransform({ sql, fields }, target);
    const message = plan.message.map(({ type }) => type);
    const stored = [...plan.columns.map(({ type }) => type), LONG];
    const row = fc.tuple(fc.constantFrom('a', 'b', null), fc.option(fc.bigInt({ min: -50n, max: 50n })));
    fc.assert(
      fc.property(fc.array(row, { maxLength: 60 }), fc.integer({ min: 1, max: 20 }), (rows, size) => {
        const run = (part: typeof rows) =>
          createTransform(plan, { clock }).run(
            batchOf(
              message,
              part.map(([shop, amount], at) => [shop, amount, null, at]),
            ),
          );
        const parts: Value[][] = [];
        for (let from = 0; from < rows.length; from += size) {
          const { batch, rowOf } = run(rows.slice(from, from + size));
          parts.push(...rowsOf(batch).map((values, at) => [...values, BigInt(from + rowOf[at]!)]));
        }
        const batch = batchOf(stored, parts);
        const merged = rollUp(plan.rollup!.segment, batchInput(batch, 0, batch.rowCount), rowContext(clock));
        const whole = run(rows);
        const want = rowsOf(whole.batch).map((values, at) => [...values, BigInt(whole.rowOf[at]!)]);
        expect(rowsOf(merged.batch(null, 0, merged.length))).toEqual(want);
      }),
    );
  });
});

test('booleans and doubles come through', () => {
  const target = columns({ big: BOOLEAN, half: DOUBLE });
  const { rows } = transform('SELECT amount > 2 AS big, amount / 2.0 AS half FROM message', target, [['a', 3n, null]]);
  expect(rows).toEqual([[true, 1.5]]);
});
