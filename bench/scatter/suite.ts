/** What it costs that a query's parts run in other processes: the payments queries over two servers, beside all in one process. */
import { cp, link, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { folders } from '../../src/boot/folders.ts';
import { difference } from '../answers.ts';
import { median, timeInTurns } from '../measure.ts';
import { preparePayments } from '../payments/data.ts';
import { type BenchQuery, paymentsQueries } from '../payments/queries.ts';
import { type BenchRow, formatCount, formatMs } from '../row.ts';
import type { BenchOptions, Suite } from '../suite.ts';
import { cellsOf, startWeir, type Weir } from '../weir.ts';

const rowsDefault = 10_000_000;
const rowsSmoke = 100_000;
const warmRuns = 3;
const serverCount = 2;
/** More than in one process, of each query. */
const overheadMsMax = 2;
const loadedMsMax = 300_000;
const loadedSegments =
  "SELECT SUM(segments_announced), SUM(segments_placed) FROM system.servers WHERE roles = 'server'";

export const scatterSuite: Suite = {
  name: 'scatter',
  summary: 'the payments queries over two server processes, beside all in one process',
  async run(options) {
    const rowCount = options.rows ?? (options.smoke ? rowsSmoke : rowsDefault);
    const { weirFolder } = await preparePayments(rowCount, options.progress);
    const folder = await mkdtemp(join(tmpdir(), 'weir-scatter-'));
    const running: Weir[] = [];
    const start = async (dataFolder: string, ...flags: readonly string[]): Promise<Weir> => {
      const weir = await startWeir({ dataFolder, flags: ['--no-demo', ...flags] });
      running.push(weir);
      return weir;
    };
    try {
      options.progress.update('scatter: starting');
      const alone = await start(weirFolder, '--shards', String(serverCount));
      const broker = await startCluster(weirFolder, folder, start, options);
      options.note(
        `${formatCount(rowCount)} rows. The cluster: the owner of the data folder, a broker and ${serverCount} servers of one shard, ` +
          `each a process of its own. Beside it one process with ${serverCount} shards. Both asked over HTTP, in turns.`,
      );
      return await compare(rowCount, options, broker, alone);
    } finally {
      for (const weir of running.toReversed()) await weir.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** @returns The broker, once the servers have loaded all segments. */
async function startCluster(
  weirFolder: string,
  folder: string,
  start: (dataFolder: string, ...flags: readonly string[]) => Promise<Weir>,
  { progress }: BenchOptions,
): Promise<Weir> {
  const [from, to] = [folders(weirFolder), folders(join(folder, 'owner'))];
  await mkdir(dirname(to.meta), { recursive: true });
  await cp(dirname(from.meta), dirname(to.meta), { recursive: true });
  await linkFolder(from.store, to.store);
  const owner = await start(
    join(folder, 'owner'),
    '--roles',
    'controller,ingest',
    '--wire',
    '127.0.0.1:0',
    '--shards',
    '1',
  );
  const address = /--join (\S+)/.exec(owner.output())![1]!;
  const servers = Array.from({ length: serverCount }, (_, number) =>
    start(join(folder, `server-${number}`), '--roles', 'server', '--join', address, '--shards', '1'),
  );
  await Promise.all(servers);
  const broker = await start(folder, '--roles', 'broker', '--join', address, '--shards', '1');
  const startedMs = performance.now();
  for (;;) {
    // While the disk takes the copies, a process may be away for a moment.
    const answer = await broker.ask(loadedSegments).then(cellsOf, () => [[0n, 0n]]);
    const [announced, placed] = answer[0] as [bigint, bigint];
    if (placed > 0n && announced === placed) return broker;
    if (performance.now() - startedMs > loadedMsMax)
      throw new Error(`after ${loadedMsMax} ms ${announced} of ${placed} segments are loaded`);
    progress.update(`scatter: ${announced} of ${placed} segments are loaded`);
    await new Promise(resolve => setTimeout(resolve, 250));
  }
}

/** The same files under other names: each of two processes merges and removes as it likes. */
async function linkFolder(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    await (entry.isDirectory() ? linkFolder(source, target) : link(source, target));
  }
}

async function compare(rowCount: number, options: BenchOptions, broker: Weir, alone: Weir): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const query of paymentsQueries) {
    options.progress.update(`scatter: ${query.name}`);
    rows.push(...(await compareOn(query, rowCount, options, broker, alone)));
  }
  options.progress.done('scatter: every query asked');
  const overheads = rows.flatMap(({ measures }) => (measures ? [measures.overheadMs!] : []));
  const least = rows.flatMap(({ measures }) => (measures ? [measures.minOverheadMs!] : []));
  options.note(
    `More than in one process: ${formatMs(median(overheads))} ms in the middle, ${formatMs(Math.max(...overheads))} ms at most; ` +
      `between the fastest runs of each ${formatMs(median(least))} ms in the middle, ${formatMs(Math.max(...least))} ms at most.`,
  );
  return rows;
}

async function compareOn(
  { name, sql }: BenchQuery,
  rowCount: number,
  { runs, note }: BenchOptions,
  broker: Weir,
  alone: Weir,
): Promise<BenchRow[]> {
  const differs = difference(cellsOf(await broker.ask(sql)), cellsOf(await alone.ask(sql)));
  if (differs) note(`${name}: the answers differ: ${differs} (the cluster against one process)`);
  const contestants = [() => broker.ask(sql), () => alone.ask(sql)];
  await timeInTurns(contestants, warmRuns);
  const times = await timeInTurns(contestants, runs);
  const row = (engine: string, index: number): BenchRow => ({
    ...{ suite: 'scatter', query: name, rows: rowCount, engine, answersEqual: differs === null },
    medianMs: median(times[index]!),
    minMs: Math.min(...times[index]!),
  });
  const [cluster, one] = [row('weir', 0), row('all in one', 1)];
  const overheadMs = cluster.medianMs - one.medianMs;
  return [
    {
      ...cluster,
      ...(differs ? {} : { ratio: cluster.medianMs / one.medianMs }),
      measures: { overheadMs, minOverheadMs: cluster.minMs - one.minMs },
      target: { text: `at most ${overheadMsMax} ms more`, met: overheadMs <= overheadMsMax },
    },
    one,
  ];
}
