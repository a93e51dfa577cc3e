/**
 * The server role: deals blocks to its shards and runs a query's fragments on them. Bounded output only passes through
 * here: batches stay frames, and merges run in the shard that was chosen for the root.
 */
import { blockShard, partitionShard } from '../catalog/placement.ts';
import { blockRows } from '../segment/block.ts';
import type { Client, FrameStream, Handlers } from '../wire/call.ts';
import type { RunInput, RunStats, ScanTask, ServerCalls, ServerRunInput, ShardCalls } from '../wire/calls.ts';

type Task = RunInput['tasks'][number];

/** @param shards By number; all of them, as `blockShard` and `partitionShard` deal among so many. */
export function createServer(shards: readonly Client<ShardCalls>[]): Handlers<ServerCalls> {
  /** Roots of queries without blocks go round. */
  let nextRoot = 0;
  /** Shards that hold something for a lease. */
  const leases = new Map<string, Set<number>>();

  return {
    async *run(input, { signal }): FrameStream<RunStats> {
      const tasks = dealTasks(input, shards.length);
      const root = busiestShard(tasks) ?? nextRoot++ % shards.length;
      const leaf: RunInput = {
        queryId: input.queryId,
        fragments: input.fragments,
        fragment: 0,
        tasks,
        // Only leaf fragments scan.
        scans: [],
        inline: input.inline,
        nowMs: input.nowMs,
        deadlineMs: input.deadlineMs,
        // Each run has an account of its own: the query's budget is shared among them.
        memoryBytes: Math.floor(input.memoryBytes / (tasks.length + 1)),
        allowPartial: input.allowPartial,
      };
      const stats = yield* shards[root]!.stream('run', leaf, { signal });
      return { ...stats, unitsAnswered: answeredUnits(tasks, stats.unitsAnswered) };
    },

    async pin({ leaseId, partitions }) {
      return Promise.all(
        partitions.map(async ({ tableId, partition }) => {
          const shard = partitionShard(tableId, partition, shards.length);
          const pinnedAt = leases.get(leaseId) ?? new Set();
          leases.set(leaseId, pinnedAt.add(shard));
          return { tableId, partition, ...(await shards[shard]!.call('pin', { leaseId, tableId, partition })) };
        }),
      );
    },

    async release({ leaseId }) {
      const pinnedAt = leases.get(leaseId) ?? [];
      leases.delete(leaseId);
      await Promise.all([...pinnedAt].map(shard => shards[shard]!.call('release', { leaseId })));
      return null;
    },

    async evict({ segmentIds }) {
      await Promise.all(shards.map(shard => shard.call('evict', { segmentIds })));
      return null;
    },

    status: () => Promise.all(shards.map(shard => shard.call('status', null))),
  };
}

const blockCount = (rowCount: number): number => Math.ceil(rowCount / blockRows);

/** One task for each leaf fragment and shard that has a part in it: each block and consuming range goes to exactly one shard. */
export function dealTasks({ fragments, scans }: ServerRunInput, shardCount: number): Task[] {
  const tasks: Task[] = [];
  for (let fragment = 1; fragment < fragments.length; fragment++) {
    for (let shard = 0; shard < shardCount; shard++) {
      const parts: ScanTask[] = [];
      for (const { tableId, definition, segments, ranges } of scans) {
        const dealt = segments
          .map(entry => ({
            // Zone maps have done their work at the broker; a shard reads its blocks' own from the manifest.
            entry: { ...entry, zones: {} },
            blocks: Array.from({ length: blockCount(entry.rowCount) }, (_, block) => block).filter(
              block => blockShard(entry.id, block, shardCount) === shard,
            ),
          }))
          .filter(({ blocks }) => blocks.length > 0);
        const owned = ranges.filter(({ partition }) => partitionShard(tableId, partition, shardCount) === shard);
        if (dealt.length > 0 || owned.length > 0) parts.push({ tableId, definition, segments: dealt, ranges: owned });
      }
      if (parts.length > 0) tasks.push({ shard, fragment, scans: parts });
    }
  }
  return tasks;
}

function busiestShard(tasks: readonly Task[]): number | null {
  let best: Task | null = null;
  for (const task of tasks) if (!best || weightOf(task) > weightOf(best)) best = task;
  return best?.shard ?? null;
}

const weightOf = (task: Task): number =>
  task.scans.reduce(
    (sum, scan) => sum + scan.ranges.length + scan.segments.reduce((n, { blocks }) => n + blocks.length, 0),
    0,
  );

/** Units of a scan task, by the names that execution answers them by. */
const unitsOf = (scan: ScanTask): string[] => [
  ...scan.segments.map(({ entry }) => entry.id),
  ...scan.ranges.map(({ partition }) => `consuming-${scan.tableId}-${partition}`),
];

/** Units answered as often as they were dealt: a segment dealt to two shards counts when both have answered. */
function answeredUnits(tasks: readonly Task[], answered: readonly string[]): string[] {
  const open = new Map<string, number>();
  for (const task of tasks)
    for (const scan of task.scans) for (const unit of unitsOf(scan)) open.set(unit, (open.get(unit) ?? 0) + 1);
  for (const unit of answered) open.set(unit, (open.get(unit) ?? 0) - 1);
  return [...open].filter(([, left]) => left === 0).map(([unit]) => unit);
}
