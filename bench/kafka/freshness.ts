/** How soon after it was produced a message is in an answer, while a table is consumed and asked. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askChild } from '../child.ts';
import { percentile } from '../measure.ts';
import { type BenchRow, formatCount, formatMs } from '../row.ts';
import type { BenchOptions } from '../suite.ts';
import { startWeir, type Weir } from '../weir.ts';
import { paymentsOf } from './events.ts';
import type { MarkersOrder, MarkersReport } from './markers.ts';
import type { SteadyOrder, SteadyReport } from './steady.ts';
import { faultOf, untilCount } from './throughput.ts';

const steadyScript = new URL('./steady.js', import.meta.url);
const markersScript = new URL('./markers.js', import.meta.url);

const latencyP50MsMax = 100;
const latencyP99MsMax = 1_000;
/** What is measured begins so long after the messages. */
const warmMs = 2_000;
const markerGapMs = 50;
const dashboardGapMs = 250;

/** A dashboard's panels, asked in turns. */
const dashboard = [
  `SELECT status, COUNT(*), SUM(amount) FROM payments WHERE ts >= NOW() - INTERVAL '10 seconds' GROUP BY status`,
  'SELECT merchant, COUNT(*), SUM(amount) FROM payments GROUP BY merchant ORDER BY 2 DESC LIMIT 10',
  `SELECT DATE_TRUNC('second', ts), COUNT(*) FROM payments GROUP BY 1 ORDER BY 1`,
  `SELECT country, COUNT(*), AVG(latency_ms) FROM payments WHERE status <> 'succeeded' GROUP BY country ORDER BY 2 DESC`,
];

export async function measureFreshness(
  brokers: readonly string[],
  topic: string,
  partitionCount: number,
  { smoke, progress, note }: BenchOptions,
): Promise<BenchRow> {
  const messagesPerSecond = smoke ? 2_000 : 20_000;
  const durationMs = smoke ? 1_500 : 20_000;
  const delayMs = smoke ? 500 : warmMs;
  const name = `visible, at ${formatCount(messagesPerSecond)} messages/s`;
  progress.update(`kafka: ${name}`);
  const dataFolder = await mkdtemp(join(tmpdir(), 'weir-kafka-'));
  try {
    const weir = await startWeir({ dataFolder, flags: ['--no-demo', '--shards', '1'] });
    try {
      await weir.ask(paymentsOf(brokers, topic, ', marker LONG'));
      const steadyOrder = { brokers, topic, partitionCount, messagesPerSecond, durationMs };
      const count = Math.floor((durationMs - delayMs) / markerGapMs);
      const markersOrder = { brokers, topic, partitionCount, weirUrl: weir.url, delayMs, count };
      const producing = askChild<SteadyOrder, SteadyReport>(steadyScript, steadyOrder);
      const marking = askChild<MarkersOrder, MarkersReport>(markersScript, markersOrder);
      const asking = askDashboard(weir, delayMs, durationMs);
      const [steady, markers, dashboardMs] = await Promise.all([producing, marking, asking]);
      const messages = steady.messages + markers.messages;
      await untilCount(weir, messages);
      const fault = await faultOf(weir, { messages, amountSum: steady.amountSum + markers.amountSum });
      if (fault !== null) note(`${name}: ${fault}`);
      note(
        `Freshness: from the producer's send (acks=1, on its own) to the answer that has the message, of ` +
          `${formatCount(markers.latenciesMs.length)} messages, one every ${markerGapMs} ms; asked every 5 ms. ` +
          `The producer was at most ${formatMs(steady.lateMs)} ms behind its rate.`,
      );
      const p50Ms = percentile(markers.latenciesMs, 0.5);
      const p99Ms = percentile(markers.latenciesMs, 0.99);
      const row: BenchRow = {
        suite: 'kafka',
        query: name,
        rows: messages,
        engine: 'weir',
        medianMs: p50Ms,
        minMs: Math.min(...markers.latenciesMs),
        answersEqual: fault === null && markers.latenciesMs.length === count,
        measures: {
          p50Ms,
          p99Ms,
          maxMs: Math.max(...markers.latenciesMs),
          dashboardP50Ms: percentile(dashboardMs, 0.5),
          dashboardP99Ms: percentile(dashboardMs, 0.99),
        },
      };
      if (smoke) return row;
      const met = p50Ms <= latencyP50MsMax && p99Ms <= latencyP99MsMax;
      return { ...row, target: { text: `p50 ≤ ${latencyP50MsMax} ms, p99 ≤ ${latencyP99MsMax} ms`, met } };
    } finally {
      await weir.stop();
    }
  } finally {
    await rm(dataFolder, { recursive: true, force: true });
  }
}

/** Four questions a second until `durationMs` have passed; the times of those after `delayMs`. */
async function askDashboard(weir: Weir, delayMs: number, durationMs: number): Promise<number[]> {
  const times: number[] = [];
  const startedMs = performance.now();
  for (let number = 0, dueMs = startedMs; dueMs < startedMs + durationMs; number++, dueMs += dashboardGapMs) {
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await new Promise(resolve => setTimeout(resolve, waitMs));
    await weir.ask(dashboard[number % dashboard.length]!);
    if (dueMs >= startedMs + delayMs) times.push(performance.now() - dueMs);
  }
  return times;
}
