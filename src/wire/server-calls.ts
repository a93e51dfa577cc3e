/** What is asked of a server: a query over its shards. */
import type { SegmentEntry, TableDefinition } from '../catalog/table.ts';
import type { Node } from '../plan/node.ts';
import type { PartitionFreshness, PartitionRef, Stream } from './calls.ts';
import type { RunStats, ScanTask, ShardStatus } from './shard-calls.ts';

/** What a query reads of one table, pinned. */
export interface ServerScan {
  readonly tableId: string;
  readonly definition: TableDefinition;
  readonly segments: readonly SegmentEntry[];
  readonly ranges: ScanTask['ranges'];
  readonly masks: ScanTask['masks'];
}

export interface ServerRunInput {
  readonly queryId: string;
  /** Fragment 0 is the root; the others are dealt to shards. */
  readonly fragments: readonly Node[];
  readonly scans: readonly ServerScan[];
  readonly inline: Readonly<Record<string, Uint8Array>>;
  readonly nowMs: number;
  readonly timeoutMs: number;
  /** Of the whole query on this server. */
  readonly memoryBytes: number;
  readonly allowPartial: boolean;
}

export interface PinnedPartition extends PartitionRef {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly epoch: number;
  readonly freshness: PartitionFreshness;
}

export type ServerCalls = {
  /** `RunStats.unitsAnswered`: segments and consuming ranges that every shard with a part of them answered, each once. */
  run: { in: ServerRunInput; out: Stream<RunStats> };
  /** Pins partitions at their owning shards, all for one lease. */
  pin: { in: { leaseId: string; partitions: readonly PartitionRef[] }; out: readonly PinnedPartition[] };
  release: { in: { leaseId: string }; out: null };
  evict: { in: { segmentIds: readonly string[] }; out: null };
  status: { in: null; out: readonly ShardStatus[] };
};
