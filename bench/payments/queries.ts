/** Ten queries of a payments dashboard, the same text for both engines. Each has one right order of rows. */
import { merchantNames, spanMs, startMs } from './draw.ts';

export interface BenchQuery {
  readonly name: string;
  readonly sql: string;
}

const hourMs = 3_600_000;
/** An hour in the middle of the month, on the hour. */
const hourStart = startMs + Math.floor(spanMs / 2 / hourMs) * hourMs;
const literal = (ms: number): string => `TIMESTAMP '${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')}'`;

/** Of 20,000 by Zipf's law: about 6 of a million rows. */
const rareMerchant = merchantNames[15_000]!;

export const paymentsQueries: readonly BenchQuery[] = [
  { name: 'Q1 count, sum', sql: 'SELECT COUNT(*), SUM(amount) FROM payments' },
  {
    name: 'Q2 two equality filters',
    sql: "SELECT COUNT(*), SUM(amount) FROM payments WHERE country = 'US' AND status = 'failed'",
  },
  {
    name: 'Q3 by country',
    sql: 'SELECT country, COUNT(*), SUM(amount), AVG(fee) FROM payments GROUP BY country ORDER BY country',
  },
  {
    name: 'Q4 by hour and status',
    sql: `SELECT DATE_TRUNC('hour', ts) AS hour, status, COUNT(*), SUM(amount) FROM payments
      GROUP BY 1, 2 ORDER BY 1, 2`,
  },
  {
    name: 'Q5 top merchants',
    sql: 'SELECT merchant, SUM(amount) FROM payments GROUP BY merchant ORDER BY 2 DESC, 1 LIMIT 10',
  },
  {
    name: 'Q6 top customers',
    sql: `SELECT customer_id, COUNT(*) FROM payments WHERE customer_id IS NOT NULL
      GROUP BY customer_id ORDER BY 2 DESC, 1 LIMIT 10`,
  },
  { name: 'Q7 distinct customers', sql: 'SELECT COUNT(DISTINCT customer_id) FROM payments' },
  {
    name: 'Q8 one hour, amount range',
    sql: `SELECT method, COUNT(*), SUM(amount) FROM payments
      WHERE ts >= ${literal(hourStart)} AND ts < ${literal(hourStart + hourMs)} AND amount BETWEEN 1000 AND 10000
      GROUP BY method ORDER BY method`,
  },
  {
    name: 'Q9 one rare merchant',
    sql: `SELECT COUNT(*), SUM(amount) FROM payments WHERE merchant = '${rareMerchant}'`,
  },
  { name: 'Q10 LIKE', sql: "SELECT COUNT(*) FROM payments WHERE merchant LIKE '%Coffee%'" },
];
