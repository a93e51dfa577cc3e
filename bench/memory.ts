/** What the whole program takes: memory with the demo running, time to start and to answer with many segments. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median } from './measure.ts';
import { preparePayments } from './payments/data.ts';
import { type BenchRow, formatCount } from './row.ts';
import type { Suite } from './suite.ts';
import { cellsOf, startWeir } from './weir.ts';

const residentSizeBytesMax = 400 << 20;
const demoMs = 60_000;
const demoSmokeMs = 1_000;
const segmentCount = 1_000;
const rowsPerSegment = 1_000;
const firstQueryMsMax = 1_000;
/** Looks into every segment. */
const firstQuery = 'SELECT COUNT(*), SUM(amount) FROM payments';

export const memorySuite: Suite = {
  name: 'memory',
  summary: 'resident memory after a minute of the demo; start and first answer with 1,000 segments',
  async run({ rows, runs, smoke, progress, note }) {
    const found: BenchRow[] = [];
    if (existsSync('/proc/self/status')) {
      progress.update('memory: the demo runs');
      found.push(await residentAfter(smoke ? demoSmokeMs : demoMs));
    } else note('Memory: resident bytes are read from /proc, which this system does not have.');
    const segments = smoke ? 20 : segmentCount;
    const rowCount = rows ?? segments * rowsPerSegment;
    const { weirFolder } = await preparePayments(rowCount, progress, segments);
    progress.update(`memory: starting with ${formatCount(segments)} segments`);
    found.push(...(await restart(weirFolder, rowCount, segments, Math.min(runs, 5))));
    progress.done('memory: done');
    return found;
  },
};

async function residentAfter(durationMs: number): Promise<BenchRow> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'weir-memory-'));
  try {
    const weir = await startWeir({ dataFolder });
    try {
      await new Promise(resolve => setTimeout(resolve, durationMs));
      const [[count]] = cellsOf(await weir.ask('SELECT COUNT(*) FROM payments')) as [[bigint]];
      const sizeBytes = await residentSizeBytes(weir.child.pid!);
      return {
        suite: 'memory',
        query: `resident after ${durationMs / 1000} s of the demo`,
        rows: Number(count),
        engine: 'weir',
        medianMs: durationMs,
        minMs: durationMs,
        answersEqual: true,
        measures: { residentSizeBytes: sizeBytes },
        target: { text: `≤ ${residentSizeBytesMax >> 20} MB`, met: sizeBytes <= residentSizeBytesMax },
      };
    } finally {
      await weir.stop();
    }
  } finally {
    await rm(dataFolder, { recursive: true, force: true });
  }
}

async function residentSizeBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) * 1024;
}

async function restart(dataFolder: string, rowCount: number, segments: number, runs: number): Promise<BenchRow[]> {
  const readyMs: number[] = [];
  const answeredMs: number[] = [];
  let isComplete = true;
  for (let run = 0; run < runs; run++) {
    const weir = await startWeir({ dataFolder, flags: ['--no-demo'] });
    try {
      const startedMs = performance.now();
      const [[count]] = cellsOf(await weir.ask(firstQuery)) as [[bigint]];
      answeredMs.push(performance.now() - startedMs);
      readyMs.push(weir.readyMs);
      isComplete &&= count === BigInt(rowCount);
    } finally {
      await weir.stop();
    }
  }
  const row = (query: string, times: readonly number[]): BenchRow => ({
    suite: 'memory',
    query,
    rows: rowCount,
    engine: 'weir',
    medianMs: median(times),
    minMs: Math.min(...times),
    answersEqual: isComplete,
  });
  const answered = row(`first query over ${formatCount(segments)} segments`, answeredMs);
  return [
    row(`process start to ready, ${formatCount(segments)} segments`, readyMs),
    { ...answered, target: { text: `≤ ${firstQueryMsMax} ms`, met: answered.medianMs <= firstQueryMsMax } },
  ];
}
