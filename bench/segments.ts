/** What a segment costs a query: the same rows in 1, 10, 100 and 1,000 segments. */
import { type CellRow, difference } from './answers.ts';
import { median, timeInTurns } from './measure.ts';
import { preparePayments } from './payments/data.ts';
import { spanMs, startMs } from './payments/draw.ts';
import { type BenchRow, formatCount } from './row.ts';
import type { Suite } from './suite.ts';
import { cellsOf, startWeir, type Weir } from './weir.ts';

const rowsDefault = 1_000_000;
const rowsSmoke = 20_000;
const segmentCounts = [1, 10, 100, 1_000] as const;
const segmentCountsSmoke = [1, 10] as const;
const prunedUsMax = 5;
const scannedUsMax = 50;
/** Of each query before it is timed: columns are read, loops compiled. */
const warmRuns = 5;

interface Question {
  readonly name: string;
  readonly sql: string;
  /** A segment more costs at most so much. */
  readonly usMax: number;
}

/** A time within the thousandth part of the rows: with 1,000 segments it lies in one of them. */
const momentMs = startMs + Math.floor(spanMs / 2);
const literal = (ms: number): string => `TIMESTAMP '${new Date(ms).toISOString().slice(0, -1)}'`;

const questions: readonly Question[] = [
  {
    name: 'pruned',
    sql: `SELECT COUNT(*), SUM(amount) FROM payments WHERE ts >= ${literal(momentMs)} AND ts < ${literal(momentMs + 1_000)}`,
    usMax: prunedUsMax,
  },
  { name: 'scanned', sql: 'SELECT COUNT(*), SUM(amount) FROM payments WHERE amount > 0', usMax: scannedUsMax },
];

export const segmentsSuite: Suite = {
  name: 'segments',
  summary: 'the same rows in 1 to 1,000 segments: what one more costs, pruned and scanned',
  async run({ rows, runs, smoke, progress, note }) {
    const rowCount = rows ?? (smoke ? rowsSmoke : rowsDefault);
    const counts = smoke ? segmentCountsSmoke : segmentCounts;
    const processes: Weir[] = [];
    try {
      for (const count of counts) {
        const { weirFolder } = await preparePayments(rowCount, progress, count);
        progress.update(`segments: starting with ${formatCount(count)}`);
        processes.push(await startWeir({ dataFolder: weirFolder, flags: ['--no-demo', '--shards', '1'] }));
      }
      note('Segments: one shard. A segment costs the difference to the time over one segment, by their number.');
      const found: BenchRow[] = [];
      for (const question of questions) {
        progress.update(`segments: ${question.name}`);
        found.push(...(await measure(question, counts, processes, rowCount, runs)));
      }
      progress.done('segments: done');
      return found;
    } finally {
      for (const weir of processes) await weir.stop();
    }
  },
};

async function measure(
  { name, sql, usMax }: Question,
  counts: readonly number[],
  processes: readonly Weir[],
  rowCount: number,
  runs: number,
): Promise<BenchRow[]> {
  const answers: CellRow[][] = [];
  for (const weir of processes) answers.push(cellsOf(await weir.ask(sql)));
  const asks = processes.map(weir => () => weir.ask(sql));
  await timeInTurns(asks, warmRuns);
  const times = await timeInTurns(asks, runs * 3);
  const baseMs = median(times[0]!);
  return counts.map((count, index): BenchRow => {
    const medianMs = median(times[index]!);
    const segmentUs = count === 1 ? 0 : ((medianMs - baseMs) * 1_000) / (count - 1);
    const isLast = index === counts.length - 1;
    return {
      ...{ suite: 'segments', query: `${name}, ${formatCount(count)} segments`, rows: rowCount, engine: 'weir' },
      ...{ medianMs, minMs: Math.min(...times[index]!) },
      answersEqual: difference(answers[0]!, answers[index]!) === null,
      ...(count > 1 && { measures: { perSegmentUs: segmentUs } }),
      ...(isLast && { target: { text: `≤ ${usMax} µs a segment`, met: segmentUs <= usMax } }),
    };
  });
}
