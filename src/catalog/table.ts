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
  /**
   * Of rows that were written without the column, for ever: what its default was when it was added. Absent: what
   * `defaultValue` is, which was never changed.
   */
  readonly missingValue?: Value;
  /** What it was widened from, oldest first: rows of table versions below `untilVersion` are stored so. */
  readonly formerTypes?: readonly { readonly type: Type; readonly untilVersion: number }[];
}

export type IndexKind = 'inverted' | 'range' | 'bloom';

export interface IndexDefinition {
  readonly columnId: number;
  readonly kind: IndexKind;
  /** As CREATE INDEX gave it, unique in its table; absent where none was given. */
  readonly name?: string;
}

/** One step of ALTER TABLE, CREATE INDEX or DROP INDEX; columns and indexes by name. */
export type TableChange =
  | {
      readonly kind: 'addColumn';
      readonly name: string;
      readonly type: Type;
      readonly nullable: boolean;
      readonly defaultValue: Value;
      readonly ifNotExists: boolean;
    }
  | { readonly kind: 'dropColumn'; readonly column: string; readonly ifExists: boolean }
  | { readonly kind: 'renameColumn'; readonly column: string; readonly to: string }
  | { readonly kind: 'setType'; readonly column: string; readonly type: Type }
  /** null: none. */
  | { readonly kind: 'setDefault'; readonly column: string; readonly defaultValue: Value }
  | { readonly kind: 'dropNotNull'; readonly column: string }
  | {
      readonly kind: 'createIndex';
      readonly column: string;
      readonly index: IndexKind;
      /** null: of table, column and kind. */
      readonly name: string | null;
      readonly ifNotExists: boolean;
    }
  | { readonly kind: 'dropIndex'; readonly name: string; readonly ifExists: boolean };

/** Embedded log: rows are pushed. */
export interface LogSource {
  readonly kind: 'log';
  /** Partitions of the log, each with one owner; 1 today. */
  readonly partitionCount: number;
}

/** Where a secret is, never the secret: `env:NAME` or `file:/path`. Read when a connection is made, and nowhere kept. */
export type SecretReference = string;

export type MessageFormat = 'json' | 'csv' | 'avro' | 'protobuf' | 'arrow';

export interface KafkaTls {
  /** PEM of the authorities that are trusted; null: those that Node trusts. */
  readonly ca: SecretReference | null;
  /** PEM of the client's certificate and key, for brokers that ask for one. */
  readonly certificate: SecretReference | null;
  readonly key: SecretReference | null;
}

export interface KafkaSasl {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: SecretReference;
}

export interface SchemaRegistry {
  readonly url: string;
  readonly username: string | null;
  readonly password: SecretReference | null;
}

/** A field of a message that a transform reads. */
export interface MessageField {
  readonly name: string;
  readonly type: Type;
}

/** What messages become before they are rows: SQL over the relation `message`. */
export interface Transform {
  /** `SELECT … FROM message [, UNNEST(…)] [WHERE …] [GROUP BY …]`; its outputs are the table's columns, by name. */
  readonly sql: string;
  /** What a message has for it; the message's own `$key`, `$headers`, `$timestamp`, `$partition`, `$offset` are there besides. */
  readonly fields: readonly MessageField[];
}

/** A topic of Apache Kafka: one partition of the table for each of the topic's. */
export interface KafkaSource {
  readonly kind: 'kafka';
  /** `host:port`. */
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly format: MessageFormat;
  readonly tls: KafkaTls | null;
  readonly sasl: KafkaSasl | null;
  /** Of Avro and Protobuf messages; of JSON ones where they are framed with a schema's id. */
  readonly schemaRegistry: SchemaRegistry | null;
  readonly isolation: 'read_committed' | 'read_uncommitted';
  /** Where a partition begins that was never read: a number is a time, in milliseconds. */
  readonly startFrom: 'earliest' | 'latest' | number;
  /** Offsets that the stream's retention deleted before they were read: go on behind them, counted as lost; or stop. */
  readonly onLostOffsets: 'skip' | 'fail';
  /** The topic was deleted and made again: read the new one from its beginning, keeping the old one's rows; or stop. */
  readonly onTopicRecreated: 'restart' | 'fail';
  /** Fields that the table does not have. `add` makes a column of each; needs a table without a transform. */
  readonly unknownFields: 'ignore' | 'add';
  /** Rejected messages are produced to this topic, too. */
  readonly deadLetterTopic: string | null;
  readonly transform: Transform | null;
}

export type Source = LogSource | KafkaSource;

