import type { Clock, Log } from '../base/seams.ts';
import { encodeBatch } from '../column/frame.ts';
import { Arena } from '../kernel/allocator.ts';
import { SegmentCache } from '../segment/cache.ts';
import { OpenFiles, type SegmentFiles } from '../segment/files.ts';
import type { Client, Handlers } from '../wire/call.ts';
import type { ShardCalls } from '../wire/calls.ts';
import { local } from '../wire/local.ts';
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
}

/**
 * One thread's arena, its consuming partitions, what it has of committed segments, and the runs over them.
 *
 * Everything but `run` and the opening of segments is one synchronous step, so calls never see each other half done; a
 * run gives way to them between slices. What a run or a call throws goes to its caller alone.
 */
export function createShard(settings: ShardSettings, components: ShardComponents): Handlers<ShardCalls> {
  const { clock, log } = components;
  const arena = new Arena(settings.arenaBytes);
  const partitions = new Partitions(arena, clock);
  const cache = new SegmentCache(arena);
  const segments = new OpenSegments(new OpenFiles(components.files), cache);

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
    append: input => partitions.append(input),
    roll: ref => partitions.rowsOf(ref).roll(),
    exportColumn: ({ startOffset, columnId, ...ref }) => {
      const column = partitions.rowsOf(ref).exportColumn(startOffset, columnId);
      return { frame: encodeBatch({ rowCount: column.length, columns: [column] }) };
    },
    retire: ({ endOffset, ...ref }) => {
      partitions.rowsOf(ref).retire(endOffset);
      return null;
    },
    evict: ({ segmentIds }) => {
      segments.evict(segmentIds);
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
    peers,
    turns: new Turns(),
    caches: new WeakMap(),
    nextLeaseId: () => `run-${runCount++}`,
  };
  return handlers;
}
