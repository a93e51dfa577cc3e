/** EXPLAIN says which segments zone maps spare, what an index answers, and what is left to a scan. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, openCluster } from '../support/cluster.ts';

describe('EXPLAIN', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await openCluster();
    await cluster.query(
      "CREATE TABLE x (ts TIMESTAMP NOT NULL, merchant STRING, country STRING, amount LONG) FROM LOG WITH (time_column = 'ts', index = 'merchant: inverted')",
    );
    await cluster.query("INSERT INTO x VALUES ('2024-01-01', 'acme', 'US', 1), ('2024-01-02', 'bolt', 'DE', 2)");
    await cluster.commit('x');
    await cluster.query("INSERT INTO x VALUES ('2024-02-01', 'acme', 'FR', 30), ('2024-02-02', NULL, NULL, NULL)");
    await cluster.commit('x');
    await cluster.query("INSERT INTO x VALUES ('2024-03-01', 'cafe', 'US', 5)");
  });
  afterAll(() => cluster.close());

  const explain = async (sql: string): Promise<string> =>
    (await cluster.query(`EXPLAIN ${sql}`)).rows.map(([line]) => line).join('\n');

  test('a scan reads only the columns it needs', async () => {
    expect(await explain('SELECT amount FROM x')).toMatchInlineSnapshot(`
      "exchange gather from fragment 1
      fragment 1
        scan x: amount
          segments: 2 of 2 (0 pruned by zone maps), consuming rows: 1"
    `);
  });

  test('time spares segments', async () => {
    expect(
      await explain("SELECT COUNT(*) FROM x WHERE ts >= '2024-02-01' AND ts < '2024-03-01'"),
    ).toMatchInlineSnapshot(`
      "aggregate final: count(*)
        exchange gather from fragment 1
      fragment 1
        aggregate partial: count(*)
          scan x: ts
            filter: ts >= TIMESTAMP '2024-02-01 00:00:00' AND ts < TIMESTAMP '2024-03-01 00:00:00'
            segments: 1 of 2 (1 pruned by zone maps), consuming rows: 1
            by zone maps, then sorted search of ts (TIMESTAMP)"
    `);
  });

  test('an inverted index answers equality', async () => {
    expect(
      await explain(
        "SELECT country, SUM(amount) AS total FROM x WHERE merchant = 'acme' AND amount > 1 GROUP BY country ORDER BY total DESC LIMIT 3",
      ),
    ).toMatchInlineSnapshot(`
      "limit 3
        sort sum(amount) DESC (top 3)
          aggregate final by country: sum(amount)
            exchange gather from fragment 1
      fragment 1
        aggregate partial by country: sum(amount)
          scan x: merchant, country, amount
            filter: merchant = 'acme' AND amount > 1
            segments: 2 of 2 (0 pruned by zone maps), consuming rows: 1
            by inverted index on merchant
            by zone maps, then a scan of amount (LONG)"
    `);
  });

  test('patterns, nulls and what only rows can tell', async () => {
    expect(
      await explain("SELECT ts FROM x WHERE country LIKE '%U%' AND amount IS NOT NULL AND amount % 2 = 1"),
    ).toMatchInlineSnapshot(`
      "exchange gather from fragment 1
      fragment 1
        project ts
          scan x: ts, country, amount
            filter: country LIKE '%U%' AND amount IS NOT NULL AND amount % 2 = 1
            segments: 2 of 2 (0 pruned by zone maps), consuming rows: 1
            by dictionary test, then a scan of country
            by zone maps, then the null index of amount
            by evaluation, row by row"
    `);
  });

  test('functions of columns become ranges', async () => {
    expect(
      await explain("SELECT COUNT(*) FROM x WHERE CAST(ts AS DATE) = '2024-02-01' AND (amount = 1 OR amount = 30)"),
    ).toMatchInlineSnapshot(`
      "aggregate final: count(*)
        exchange gather from fragment 1
      fragment 1
        aggregate partial: count(*)
          scan x: ts, amount
            filter: ts >= TIMESTAMP '2024-02-01 00:00:00' AND ts < TIMESTAMP '2024-02-02 00:00:00' AND amount IN (1, 30)
            segments: 1 of 2 (1 pruned by zone maps), consuming rows: 1
            by zone maps, then sorted search of ts (TIMESTAMP)
            by zone maps, then any of several tests"
    `);
  });

  test('subqueries are plans of their own', async () => {
    expect(
      await explain(
        'SELECT MAX(n) FROM (SELECT country, COUNT(*) AS n FROM x GROUP BY country) AS c WHERE n < (SELECT COUNT(*) FROM x)',
      ),
    ).toMatchInlineSnapshot(`
      "aggregate single: max(count(*))
        filter count(*) < (subplan 0)
          aggregate final by country: count(*)
            exchange gather from fragment 1
      fragment 1
        aggregate partial by country: count(*)
          scan x: country
            segments: 2 of 2 (0 pruned by zone maps), consuming rows: 1
      subplan 0
        aggregate final: count(*)
          exchange gather from fragment 1
        fragment 1
          aggregate partial: count(*)
            scan x
              segments: 2 of 2 (0 pruned by zone maps), consuming rows: 1"
    `);
  });

  test('nothing runs: a division by zero of a row is not seen', async () => {
    expect(await explain('SELECT amount / (amount - amount) FROM x')).toContain('scan x: amount');
  });
});