/** Where ingestion is to go on: an offset, the first message at or after a time, or an end of what the stream has. */
export type SeekTarget =
  | { readonly kind: 'offset'; readonly offset: number }
  | { readonly kind: 'time'; readonly timeMs: number }
  | { readonly kind: 'beginning' }
  | { readonly kind: 'end' };

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
  /** The next column's; absent: one more than the last column's, for none was dropped. */
  readonly nextColumnId?: number;
  readonly timeColumnId: number | null;
  readonly indexes: readonly IndexDefinition[];
  readonly source: Source;
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
  readonly indexes: readonly { readonly column: string; readonly kind: IndexKind; readonly name?: string }[];
  /** The embedded log where left out. */
  readonly source?: Source;
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
  /** TIMESTAMP; when the row became visible (Kafka) or durable (embedded log); NULL in segments that older versions wrote. */
  ingestedAt: -4,
} as const;

/** Smallest and largest value of a column in a block or segment, for pruning. Conservative: never narrower than the truth. */
export interface ZoneMap {
  readonly nullCount: number;
  /** null where unknown, or where every row is null; NaN never appears (a block with NaN has max null). */
  readonly min: number | bigint | string | null;
  readonly max: number | bigint | string | null;
}

/**
 * Where the offsets of a range went. Their sum is the range's span: every offset is of exactly one kind.
 * `rowsOut` is what was made of the `taken` messages: more with UNNEST, fewer with rollup.
 */
export interface OffsetAccounts {
  /** Messages that gave rows. */
  readonly taken: number;
  /** Messages that the transform's WHERE (or an UNNEST of nothing) left without a row, and tombstones. */
  readonly filtered: number;
  /** Messages in the reject log. */
  readonly rejected: number;
  /** Markers that transactions left. */
  readonly control: number;
  /** Records of aborted transactions. */
  readonly aborted: number;
  /** Offsets that the stream has no record at: compacted away, or never given. */
  readonly gaps: number;
  /** Deleted by the stream's retention before they were read. */
  readonly lost: number;
  /** Passed over by a seek. */
  readonly skipped: number;
  /** Rows before rollup: UNNEST may make many of one message. */
  readonly rowsIn: number;
  readonly rowsOut: number;
}

/** The partition of segments that batch loads made: they have no stream, and their offsets are row numbers of the load. */
export const loadPartition = -1;

export interface SegmentIndex {
  readonly columnId: number;
  readonly kind: IndexKind;
  readonly generation: number;
}

/** A committed segment as the metadata store knows it: enough to route and prune without opening it. */
export interface SegmentEntry {
  /** See `catalog/segment-id`; also its folder's name under the table's folder. */
  readonly id: string;
  readonly tableId: string;
  /** Of the stream; or `loadPartition`. */
  readonly partition: number;
  /** Of a load's segment: which load of its table it is of (`LoadEntry.sequence`). */
  readonly loadSequence?: number;
  /** Of a merged segment: the rows that replacements up to this one hid are gone from it. */
  readonly replacedThrough?: number;
  /** Which topic the offsets are of; absent for the embedded log, or where it is unknown. */
  readonly streamId?: string;
  /** Stream offsets covered: [start, end). */
  readonly startOffset: number;
  readonly endOffset: number;
  readonly rowCount: number;
  /** Absent in entries of older versions, and of the embedded log, where every offset is a row. */
  readonly accounts?: OffsetAccounts;
  readonly sizeBytes: number;
  /** Which `manifest-<generation>.json` is current. */
  readonly generation: number;
  /** Table version whose columns it was built with. */
  readonly tableVersion: number;
  /**
   * Indexes of its table that were seen to: built, or not to be had (it lacks the column, or stores it without a
   * dictionary), which is `generation` 0; else the one in its file's name. Absent in entries of older versions.
   */
  readonly indexes?: readonly SegmentIndex[];
  readonly minTimeMs: number | null;
  readonly maxTimeMs: number | null;
  /** Zone maps by column id of the whole segment. */
  readonly zones: Readonly<Record<string, ZoneMap>>;
  readonly createdAtMs: number;
}

/**
 * A batch load took the place of a time range: rows that were there when it was asked for, and have their time in
 * `[fromMs, toMs)`, are no rows of the table any more. Those that a stream or another load brought since are.
 */
export interface Replacement {
  /** The load's. */
  readonly sequence: number;
  /** Rows of loads of lower numbers were there before. */
  readonly loadsBelow: number;
  readonly fromMs: number;
  readonly toMs: number;
  /** By partition: rows of that stream below the offset were there before. A partition beyond the list had none. */
  readonly cutoffs: readonly { readonly streamId: string | null; readonly offset: number }[];
  readonly createdAtMs: number;
}

/** One table in one consistent state of the metadata. */
export interface TableSnapshot {
  readonly definition: TableDefinition;
  readonly segments: readonly SegmentEntry[];
  /** By sequence. */
  readonly replacements: readonly Replacement[];
  /** By partition: the first offset not in a committed segment. */
  readonly committedEnds: readonly number[];
  /** By partition: how often it was moved; consuming rows are of the same epoch, or of no use. */
  readonly epochs: readonly number[];
  /** By partition: which topic its offsets are of; null: the embedded log, or unknown. */
  readonly streamIds: readonly (string | null)[];
}
