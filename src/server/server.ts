/**
 * The server role: deals blocks to its shards and runs a query's fragments on them. Bounded output only passes through
 * here: batches stay frames, and merges run in the shard that was chosen for the root.
 */
import { partitionShard } from '../catalog/placement.ts';
import type { Client, FrameStream, Handlers } from '../wire/call.ts';
import type { ServerCalls } from '../wire/server-calls.ts';
import type { RunInput, RunStats, ShardCalls } from '../wire/shard-calls.ts';
import { answeredUnits, busiestShard, dealTasks, unitsOfTask } from './deal.ts';

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
      const rootInput: RunInput = {
        queryId: input.queryId,
        fragments: input.fragments,
        fragment: 0,
        tasks,
        // Only leaf fragments scan.
        scans: [],
        inline: input.inline,
        nowMs: input.nowMs,
        timeoutMs: input.timeoutMs,
        // Of each run: groups may all be in one of them. What all take together, the process's account bounds.
        memoryBytes: input.memoryBytes,
        allowPartial: input.allowPartial,
      };
      const stats = yield* shards[root]!.stream('run', rootInput, { signal });
      return { ...stats, unitsAnswered: answeredUnits(tasks.map(unitsOfTask), stats.unitsAnswered) };
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
