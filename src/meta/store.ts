/**
 * The metadata: which tables there are, which segments are committed, and how far each partition is. Only the controller
 * opens it. Every change is one durable transaction and counts the metadata version up by one; it has happened,
 * for ever, when its promise resolves, and has not happened at all when that rejects.
 */
import type { LoadEntry } from '../catalog/load.ts';
import type { OffsetAccounts, Replacement, SegmentEntry, TableDefinition } from '../catalog/table.ts';

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
  /** By sequence. */
  readonly replacements: readonly Replacement[];
}

/** A segment whose bytes were found damaged. */
export interface MetaQuarantine {
  readonly segmentId: string;
  readonly cause: string;
  readonly atMs: number;
}

/** A process that holds committed segments. It is one of those that segments are placed on until it is removed. */
export interface MetaServer {
  readonly id: string;
  readonly registeredAtMs: number;
  /** It gives up what it holds, and takes nothing new. */
  readonly draining: boolean;
}

/** A range of offsets that was settled, by a segment or otherwise. */
export interface MetaAudit {
  readonly tableId: string;
  readonly partition: number;
  readonly kind: 'segment' | 'seek' | 'restart' | 'drop';
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
  /** Of all tables, by creation. */
  readonly loads: readonly LoadEntry[];
  /** By load id: segments that are built, and not yet visible. */
  readonly staged: Readonly<Record<string, readonly SegmentEntry[]>>;
  readonly quarantine: readonly MetaQuarantine[];
  readonly servers: readonly MetaServer[];
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
  /** Merged: one segment takes the place of several. @throws FaultError INVALID_REQUEST unless all are there */
  replaceSegments(removedIds: readonly string[], added: SegmentEntry): Promise<number>;
  /** Takes the place of the entry with its id, as a later generation. @throws FaultError INVALID_REQUEST where it is gone */
  updateSegment(segment: SegmentEntry): Promise<number>;
  /** One that has ended otherwise than by `finishLoad` loses what it has staged. */
  putLoad(load: LoadEntry): Promise<number>;
  /** A segment that the load built, and how far it is with it. */
  stageSegment(load: LoadEntry, segment: SegmentEntry): Promise<number>;
  /** Its staged segments become visible, what it replaces is hidden; `dropSegmentIds`: segments of which nothing is left. */
  finishLoad(load: LoadEntry, replacement: Replacement | null, dropSegmentIds: readonly string[]): Promise<number>;
  /** With what they have staged. */
  removeLoads(loadIds: readonly string[]): Promise<number>;
  /** Nothing is left that they hide. */
  removeReplacements(tableId: string, sequences: readonly number[]): Promise<number>;
  putQuarantine(entry: MetaQuarantine): Promise<number>;
  removeQuarantine(segmentIds: readonly string[]): Promise<number>;
  putServer(server: MetaServer): Promise<number>;
  removeServer(id: string): Promise<number>;
  /** Entries of the audit that are older. */
  trimAudit(beforeMs: number): Promise<number>;
  /** Committed ends stay: the offsets were committed, and their rows are past retention. Unknown ids are passed over. `audit`: where it is no retention that drops them. */
  dropSegments(segmentIds: readonly string[], audit?: MetaAudit): Promise<number>;
  close(): Promise<void>;
}
