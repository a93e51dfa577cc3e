/** A batch load: a Parquet file of real flights into a table, from the request until its rows are seen. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '../src/client/client.ts';
import { difference } from './answers.ts';
import { openDuckDb } from './duckdb.ts';
import { median, timeInTurns } from './measure.ts';
import { type BenchRow, formatCount } from './row.ts';
import type { Suite } from './suite.ts';
import { cellsOf, startWeir } from './weir.ts';

/** Beside `dist/bench`. */
const flights = fileURLToPath(new URL('../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url));
const rowsSmoke = 20_000;
const ratioMax = 2;
/** A load takes a thousand times as long. */
const pollMs = 2;

const questions = [
  'SELECT COUNT(*), MIN(date), MAX(date), SUM(delay), SUM(distance) FROM flights',
  'SELECT origin, COUNT(*), COUNT(DISTINCT destination), SUM(delay) FROM flights GROUP BY origin ORDER BY origin',
] as const;

export const loadSuite: Suite = {
  name: 'load',
  summary: 'three million flights out of a Parquet file into a table, beside DuckDB',
  async run({ rows, runs, smoke, progress, note }) {
    const folder = await mkdtemp(join(tmpdir(), 'weir-load-'));
    const duckDb = await openDuckDb(':memory:', { threads: 1 });
    let path = flights;
    const rowsAsked = rows ?? (smoke ? rowsSmoke : null);
    if (rowsAsked !== null) {
      path = join(folder, 'flights.parquet');
      await duckDb.connection.run(`COPY (FROM read_parquet('${flights}') LIMIT ${rowsAsked}) TO '${path}'`);
    }
    const weir = await startWeir({
      dataFolder: join(folder, 'weir'),
      flags: ['--no-demo', '--load-from', dirname(path)],
    });
    try {
      const client = createClient(weir.url);
      await duckDb.connection.run(`ATTACH '${join(folder, 'load.duckdb')}' AS loaded`);
      const load = async (): Promise<void> => {
        await client.query('DROP TABLE IF EXISTS flights');
        const { load: started } = await client.startLoad({ table: 'flights', files: [{ path }], create: true });
        for (let state = started.state as string; state !== 'finished'; ) {
          await new Promise(resolve => setTimeout(resolve, pollMs));
          const now = await client.load(started.id);
          if (now.state !== 'running' && now.state !== 'finished')
            throw new Error(`the load is ${now.state}: ${now.error}`);
          state = now.state;
        }
      };
      const create = async (): Promise<void> => {
        await duckDb.connection.run('DROP TABLE IF EXISTS loaded.flights');
        await duckDb.connection.run(
          `CREATE TABLE loaded.flights AS SELECT * FROM read_parquet('${path}') ORDER BY date`,
        );
        await duckDb.connection.run('CHECKPOINT loaded');
      };
      progress.update('load: comparing the answers');
      await timeInTurns([load, create], 1);
      for (const sql of questions) {
        const theirs = await duckDb.ask(sql.replace('FROM flights', 'FROM loaded.flights'));
        const differs = difference(cellsOf(await weir.ask(sql)), theirs);
        if (differs) throw new Error(`${sql}: ${differs}`);
      }
      const rowCount = Number((await duckDb.ask('SELECT COUNT(*) FROM loaded.flights'))[0]![0]);
      progress.update('load: loading');
      const times = await timeInTurns([load, create], runs);
      progress.done('load: done');
      note(
        `Load: ${formatCount(rowCount)} flights out of a Parquet file, the table made of what it holds, sorted by time, with two ` +
          'inverted indexes and checksums, synced; from POST /v1/loads to its end, a process with default settings. ' +
          'DuckDB: CREATE TABLE AS SELECT … ORDER BY date into a file, with a checkpoint, one thread.',
      );
      const row = (engine: string, index: number): BenchRow => ({
        ...{ suite: 'load', query: 'flights', rows: rowCount, engine, answersEqual: true },
        ...{ medianMs: median(times[index]!), minMs: Math.min(...times[index]!) },
        measures: { rowsPerSecond: Math.round((rowCount * 1000) / median(times[index]!)) },
      });
      const ratio = median(times[0]!) / median(times[1]!);
      const target = { text: `≤ ${ratioMax}×`, met: ratio <= ratioMax };
      return [{ ...row('weir', 0), ratio, ...(!smoke && { target }) }, row('duckdb', 1)];
    } finally {
      await weir.stop();
      duckDb.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
};
