/** A batch load: what it reads, how far it is, and what came of it. The metadata keeps it as JSON. */
import type { Replacement } from './table.ts';

/** One file of a load: on the server's disk, in a folder that its operator allowed, or uploaded. */
export interface LoadInput {
  readonly kind: 'path' | 'upload';
  /** A path, or an upload's id. */
  readonly location: string;
  /** What it is called in messages. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Changes when the file does: a load is resumed only over the same files. */
  readonly fingerprint: string;
}

/** JSON, as whoever reads the files made it. */
export interface LoadOptions {
  /** By file: how it is read (`FileShape` of `format/file`). */
  readonly shapes: readonly unknown[];
  /** One more fails the load; null: any number. */
  readonly rejectsMax: number | null;
}

export type LoadState = 'running' | 'finished' | 'failed' | 'cancelled';

export interface LoadReject {
  readonly file: string;
  /** 1-based line or row. */
  readonly line: number;
  readonly column: string | null;
  readonly reason: string;
}

/** Rejects that are kept of a load. */
export const loadRejectsKeptMax = 100;

export interface LoadEntry {
  /** 16 hexadecimal digits. */
  readonly id: string;
  readonly tableId: string;
  /** Two loads with one key are one load: what the first one did is not done again. */
  readonly key: string;
  /** Counts a table's finished loads, from 1; null before it has finished. */
  readonly sequence: number | null;
  /** Loads of lower numbers had finished when it was asked for: see `Replacement`. */
  readonly loadsBelow: number;
  readonly state: LoadState;
  readonly inputs: readonly LoadInput[];
  readonly options: LoadOptions;
  /** A range of the time column whose rows it takes the place of; null: it adds. */
  readonly replace: { readonly fromMs: number; readonly toMs: number } | null;
  /** Where the streams were when it was asked for: see `Replacement`. */
  readonly cutoffs: Replacement['cutoffs'];
  /** Rows of all its files, in order, of which the accepted ones are all staged: it reads on behind them. */
  readonly rowsSettled: number;
  /** In staged segments; some of the last may be of rows behind `rowsSettled`. */
  readonly rowsLoaded: number;
  /** Of `rowsSettled`. */
  readonly rowsRejected: number;
  /** The first ones. */
  readonly rejects: readonly LoadReject[];
  readonly createdAtMs: number;
  readonly finishedAtMs: number | null;
  /** Why it failed. */
  readonly error: string | null;
}
