/**
 * The metadata: which tables there are, which segments are committed, and how far each partition is. Only the controller
 * opens it. Every change is one durable transaction and counts the metadata version up by one; it has happened,
 * for ever, when its promise resolves, and has not happened at all when that rejects.
 */
import type { OffsetAccounts, SegmentEntry, TableDefinition } from '../catalog/table.ts';

export interface MetaPartition {
  /** The first offset that is not settled: not in a committed segment, and not passed over. */
  readonly committedEnd: number;
  readonly paused: boolean;
  /** Which topic the offsets are of; null: the embedded log, or unknown. */
  readonly streamId: string | null;
  /** Counts the seeks: consuming rows of an earlier epoch are not those that the metadata speaks of. */
  readonly epoch: number;
}

export interface MetaTable {
  readonly definition: TableDefinition;
  /** All of its partitions, also those that come later. */
  readonly paused: boolean;
  /** Partition p is the p-th. */
  readonly partitions: readonly MetaPartition[];
}

/** A range of offsets that was settled, by a segment or otherwise. */
export interface MetaAudit {
  readonly tableId: string;
  readonly partition: number;
  readonly kind: 'segment' | 'seek' | 'restart';
  readonly segmentId: string | null;
  readonly startOffset: number;
  readonly endOffset: number;
  readonly accounts: OffsetAccounts;
  readonly atMs: number;
}

/** A partition goes on elsewhere: what `seek` changes. */
export interface MetaSeek {
  readonly tableId: string;
  readonly partition: number;
  readonly committedEnd: number;
  readonly streamId: string | null;
  /** Segments whose rows are read again. */
  readonly dropSegmentIds: readonly string[];
  readonly audit: MetaAudit;
}

/** All of it at one version. */
export interface MetaState {
  /** Counts up with every transaction. */
  readonly version: number;
  /** By creation. */
  readonly tables: readonly MetaTable[];
  /** Of all tables, by table, partition and start offset. */
  readonly segments: readonly SegmentEntry[];
}

/** Every change resolves to the metadata version that it made. */
export interface MetaStore {
  /** One consistent state. @throws FaultError CORRUPT_METADATA */
  load(): Promise<MetaState>;
  /**
   * The embedded log's partitions begin at offset 0; a stream's come with `addPartitions`.
   * @throws FaultError TABLE_EXISTS where the name is taken, compared exactly
   */
  createTable(definition: TableDefinition): Promise<number>;
  /** Takes the place of the definition with its id. @throws FaultError UNKNOWN_TABLE */
  updateTable(definition: TableDefinition): Promise<number>;
  /** Following those that are there. */
  addPartitions(tableId: string, firstPartition: number, partitions: readonly MetaPartition[]): Promise<number>;
  /** `partition` null: the table, and each of its partitions. */
  setPaused(tableId: string, partition: number | null, paused: boolean): Promise<number>;
  seek(seek: MetaSeek): Promise<number>;
  /** Oldest first. `tableId` null: of all tables. */
  audit(tableId: string | null): Promise<readonly MetaAudit[]>;
  /** With its segments and partitions. @throws FaultError UNKNOWN_TABLE */
  dropTable(tableId: string): Promise<number>;
  /**
   * A segment, the offsets that it covers and where they went: the committed end moves from its start to its end offset.
   * @throws FaultError UNKNOWN_TABLE; INVALID_REQUEST unless its start offset is the partition's committed end
   */
  publish(segment: SegmentEntry): Promise<number>;
  /** Committed ends stay: the offsets were committed, and their rows are past retention. Unknown ids are passed over. */
  dropSegments(segmentIds: readonly string[]): Promise<number>;
  close(): Promise<void>;
}
