/** Files of rows → columns: what is asked for, what is found, what is answered. Knows nothing of how rows are stored. */
import type { Batch } from '../../column/column.ts';
import type { Type } from '../../column/type.ts';
import type { DecodeTarget, FieldReading, Reject } from '../target.ts';

/** Random access to one file, whatever holds it. A disk's file with its name and size is one. */
export interface FileBytes {
  /** For people and for guesses: a path or an address. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Up to `into.length` bytes from `position` on; how many, fewer only at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>;
}

export const fileFormats = ['csv', 'ndjson', 'json', 'parquet', 'arrow', 'avro'] as const;

/** `json`: arrays of objects, or objects, one after another. `arrow`: an IPC file (Feather 2) or stream. */
export type FileFormat = (typeof fileFormats)[number];

/** Around a whole file of a text format; what is inside Parquet, Arrow and Avro files is their own business. */
export type FileCompression = 'none' | 'gzip' | 'zstd';

export interface CsvDialect {
  /** One ASCII character. */
  readonly delimiter: string;
  /** One ASCII character; null: quotes are text like any other. */
  readonly quote: string | null;
  /** The first record names the fields; else they are `c1`, `c2` … */
  readonly header: boolean;
  /** Names of the fields in their order; two of one name are told apart by a suffix. */
  readonly names: readonly string[];
  /** Unquoted fields of these texts are NULL, as empty ones are. */
  readonly nullTexts: readonly string[];
}

/** `json`: an object is one JSON value. `flatten`: each member of an object is a field of its own; arrays stay JSON. */
export type NestedReading = 'json' | 'flatten';

/** What the caller knows better. */
export interface FileOptions {
  readonly format?: FileFormat;
  readonly delimiter?: string;
  readonly header?: boolean;
  /** '' for none. */
  readonly quote?: string;
  readonly nullTexts?: readonly string[];
  /** `json` by default. */
  readonly nested?: NestedReading;
}

/** All that reading a file takes, as plain data: to be kept with a load and used again when it goes on. */
export interface FileShape {
  readonly format: FileFormat;
  readonly compression: FileCompression;
  /** Of CSV alone. */
  readonly dialect: CsvDialect | null;
  readonly nested: NestedReading;
  /** Of `inferFile`; a column that is not among them is found by its name. */
  readonly fields: readonly FieldReading[];
}

export interface InferredFileColumn {
  readonly name: string;
  readonly type: Type;
  readonly nullable: boolean;
  /** Few distinct strings: an inverted index is worth its room. */
  readonly lowCardinality: boolean;
}

export interface InferredFileTable {
  readonly columns: readonly InferredFileColumn[];
  /** A TIMESTAMP column, the likeliest time of the event; null where none can be it. */
  readonly timeColumn: string | null;
  /** Rows of the sample. */
  readonly rowCount: number;
  /** What was guessed, and why; what stayed text because it is ambiguous. A sentence each. */
  readonly notes: readonly string[];
  /** By file: its shape with the fields that were found. Read it with these. */
  readonly shapes: readonly FileShape[];
}

/** A run of a file's rows. The same file read with the same shape into the same target gives the same batches. */
export interface FileBatch {
  /** Column i is `target.columns[i]`; holds the accepted rows in file order; at most `batchRowsMax`. */
  readonly batch: Batch;
  /** Accepted rows. */
  readonly rowCount: number;
  /** Rows of the file, accepted and rejected, before this batch; the next one begins `rowCount + rejected` later. */
  readonly firstRow: number;
  readonly rejected: number;
  /** The first `rejectsKeptMax` of the batch; `line` is a row's number, from 1, in formats without lines. */
  readonly rejects: readonly Reject[];
  /** Values of fields that the target does not have. */
  readonly ignoredValues: number;
  /** Bytes of the file, compressed as it is, that were read up to the end of this batch. Never falls. */
  readonly readBytes: number;
}

export type { DecodeTarget, FieldReading, Reject };
