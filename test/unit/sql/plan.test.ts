/** Golden plans: SQL → the text of EXPLAIN. */
import { describe, expect, test } from 'vitest';
import type { Value } from '../../../src/column/type.ts';
import { explainPlan } from '../../../src/plan/explain.ts';
import { resolveSubplans } from '../../../src/sql/optimize/subquery.ts';
import { nowMs, planOf } from './fixture.ts';

const explain = (sql: string, parameters: readonly Value[] = []): string =>
  explainPlan(planOf(sql, parameters)).join('\n');
const check = (sql: string, want: string): void => expect(explain(sql)).toBe(want.trim().replace(/^ {4}/gm, ''));

/** The filter that reaches the scan, or the plan where none does. */
function filterOf(condition: string, parameters: readonly Value[] = []): string {
  const plan = explain(`SELECT count(*) FROM payments WHERE ${condition}`, parameters);
  return /filter: (.*)/.exec(plan)?.[1] ?? plan;
}

describe('fragments', () => {
  test('a scan gathers', () =>
    check(
      'SELECT merchant, amount FROM payments',
      `
    exchange gather from fragment 1
    fragment 1
      scan payments: merchant, amount`,
    ));

  test('aggregates are partial in the leaf, final in the root; HAVING, ORDER BY and LIMIT in the root', () =>
    check(
      `SELECT country, count(*) AS orders, sum(amount) FROM payments
       WHERE ts >= TIMESTAMP '2024-01-01' - INTERVAL '1 day' AND merchant = 'acme'
       GROUP BY country HAVING count(*) > 10 ORDER BY orders DESC LIMIT 10`,
      `
    limit 10
      sort count(*) DESC (top 10)
        filter count(*) > 10
          aggregate final by country: count(*), sum(amount)
            exchange gather from fragment 1
    fragment 1
      aggregate partial by country: count(*), sum(amount)
        scan payments: ts, merchant, country, amount
          filter: ts >= TIMESTAMP '2023-12-31 00:00:00' AND merchant = 'acme'`,
    ));

  test('top-n on both sides; what only the filter needs stays in the leaf; expressions are computed for n rows', () =>
    check(
      "SELECT upper(merchant) AS m FROM payments WHERE country = 'US' ORDER BY ts DESC LIMIT 5 OFFSET 2",
      `
    project upper(merchant) AS m
      limit 5 offset 2
        sort ts DESC (top 7)
          exchange gather from fragment 1
    fragment 1
      sort ts DESC (top 7)
        project ts, merchant
          scan payments: ts, merchant, country
            filter: country = 'US'`,
    ));

  test('a sort without limit sorts in the root, over projections of the leaf, and drops hidden columns', () =>
    check(
      'SELECT upper(merchant) AS m FROM payments ORDER BY amount, m NULLS FIRST',
      `
    project upper(merchant) AS m
      sort amount, upper(merchant) NULLS FIRST
        exchange gather from fragment 1
    fragment 1
      project upper(merchant), amount
        scan payments: merchant, amount`,
    ));

  test('LIMIT alone reaches the scan', () =>
    check(
      'SELECT merchant FROM payments LIMIT 3 OFFSET 2',
      `
    limit 3 offset 2
      exchange gather from fragment 1
    fragment 1
      limit 5
        scan payments: merchant
          limit: 5`,
    ));

  test('DISTINCT is an aggregate without calls', () =>
    check(
      'SELECT DISTINCT country, merchant FROM payments ORDER BY merchant',
      `
    sort merchant
      aggregate final by country, merchant
        exchange gather from fragment 1
    fragment 1
      aggregate partial by country, merchant
        scan payments: merchant, country`,
    ));

  test('COUNT(*) reads no column', () =>
    check(
      'SELECT count(*), count(1), count(DISTINCT merchant) FILTER (WHERE paid), min(DISTINCT fee) FROM payments',
      `
    project count(*) AS count, count(*) AS count, count(DISTINCT merchant) FILTER (WHERE paid) AS count, min(fee) AS min
      aggregate final: count(*), count(DISTINCT merchant) FILTER (WHERE paid), min(fee)
        exchange gather from fragment 1
    fragment 1
      aggregate partial: count(*), count(DISTINCT merchant) FILTER (WHERE paid), min(fee)
        scan payments: merchant, fee, paid`,
    ));

  test('an aggregate over an aggregate runs in the root; filters pass through the subquery', () =>
    check(
      `SELECT max(n) FROM (SELECT lower(country) AS c, count(*) AS n FROM payments GROUP BY 1) AS s
       WHERE c = 'us' AND n > 1`,
      `
    aggregate single: max(count(*))
      filter count(*) > 1
        aggregate final by lower(country): count(*)
          exchange gather from fragment 1
    fragment 1
      aggregate partial by lower(country): count(*)
        scan payments: country
          filter: lower(country) = 'us'`,
    ));

  test('a subquery’s limit holds a filter back', () =>
    check(
      'SELECT a FROM (SELECT amount AS a, fee FROM payments ORDER BY ts LIMIT 10) AS s WHERE a > 5',
      `
    project amount AS a
      filter amount > 5
        limit 10
          sort ts (top 10)
            exchange gather from fragment 1
    fragment 1
      sort ts (top 10)
        scan payments: ts, amount`,
    ));

  test('system tables, VALUES and no FROM run in the root alone', () => {
    check(
      'SELECT query_id FROM system.queries WHERE elapsed_ms > 5',
      `
    project query_id
      filter elapsed_ms > 5
        scan system.queries: query_id, elapsed_ms`,
    );
    check(
      "SELECT * FROM (VALUES (1, 'a'), (2, NULL)) AS v(x, y) WHERE x > 1",
      `
    filter column1 > 1
      values 2 rows`,
    );
    check(
      'SELECT 1 + 1 AS two',
      `
    project 2 AS two
      values 1 row`,
    );
  });

  test('what can have no rows scans nothing', () => {
    check('SELECT merchant FROM payments WHERE 1 = 0', 'values 0 rows');
    check('SELECT merchant FROM payments LIMIT 0', 'values 0 rows');
    check(
      "SELECT count(*) FROM payments WHERE country = 'US' AND NULL",
      `
    aggregate single: count(*)
      values 0 rows`,
    );
    expect(planOf('SELECT merchant FROM payments LIMIT 0').tableIds).toEqual([]);
  });

  test('scalar subqueries are subplans', () =>
    check(
      'SELECT merchant FROM payments WHERE amount > (SELECT avg(amount) FROM payments)',
      `
    exchange gather from fragment 1
    fragment 1
      project merchant
        scan payments: merchant, amount
          filter: amount::DOUBLE > (subplan 0)
    subplan 0
      aggregate final: avg(amount)
        exchange gather from fragment 1
      fragment 1
        aggregate partial: avg(amount)
          scan payments: amount`,
    ));

  test('a subplan’s value folds into the scan', () => {
    const plan = planOf(
      "SELECT count(*) FROM payments WHERE ts > (SELECT max(ts) FROM payments) - INTERVAL '1 hour' AND amount < (SELECT avg(fee) FROM payments)",
    );
    const resolved = resolveSubplans(plan, [nowMs, 2.5], { nowMs, timeZone: 'UTC' });
    expect(explainPlan(resolved).at(-1)?.trim()).toBe("filter: ts > TIMESTAMP '2024-01-02 02:04:05' AND amount <= 2");
    expect(plan.tableIds).toEqual(['0123456789ab']);
  });

  test('notes of the caller stand under their scan', () => {
    const lines = explainPlan(planOf('SELECT merchant FROM payments'), (scan, fragment) => [
      `${scan.tableId} ${fragment}`,
    ]);
    expect(lines.at(-1)).toBe('    0123456789ab 1');
  });
});

