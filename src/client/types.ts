/**
 * Every request and answer of the native HTTP API, as JSON carries them. The web UI and the command line build on these
 * types; the server writes them.
 */

/**
 * One cell, by the column's type: BOOLEAN boolean; INT, FLOAT, DOUBLE number (NaN, Infinity and -Infinity as strings);
 * LONG number, or bigint beyond ±(2^53 - 1); DECIMAL, INTERVAL, STRING, JSON, UUID string; TIMESTAMP ISO 8601 in UTC with
 * milliseconds; DATE `YYYY-MM-DD`; BYTES base64; NULL null.
 */
export type Cell = null | boolean | number | bigint | string;
export type Row = readonly Cell[];

/** `type` as DDL spells it: `LONG`, `DECIMAL(12,2)`. */
export interface ColumnInfo {
  readonly name: string;
  readonly type: string;
}

export interface Stats {
  readonly rowsScanned: number;
  readonly rowsMatched: number;
  readonly rowsReturned: number;
  readonly blocksScanned: number;
  readonly blocksPruned: number;
  readonly segmentsExpected: number;
  readonly segmentsAnswered: number;
  readonly segmentsScanned: number;
  readonly segmentsPruned: number;
  readonly memoryPeakBytes: number;
  /** How filters were answered: method to number of blocks. */
  readonly filters: Readonly<Record<string, number>>;
  readonly parseMs: number;
  readonly planMs: number;
  readonly pinMs: number;
  readonly runMs: number;
  readonly totalMs: number;
}

export interface PartitionFreshness {
  readonly partition: number;
  readonly ingestedOffset: number;
  readonly endOffset: number;
  readonly observedAtMs: number;
  readonly lagMs: number;
  readonly watermarkMs: number | null;
  readonly state: 'consuming' | 'idle' | 'failed' | 'paused';
  readonly cause: string | null;
}

export interface TableFreshness {
  readonly watermarkMs: number | null;
  readonly partitions: readonly PartitionFreshness[];
}

/** What follows the rows. */
export interface AnswerTrailer {
  /** False only where the caller allowed a partial answer; `missing` then names what did not answer. */
  readonly complete: boolean;
  readonly missing?: readonly string[];
  /** By table name. */
  readonly freshness: Readonly<Record<string, TableFreshness>>;
  readonly stats: Stats;
  readonly queryId: string;
}

export interface Answer extends AnswerTrailer {
  readonly columns: readonly ColumnInfo[];
  readonly rows: readonly Row[];
}

/** Line and column from 1, offset (UTF-16 units) from 0. */
export interface ErrorPosition {
  readonly line: number;
  readonly column: number;
  readonly offset: number;
}

export interface ErrorBody {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly position?: ErrorPosition;
    readonly hint?: string;
    readonly details?: Readonly<Record<string, string | number | readonly string[]>>;
  };
  readonly queryId?: string;
}

export type RowFormat = 'ndjson' | 'json' | 'csv';

export interface PushResult {
  readonly accepted: number;
  readonly rejected: number;
  /** The first 100; lines count from 1 in the request's body. */
  readonly rejects: readonly { readonly line: number; readonly column: string | null; readonly reason: string }[];
  /** The idempotency key was seen before: nothing was added, the counts are those of the first time. */
  readonly duplicate: boolean;
}

export interface TableColumn extends ColumnInfo {
  /** Permanent. */
  readonly id: number;
  readonly nullable: boolean;
  readonly default: Cell;
}

/** Where a secret is, never the secret: `env:NAME` or `file:/absolute/path`. */
export type SecretReference = string;

/** SQL over the relation `message`; its outputs are the table's columns, by name. */
export interface Transform {
  readonly sql: string;
  /** What a message has for it, where the text itself does not declare it. */
  readonly fields?: readonly ColumnInfo[];
}

