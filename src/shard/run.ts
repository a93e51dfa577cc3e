import { FaultError, fault, toFault } from '../base/fault.ts';
import type { Clock, Log } from '../base/seams.ts';
import type { Batch } from '../column/column.ts';
import { decodeBatch, encodeBatch } from '../column/frame.ts';
import type { ExecContext, ScanSource, ScanUnit } from '../exec/context.ts';
import { runFragment } from '../exec/run.ts';
import type { Arena } from '../kernel/allocator.ts';
import type { ConsumingPartition } from '../segment/consuming-partition.ts';
import type { CallContext, Client, FrameStream } from '../wire/call.ts';
import type { RunInput, RunStats, ScanTask, ShardCalls } from '../wire/calls.ts';
import { interleave } from './interleave.ts';
import type { OpenSegments, SegmentUse } from './open-segments.ts';
import type { Partitions } from './partitions.ts';
import { QueryMemory } from './query-memory.ts';
import { Slice, type Turns } from './turns.ts';

/** What the runs of one shard share. */
export interface RunEnvironment {
  readonly arena: Arena;
  readonly clock: Clock;
  readonly log: Log;
  readonly segments: OpenSegments;
  readonly partitions: Partitions;
  /** By shard; its own is `local`. */
  readonly peers: readonly Client<ShardCalls>[];
  readonly turns: Turns;
  readonly caches: WeakMap<object, unknown>;
  /** A lease id that no query and no other run has. */
  nextLeaseId(): string;
}

/** What the broker expects to be answered for a partition's consuming rows. */
const consumingUnitId = (tableId: string, partition: number): string => `consuming-${tableId}-${partition}`;

const unitIdsOf = ({ tableId, segments, ranges }: ScanTask): string[] => [
  ...segments.map(({ entry }) => entry.id),
  ...ranges.map(({ partition }) => consumingUnitId(tableId, partition)),
];

/**
 * Runs one fragment: frames of its batches, then what it cost. A failure is the run's alone.
 * @throws FaultError of execution; CANCELLED by the signal, TIMEOUT past the deadline, MEMORY_BUDGET, INCOMPLETE
 */
export async function* run(
  input: RunInput,
  { signal }: CallContext,
  environment: RunEnvironment,
): FrameStream<RunStats> {
  const startedMs = environment.clock.monotonicMs();
  const leaseId = environment.nextLeaseId();
  const uses: SegmentUse[] = [];
  const stats: RunStats = {
    rowsScanned: 0,
    rowsMatched: 0,
    blocksScanned: 0,
    blocksPruned: 0,
    unitsScanned: [],
    unitsAnswered: [],
    memoryPeakBytes: 0,
    elapsedMs: 0,
    filters: {},
  };
  const memory = new QueryMemory(input.memoryBytes);
  const slice = new Slice(environment.turns, environment.clock);
  try {
    const node = input.fragments[input.fragment];
    if (!node) throw fault('INVALID_REQUEST', `there is no fragment ${input.fragment}`);
    const context: ExecContext = {
      arena: environment.arena,
      sources: new Map(input.scans.map(task => [task.tableId, sourceOf(task, leaseId, uses, environment)])),
      inline: Object.fromEntries(Object.entries(input.inline).map(([name, frame]) => [name, decodeBatch(frame)])),
      exchange: fragment => exchange(input, fragment, signal, stats, environment),
      nowMs: input.nowMs,
      timeZone: 'UTC',
      clock: environment.clock,
      memory,
      allowPartial: input.allowPartial,
      stats,
      caches: environment.caches,
      yield: async () => {
        checkAlive(input, signal, environment.clock);
        await slice.pause();
        checkAlive(input, signal, environment.clock);
      },
    };
    for await (const batch of runFragment(node, context)) yield encodeBatch(batch);
    stats.memoryPeakBytes += memory.peakBytes;
    stats.elapsedMs = environment.clock.monotonicMs() - startedMs;
    return stats;
  } catch (error) {
    if (toFault(error).kind === 'internal')
      environment.log.error('a run failed', { queryId: input.queryId, fragment: input.fragment, error });
    throw error;
  } finally {
    environment.partitions.release(leaseId);
    for (const use of uses) use.release();
  }
}

