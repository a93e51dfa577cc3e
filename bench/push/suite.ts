/** Rows pushed over HTTP: how many become durable in a second, and how soon each batch is acknowledged. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { paymentsTable } from '../../src/demo/generator.ts';
import { askChild } from '../child.ts';
import { percentile } from '../measure.ts';
import { type BenchRow, formatCount } from '../row.ts';
import type { Suite } from '../suite.ts';
import { cellsOf, startWeir, type Weir } from '../weir.ts';
import type { LoadOrder, LoadReport } from './load.ts';

const rowsPerSecondMin = 100_000;
const steadyRowsPerSecond = 20_000;
const steadySmokeRowsPerSecond = 2_000;
const latencyP99MsMax = 50;

const loadScript = new URL('./load.js', import.meta.url);

export const pushSuite: Suite = {
  name: 'push',
  summary: 'rows made durable over HTTP in a second, and how soon they are acknowledged',
  async run({ smoke, progress, note }) {
    const dataFolder = await mkdtemp(join(tmpdir(), 'weir-push-'));
    try {
      const weir = await startWeir({ dataFolder, flags: ['--no-demo', '--shards', '1'] });
      try {
        await weir.ask(paymentsTable);
        // The steady load first: after the flood its segments are still being built.
        const rowsPerSecond = smoke ? steadySmokeRowsPerSecond : steadyRowsPerSecond;
        progress.update(`push: ${formatCount(rowsPerSecond)} rows/s`);
        const steady = await run(weir, `${formatCount(rowsPerSecond)} rows/s`, {
          url: weir.url,
          durationMs: smoke ? 500 : 15_000,
          batchRows: 200,
          connections: 8,
          rowsPerSecond,
        });
        progress.update('push: as fast as it goes');
        const flood = await run(weir, 'as fast as it goes', {
          url: weir.url,
          durationMs: smoke ? 500 : 15_000,
          batchRows: smoke ? 500 : 5_000,
          connections: 8,
          rowsPerSecond: null,
        });
        progress.done('push: done');
        note(
          'Push: one ingest thread, every batch synced to disk before it is acknowledged; the load is another process.',
        );
        if (smoke) return [flood, steady];
        const isFast = flood.measures!.rowsPerSecond! >= rowsPerSecondMin;
        const isPrompt = steady.measures!.p99Ms! <= latencyP99MsMax;
        return [
          { ...flood, target: { text: `≥ ${formatCount(rowsPerSecondMin)} rows/s`, met: isFast } },
          { ...steady, target: { text: `p99 ≤ ${latencyP99MsMax} ms`, met: isPrompt } },
        ];
      } finally {
        await weir.stop();
      }
    } finally {
      await rm(dataFolder, { recursive: true, force: true });
    }
  },
};

async function run(weir: Weir, name: string, order: LoadOrder): Promise<BenchRow> {
  const before = await countRows(weir);
  const { rows, elapsedMs, latenciesMs } = await askChild<LoadOrder, LoadReport>(loadScript, order);
  const found = (await countRows(weir)) - before;
  return {
    suite: 'push',
    query: name,
    rows,
    engine: 'weir',
    medianMs: percentile(latenciesMs, 0.5),
    minMs: Math.min(...latenciesMs),
    // Each connection sends one batch more before the clock starts.
    answersEqual: found === BigInt(rows + order.connections * order.batchRows),
    measures: {
      rowsPerSecond: Math.round((rows * 1000) / elapsedMs),
      p50Ms: percentile(latenciesMs, 0.5),
      p99Ms: percentile(latenciesMs, 0.99),
    },
  };
}

async function countRows(weir: Weir): Promise<bigint> {
  return cellsOf(await weir.ask('SELECT COUNT(*) FROM payments'))[0]![0] as bigint;
}
