/** CREATE TABLE … WITH (index = '…') end to end: built with the segment, used where it is cheaper, and no answer changes. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FaultError } from '../../src/base/fault.ts';
import { type Cluster, openCluster } from '../support/cluster.ts';

/** Enough for the slices of a column to be smaller than the column. */
const rowCount = 20_000;
const insertRows = 2_000;
const columns = '(ts TIMESTAMP NOT NULL, payment_id STRING, amount LONG, fee FLOAT, price DECIMAL(10, 2), day DATE)';
const indexes = 'amount: range, fee: range, price: range, day: range, payment_id: bloom, day: bloom';

const rowText = (row: number): string => {
  const amount = (row * 7_919) % 1_000;
  const cells = [
    `TIMESTAMP '2024-01-01' + INTERVAL '${row} seconds'`,
    row % 50 === 0 ? 'NULL' : `'p-${(row * 31) % rowCount}'`,
    row % 11 === 0 ? 'NULL' : String(amount),
    row % 13 === 0 ? "'NaN'" : String(amount / 8),
    row % 17 === 0 ? 'NULL' : (amount / 100).toFixed(2),
    `DATE '2024-01-${String(1 + (amount % 28)).padStart(2, '0')}'`,
  ];
  return `(${cells.join(', ')})`;
};

describe('tables with indexes', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await openCluster();
    for (const [table, options] of [
      ['plain', "time_column = 'ts'"],
      ['indexed', `time_column = 'ts', index = '${indexes}'`],
    ]) {
      await cluster.query(`CREATE TABLE ${table} ${columns} WITH (${options})`);
      for (let start = 0; start < rowCount; start += insertRows) {
        const rows = Array.from({ length: insertRows }, (_, index) => rowText(start + index));
        await cluster.query(`INSERT INTO ${table} VALUES ${rows.join(', ')}`);
      }
      await cluster.commit(table!);
      await cluster.query(`INSERT INTO ${table} VALUES ${rowText(rowCount + 1)}, ${rowText(rowCount + 11)}`);
    }
  }, 120_000);
  afterAll(() => cluster.close());

  test.each<[condition: string, filters: readonly string[]]>([
    ['amount BETWEEN 100 AND 120', ['range index']],
    ['amount IN (3, 5, 700)', ['range index']],
    ['amount = 12 AND fee < 10', ['range index']],
    // The slices of a FLOAT take more bytes here than its values.
    ['fee > 120.03', ['scan']],
    ['fee >= 124.875', ['scan']],
    ['price <= 0.505', ['range index']],
    ["day > DATE '2024-01-27'", ['range index']],
    ["payment_id = 'p-31'", ['scan']],
    ["payment_id = 'p-31x'", ['bloom filter']],
    ["payment_id IN ('p-0x', 'p-1x')", ['bloom filter']],
    ["day = DATE '2024-01-03' AND amount > 990", ['range index']],
    ['payment_id IS NULL', ['null index']],
    ['payment_id IS NOT NULL AND amount < 3', ['null index', 'range index']],
    ["ts >= '2024-01-01 01:00:00' AND ts < '2024-01-01 02:00:00'", ['sorted search']],
    ['amount <> 5', ['scan']],
    ['NOT (amount < 990)', ['range index']],
    ['amount < 3 OR amount > 997', ['range index']],
  ])('%s', async (condition, filters) => {
    const counting = (table: string) => `SELECT COUNT(*) FROM ${table} WHERE ${condition}`;
    const listing = (table: string) => `SELECT * FROM ${table} WHERE ${condition} ORDER BY ts LIMIT 500`;
    // Other questions have brought columns into memory.
    const { rows } = await cluster.query('SELECT DISTINCT "$segment" FROM indexed');
    await cluster.server.call('evict', { segmentIds: rows.map(([id]) => String(id)) });
    const asked = await cluster.query(counting('indexed'));
    expect(asked.rows).toEqual((await cluster.query(counting('plain'))).rows);
    expect((await cluster.query(listing('indexed'))).rows).toEqual((await cluster.query(listing('plain'))).rows);
    // The consuming rows are scanned, unless zone maps say that none of them holds.
    const used = Object.keys(asked.trailer.stats.filters).filter(how => how !== 'zone map' && how !== 'scan');
    expect(used.sort()).toEqual(filters.filter(how => how !== 'scan').sort());
  });

  test('EXPLAIN says which', async () => {
    const sql =
      "EXPLAIN SELECT COUNT(*) FROM indexed WHERE payment_id = 'p-31' AND amount > 3 AND ts > '2024-01-02' AND fee IS NULL";
    const lines = (await cluster.query(sql)).rows
      .map(([line]) => String(line).trim())
      .filter(line => line.startsWith('by '));
    expect(lines).toEqual([
      'by bloom filter, then dictionary test, then a scan of payment_id',
      'by zone maps, then the range index on amount (LONG), or a scan where the column is in memory',
      'by zone maps, then sorted search of ts (TIMESTAMP)',
      'by zone maps, then the null index of fee',
    ]);
  });

  test('an index on what cannot have it says what can', async () => {
    const refused = await cluster.query("CREATE TABLE x (s STRING) WITH (index = 's: range')").catch(error => error);
    expect(refused).toBeInstanceOf(FaultError);
    expect(refused.message).toContain(
      'range indexes are on INT, LONG, FLOAT, DOUBLE, DECIMAL, DATE, and TIMESTAMP columns',
    );
  });
});
