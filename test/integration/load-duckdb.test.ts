/** Files of real data, loaded into the real process: every query answers as DuckDB does over the files themselves. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import type { LoadInfo } from '../../src/client/types.ts';
import { eventually } from '../support/eventually.ts';
import { requires, sharedData } from '../support/requires.ts';
import { ask, startWeir, type WeirProcess } from '../support/weir-process.ts';

const main = fileURLToPath(new URL('../../dist/src/boot/main.js', import.meta.url));
const vega = fileURLToPath(new URL('../../node_modules/vega-datasets/data', import.meta.url));
const githubEvents = sharedData('github-events-2021-07-21.json.gz');

let folder: string;
let weir: WeirProcess;
let duck: DuckDBConnection;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-load-duckdb-'));
  weir = await startWeir({ args: ['--data', folder, '--no-demo', '--shards', '2', '--load-from', vega] });
  duck = await (await DuckDBInstance.create(':memory:')).connect();
  await duck.run("SET TimeZone = 'UTC'");
}, 60_000);
afterAll(async () => {
  duck?.closeSync();
  await weir?.stop();
  await rm(folder, { recursive: true, force: true });
});

const command = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)(process.execPath, [main, ...args, '--url', weir.url])).stdout;

/** Loads a file by its path on the server, and resolves when it is there. */
async function loadPath(table: string, path: string): Promise<LoadInfo> {
  const client = createClient(weir.url);
  const { load } = await client.startLoad({ table, files: [{ path }], create: true });
  return eventually(async () => {
    const now = await client.load(load.id);
    expect(now.state).toBe('finished');
    return now;
  });
}

/** Doubles to 12 digits (sums are added in another order), times as ISO 8601, integers as they are. */
function cellText(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : value.toPrecision(12);
  if (typeof value !== 'string') return String(value);
  const time = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d+))?Z?$/.exec(value);
  return time ? `${time[1]} ${time[2]}.${(time[3] ?? '').padEnd(3, '0')}` : value;
}

async function duckRows(sql: string): Promise<unknown[][]> {
  const reader = await duck.runAndReadAll(sql);
  return reader.getRowsJson() as unknown[][];
}

/** Of DuckDB's JSON, integers beyond 53 bits are strings: all go through the same text. */
const textOf = (rows: readonly (readonly unknown[])[]): string[] =>
  rows.map(row =>
    row.map(cell => cellText(typeof cell === 'string' && /^-?\d+$/.test(cell) ? Number(cell) : cell)).join(' | '),
  );

/** @param duckSql Where DuckDB says it in other words. */
async function same(sql: string, duckSql: string = sql): Promise<void> {
  const [ours, theirs] = [textOf(await ask(weir.url, sql)), textOf(await duckRows(duckSql))];
  expect(ours.length).toBeGreaterThan(0);
  expect(ours, sql).toEqual(theirs);
}

describe('three million flights, in Parquet', () => {
  beforeAll(async () => {
    await duck.run(`CREATE VIEW flights AS SELECT * FROM read_parquet('${vega}/flights-3m.parquet')`);
    expect(await loadPath('flights', join(vega, 'flights-3m.parquet'))).toMatchObject({
      ...{ rowsLoaded: 3_000_000, rowsRejected: 0, error: null },
    });
  }, 120_000);

  test.each([
    'SELECT COUNT(*), MIN(date), MAX(date) FROM flights',
    'SELECT SUM(delay), MIN(delay), MAX(delay), SUM(distance), COUNT(delay) FROM flights',
    'SELECT origin, COUNT(*) AS n FROM flights GROUP BY origin ORDER BY n DESC, origin LIMIT 20',
    'SELECT destination, AVG(delay) AS d FROM flights WHERE distance > 1000 GROUP BY destination ORDER BY destination LIMIT 30',
    "SELECT COUNT(*) FROM flights WHERE origin = 'SFO' AND destination IN ('JFK', 'LAX', 'ORD')",
    "SELECT COUNT(*), SUM(delay) FROM flights WHERE date >= TIMESTAMP '2001-03-01 00:00:00' AND date < TIMESTAMP '2001-04-01 00:00:00'",
    "SELECT DATE_TRUNC('month', date) AS m, COUNT(*) FROM flights GROUP BY m ORDER BY m",
    'SELECT COUNT(DISTINCT origin), COUNT(DISTINCT destination), COUNT(DISTINCT distance) FROM flights',
    'SELECT origin, destination, MAX(delay) AS d FROM flights GROUP BY origin, destination ORDER BY d DESC, origin, destination LIMIT 25',
    "SELECT EXTRACT(HOUR FROM date) AS h, AVG(delay) FROM flights WHERE origin LIKE 'A%' GROUP BY h ORDER BY h",
    'SELECT date, origin, destination, delay FROM flights WHERE delay > 1000 ORDER BY date, origin, destination, delay',
    'SELECT COUNT(*) FROM flights WHERE delay IS NULL OR delay < 0',
  ])('%s', sql => same(sql));
});

