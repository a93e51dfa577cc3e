/**
 * The metadata: which tables there are, which segments are committed, and how far each partition is. Only the controller
 * opens it. Every change is one durable transaction and counts the metadata version up by one; it has happened,
 * for ever, when its promise resolves, and has not happened at all when that rejects.
 */
import type { SegmentEntry, TableDefinition } from '../catalog/table.ts';

export interface MetaTable {
  readonly definition: TableDefinition;
  /** By partition: the first offset not in a committed segment. */
  readonly committedEnds: readonly number[];
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
  /** Its partitions begin at offset 0. @throws FaultError TABLE_EXISTS where the name is taken, compared exactly */
  createTable(definition: TableDefinition): Promise<number>;
  /** With its segments and partitions. @throws FaultError UNKNOWN_TABLE */
  dropTable(tableId: string): Promise<number>;
  /**
   * A segment and the offsets that it covers: the committed end moves from its start to its end offset.
   * @throws FaultError UNKNOWN_TABLE; INVALID_REQUEST unless its start offset is the partition's committed end
   */
  publish(segment: SegmentEntry): Promise<number>;
  /** Committed ends stay: the offsets were committed, and their rows are past retention. Unknown ids are passed over. */
  dropSegments(segmentIds: readonly string[]): Promise<number>;
  close(): Promise<void>;
}
