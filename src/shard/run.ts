import type { Accounts } from '../base/accounts.ts';
import { FaultError, fault, toFault } from '../base/fault.ts';
import type { Clock, Log } from '../base/seams.ts';
import { damagedSegment } from '../catalog/damaged.ts';
import type { Batch } from '../column/column.ts';
import { checkBatch, decodeBatch, encodeBatch } from '../column/frame.ts';
import { type Type, typeText } from '../column/type.ts';
import type { ExecContext, ScanSource, ScanUnit } from '../exec/context.ts';
import { outputTypes, runFragment } from '../exec/run.ts';
import type { Arena } from '../kernel/allocator.ts';
import type { ConsumingPartition } from '../segment/consuming-partition.ts';
import type { CallContext, Client, FrameStream } from '../wire/call.ts';
import type { RemoteTaskCalls } from '../wire/cluster-calls.ts';
import type { RunInput, RunStats, ScanTask, ShardCalls } from '../wire/shard-calls.ts';
import type { Damage } from './damage.ts';
import { addStats, emptyStats, interleave } from './interleave.ts';
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
  readonly damage: Damage;
  /** By shard; its own is `local`. */
  readonly peers: readonly Client<ShardCalls>[];
  /** What other processes run for queries whose root is here. */
  readonly remoteTasks: Client<RemoteTaskCalls> | null;
  readonly turns: Turns;
  readonly caches: WeakMap<object, unknown>;
  readonly accounts: Accounts;
  /** Tells the accounts what the arena holds now. */
  reportArena(): void;
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
  const stats = emptyStats();
  const memory = new QueryMemory(input.memoryBytes, environment.accounts);
  const slice = new Slice(environment.turns, environment.clock);
  try {
    const node = input.fragments[input.fragment];
    if (!node) throw fault('INVALID_REQUEST', `there is no fragment ${input.fragment}`);
    const context: ExecContext = {
      arena: environment.arena,
      sources: new Map(input.scans.map(task => [task.tableId, sourceOf(task, leaseId, uses, environment)])),
      inline: Object.fromEntries(Object.entries(input.inline).map(([name, frame]) => [name, decodeBatch(frame)])),
      exchange: fragment => exchange(input, startedMs, fragment, signal, stats, environment, context),
      nowMs: input.nowMs,
      timeZone: 'UTC',
      clock: environment.clock,
      memory,
      allowPartial: input.allowPartial,
      onDamage: (unitId, part, error) => {
        environment.damage.note(unitId, part, error);
        return describeDamage(input.scans, unitId, error);
      },
      stats,
      caches: environment.caches,
      yield: async () => {
        checkAlive(input, startedMs, signal, environment.clock);
        await slice.pause();
        checkAlive(input, startedMs, signal, environment.clock);
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
    memory.close();
    environment.reportArena();
  }
}

/** The fault with what the segment holds, and what to do. */
function describeDamage(scans: readonly ScanTask[], segmentId: string, error: unknown): unknown {
  for (const { definition, segments } of scans) {
    const segment = segments.find(({ entry }) => entry.id === segmentId);
    if (segment) return damagedSegment(definition, segment.entry, toFault(error).message);
  }
  return error;
}

function checkAlive({ timeoutMs }: RunInput, startedMs: number, signal: AbortSignal, clock: Clock): void {
  if (signal.aborted)
    throw signal.reason instanceof FaultError ? signal.reason : fault('CANCELLED', 'the query was cancelled');
  if (clock.monotonicMs() - startedMs > timeoutMs)
    throw fault(
      'TIMEOUT',
      `the query did not finish within the ${Math.round(timeoutMs)} ms that were left of its time`,
      {
        hint: 'filter more rows, or raise the timeout',
      },
    );
}

/** Takes the lease on the consuming rows now; opens segments when the scan gets there. */
function sourceOf(
  { tableId, definition, segments, ranges, masks }: ScanTask,
  leaseId: string,
  uses: SegmentUse[],
  { partitions, segments: opened }: RunEnvironment,
): ScanSource {
  const committed = segments.map(
    ({ entry, blocks }): ScanUnit => ({
      id: entry.id,
      ...(masks[entry.id] && { masks: masks[entry.id] }),
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
    const id = consumingUnitId(tableId, partition);
    return {
      id,
      ...(masks[id] && { masks: masks[id] }),
      open: async () => ({ segment: null, ranges: rows?.rangesFor(startOffset, endOffset) ?? [] }),
    };
  });
  return { definition, units: [...committed, ...consuming] };
}

/** Batches of another fragment from every shard and process that runs it, as they come; ended early, it cancels them. */
async function* exchange(
  input: RunInput,
  startedMs: number,
  fragment: number,
  signal: AbortSignal,
  stats: RunStats,
  { peers, clock, remoteTasks }: RunEnvironment,
  context: ExecContext,
): AsyncGenerator<Batch, void, void> {
  const tasks = input.tasks.filter(task => task.fragment === fragment);
  const elsewhere = input.remote?.tasks.filter(task => task.fragment === fragment) ?? [];
  const ended = new AbortController();
  const peerSignal = AbortSignal.any([signal, ended.signal]);
  const unfinished = new Set(tasks.keys());
  const timeoutMs = Math.max(0, input.timeoutMs - (clock.monotonicMs() - startedMs));
  const streams = [
    ...tasks.map(({ shard, scans }) => {
      const peer = peers[shard];
      if (!peer) throw fault('INVALID_REQUEST', `there is no shard ${shard}`);
      const { remote: _, ...leaf } = input;
      return peer.stream('run', { ...leaf, timeoutMs, fragment, scans, tasks: [], inline: {} }, { signal: peerSignal });
    }),
    ...elsewhere.map(({ task }) =>
      remoteTasks!.stream('task', { runId: input.remote!.runId, task }, { signal: peerSignal }),
    ),
  ];
  const onTrailer = (trailer: RunStats, task: number): void => {
    unfinished.delete(task);
    addStats(stats, trailer);
  };
  const types = elsewhere.length > 0 ? outputTypes(input.fragments[fragment]!, context) : [];
  try {
    for await (const { frame, stream } of interleave(streams, onTrailer)) {
      const remote = elsewhere[stream - tasks.length];
      yield remote ? decodeForeign(frame, types, remote.task) : decodeBatch(frame);
    }
  } finally {
    ended.abort();
    for (const stream of streams) stream.return(undefined as never).catch(() => {});
    // Ended by who needs no more of it (a LIMIT was met): the rest is unnecessary, not unanswered.
    for (const task of unfinished) if (tasks[task]) stats.unitsAnswered.push(...tasks[task].scans.flatMap(unitIdsOf));
  }
}

/** A batch from another process: nothing of it is taken on trust. @throws FaultError CORRUPT_FRAME naming the task */
function decodeForeign(frame: Uint8Array, types: readonly Type[], task: number): Batch {
  try {
    const batch = decodeBatch(frame);
    checkBatch(batch);
    const given = batch.columns.map(column => typeText(column.type)).join(', ');
    const wanted = types.map(typeText).join(', ');
    if (given !== wanted) throw fault('CORRUPT_FRAME', `columns of types ${given} instead of ${wanted}`);
    return batch;
  } catch (error) {
    throw fault('CORRUPT_FRAME', `another process sent what is no batch: ${toFault(error).message}`, {
      details: { task },
    });
  }
}