describe('files of CSV, loaded by the command', () => {
  const csv = (name: string) => `SELECT * FROM read_csv('${vega}/${name}.csv', header = true, sample_size = -1)`;

  beforeAll(async () => {
    await duck.run(`CREATE VIEW airports AS ${csv('airports')}`);
    await duck.run(`CREATE VIEW birdstrikes AS ${csv('birdstrikes')}`);
    expect(await command('load', join(vega, 'airports.csv'), '--table', 'airports')).toContain('3,376 rows loaded');
    expect(await command('load', join(vega, 'birdstrikes.csv'), '--table', 'birdstrikes')).toContain(
      '10,000 rows loaded',
    );
  }, 60_000);

  test.each([
    'SELECT COUNT(*), COUNT(DISTINCT iata), MIN(latitude), MAX(longitude) FROM airports',
    'SELECT state, COUNT(*) AS n FROM airports GROUP BY state ORDER BY n DESC, state LIMIT 15',
    "SELECT iata, name, city FROM airports WHERE country = 'USA' AND latitude > 65 ORDER BY iata",
    'SELECT "Origin State" AS s, COUNT(*) AS n, SUM("Cost Total $") FROM birdstrikes GROUP BY s ORDER BY n DESC, s LIMIT 20',
    'SELECT "Flight Date" AS d, COUNT(*) AS n FROM birdstrikes GROUP BY d ORDER BY n DESC, d LIMIT 20',
    'SELECT "Wildlife Size" AS w, MAX("Cost Repair"), AVG("Speed IAS in knots") FROM birdstrikes GROUP BY w ORDER BY w',
    `SELECT COUNT(*) FROM birdstrikes WHERE "Time of day" = 'Night' AND "Phase of flight" = 'Climb'`,
    `SELECT COUNT("Speed IAS in knots"), COUNT(DISTINCT "Aircraft Airline Operator") FROM birdstrikes`,
  ])('%s', sql => same(sql));
});

requires('githubEvents')('nested events of GitHub, compressed', () => {
  beforeAll(async () => {
    await duck.run(`CREATE VIEW events AS SELECT * FROM read_json('${githubEvents}', format = 'newline_delimited')`);
    expect(await command('load', githubEvents, '--table', 'events')).toContain('800 rows loaded');
    const flat = await command('load', githubEvents, '--table', 'flat_events', '--nested', 'flatten');
    expect(flat).toContain('"actor_login"');
  }, 60_000);

  test.each<[string, string?]>([
    ['SELECT COUNT(*), MIN(created_at), MAX(created_at) FROM events'],
    ['SELECT type, COUNT(*) AS n FROM events GROUP BY type ORDER BY n DESC, type'],
    [
      "SELECT actor ->> 'login' AS l, COUNT(*) AS n FROM events GROUP BY l ORDER BY n DESC, l LIMIT 20",
      'SELECT actor.login AS l, COUNT(*) AS n FROM events GROUP BY l ORDER BY n DESC, l LIMIT 20',
    ],
    [
      "SELECT payload ->> 'ref_type' AS r, COUNT(*) AS n FROM events GROUP BY r ORDER BY n DESC, r",
      'SELECT payload.ref_type AS r, COUNT(*) AS n FROM events GROUP BY r ORDER BY n DESC, r',
    ],
    [
      'SELECT repo_name AS r, COUNT(*) AS n FROM flat_events GROUP BY r ORDER BY n DESC, r LIMIT 20',
      'SELECT repo.name AS r, COUNT(*) AS n FROM events GROUP BY r ORDER BY n DESC, r LIMIT 20',
    ],
    [
      'SELECT SUM(payload_size), COUNT(org_login), COUNT(DISTINCT actor_id) FROM flat_events',
      'SELECT SUM(payload.size), COUNT(org.login), COUNT(DISTINCT actor.id) FROM events',
    ],
  ])('%s', (sql, duckSql) => same(sql, duckSql));
});
