/** Real files: the tables that are inferred, and what DuckDB reads of the same bytes. */
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Column } from '../../../../src/column/column.ts';
import { valueAt } from '../../../../src/column/value.ts';
import { readFileRows } from '../../../../src/format/file/read.ts';
import type { FileOptions } from '../../../../src/format/file/types.ts';
import { requires, sharedData } from '../../../support/requires.ts';
import { diskFile, propose, targetOf } from './files.ts';

const vega = (name: string): string =>
  fileURLToPath(new URL(`../../../../node_modules/vega-datasets/data/${name}`, import.meta.url));

let duck: Awaited<ReturnType<DuckDBInstance['connect']>>;
beforeAll(async () => {
  duck = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
});

const ask = async (sql: string): Promise<unknown[]> => (await duck.runAndReadAll(sql)).getRowsJson()[0] as unknown[];

/** Rows, NULLs, and a sum of numbers or of the bytes of texts. */
const duckSum = (column: string, isText: boolean): string => {
  const measure = isText ? `strlen(${column})` : column;
  return `count(${column})::DOUBLE, coalesce(sum(${measure}), 0)::DOUBLE, count(DISTINCT ${column})::DOUBLE`;
};

/** The same of columns, batch by batch. */
class Sums {
  count = 0;
  sum = 0;
  readonly distinct = new Set<unknown>();

  add(column: Column): void {
    for (let row = 0; row < column.length; row++) {
      const value = valueAt(column, row);
      if (value === null) continue;
      this.count++;
      this.sum += typeof value === 'string' ? Buffer.byteLength(value) : Number(value);
      this.distinct.add(value);
    }
  }
}

async function checkSums(
  path: string,
  source: string,
  named: Readonly<Record<string, string>>,
  options: FileOptions = {},
): Promise<{ columns: string[]; timeColumn: string | null; notes: readonly string[] }> {
  const file = diskFile(path);
  const { shape, table, columns } = await propose(file, options);
  const names = Object.keys(named);
  const sums = names.map(() => new Sums());
  let rowCount = 0;
  for await (const { batch, rejects } of readFileRows(file, shape, targetOf(table))) {
    expect(rejects).toEqual([]);
    rowCount += batch.rowCount;
    names.forEach((name, index) => {
      sums[index]!.add(batch.columns[table.columns.findIndex(column => column.name === name)]!);
    });
  }
  const measures = Object.values(named).map(sql => duckSum(sql, sql.includes('VARCHAR')));
  const [wantedRows, ...wanted] = await ask(`SELECT count(*)::DOUBLE, ${measures.join(', ')} FROM ${source}`);
  expect(rowCount).toBe(wantedRows);
  names.forEach((name, index) => {
    const { count, sum, distinct } = sums[index]!;
    const [wantedCount, wantedSum, wantedDistinct] = wanted.slice(index * 3, index * 3 + 3) as number[];
    expect([name, count, distinct.size]).toEqual([name, wantedCount, wantedDistinct]);
    expect(Math.abs(sum - wantedSum!)).toBeLessThanOrEqual(Math.abs(wantedSum!) * 1e-12);
  });
  return { columns, timeColumn: table.timeColumn, notes: table.notes };
}

describe('vega-datasets', () => {
  test('airports.csv', async () => {
    const path = vega('airports.csv');
    const text = (name: string): [string, string] => [name, `${name}::VARCHAR`];
    const { columns, timeColumn } = await checkSums(path, `read_csv('${path}', all_varchar = true)`, {
      ...Object.fromEntries(['iata', 'name', 'city', 'state', 'country'].map(text)),
      ...{ latitude: 'latitude::DOUBLE', longitude: 'longitude::DOUBLE' },
    });
    expect(timeColumn).toBe(null);
    expect(columns).toEqual([
      ...['iata STRING', 'name STRING', 'city STRING', 'state STRING*', 'country STRING*'],
      ...['latitude DOUBLE', 'longitude DOUBLE'],
    ]);
  });

  test('birdstrikes.csv', async () => {
    const path = vega('birdstrikes.csv');
    const texts = ['Airport Name', 'Effect Amount of damage', 'Wildlife Species', 'Time of day'];
    const numbers = ['Cost Other', 'Cost Total $', 'Speed IAS in knots'];
    const { columns, notes } = await checkSums(path, `read_csv('${path}', all_varchar = true)`, {
      ...Object.fromEntries(texts.map(name => [name, `"${name}"::VARCHAR`])),
      ...Object.fromEntries(numbers.map(name => [name, `"${name}"::BIGINT`])),
      'Flight Date': `date_diff('day', DATE '1970-01-01', "Flight Date"::DATE)`,
    });
    expect(notes).toHaveLength(1);
    expect(columns).toEqual([
      ...['Airport Name STRING*', 'Aircraft Make Model STRING*', 'Effect Amount of damage STRING*', 'Flight Date DATE'],
      ...['Aircraft Airline Operator STRING*', 'Origin State STRING*', 'Phase of flight STRING*'],
      ...['Wildlife Size STRING*', 'Wildlife Species STRING*', 'Time of day STRING*', 'Cost Other LONG'],
      ...['Cost Repair LONG', 'Cost Total $ LONG', 'Speed IAS in knots LONG'],
    ]);
  });

  test('flights-3m.parquet', async () => {
    const path = vega('flights-3m.parquet');
    const { columns, timeColumn } = await checkSums(path, `'${path}'`, {
      ...{ date: 'epoch_ms(date)', delay: 'delay', distance: 'distance' },
      ...{ origin: 'origin::VARCHAR', destination: 'destination::VARCHAR' },
    });
    expect(timeColumn).toBe('date');
    expect(columns).toEqual([
      ...['date TIMESTAMP!', 'delay LONG', 'distance LONG', 'origin STRING*', 'destination STRING*'],
    ]);
  }, 120_000);
});

requires('githubEvents')("GitHub's events of an hour", () => {
  const path = sharedData('github-events-2021-07-21.json.gz');
  const types = "{id: 'VARCHAR', type: 'VARCHAR', actor: 'JSON', created_at: 'VARCHAR', org: 'JSON'}";
  const source = `read_json('${path}', format = 'newline_delimited', columns = ${types})`;

  test('nested values stay JSON', async () => {
    const { columns, timeColumn } = await checkSums(path, source, {
      ...{ id: 'id::VARCHAR', type: 'type::VARCHAR', actor: 'actor::VARCHAR', org: 'org::VARCHAR' },
      created_at: 'epoch_ms(created_at::TIMESTAMP)',
    });
    expect(timeColumn).toBe('created_at');
    expect(columns).toEqual([
      ...['id STRING', 'type STRING*', 'actor JSON', 'repo JSON', 'payload JSON', 'public BOOLEAN'],
      ...['created_at TIMESTAMP!', 'org JSON'],
    ]);
  });

  test('or are flattened', async () => {
    const named = {
      actor_id: "(actor->>'$.id')::BIGINT",
      actor_login: "(actor->>'$.login')::VARCHAR",
      org_login: "(org->>'$.login')::VARCHAR",
    };
    const { columns } = await checkSums(path, source, named, { nested: 'flatten' });
    expect(columns.slice(0, 9)).toEqual([
      ...['id STRING', 'type STRING*', 'actor_id LONG', 'actor_login STRING', 'actor_display_login STRING'],
      ...['actor_gravatar_id STRING*', 'actor_url STRING', 'actor_avatar_url STRING', 'repo_id LONG'],
    ]);
  });
});