describe('filters as scans see them', () => {
  test.each([
    ["NOT (country = 'US' OR amount IN (1, 2))", "country <> 'US' AND amount NOT IN (1, 2)"],
    ['NOT (amount < 1 AND fee >= 2)', 'amount >= 1 OR fee < 2'],
    ['NOT (merchant IS NULL)', 'merchant IS NOT NULL'],
    ["'2024-01-01' <= ts AND 5 > amount", "ts >= TIMESTAMP '2024-01-01 00:00:00' AND amount < 5"],
    ['amount BETWEEN 1 AND 5', 'amount >= 1 AND amount <= 5'],
    ['amount NOT BETWEEN 1 AND 5', 'amount < 1 OR amount > 5'],
    ['amount IN (7)', 'amount = 7'],
    ['amount = 1 OR amount = 2 OR amount IN (2, 3)', 'amount IN (1, 2, 3)'],
    ['amount = 1 AND amount = 1 AND TRUE', 'amount = 1'],
    ["merchant LIKE 'acme'", "merchant = 'acme'"],
    [
      "merchant LIKE 'ac%' AND merchant NOT ILIKE '%x!%' ESCAPE '!'",
      "merchant LIKE 'ac%' AND merchant NOT ILIKE '%x!%' ESCAPE '!'",
    ],
    ['paid IS TRUE', 'paid'],
    ['paid IS NOT TRUE', 'NOT coalesce(paid, FALSE)'],
    ["country IS NOT DISTINCT FROM 'US'", "country = 'US'"],
    ['country IS NOT DISTINCT FROM NULL', 'country IS NULL'],
    ["ts > now() - INTERVAL '1 hour'", "ts > TIMESTAMP '2024-01-02 02:04:05'"],
    ["ts >= date_trunc('day', now())", "ts >= TIMESTAMP '2024-01-02 00:00:00'"],
    [
      'ts >= CURRENT_DATE AND ts < CURRENT_TIMESTAMP',
      "ts >= TIMESTAMP '2024-01-02 00:00:00' AND ts < TIMESTAMP '2024-01-02 03:04:05'",
    ],
    ["ts::date = '2024-01-01'", "ts >= TIMESTAMP '2024-01-01 00:00:00' AND ts < TIMESTAMP '2024-01-02 00:00:00'"],
    ["CAST(ts AS DATE) > '2024-01-01'", "ts >= TIMESTAMP '2024-01-02 00:00:00'"],
    ["day < TIMESTAMP '2024-01-01 12:00'", "day <= DATE '2024-01-01'"],
    ['tries <> 3000000000', 'tries IS NOT NULL'],
    ['tries < 3000000000', 'tries IS NOT NULL'],
    ['tries IN (1, 2, 3000000000)', 'tries IN (1, 2)'],
    ['amount > 100.5', 'amount > 100'],
    ['amount >= -100.5', 'amount > -101'],
    ['amount = 1e3', 'amount = 1000'],
    ['amount < 2.5::double', 'amount <= 2'],
    ['amount < 1e17::double', 'amount::DOUBLE < 100000000000000000'],
    ['price > 5', 'price > 5.00'],
    ['fee > 1', 'fee > 1'],
    ['CASE WHEN TRUE THEN paid ELSE FALSE END', 'paid'],
    ['coalesce(NULL, paid)', 'paid'],
    ['1 / 0 > amount', '(1 / 0)::LONG > amount'],
    ["country = 'it''s'", "country = 'it''s'"],
    ['"$offset" >= 5', '$offset >= 5'],
    ['$partition = 0', '$partition = 0'],
  ])('%s', (condition, want) => expect(filterOf(condition)).toBe(want));

  test.each(['tries = 3000000000', 'amount = 0.5', 'paid AND NULL', 'tries IN (3000000000, 4000000000)'])(
    '%s never holds',
    condition => expect(filterOf(condition)).toContain('values 0 rows'),
  );
});

