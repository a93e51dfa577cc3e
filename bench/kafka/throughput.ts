/** From a full topic to rows that queries find, beside kafkajs that reads the same and throws it away; in turns. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askChild } from '../child.ts';
import { cpuMsOf } from '../cpu.ts';
import { median } from '../measure.ts';
import { type BenchRow, formatCount } from '../row.ts';
import type { BenchOptions } from '../suite.ts';
import { cellsOf, startWeir, type Weir } from '../weir.ts';
import type { DiscardOrder } from './discard.ts';
import { paymentsOf } from './events.ts';
import type { FillReport } from './fill.ts';

const discardScript = new URL('./discard.js', import.meta.url);

/** Per CPU second, of what kafkajs reads. */
const cpuRatioMin = 0.5;
const pollGapMs = 100;
/** Without another row for so long, nothing comes any more. */
const stuckAfterMs = 30_000;

/** One run of a contestant. */
export interface Consumed {
  /** From the order to read (CREATE TABLE, `connect`) until the last message is there. */
  readonly elapsedMs: number;
  /** User and system time of the whole process in between. */
  readonly cpuMs: number;
}

export interface FullTopic {
  readonly brokers: readonly string[];
  readonly topic: string;
  /** What the producer says is in it. */
  readonly filled: FillReport;
}

export async function compareThroughput(
  name: string,
  full: FullTopic,
  runs: number,
  { smoke, progress, note }: BenchOptions,
): Promise<BenchRow[]> {
  const { brokers, topic, filled } = full;
  const visibleRuns: Consumed[] = [];
  const sealedRuns: Consumed[] = [];
  const kafkaJsRuns: Consumed[] = [];
  const faults = new Set<string>();
  // The first group of all makes the broker create its topic of offsets.
  await askChild<DiscardOrder, Consumed>(discardScript, { brokers, topic, groupId: 'first', messageCount: 1 });
  for (let run = 0; run < runs; run++) {
    progress.update(`kafka: ${name}, run ${run + 1} of ${runs}`);
    const { visible, sealed, fault } = await ingest(full);
    if (fault !== null) faults.add(fault);
    visibleRuns.push(visible);
    sealedRuns.push(sealed);
    const groupId = `bench-${topic}-${run}`;
    const order = { brokers, topic, groupId, messageCount: filled.messages };
    kafkaJsRuns.push(await askChild<DiscardOrder, Consumed>(discardScript, order));
  }
  for (const fault of faults) note(`${name}: ${fault}`);
  const answersEqual = faults.size === 0;
  const visible = rowOf(`consumed, ${name}`, 'weir', filled.messages, visibleRuns, answersEqual);
  const kafkaJs = rowOf(`consumed, ${name}`, 'kafkajs', filled.messages, kafkaJsRuns, true);
  const sealed = rowOf(`consumed and sealed, ${name}`, 'weir', filled.messages, sealedRuns, answersEqual);
  if (!answersEqual) return [visible, kafkaJs, sealed];
  const cpuRatioOf = ({ measures }: BenchRow): number =>
    measures!.messagesPerCpuSecond! / kafkaJs.measures!.messagesPerCpuSecond!;
  const compared = (row: BenchRow): BenchRow => ({
    ...row,
    ratio: row.medianMs / kafkaJs.medianMs,
    measures: { ...row.measures, cpuRatio: cpuRatioOf(row) },
  });
  const rows = [kafkaJs, compared(sealed)];
  if (smoke) return [compared(visible), ...rows];
  const met = cpuRatioOf(visible) >= cpuRatioMin;
  return [{ ...compared(visible), target: { text: `≥ ${cpuRatioMin} of kafkajs per CPU second`, met } }, ...rows];
}

function rowOf(
  query: string,
  engine: string,
  rows: number,
  runs: readonly Consumed[],
  answersEqual: boolean,
): BenchRow {
  const elapsedMs = runs.map(run => run.elapsedMs);
  return {
    suite: 'kafka',
    query,
    rows,
    engine,
    medianMs: median(elapsedMs),
    minMs: Math.min(...elapsedMs),
    answersEqual,
    measures: {
      messagesPerSecond: Math.round((rows * 1000) / median(elapsedMs)),
      messagesPerCpuSecond: Math.round((rows * 1000) / median(runs.map(({ cpuMs }) => cpuMs))),
    },
  };
}

interface Ingested {
  /** Until a query finds the last row. */
  readonly visible: Consumed;
  /** Until all rows are in published segments. */
  readonly sealed: Consumed;
  /** Where the answers are not the producer's. */
  readonly fault: string | null;
}

/** By a Weir that has nothing yet. */
async function ingest({ brokers, topic, filled }: FullTopic): Promise<Ingested> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'weir-kafka-'));
  try {
    const weir = await startWeir({ dataFolder, flags: ['--no-demo', '--shards', '1'] });
    try {
      const cpuAtStartMs = cpuMsOf(weir.child.pid!);
      const startedMs = performance.now();
      const consumed = (): Consumed => ({
        elapsedMs: performance.now() - startedMs,
        cpuMs: cpuMsOf(weir.child.pid!) - cpuAtStartMs,
      });
      await weir.ask(paymentsOf(brokers, topic));
      await untilCount(weir, filled.messages);
      const visible = consumed();
      const fault = await faultOf(weir, filled);
      await weir.ask('COMMIT INGESTION payments');
      const sealed = consumed();
      return { visible, sealed, fault: fault ?? (await faultOf(weir, filled)) };
    } finally {
      await weir.stop();
    }
  } finally {
    await rm(dataFolder, { recursive: true, force: true });
  }
}

/** Resolves when the table has so many rows, or more. @throws Error where no more come */
export async function untilCount(weir: Weir, count: number): Promise<number> {
  let changedMs = performance.now();
  for (let last = -1; ; await new Promise(resolve => setTimeout(resolve, pollGapMs))) {
    const [[found]] = cellsOf(await weir.ask('SELECT COUNT(*) FROM payments')) as [[bigint]];
    if (Number(found) >= count) return Number(found);
    if (Number(found) !== last) changedMs = performance.now();
    last = Number(found);
    if (performance.now() - changedMs < stuckAfterMs) continue;
    const states = (await weir.ask('SELECT * FROM system.ingestion')).rows;
    throw new Error(`${formatCount(last)} of ${formatCount(count)} rows came, then none: ${JSON.stringify(states)}`);
  }
}

/** Where count and sum are not the producer's own; null where they are. */
export async function faultOf(
  weir: Weir,
  { messages, amountSum }: Pick<FillReport, 'messages' | 'amountSum'>,
): Promise<string | null> {
  const [[count, sum]] = cellsOf(await weir.ask('SELECT COUNT(*), SUM(amount) FROM payments')) as [[bigint, bigint]];
  if (count === BigInt(messages) && sum === BigInt(amountSum)) return null;
  return `${count} rows with the sum ${sum}, where ${messages} messages with the sum ${amountSum} were produced`;
}
