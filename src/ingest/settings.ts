/** Settings of ingestion, and its limits. */

export interface IngestSettings {
  /** The embedded logs' folder: `<data>/log`. */
  readonly logFolder: string;
  /** How often segments' ages and failed partitions are looked at. */
  readonly tickMs?: number;
  /** At which size a log begins a new file; 64 MiB where not given. */
  readonly logFileSizeBytes?: number;
  /** Bodies taken and not yet answered; 256 MiB where not given. */
  readonly pendingSizeBytesMax?: number;
}

export const tickMsDefault = 200;

/** Pushes wait in memory while the disk is slow; beyond this they are refused, so that the process keeps its budget. */
export const pendingSizeBytesMaxDefault = 256 << 20;

/** Rejected rows that an answer names. */
export const rejectsAnsweredMax = 100;

/** A partition without a row for so long is idle: its watermark stands still because nothing happens, not because it is late. */
export const idleAfterMs = 10_000;

/** Delays between attempts of what failed: the first, and the longest. */
export const backoffMs = { first: 100, longest: 10_000 } as const;