describe('parameters take the type of their context', () => {
  test.each<[string, Value[], string]>([
    ['ts >= ? AND amount = ?', ['2024-01-01', 5], "ts >= TIMESTAMP '2024-01-01 00:00:00' AND amount = 5"],
    ['ts >= $2 AND amount = $1', ['7', nowMs], "ts >= TIMESTAMP '2024-01-02 03:04:05' AND amount = 7"],
    ['amount = ?', [9007199254740993n], 'amount = 9007199254740993'],
    ['amount IN (?, ?)', [1, 2], 'amount IN (1, 2)'],
    ['fee > ? AND paid = ?', [1.5, true], 'fee > 1.5 AND paid = TRUE'],
    ['merchant LIKE ?', ['a%'], "merchant LIKE 'a%'"],
    ['amount + ? > 1', [2], 'amount + 2 > 1'],
    ['country = ?', [5], "country = '5'"],
    ['ts > now() - ?::interval', ['1 hour'], "ts > TIMESTAMP '2024-01-02 02:04:05'"],
  ])('%s', (condition, parameters, want) => expect(filterOf(condition, parameters)).toBe(want));

  test('without a context they are STRING, and NULL is NULL', () => {
    expect(planOf('SELECT ? AS x, ? AS y', [5, null]).columns).toMatchObject([
      { type: { name: 'STRING' } },
      { type: { name: 'STRING' } },
    ]);
    expect(filterOf('amount > ?', [null])).toContain('values 0 rows');
  });

  test('LIMIT takes one', () => expect(explain('SELECT merchant FROM payments LIMIT ?', [3])).toContain('limit 3'));
});

