/** What decoders read into and what they answer. */
import type { ColumnDefinition } from '../catalog/table.ts';
import type { Batch } from '../column/column.ts';
import type { TimeSpelling } from './time-spelling.ts';

/** A table definition is one. */
export interface DecodeTarget {
  readonly columns: readonly ColumnDefinition[];
  /** Of columns that are not simply found by their names, or whose values are written in a way of their own. */
  readonly fields?: readonly FieldReading[];
}

/** Where a column's values are in a row of the input, and how they are written. */
export interface FieldReading {
  readonly column: string;
  /** One name; of a member of an object the names on the way to it. */
  readonly path: readonly string[];
  /** null: as a time's text is read anyway. */
  readonly times: TimeSpelling | null;
  /** Of CSV: unquoted texts that are NULL in this column. */
  readonly nullTexts: readonly string[];
}

export interface Reject {
  /**
   * 1-based line of the input on which the row starts; of a syntax error that ends the input, the error's own. In a
   * format without lines the row's number.
   */
  readonly line: number;
  /** null where the row as a whole is at fault. */
  readonly column: string | null;
  readonly reason: string;
  /** The start of the row as it came, at most `excerptSizeBytes` of it. */
  readonly text: string;
}

export interface Decoded {
  /** Column i is `target.columns[i]`; holds the accepted rows in input order. */
  readonly batch: Batch;
  readonly accepted: number;
  readonly rejected: number;
  /** The first `rejectsKeptMax`. */
  readonly rejects: readonly Reject[];
  /** Values under keys (or in CSV columns) that the table does not have. */
  readonly ignoredValues: number;
}

/** `arrow`: an IPC stream or file. */
export type RowFormat = 'ndjson' | 'json' | 'csv' | 'arrow';
