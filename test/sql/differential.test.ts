/**
 * The same random queries to Weir and to DuckDB give the same rows. `WEIR_QUERIES=5000` asks more of them; a failure names
 * the seed of its table and the query's number: `WEIR_SEED=12` runs that table alone.
 */
import {
  type DuckDBConnection,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBInstance,
  DuckDBTimestampValue,
  type DuckDBValue,
} from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FaultError } from '../../src/base/fault.ts';
import { type Cell, difference, exactDigits, weirCell } from './random/answers.ts';
import { columnList, insertText, openWorld, type World } from './random/world.ts';

const queriesPerTable = 50;
const queryCount = Number(process.env.WEIR_QUERIES ?? 300);
const { WEIR_SEED } = process.env;
const seeds = WEIR_SEED
  ? WEIR_SEED.split(',').map(Number)
  : Array.from({ length: Math.ceil(queryCount / queriesPerTable) }, (_, index) => index + 1);

/** PostgreSQL's meaning, where DuckDB has a choice. */
const duckSettings = [
  'SET integer_division = true',
  "SET default_null_order = 'nulls_last_on_asc_first_on_desc'",
  "SET TimeZone = 'UTC'",
  'SET threads = 1',
];

function duckCell(value: DuckDBValue): Cell {
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return value;
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'string') return `STRING ${JSON.stringify(value)}`;
  if (value instanceof DuckDBDecimalValue) return exactDigits(value.toString());
  if (value instanceof DuckDBTimestampValue) return `TIMESTAMP ${value.micros / 1000n}`;
  if (value instanceof DuckDBDateValue) return `DATE ${value.days}`;
  throw new Error(`DuckDB answered a value that is not compared here: ${String(value)}`);
}

/** Rows, or what was wrong. */
type Outcome = { readonly rows: Cell[][] } | { readonly error: string };

describe.each(seeds)('table %i', seed => {
  let world: World;
  let duck: DuckDBConnection;

  beforeAll(async () => {
    world = await openWorld(seed);
    duck = await (await DuckDBInstance.create(':memory:')).connect();
    for (const setting of duckSettings) await duck.run(setting);
    await duck.run(`CREATE TABLE t (${columnList(world.table)})`);
    await duck.run(insertText(world.table.rows));
  }, 60_000);
  afterAll(async () => {
    duck?.closeSync();
    await world?.cluster.close();
  });

  async function askWeir(sql: string): Promise<Outcome> {
    try {
      const { columns, rows } = await world.cluster.query(sql);
      return { rows: rows.map(row => row.map((value, index) => weirCell(columns[index]!.type, value))) };
    } catch (error) {
      if (!(error instanceof FaultError)) throw new Error(`${sql}: ${String(error)}`, { cause: error });
      return { error: `${error.fault.code}: ${error.fault.message}` };
    }
  }

  async function askDuck(sql: string): Promise<Outcome> {
    try {
      const reader = await duck.runAndReadAll(sql);
      // INT is a number here, too.
      const isInteger = reader.columnTypes().map(type => /INT/.test(String(type)));
      return {
        rows: reader
          .getRows()
          .map(row =>
            row.map((value, index) => (isInteger[index] && value !== null ? String(value) : duckCell(value))),
          ),
      };
    } catch (error) {
      return { error: String(error) };
    }
  }

  test(`answers ${queriesPerTable} queries as DuckDB does`, async () => {
    const failures: string[] = [];
    for (let number = 0; number < queriesPerTable; number++) {
      const { sql, isOrdered } = world.query(number);
      const [weir, other] = [await askWeir(sql), await askDuck(sql)];
      const found =
        'error' in weir || 'error' in other
          ? `Weir: ${'error' in weir ? weir.error : 'rows'}; DuckDB: ${'error' in other ? other.error : 'rows'}`
          : difference(weir.rows, other.rows, isOrdered);
      if (found !== null) failures.push(`WEIR_SEED=${seed}, query ${number}: ${sql}\n${found}`);
    }
    expect(failures.join('\n\n')).toBe('');
  }, 60_000);
});
