/**
 * What roles ask of each other: typed calls, the same over MessagePort and (later) TCP. Inputs and outputs are plain data.
 * A call whose `out` is a `Stream` sends frames (encoded batches, `column/frame`) under the receiver's credit and ends with a trailer.
 */
import type { Fault } from '../base/fault.ts';
import type {
  OffsetAccounts,
  SeekTarget,
  SegmentEntry,
  TableDefinition,
  TableDefinitionRequest,
  TableSnapshot,
} from '../catalog/table.ts';
import type { Type, Value } from '../column/type.ts';
import type { Node } from '../plan/node.ts';

export type { TableDefinitionRequest } from '../catalog/table.ts';

declare const stream: unique symbol;
/** Marks a streaming call: frames are `Uint8Array`s (an encoded Batch each), the trailer follows the last. */
export interface Stream<Trailer> {
  readonly [stream]: Trailer;
}

export interface PartitionRef {
  readonly tableId: string;
  readonly partition: number;
}

/** Freshness of one partition at the moment a query pinned it. Offsets are rows for the embedded log. */
export interface PartitionFreshness {
  readonly partition: number;
  /** First offset not yet visible. */
  readonly ingestedOffset: number;
  /** First offset not yet in the stream, as last observed. */
  readonly endOffset: number;
  readonly observedAtMs: number;
  /** Age of the oldest record not yet visible; 0 when caught up. */
  readonly lagMs: number;
  /** Largest event time seen, clamped to the ingestion clock; null before the first row or without a time column. */
  readonly watermarkMs: number | null;
  readonly state: 'consuming' | 'idle' | 'failed' | 'paused';
  readonly cause: string | null;
}

// ── controller ──────────────────────────────────────────────────────────────────────────────────────────────

export interface CatalogState {
  /** Counts up with every metadata transaction. */
  readonly version: number;
  readonly tables: readonly TableDefinition[];
  /** By table id: partitions 0 to this, exclusive, are known. Grows when the stream's does. */
  readonly partitionCounts: Readonly<Record<string, number>>;
}

export interface RejectedRow {
  /** 1-based in the request's input. */
  readonly line: number;
  /** Column's name, or null where the row as a whole is at fault. */
  readonly column: string | null;
  readonly reason: string;
}

export type ControllerCalls = {
  /** Cheap: answered from memory. */
  catalog: { in: null; out: CatalogState };
  createTable: { in: { definition: TableDefinitionRequest; ifNotExists: boolean }; out: TableDefinition };
  dropTable: { in: { name: string; ifExists: boolean }; out: { dropped: boolean } };
  /** One consistent state of several tables, and a lease: until `release`, no file of these segments is removed. */
  snapshot: {
    in: { leaseId: string; tableIds: readonly string[] };
    out: { version: number; tables: readonly TableSnapshot[] };
  };
  release: { in: { leaseId: string }; out: null };
  /** A segment and the offsets that it covers, in one transaction. Refused (INVALID_REQUEST) unless startOffset is the partition's committed end. */
  publish: { in: { segment: SegmentEntry }; out: { version: number } };
  /** What ingestion needs to resume. */
  partitions: { in: null; out: readonly PartitionEntry[] };
  /** Partitions of a stream that were not there before; those that are there stay as they are. */
  addPartitions: {
    in: {
      tableId: string;
      partitions: readonly {
        readonly partition: number;
        readonly startOffset: number;
        readonly streamId: string | null;
      }[];
    };
    out: null;
  };
  /** Durable until the opposite is asked for. `partition` null: all of the table's, also those that come later. */
  pause: { in: { tableId: string; partition: number | null; paused: boolean }; out: null };
  /**
   * Where a partition goes on, in one transaction: segments from `offset` on are dropped, so that no row is there twice.
   * An offset inside a segment is rounded down to the segment's start; refused (OFFSETS_LOST) where that is below
   * `availableFrom`, for what is dropped could not be read again. Forward, what is between is accounted as skipped. With
   * another `streamId` the offsets are another topic's: nothing is dropped.
   */
  seek: {
    in: PartitionRef & { offset: number; streamId: string | null; availableFrom: number };
    out: { committedEnd: number; segmentsDropped: number };
  };
  /** Columns that messages brought, nullable; names that exist already are passed over. */
  addColumns: {
    in: { tableId: string; columns: readonly { readonly name: string; readonly type: Type }[] };
    out: TableDefinition;
  };
  /** Where offsets went, oldest first; `tableId` null: of all tables. */
  audit: { in: { tableId: string | null }; out: readonly AuditEntry[] };
};

