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

/** `arrow`: bytes of an IPC stream or file; columns by name. */
export type RowFormat = 'ndjson' | 'json' | 'csv' | 'arrow';

export interface PushResult {
  readonly accepted: number;
  readonly rejected: number;
  /** The first 100; lines count from 1 in the request's body, of Arrow its rows do. */
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
  readonly indexes: readonly { readonly name: string; readonly column: string; readonly kind: string }[];
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
  readonly indexes?: readonly { readonly column: string; readonly kind: IndexKind; readonly name?: string }[];
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

export type IndexKind = 'inverted' | 'range' | 'bloom';

/** One action of `PATCH /v1/tables/{table}`: all of a request, or none. */
export type AlterAction =
  | {
      readonly action: 'addColumn';
      readonly name: string;
      readonly type: string;
      readonly nullable?: boolean;
      /** Also of the rows that are there. */
      readonly default?: Cell;
      readonly ifNotExists?: boolean;
    }
  | { readonly action: 'dropColumn'; readonly column: string; readonly ifExists?: boolean }
  | { readonly action: 'renameColumn'; readonly column: string; readonly to: string }
  /** To a type that holds every value of the one before. */
  | { readonly action: 'setType'; readonly column: string; readonly type: string }
  /** Of rows to come. */
  | { readonly action: 'setDefault'; readonly column: string; readonly default: Cell }
  | { readonly action: 'dropDefault'; readonly column: string }
  | { readonly action: 'dropNotNull'; readonly column: string };

export interface CreateIndex {
  readonly column: string;
  /** `inverted` unless given. */
  readonly kind?: IndexKind;
  /** `<table>_<column>_<kind>` unless given. */
  readonly name?: string;
  readonly ifNotExists?: boolean;
}

/** Long work in the background. */
export interface TaskInfo {
  readonly taskId: string;
  readonly kind: 'load' | 'merge' | 'index';
  readonly table: string;
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

export interface SegmentInfo {
  readonly id: string;
  /** Null: rows of batch loads, which are of no stream. */
  readonly partition: number | null;
  /** Stream offsets covered: [start, end); of a load, its rows' numbers. */
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

/** A file of the server's disk in a folder that its operator allowed, or a pattern of them; or an upload. */
export type LoadFile = { readonly path: string } | { readonly upload: string; readonly name: string };

export interface LoadOptions {
  readonly table: string;
  readonly files: readonly LoadFile[];
  /** Looked for in the files unless given. */
  readonly format?: 'csv' | 'ndjson' | 'json' | 'parquet' | 'arrow' | 'avro';
  /** Of CSV; found out unless given. */
  readonly delimiter?: string;
  readonly header?: boolean;
  readonly quote?: string;
  readonly nullTexts?: readonly string[];
  /** An object is one JSON value, or each of its members is a column. */
  readonly nested?: 'json' | 'flatten';
  /** One more fails the load; any number unless given. */
  readonly rejectsMax?: number | null;
  /** ISO 8601: rows that are there with their time in `[from, to)` are hidden, in the moment in which the new ones show. */
  readonly replace?: { readonly from: string; readonly to: string };
  /** Loads of one table and key are one load; made of the files unless given. */
  readonly key?: string;
  /** Makes the table of what the files hold, where it is not there. */
  readonly create?: boolean;
  readonly timeColumn?: string | null;
}

export interface LoadReject {
  readonly file: string;
  /** From 1; of a format without lines the row's number. */
  readonly line: number;
  readonly column: string | null;
  readonly reason: string;
}

export interface LoadInfo {
  readonly id: string;
  readonly table: string;
  readonly key: string;
  /** `interrupted`: nobody works on it; asking for it again goes on with it. */
  readonly state: 'running' | 'interrupted' | 'finished' | 'failed' | 'cancelled';
  readonly files: readonly { readonly name: string; readonly sizeBytes: number }[];
  readonly replace: { readonly from: string; readonly to: string } | null;
  /** Of the files as they are: compressed. */
  readonly bytesRead: number;
  readonly bytesTotal: number;
  readonly rowsRead: number;
  readonly rowsLoaded: number;
  readonly rowsRejected: number;
  /** The first 100. */
  readonly rejects: readonly LoadReject[];
  readonly createdAtMs: number;
  readonly finishedAtMs: number | null;
  /** Why it failed, or was interrupted. */
  readonly error: string | null;
}

export interface StartedLoad {
  readonly load: LoadInfo;
  /** CREATE TABLE of the table that was made for it. */
  readonly created: string | null;
  /** What was guessed, and why. */
  readonly notes: readonly string[];
}

export interface LoadProposal {
  /** CREATE TABLE of what the files hold. */
  readonly statement: string;
  readonly notes: readonly string[];
  /** Rows of the sample. */
  readonly rowCount: number;
}

export interface UploadState {
  readonly receivedBytes: number;
  /** A load may name it. */
  readonly isWhole: boolean;
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

/** A process of the cluster. */
export interface ServerInfo {
  readonly id: string;
  /** `controller`, `ingest`, `server`, `broker`. */
  readonly roles: readonly string[];
  /** `host:port`; null where it has not been seen since the controller started, or opens no port. */
  readonly address: string | null;
  readonly release: string | null;
  readonly state: 'live' | 'silent' | 'leaving' | 'draining' | 'drained';
  readonly segmentsPlaced: number;
  readonly segmentsAnnounced: number;
  /** Of the segments that it announced. */
  readonly sizeBytes: number;
  readonly startedAtMs: number | null;
  readonly heartbeatAtMs: number | null;
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
