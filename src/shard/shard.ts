import { type Accounts, unboundAccounts } from '../base/accounts.ts';
import type { Clock, Log } from '../base/seams.ts';
import { encodeBatch } from '../column/frame.ts';
import { Arena } from '../kernel/allocator.ts';
import { SegmentCache } from '../segment/cache.ts';
import { OpenFiles, type SegmentFiles } from '../segment/files.ts';
import type { Client, Handlers } from '../wire/call.ts';
import type { RemoteTaskCalls } from '../wire/cluster-calls.ts';
import { local } from '../wire/local.ts';
import type { ShardCalls } from '../wire/shard-calls.ts';
import { Damage } from './damage.ts';
import { OpenSegments } from './open-segments.ts';
import { Partitions } from './partitions.ts';
import { type RunEnvironment, run } from './run.ts';
import { Turns } from './turns.ts';

export interface ShardSettings {
  /** Its number, from 0: its place among the peers. */
  readonly shard: number;
  /** Reserved whole at the start: address space, not memory, until it is used. */
  readonly arenaBytes: number;
}

export interface ShardComponents {
  readonly clock: Clock;
  readonly log: Log;
  /** The deep store's files on this machine. */
  readonly files: SegmentFiles;
  /** Every shard by number; the place of this one is not looked at: it calls itself without a port. */
  readonly peers: readonly Client<ShardCalls>[];
  /** Of the process; without bounds where not given. */
  readonly accounts?: Accounts;
  /** What other processes run for queries whose root is here; absent where there are none. */
  readonly remoteTasks?: Client<RemoteTaskCalls>;
}

/**
 * One thread's arena, its consuming partitions, what it has of committed segments, and the runs over them.
 *
 * Everything but `run` and the opening of segments is one synchronous step, so calls never see each other half done; a
 * run gives way to them between slices. What a run or a call throws goes to its caller alone.
 */
export function createShard(settings: ShardSettings, components: ShardComponents): Handlers<ShardCalls> {
  const { clock, log, accounts = unboundAccounts() } = components;
  const arena = new Arena(settings.arenaBytes);
  const partitions = new Partitions(arena, clock);
  const cache = new SegmentCache(arena);
  const damage = new Damage();
  const segments = new OpenSegments(new OpenFiles(components.files), cache, accounts.account('metadata'));
  const reportArena = arenaReporter(arena, cache, accounts);

  const handlers: Handlers<ShardCalls> = {
    run: (input, context) => run(input, context, environment),
    pin: input => partitions.pin(input),
    release: ({ leaseId }) => {
      partitions.release(leaseId);
      return null;
    },
    openPartition: input => {
      partitions.open(input);
      return null;
    },
    closePartition: ref => {
      partitions.close(ref);
      return null;
    },
    append: input => {
      try {
        return partitions.append(input);
      } finally {
        reportArena();
      }
    },
    roll: ({ definition, ...ref }) => partitions.rowsOf(ref).roll(definition),
    exportColumn: ({ startOffset, columnId, ...ref }) => {
      const column = partitions.rowsOf(ref).exportColumn(startOffset, columnId);
      return { frame: encodeBatch({ rowCount: column.length, columns: [column] }) };
    },
    retire: ({ endOffset, ...ref }) => {
      partitions.rowsOf(ref).retire(endOffset);
      reportArena();
      return null;
    },
    evict: ({ segmentIds }) => {
      segments.evict(segmentIds);
      damage.forget(segmentIds);
      return null;
    },
    status: () => ({
      shard: settings.shard,
      arenaUsedBytes: arena.usedBytes,
      arenaCapacityBytes: arena.capacityBytes,
      segmentsOpen: segments.count,
      consuming: partitions.status(),
      leases: partitions.retiredCount,
      corruptBuffers: cache.corruptCount,
      damaged: damage.all,
    }),
  };

  let runCount = 0;
  const peers = [...components.peers];
  peers[settings.shard] = local(handlers);
  const environment: RunEnvironment = {
    arena,
    clock,
    log,
    segments,
    partitions,
    damage,
    peers,
    remoteTasks: components.remoteTasks ?? null,
    turns: new Turns(),
    caches: new WeakMap(),
    accounts,
    reportArena,
    nextLeaseId: () => `run-${runCount++}`,
  };
  return handlers;
}

/** What of the arena is cached columns, and what is consuming rows: the arena itself bounds both. */
function arenaReporter(arena: Arena, cache: SegmentCache, accounts: Accounts): () => void {
  const columns = accounts.account('columns');
  const consuming = accounts.account('consuming');
  let columnBytes = 0;
  let consumingBytes = 0;
  return () => {
    const { usedBytes } = cache.stats;
    const otherBytes = arena.usedBytes - usedBytes;
    if (usedBytes !== columnBytes) columns.note(usedBytes - columnBytes);
    if (otherBytes !== consumingBytes) consuming.note(otherBytes - consumingBytes);
    columnBytes = usedBytes;
    consumingBytes = otherBytes;
  };
}
