/** What is asked of the controller: tables, partitions, segments, loads, and what runs in the background. */
import type {
  OffsetAccounts,
  SegmentEntry,
  TableChange,
  TableDefinition,
  TableDefinitionRequest,
  TableSnapshot,
} from '../catalog/table.ts';
import type { Type } from '../column/type.ts';
import type { PartitionRef } from './calls.ts';
import type { LoadCounts, LoadProgress, LoadStart, LoadStatus } from './load-calls.ts';
import type { SegmentDamage } from './shard-calls.ts';

export interface CatalogState {
  /** Counts up with every metadata transaction. */
  readonly version: number;
  readonly tables: readonly TableDefinition[];
  /** By table id: partitions 0 to this, exclusive, are known. Grows when the stream's does. */
  readonly partitionCounts: Readonly<Record<string, number>>;
}

export type ControllerCalls = {
  /** Cheap: answered from memory. */
  catalog: { in: null; out: CatalogState };
  createTable: { in: { definition: TableDefinitionRequest; ifNotExists: boolean }; out: TableDefinition };
  dropTable: { in: { name: string; ifExists: boolean }; out: { dropped: boolean } };
  /** One consistent state of several tables, and a lease: until `release`, no file of these segments is removed. */
  snapshot: {
    in: { leaseId: string; tableIds: readonly string[] };
    out: {
      version: number;
      tables: readonly TableSnapshot[];
      /** Of these tables: segments that no query reads. */
      quarantine: readonly QuarantinedSegment[];
    };
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
  /**
   * All of the changes in one transaction, the definition one version further; told to ingestion before it is answered.
   * null, and nothing is done: the table is of another version than `version`, against which they were looked at.
   */
  alterTable: {
    in: { tableId: string; version: number; changes: readonly TableChange[] };
    out: TableDefinition | null;
  };
  /** Columns that messages brought, nullable; names that exist already are passed over. */
  addColumns: {
    in: { tableId: string; columns: readonly { readonly name: string; readonly type: Type }[] };
    out: TableDefinition;
  };
  /** Where offsets went, oldest first; `tableId` null: of all tables. */
  audit: { in: { tableId: string | null }; out: readonly AuditEntry[] };
  /** What runs in the background, and what of it ended lately. */
  tasks: { in: null; out: readonly TaskEntry[] };
  /** What it has done stays; false where no such task runs. */
  cancelTask: { in: { taskId: string }; out: { cancelled: boolean } };
  /** Segments whose bytes were found damaged, of all tables. Cheap: answered from memory. */
  quarantine: { in: null; out: readonly QuarantinedSegment[] };
  /** A segment was read and is damaged: it is kept from queries, or its indexes are built anew. Nothing happens where that is known, or it is gone. */
  reportCorrupt: { in: SegmentDamage; out: null };
  /** Gives up a segment's rows; the audit keeps that. @throws FaultError NOT_FOUND */
  dropSegment: { in: { tableId: string; segmentId: string }; out: { rowCount: number } };
  /** What an operator must know though no request fails of it; empty when all is well. Cheap. */
  notices: { in: null; out: readonly string[] };
  /**
   * Begins a load, or goes on with the one of its table and key where that stopped: what was read then is not read twice
   * into the table. One that has finished, or is under way, is answered as it is.
   * @throws FaultError LIMIT_EXCEEDED, CONSTRAINT (a range to replace without a time column)
   */
  startLoad: { in: LoadStart; out: LoadStatus };
  /** By creation; of ended ones the latest. */
  loads: { in: null; out: readonly LoadStatus[] };
  /** Nothing of it becomes visible. One that has ended stays as it is. @throws FaultError NOT_FOUND */
  cancelLoad: { in: { loadId: string }; out: LoadStatus };
  /** Of whoever runs the load: a segment that lies in the deep store, and how far it is. @throws FaultError CANCELLED where it is to end */
  stageSegment: { in: { loadId: string; segment: SegmentEntry } & LoadCounts; out: null };
  /** Of whoever runs the load, now and then. @throws FaultError CANCELLED where it is to end */
  loadProgress: { in: { loadId: string } & LoadProgress; out: null };
};

export interface QuarantinedSegment {
  readonly segmentId: string;
  readonly tableId: string;
  readonly table: string;
  /** Which file and place was found damaged first. */
  readonly cause: string;
  readonly atMs: number;
}

export type TaskKind = 'load' | 'merge' | 'index';

/** One row of `system.tasks`. */
export interface TaskEntry {
  readonly taskId: string;
  readonly kind: TaskKind;
  readonly table: string;
  /** One line on what it does. */
  readonly detail: string;
  readonly state: 'running' | 'finished' | 'failed' | 'cancelled';
  /** Of `total` `unit`s; `total` is 0 where it is not known yet. */
  readonly done: number;
  readonly total: number;
  readonly unit: 'rows' | 'bytes' | 'segments';
  readonly startedAtMs: number;
  readonly finishedAtMs: number | null;
  readonly error: string | null;
}

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

/** One range of offsets that was settled: by a segment, by a seek, or by a segment that was given up. */
export interface AuditEntry extends PartitionRef {
  readonly kind: 'segment' | 'seek' | 'restart' | 'drop';
  /** Of `segment` and `drop`; null otherwise. */
  readonly segmentId: string | null;
  readonly startOffset: number;
  readonly endOffset: number;
  readonly accounts: OffsetAccounts;
  readonly atMs: number;
}
