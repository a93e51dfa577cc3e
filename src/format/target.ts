/** What decoders read into and what they answer. */
import type { ColumnDefinition } from '../catalog/table.ts';
import type { Batch } from '../column/column.ts';

/** A table definition is one. */
export interface DecodeTarget {
  readonly columns: readonly ColumnDefinition[];
}

export interface Reject {
  /** 1-based line of the input on which the row starts; of a syntax error that ends the input, the error's own. */
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

export type RowFormat = 'ndjson' | 'json' | 'csv';
