/** Rows per second of each table, from the counts of one poll and those of polls before. */
import type { IngestionPartition } from '../../api/client.ts';

export interface Sample {
  readonly atMs: number;
  /** Since the server started. */
  readonly rowsIngested: number;
}

/** By table id, oldest first. */
export type Throughput = ReadonlyMap<string, readonly Sample[]>;

export const noThroughput: Throughput = new Map();

/** Samples that are kept of each table: a minute of polls, more than a line of 96 pixels tells apart. */
export const sampleCountMax = 60;

/** Nearer to the one before, a poll (an order asks for one at once) is no sample: a rate over so little would jump. */
const sampleEveryMs = 500;

/** The rate is over the polls of this last time: rows become visible in batches, and one poll alone would jump. */
const rateOverMs = 5_000;

/** A count that fell is another server's: its table begins anew. Tables that are gone are forgotten. */
export function withPoll(before: Throughput, partitions: readonly IngestionPartition[], atMs: number): Throughput {
  const counts = new Map<string, number>();
  for (const { tableId, rowsIngested } of partitions) counts.set(tableId, (counts.get(tableId) ?? 0) + rowsIngested);
  return new Map(
    Array.from(counts, ([tableId, rowsIngested]) => {
      const samples = before.get(tableId) ?? [];
      const last = samples.at(-1);
      if (last && atMs - last.atMs < sampleEveryMs) return [tableId, samples];
      const kept = last && last.rowsIngested > rowsIngested ? [] : samples.slice(1 - sampleCountMax);
      return [tableId, [...kept, { atMs, rowsIngested }]];
    }),
  );
}

const between = (from: Sample, to: Sample): number =>
  ((to.rowsIngested - from.rowsIngested) / (to.atMs - from.atMs)) * 1000;

/** Rows per second now; null before the second poll. */
export function rateOf(samples: readonly Sample[] = []): number | null {
  const last = samples.at(-1);
  if (!last || samples.length < 2) return null;
  const recent = samples.findIndex(({ atMs }) => atMs >= last.atMs - rateOverMs);
  return between(samples[Math.min(recent, samples.length - 2)]!, last);
}

/** Rows per second from each poll to the next. */
export const ratesOf = (samples: readonly Sample[] = []): number[] =>
  samples.slice(1).map((sample, index) => between(samples[index]!, sample));
