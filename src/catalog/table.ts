/**
 * What a table is: the one document behind DDL, JSON over HTTP and the metadata store.
 */
import type { Type, Value } from '../column/type.ts';

export interface ColumnDefinition {
  /** Permanent, from 1, never used again in its table: rename is metadata, a dropped name that returns is another column. */
  readonly id: number;
  readonly name: string;
  readonly type: Type;
  readonly nullable: boolean;
  /** Taken for a row that does not name the column; null where there is none. */
  readonly defaultValue: Value;
}

export type IndexKind = 'inverted' | 'range' | 'bloom';

export interface IndexDefinition {
  readonly columnId: number;
  readonly kind: IndexKind;
}

/** Embedded log: rows are pushed. */
export interface LogSource {
  readonly kind: 'log';
  /** Partitions of the log, each with one owner; 1 today. */
  readonly partitionCount: number;
}

export interface TableSettings {
  /** Rows at which a consuming segment seals. */
  readonly segmentRows: number;
  /** Age of its first row at which a consuming segment seals. */
  readonly segmentAgeMs: number;
  /** Segments whose last event is older are dropped; null keeps them for ever. Needs a time column. */
  readonly retentionMs: number | null;
}

export interface TableDefinition {
  /** Permanent and unique for ever (12 hexadecimal digits): a dropped name that returns is another table. Names its folders. */
  readonly id: string;
  readonly name: string;
  /** Counts up with every change of this document. */
  readonly version: number;
  readonly columns: readonly ColumnDefinition[];
  readonly timeColumnId: number | null;
  readonly indexes: readonly IndexDefinition[];
  readonly source: LogSource;
  readonly settings: TableSettings;
  readonly createdAtMs: number;
}

/** A table without what the controller gives it (id, column ids, version, time of creation); settings left out take their defaults. */
export interface TableDefinitionRequest {
  readonly name: string;
  readonly columns: readonly {
    readonly name: string;
    readonly type: Type;
    readonly nullable: boolean;
    readonly defaultValue?: Value;
  }[];
  readonly timeColumn: string | null;
  readonly indexes: readonly { readonly column: string; readonly kind: IndexKind }[];
  readonly settings: Partial<TableSettings>;
}

/** Columns that every table has without declaring them. Ids are negative; never in `TableDefinition.columns`. */
export const virtualColumns = {
  /** LONG; stored in every segment, because rows are sorted by time and move. */
  offset: -1,
  /** INT; one value a segment. */
  partition: -2,
  /** STRING; one value a segment. */
  segment: -3,
} as const;

/** Smallest and largest value of a column in a block or segment, for pruning. Conservative: never narrower than the truth. */
export interface ZoneMap {
  readonly nullCount: number;
  /** null where unknown, or where every row is null; NaN never appears (a block with NaN has max null). */
  readonly min: number | bigint | string | null;
  readonly max: number | bigint | string | null;
}

/** A committed segment as the metadata store knows it: enough to route and prune without opening it. */
export interface SegmentEntry {
  /** `<tableId>-<partition>-<startOffset>-<attempt>`; also its folder's name under the table's folder. */
  readonly id: string;
  readonly tableId: string;
  readonly partition: number;
  /** Stream offsets covered: [start, end). */
  readonly startOffset: number;
  readonly endOffset: number;
  readonly rowCount: number;
  readonly sizeBytes: number;
  /** Which `manifest-<generation>.json` is current. */
  readonly generation: number;
  /** Table version whose columns it was built with. */
  readonly tableVersion: number;
  readonly minTimeMs: number | null;
  readonly maxTimeMs: number | null;
  /** Zone maps by column id of the whole segment. */
  readonly zones: Readonly<Record<string, ZoneMap>>;
  readonly createdAtMs: number;
}

/** One table in one consistent state of the metadata. */
export interface TableSnapshot {
  readonly definition: TableDefinition;
  readonly segments: readonly SegmentEntry[];
  /** By partition: the first offset not in a committed segment. */
  readonly committedEnds: readonly number[];
}
