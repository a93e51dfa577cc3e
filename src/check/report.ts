/** What a check of a data folder finds. */

export interface CheckProblem {
  /** From the data folder. */
  readonly file: string;
  /** "column amount, block 3"; empty where it is the file as a whole. */
  readonly place: string;
  readonly what: string;
  /** What Weir does with it as it is. */
  readonly consequence: string;
  readonly action: string;
}

export interface CheckReport {
  readonly problems: readonly CheckProblem[];
  readonly tables: number;
  readonly segments: number;
  /** In committed segments. */
  readonly rows: number;
  /** Of committed segments and logs. */
  readonly sizeBytes: number;
  readonly logRecords: number;
  /** Rows that are in a log and in no committed segment. */
  readonly logRows: number;
  /** Ends of files that a crash cut short: Weir leaves them out by itself, and nobody was told that they are safe. */
  readonly tornEnds: readonly string[];
  /** Segment folders that no metadata names: collected by themselves, and of no consequence. */
  readonly orphans: readonly string[];
}

export interface CheckOptions {
  /** Zone maps and indexes are compared with the values, too. */
  readonly deep: boolean;
  /** After each segment and each log. */
  onProgress(done: number, total: number): void;
}