describe('names and types of the answer', () => {
  test.each([
    ['SELECT 1', '?column? INT'],
    [
      'SELECT 3000000000, -9223372036854775808, 9223372036854775808',
      '?column? LONG, ?column? LONG, ?column? DECIMAL(19,0)',
    ],
    [
      'SELECT 1.50, .5, 1e3, 1e-3, 1e50',
      '?column? DECIMAL(3,2), ?column? DECIMAL(1,1), ?column? DECIMAL(4,0), ?column? DECIMAL(3,3), ?column? DOUBLE',
    ],
    ["SELECT 'a', NULL, TRUE", '?column? STRING, ?column? STRING, bool BOOLEAN'],
    ["SELECT DATE '2024-01-01', '1'::int, INTERVAL '1 day'", 'date DATE, int INT, interval INTERVAL'],
    [
      'SELECT amount::text, lower(merchant), coalesce(fee, 0), nullif(tries, 0) FROM payments',
      'amount STRING, lower STRING, coalesce DOUBLE, nullif INT',
    ],
    ['SELECT CASE WHEN paid THEN 1 ELSE amount END, CASE WHEN paid THEN 1 END FROM payments', 'amount LONG, case INT'],
    [
      'SELECT sum(tries), sum(fee), sum(price), avg(amount), min(day), count(*) FROM payments',
      'sum LONG, sum DOUBLE, sum DECIMAL(38,2), avg DOUBLE, min DATE, count LONG',
    ],
    ['SELECT "TS", PAYMENTS.Amount FROM Payments', 'ts TIMESTAMP, amount LONG'],
    ['SELECT Name, "name", town FROM mixed', 'Name STRING, name STRING, Town STRING'],
    ['SELECT p.*, p.amount * 2 AS "Double" FROM (SELECT amount FROM payments) p', 'amount LONG, Double LONG'],
    ['SELECT (SELECT max(ts) AS newest FROM payments)', 'newest TIMESTAMP'],
    ['SELECT extract(hour FROM ts), date_trunc($1, ts) FROM payments', 'extract DOUBLE, date_trunc TIMESTAMP'],
  ])('%s', (sql, want) => {
    const { columns } = planOf(sql, sql.includes('$1') ? ['hour'] : []);
    const text = columns.map(({ name, type }) => {
      const digits = type.name === 'DECIMAL' ? `(${type.precision},${type.scale})` : '';
      return `${name} ${type.name}${digits}`;
    });
    expect(text.join(', ')).toBe(want);
  });

  test('SELECT * leaves virtual columns out', () => {
    const names = planOf('SELECT *, $offset FROM payments').columns.map(column => column.name);
    expect(names.filter(name => name.startsWith('$'))).toEqual(['$offset']);
    expect(names).toHaveLength(13);
  });
});

describe('subqueries over subqueries do not blow up', () => {
  const nested = (inner: string, levels: number): string =>
    `${`(SELECT ${inner} AS x FROM `.repeat(levels)}(SELECT amount AS x FROM payments) q${') p'.repeat(levels)}`;

  test('x + x over x + x stays as it is written', () => {
    const plan = explain(`SELECT x FROM ${nested('x + x', 60)} WHERE x > 1`);
    expect(plan.split('\n').length).toBeLessThan(80);
    expect(plan.length).toBeLessThan(100_000);
  });

  test('what is used once is put together, but not without end', () => {
    expect(explain(`SELECT x FROM ${nested('x + 1', 3)}`)).toContain('project amount + 1 + 1 + 1');
    const long = `x${' + 1'.repeat(300)}`;
    expect(explain(`SELECT x FROM ${nested(long, 40)} WHERE x > 1`).split('\n').length).toBeGreaterThan(40);
  });
});
