/** What is asked of one shard: a thread with its arena, its consuming rows and its runs. */
import type { RowMask } from '../catalog/replacement.ts';
import type { SegmentEntry, TableDefinition } from '../catalog/table.ts';
import type { Node } from '../plan/node.ts';
import type { PartitionFreshness, PartitionRef, Stream } from './calls.ts';

/** What one shard scans of one table: blocks of committed segments, and the consuming rows it owns. */
export interface ScanTask {
  readonly tableId: string;
  readonly definition: TableDefinition;
  readonly segments: readonly { readonly entry: SegmentEntry; readonly blocks: readonly number[] }[];
  readonly ranges: readonly { readonly partition: number; readonly startOffset: number; readonly endOffset: number }[];
  /** By scan unit: rows that replacements hide. Units of which nothing is hidden are not in it. */
  readonly masks: Readonly<Record<string, readonly RowMask[]>>;
}

export interface RunInput {
  readonly queryId: string;
  readonly fragments: readonly Node[];
  /** Which fragment this call runs. */
  readonly fragment: number;
  /** For the root: who runs each other fragment over what. The shard calls itself directly. */
  readonly tasks: readonly { readonly shard: number; readonly fragment: number; readonly scans: readonly ScanTask[] }[];
  /** For the root: what other processes run, to be asked for by its number; absent where all of it runs in this one. */
  readonly remote?: {
    /** A query may run several times. */
    readonly runId: string;
    readonly tasks: readonly { readonly fragment: number; readonly task: number }[];
  };
  /** For a leaf: its own scans. */
  readonly scans: readonly ScanTask[];
  /** System tables' rows by `inline` node name. */
  readonly inline: Readonly<Record<string, Uint8Array>>;
  /** `NOW()` of the whole query. */
  readonly nowMs: number;
  /** What is left of the query's time when this is sent: a run that takes longer fails with TIMEOUT. No clock is shared. */
  readonly timeoutMs: number;
  readonly memoryBytes: number;
  /** A segment that cannot be read is left out, and out of `unitsAnswered`, instead of failing the run. */
  readonly allowPartial: boolean;
}

export interface RunStats {
  rowsScanned: number;
  rowsMatched: number;
  blocksScanned: number;
  blocksPruned: number;
  /** Scan units of which at least one block was looked at; one dealt to several shards is named by each. */
  unitsScanned: string[];
  /** Scan units (segment or consuming range) that this run was asked for, and answered: the broker compares. */
  unitsAnswered: string[];
  memoryPeakBytes: number;
  elapsedMs: number;
  /** Block counts by how their filter was answered: 'zone map', 'inverted index', 'scan', 'metadata'. */
  filters: Record<string, number>;
}

export type ShardCalls = {
  run: { in: RunInput; out: Stream<RunStats> };
  /** Fixes the end of a partition's consuming rows for one query, once, and leases what is held of them. */
  pin: {
    in: { leaseId: string; tableId: string; partition: number };
    out: { startOffset: number; endOffset: number; epoch: number; freshness: PartitionFreshness };
  };
  release: { in: { leaseId: string }; out: null };
  /** Opens (or finds) a partition's consuming rows at an offset. */
  openPartition: {
    in: {
      definition: TableDefinition;
      partition: number;
      startOffset: number;
      epoch: number;
      /** Largest event time of its published rows; null where there is none. */
      watermarkMs: number | null;
    };
    out: null;
  };
  closePartition: { in: { tableId: string; partition: number }; out: null };
  /**
   * Appends rows that the log or the stream holds durably, of offsets `[startOffset, endOffset)`; visible to every later
   * `pin`. `frame` is transferred; its columns are `columnIds`, `$offset` among them unless every offset is one row.
   */
  append: {
    in: {
      tableId: string;
      partition: number;
      startOffset: number;
      endOffset: number;
      columnIds: readonly number[];
      frame: Uint8Array;
      ingestedAtMs: number;
      watermarkMs: number | null;
      /** Where the stream ends, as last observed; null: at the last append. */
      streamEnd: { readonly endOffset: number; readonly observedAtMs: number } | null;
    };
    out: { endOffset: number };
  };
  /**
   * Ends the current consuming segment and opens the next, at the same offset. Nothing stops. With a `definition` the next
   * one is of that, in the same step: rows of one segment are of one definition.
   */
  roll: {
    in: { tableId: string; partition: number; definition?: TableDefinition };
    out: { startOffset: number; endOffset: number; rowCount: number };
  };
  /** One whole column (id; also `$offset` and `$ingested_at`) of a rolled segment, as a one-column frame, for the builder. */
  exportColumn: {
    in: { tableId: string; partition: number; startOffset: number; columnId: number };
    out: { frame: Uint8Array };
  };
  /** The rows below `endOffset` are published: drop them when no lease taken before now is left. */
  retire: { in: { tableId: string; partition: number; endOffset: number }; out: null };
  /** Forget cached columns of segments that are gone. */
  evict: { in: { segmentIds: readonly string[] }; out: null };
  status: { in: null; out: ShardStatus };
};

export interface ShardStatus {
  readonly shard: number;
  readonly arenaUsedBytes: number;
  readonly arenaCapacityBytes: number;
  readonly segmentsOpen: number;
  readonly consuming: readonly (PartitionRef & {
    readonly rowCount: number;
    readonly startOffset: number;
    readonly endOffset: number;
  })[];
  /** Copies sealed and retired but still leased. */
  readonly leases: number;
  /** Buffers of committed segments that failed their checksum or specification since the start, once for each read. */
  readonly corruptBuffers: number;
  /** What it found of damaged segments that it has not been told to evict since. */
  readonly damaged: readonly SegmentDamage[];
}

export interface SegmentDamage {
  readonly segmentId: string;
  /** Queries go round a damaged index: they scan. */
  readonly part: 'columns' | 'index';
  readonly cause: string;
}
