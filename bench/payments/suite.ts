import { difference } from '../answers.ts';
import { type DuckDb, openDuckDb } from '../duckdb.ts';
import { median, timeInTurns } from '../measure.ts';
import { type BenchRow, formatCount, geometricMean } from '../row.ts';
import type { BenchOptions, Suite } from '../suite.ts';
import { cellsOf, startWeir } from '../weir.ts';
import { preparePayments } from './data.ts';
import { type BenchQuery, paymentsQueries } from './queries.ts';

const rowsDefault = 10_000_000;
const rowsSmoke = 100_000;
/** Of each query before it is timed, besides the one whose answer is compared: engines read, compile and cache. */
const warmRuns = 2;
/** Mean of the ratios that is asked of Weir. */
const ratioMax = 1.2;

/** What both engines are asked through. */
type Ask = (sql: string) => Promise<ReturnType<typeof cellsOf>>;

export const paymentsSuite: Suite = {
  name: 'payments',
  summary: 'ten dashboard queries over 10 million payments, beside DuckDB',
  async run(options) {
    const rowCount = options.rows ?? (options.smoke ? rowsSmoke : rowsDefault);
    const data = await preparePayments(rowCount, options.progress);
    const duckDb = await openDuckDb(data.duckDbPath, { threads: 1, readOnly: true });
    try {
      const weir = await startWeir({ dataFolder: data.weirFolder, flags: ['--no-demo', '--shards', '1'] });
      try {
        options.note(
          `${formatCount(rowCount)} rows. Weir: one shard, a process of its own, asked over HTTP. ` +
            `DuckDB ${duckDb.version}: one thread, in this process, its own file.`,
        );
        return await compareEngines(rowCount, options, async sql => cellsOf(await weir.ask(sql)), duckDb);
      } finally {
        await weir.stop();
      }
    } finally {
      duckDb.close();
    }
  },
};

async function compareEngines(rowCount: number, options: BenchOptions, weir: Ask, duckDb: DuckDb): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const query of paymentsQueries) {
    options.progress.update(query.name);
    rows.push(...(await compareOn(query, rowCount, options, weir, sql => duckDb.ask(sql))));
  }
  options.progress.done('payments: every query asked');
  const ratios = rows.flatMap(({ ratio }) => (ratio === undefined ? [] : [ratio]));
  if (ratios.length === paymentsQueries.length) {
    const mean = geometricMean(ratios);
    options.note(
      `Geometric mean of the ratios: ${mean.toFixed(2)} (asked for: at most ${ratioMax}${mean <= ratioMax ? '' : ', missed'}).`,
    );
  }
  return rows;
}

async function compareOn(
  { name, sql }: BenchQuery,
  rowCount: number,
  { runs, note }: BenchOptions,
  weir: Ask,
  duckDb: Ask,
): Promise<BenchRow[]> {
  const differs = difference(await weir(sql), await duckDb(sql));
  if (differs) note(`${name}: the answers differ: ${differs} (Weir against DuckDB)`);
  await timeInTurns([() => weir(sql), () => duckDb(sql)], warmRuns);
  const times = await timeInTurns([() => weir(sql), () => duckDb(sql)], runs);
  const [weirMs, duckDbMs] = times.map(median) as [number, number];
  const row = (engine: string, index: number): BenchRow => ({
    suite: 'payments',
    query: name,
    rows: rowCount,
    engine,
    medianMs: median(times[index]!),
    minMs: Math.min(...times[index]!),
    answersEqual: differs === null,
  });
  return [{ ...row('weir', 0), ...(differs ? {} : { ratio: weirMs / duckDbMs }) }, row('duckdb', 1)];
}