/** A partition as the metadata has it. */
export interface PartitionEntry extends PartitionRef {
  readonly definition: TableDefinition;
  readonly committedEnd: number;
  readonly paused: boolean;
  /** Which topic the offsets are of; null: the embedded log, or unknown. */
  readonly streamId: string | null;
  /** Counts its seeks. */
  readonly epoch: number;
  /** Largest event time of its committed rows; null without a time column or rows. */
  readonly maxTimeMs: number | null;
}

/** One range of offsets that was settled: by a segment, or by a seek. */
export interface AuditEntry extends PartitionRef {
  readonly kind: 'segment' | 'seek' | 'restart';
  /** Of `segment`; null otherwise. */
  readonly segmentId: string | null;
  readonly startOffset: number;
  readonly endOffset: number;
  readonly accounts: OffsetAccounts;
  readonly atMs: number;
}

// ── ingest ──────────────────────────────────────────────────────────────────────────────────────────────────

export type RowFormat = 'ndjson' | 'json' | 'csv';

export interface PushAnswer {
  readonly accepted: number;
  readonly rejected: number;
  /** The first 100. */
  readonly rejects: readonly RejectedRow[];
  /** True when the idempotency key was seen before: nothing was added; the counts are those of the first time. */
  readonly duplicate: boolean;
}

export type IngestCalls = {
  /** Resolves when the rows are durable and the next query sees them. `body` is transferred. */
  push: {
    in: { tableId: string; format: RowFormat; body: Uint8Array; strict: boolean; idempotencyKey: string | null };
    out: PushAnswer;
  };
  /** Rows already as columns (INSERT): `frame` holds a Batch whose column i is table column `columnIds[i]`. */
  insert: { in: { tableId: string; columnIds: readonly number[]; frame: Uint8Array }; out: { inserted: number } };
  /** Tables changed: open logs of new ones, drop those of dropped ones. */
  refresh: { in: null; out: null };
  /** Seals and publishes what the table's consuming segments hold now. */
  commit: { in: { tableId: string; partition?: number }; out: { segments: number } };
  /** Durable across restarts. A paused partition keeps what it has, and answers queries. @throws FaultError UNSUPPORTED for the embedded log */
  pause: { in: { tableId: string; partition: number | null }; out: null };
  resume: { in: { tableId: string; partition: number | null }; out: null };
  /** See `ControllerCalls.seek`. Refused (OFFSETS_LOST) where rows would be dropped that the stream no longer has. */
  seek: {
    in: { tableId: string; partition: number | null; to: SeekTarget };
    out: { partitions: readonly { readonly partition: number; readonly offset: number }[] };
  };
  state: { in: null; out: readonly IngestState[] };
  /** The reject logs' latest entries, oldest first; `tableId` null: of all tables. */
  rejects: { in: { tableId: string | null }; out: readonly RejectEntry[] };
};

/** One entry of a reject log: of a message (partition and offset) or of a push (line and key). */
export interface RejectEntry {
  readonly table: string;
  readonly atMs: number;
  readonly partition: number | null;
  readonly offset: number | null;
  readonly line: number | null;
  readonly idempotencyKey: string | null;
  readonly column: string | null;
  readonly reason: string;
  readonly text: string;
}

export interface IngestState extends PartitionRef {
  readonly table: string;
  readonly committedEnd: number;
  readonly source: 'log' | 'kafka';
  readonly freshness: PartitionFreshness;
  /** Visible, in no segment from before `committedEnd`. */
  readonly consumingRows: number;
  /** Since the process started. */
  readonly rowsIngested: number;
  readonly rowsRejected: number;
  readonly rowsFiltered: number;
  readonly offsetsLost: number;
  /** Of the embedded log; 0 for a stream. */
  readonly logSizeBytes: number;
  readonly lastFault: Fault | null;
  /** What happened that an operator wants to know though it healed: offsets lost, a topic made again; null: nothing. */
  readonly notice: string | null;
  /** Offset spans that did not add up, since the process started: an alarm. */
  readonly auditMismatches: number;
}

// ── shard ───────────────────────────────────────────────────────────────────────────────────────────────────

/** What one shard scans of one table: blocks of committed segments, and the consuming rows it owns. */
export interface ScanTask {
  readonly tableId: string;
  readonly definition: TableDefinition;
  readonly segments: readonly { readonly entry: SegmentEntry; readonly blocks: readonly number[] }[];
  readonly ranges: readonly { readonly partition: number; readonly startOffset: number; readonly endOffset: number }[];
}