/** A topic of Apache Kafka. */
export interface KafkaSource {
  readonly kind: 'kafka';
  /** `host:port`. */
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly format: 'json' | 'csv' | 'avro' | 'protobuf' | 'arrow';
  readonly tls: {
    readonly ca?: SecretReference | null;
    readonly certificate?: SecretReference | null;
    readonly key?: SecretReference | null;
  } | null;
  readonly sasl: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
    readonly username: string;
    readonly password: SecretReference;
  } | null;
  readonly schemaRegistry: {
    readonly url: string;
    readonly username?: string | null;
    readonly password?: SecretReference | null;
  } | null;
  readonly isolation: 'read_committed' | 'read_uncommitted';
  /** Where a partition begins that was never read: a number is a time, in milliseconds. */
  readonly startFrom: 'earliest' | 'latest' | number;
  readonly onLostOffsets: 'skip' | 'fail';
  readonly onTopicRecreated: 'restart' | 'fail';
  readonly unknownFields: 'ignore' | 'add';
  readonly deadLetterTopic: string | null;
  readonly transform: Transform | null;
}

/** Rows are pushed. */
export interface LogSource {
  readonly kind: 'log';
  readonly partitionCount: number;
}

/** A table's definition, as `POST /v1/tables` takes it (less id, version and time), and its size now. */
export interface TableInfo {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly createdAtMs: number;
  readonly columns: readonly TableColumn[];
  readonly timeColumn: string | null;
  readonly indexes: readonly { readonly column: string; readonly kind: string }[];
  readonly source: LogSource | KafkaSource;
  readonly settings: {
    readonly segmentRows: number;
    readonly segmentAgeMs: number;
    readonly retentionMs: number | null;
  };
  /** Committed ones. */
  readonly segments: number;
  /** Committed and consuming. */
  readonly rows: number;
  /** In consuming segments. */
  readonly consumingRows: number;
  /** Of committed segments in the deep store. */
  readonly sizeBytes: number;
}

export interface CreateTable {
  readonly name: string;
  readonly columns: readonly {
    readonly name: string;
    readonly type: string;
    readonly nullable?: boolean;
    readonly default?: Cell;
  }[];
  readonly timeColumn?: string | null;
  readonly indexes?: readonly { readonly column: string; readonly kind: 'inverted' | 'range' | 'bloom' }[];
  /** The embedded log unless given. */
  readonly source?:
    | { readonly kind: 'log'; readonly partitionCount?: number }
    | (Pick<KafkaSource, 'kind' | 'brokers' | 'topic'> & Partial<KafkaSource>);
  readonly settings?: {
    readonly segmentRows?: number;
    readonly segmentAgeMs?: number;
    readonly retentionMs?: number | null;
  };
  readonly ifNotExists?: boolean;
}

export interface SegmentInfo {
  readonly id: string;
  readonly partition: number;
  /** Stream offsets covered: [start, end). */
  readonly startOffset: number;
  readonly endOffset: number;
  readonly rows: number;
  readonly sizeBytes: number;
  readonly generation: number;
  readonly tableVersion: number;
  readonly minTimeMs: number | null;
  readonly maxTimeMs: number | null;
  readonly createdAtMs: number;
}

export interface IngestionPartition {
  readonly table: string;
  readonly tableId: string;
  readonly partition: number;
  readonly source: 'log' | 'kafka';
  readonly committedEnd: number;
  readonly freshness: PartitionFreshness;
  /** Counts are since the process started. */
  readonly rowsIngested: number;
  readonly rowsRejected: number;
  readonly rowsFiltered: number;
  readonly offsetsLost: number;
  readonly logSizeBytes: number;
  /** What happened that healed: offsets lost, a topic made again. */
  readonly notice: string | null;
  /** Offset spans that did not add up. */
  readonly auditMismatches: number;
  readonly lastFault: { readonly code: string; readonly message: string; readonly hint?: string } | null;
}

/** Where ingestion is to go on; `time` is ISO 8601. */
export type SeekTarget = 'beginning' | 'end' | { readonly offset: number } | { readonly time: string };

export interface SeekResult {
  readonly partitions: readonly { readonly partition: number; readonly offset: number }[];
}

export interface QueryInfo {
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

export interface HealthCheck {
  readonly ok: boolean;
  /** Why not; empty where ok. */
  readonly causes: readonly string[];
}

export interface Health {
  /** `degraded`: queries are answered, but something else needs care. */
  readonly status: 'ready' | 'degraded' | 'unavailable';
  readonly checks: Readonly<Record<string, HealthCheck>>;
}
