/** Values beside a statement: `?` and `$1` take their types from where they stand. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Value } from '../../src/column/type.ts';
import { type Cluster, codeOf, openCluster } from '../support/cluster.ts';

describe('parameters', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await openCluster({ shardCount: 2 });
    await cluster.query(
      'CREATE TABLE p (id INT, l LONG, d DOUBLE, n DECIMAL(10, 2), s STRING, b BOOLEAN, ts TIMESTAMP, day DATE) FROM LOG',
    );
    await cluster.query(
      "INSERT INTO p VALUES (1, 9007199254740993, 0.5, 1.25, 'a', true, '2024-01-01 10:00:00', '2024-01-01')",
    );
    await cluster.commit('p');
    await cluster.query(
      "INSERT INTO p VALUES (2, 2, 1.5, -1.25, 'żółw', false, '2024-01-02', '2024-01-02'), (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
    );
  });
  afterAll(() => cluster.close());

  const ids = async (condition: string, ...parameters: Value[]): Promise<unknown[]> =>
    (await cluster.query(`SELECT id FROM p WHERE ${condition} ORDER BY id`, parameters)).rows.flat();

  test.each<[string, Value[], number[]]>([
    ['l = ?', [9007199254740993n], [1]],
    ['l = $1', ['9007199254740993'], [1]],
    ['l > ? + 0.5', [2], [1]],
    ['d = ?', [0.5], [1]],
    ['n = ?', ['-1.25'], [2]],
    ['s = ?', ['żółw'], [2]],
    ['s LIKE ?', ['%ó%'], [2]],
    ['b = ?', [true], [1]],
    ['b IS NOT DISTINCT FROM ?', [null], [3]],
    ['ts = ?', ['2024-01-02'], [2]],
    ['ts >= ?', [Date.UTC(2024, 0, 1, 10)], [1, 2]],
    ['day BETWEEN ? AND ?', ['2024-01-01', '2024-01-01'], [1]],
    ['id IN (?, ?)', [1, 3], [1, 3]],
    ['id IN ($2, $1) AND id <> $1', [1, 3], [3]],
    ['id = ? + 1', [1], [2]],
    ['s = ? || ?', ['żó', 'łw'], [2]],
    ['CASE WHEN id = ? THEN b ELSE NULL END', [1], [1]],
    ['id = ?', [null], []],
    ['s = ?', ["' OR 1 = 1 --"], []],
  ])('WHERE %s with %o', async (condition, parameters, expected) => {
    expect(await ids(condition, ...parameters)).toEqual(expected);
  });

  test('stand in every clause', async () => {
    const sql =
      'SELECT COALESCE(s, $1) AS k, COUNT(*) FROM p GROUP BY k HAVING COUNT(*) >= $2 ORDER BY k LIMIT $3 OFFSET $4';
    expect((await cluster.query(sql, ['nobody', 1, 1, 2])).rows).toEqual([['żółw', 1n]]);
    expect((await cluster.query('SELECT ?::LONG + 1, CAST(? AS STRING)', ['41', 7])).rows).toEqual([[42n, '7']]);
  });

  test('fill an INSERT', async () => {
    await cluster.query('CREATE TABLE q (id LONG, s STRING, ts TIMESTAMP) FROM LOG');
    await cluster.query('INSERT INTO q (ts, id, s) VALUES (?, ?, ?), (NULL, 2, ?)', [
      0,
      9223372036854775807n,
      "it's",
      null,
    ]);
    expect((await cluster.query('SELECT id, s, ts FROM q ORDER BY id')).rows).toEqual([
      [2n, null, null],
      [9223372036854775807n, "it's", 0],
    ]);
  });

  test.each<[string, Value[], string]>([
    ['SELECT ?', [], 'INVALID_PARAMETER'],
    ['SELECT 1', [1], 'INVALID_PARAMETER'],
    ['SELECT $1, ?', [1, 2], 'INVALID_PARAMETER'],
    ['SELECT $0', [1], 'INVALID_PARAMETER'],
    ['SELECT id FROM p WHERE l = ?', ['many'], 'INVALID_PARAMETER'],
    ['SELECT id FROM p WHERE l > ?', [2.5], 'INVALID_PARAMETER'],
    ['SELECT id FROM p WHERE ts > ?', ['soon-ish'], 'INVALID_PARAMETER'],
    ['SELECT id FROM p LIMIT ?', [-1], 'INVALID_LITERAL'],
  ])('%s with %o is refused', async (sql, parameters, code) => {
    expect(await codeOf(cluster.query(sql, parameters))).toBe(code);
  });
});