function checkAlive({ deadlineMs, nowMs }: RunInput, signal: AbortSignal, clock: Clock): void {
  if (signal.aborted)
    throw signal.reason instanceof FaultError ? signal.reason : fault('CANCELLED', 'the query was cancelled');
  if (clock.nowMs() > deadlineMs)
    throw fault('TIMEOUT', `the query did not finish within ${deadlineMs - nowMs} ms`, {
      hint: 'filter more rows, or raise the timeout',
    });
}

/** Takes the lease on the consuming rows now; opens segments when the scan gets there. */
function sourceOf(
  { tableId, definition, segments, ranges }: ScanTask,
  leaseId: string,
  uses: SegmentUse[],
  { partitions, segments: opened }: RunEnvironment,
): ScanSource {
  const committed = segments.map(
    ({ entry, blocks }): ScanUnit => ({
      id: entry.id,
      open: async () => {
        const use = await opened.use(entry);
        uses.push(use);
        const { segment } = use;
        return {
          segment,
          ranges: blocks.map(index => {
            const block = segment.blocks[index];
            if (!block) throw fault('INVALID_REQUEST', `segment ${entry.id} has no block ${index}`);
            return { block, startRow: 0, endRow: block.rowCount };
          }),
        };
      },
    }),
  );
  const consuming = ranges.map((range): ScanUnit => {
    const { partition, startOffset, endOffset } = range;
    const isEmpty = startOffset >= endOffset;
    const rows: ConsumingPartition | null = isEmpty ? null : partitions.retain(leaseId, { tableId, partition }, range);
    return {
      id: consumingUnitId(tableId, partition),
      open: async () => ({ segment: null, ranges: rows?.rangesFor(startOffset, endOffset) ?? [] }),
    };
  });
  return { definition, units: [...committed, ...consuming] };
}

/** Batches of another fragment from every shard that runs it, as they come; ended early, it cancels them. */
async function* exchange(
  input: RunInput,
  fragment: number,
  signal: AbortSignal,
  stats: RunStats,
  { peers }: RunEnvironment,
): AsyncGenerator<Batch, void, void> {
  const tasks = input.tasks.filter(task => task.fragment === fragment);
  const ended = new AbortController();
  const peerSignal = AbortSignal.any([signal, ended.signal]);
  const unfinished = new Set(tasks.keys());
  const streams = tasks.map(({ shard, scans }) => {
    const peer = peers[shard];
    if (!peer) throw fault('INVALID_REQUEST', `there is no shard ${shard}`);
    return peer.stream('run', { ...input, fragment, scans, tasks: [], inline: {} }, { signal: peerSignal });
  });
  const onTrailer = (trailer: RunStats, task: number): void => {
    unfinished.delete(task);
    addStats(stats, trailer);
  };
  try {
    for await (const frame of interleave(streams, onTrailer)) yield decodeBatch(frame);
  } finally {
    ended.abort();
    for (const stream of streams) stream.return(undefined as never).catch(() => {});
    // Ended by who needs no more of it (a LIMIT was met): the rest is unnecessary, not unanswered.
    for (const task of unfinished) stats.unitsAnswered.push(...tasks[task]!.scans.flatMap(unitIdsOf));
  }
}

function addStats(into: RunStats, from: RunStats): void {
  into.rowsScanned += from.rowsScanned;
  into.rowsMatched += from.rowsMatched;
  into.blocksScanned += from.blocksScanned;
  into.blocksPruned += from.blocksPruned;
  into.unitsScanned.push(...from.unitsScanned);
  into.memoryPeakBytes += from.memoryPeakBytes;
  into.unitsAnswered.push(...from.unitsAnswered);
  for (const [how, blocks] of Object.entries(from.filters)) into.filters[how] = (into.filters[how] ?? 0) + blocks;
}