export interface RunInput {
  readonly queryId: string;
  readonly fragments: readonly Node[];
  /** Which fragment this call runs. */
  readonly fragment: number;
  /** For the root: who runs each other fragment over what. The shard calls itself directly. */
  readonly tasks: readonly { readonly shard: number; readonly fragment: number; readonly scans: readonly ScanTask[] }[];
  /** For a leaf: its own scans. */
  readonly scans: readonly ScanTask[];
  /** System tables' rows by `inline` node name. */
  readonly inline: Readonly<Record<string, Uint8Array>>;
  /** `NOW()` of the whole query. */
  readonly nowMs: number;
  /** On the clock `nowMs` is of; a run past it fails with TIMEOUT. */
  readonly deadlineMs: number;
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
  /** Ends the current consuming segment and opens the next, at the same offset. Nothing stops. */
  roll: {
    in: { tableId: string; partition: number };
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
}

// ── builder (low-priority thread beside ingest) ─────────────────────────────────────────────────────────────

export type BuilderCalls = {
  /** Pulls the rolled segment's columns from its shard, builds it, puts it into the deep store. Nothing is published. */
  build: {
    in: {
      definition: TableDefinition;
      partition: number;
      startOffset: number;
      endOffset: number;
      rowCount: number;
      accounts: OffsetAccounts;
      shard: number;
    };
    /** `rowsIn`: rows that were pulled; a rollup makes fewer of them. */
    out: { segment: SegmentEntry; rowsIn: number };
  };
};

// ── server ──────────────────────────────────────────────────────────────────────────────────────────────────

/** What a query reads of one table, pinned. */
export interface ServerScan {
  readonly tableId: string;
  readonly definition: TableDefinition;
  readonly segments: readonly SegmentEntry[];
  readonly ranges: ScanTask['ranges'];
}

export interface ServerRunInput {
  readonly queryId: string;
  /** Fragment 0 is the root; the others are dealt to shards. */
  readonly fragments: readonly Node[];
  readonly scans: readonly ServerScan[];
  readonly inline: Readonly<Record<string, Uint8Array>>;
  readonly nowMs: number;
  readonly deadlineMs: number;
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

// ── broker ──────────────────────────────────────────────────────────────────────────────────────────────────

export interface QueryRequest {
  readonly queryId: string;
  readonly sql: string;
  readonly parameters: readonly Value[];
  readonly timeoutMs: number;
  readonly allowPartial: boolean;
  readonly identity: string;
  readonly timeZone: string;
}

/** Everything of an answer but its rows. The columns come with the first frame's header: see `BrokerCalls.query`. */
export interface QueryStats {
  rowsScanned: number;
  rowsMatched: number;
  rowsReturned: number;
  blocksScanned: number;
  blocksPruned: number;
  segmentsExpected: number;
  segmentsAnswered: number;
  segmentsScanned: number;
  segmentsPruned: number;
  memoryPeakBytes: number;
  filters: Record<string, number>;
  /** Time per phase. */
  parseMs: number;
  planMs: number;
  pinMs: number;
  runMs: number;
  totalMs: number;
}

export interface QueryTrailer {
  readonly complete: boolean;
  /** Scan units that nobody answered; only where the caller allowed partial answers. */
  readonly missing: readonly string[];
  readonly stats: QueryStats;
  /** By table name. */
  readonly freshness: Readonly<Record<string, TableFreshness>>;
}

export interface TableFreshness {
  readonly watermarkMs: number | null;
  readonly partitions: readonly PartitionFreshness[];
}

export interface ResultColumn {
  readonly name: string;
  readonly type: Type;
}

export interface RunningQuery {
  readonly queryId: string;
  readonly sql: string;
  readonly state: 'running' | 'finished' | 'failed' | 'cancelled';
  readonly startedAtMs: number;
  readonly elapsedMs: number;
  readonly rowsReturned: number;
  readonly rowsScanned: number;
  readonly identity: string;
  readonly error: string | null;
}

export type BrokerCalls = {
  /** First: what the statement is and its columns (parsed, bound, pinned, not yet run); then `fetch` streams the rows. */
  open: { in: QueryRequest; out: { columns: readonly ResultColumn[] } };
  fetch: { in: { queryId: string }; out: Stream<QueryTrailer> };
  /** Ends it wherever it is; false where no such query runs. */
  cancel: { in: { queryId: string }; out: { cancelled: boolean } };
  queries: { in: null; out: readonly RunningQuery[] };
  /** As CREATE TABLE does: a transform is bound to the columns before the controller is asked. */
  createTable: { in: { definition: TableDefinitionRequest; ifNotExists: boolean }; out: TableDefinition };
};
