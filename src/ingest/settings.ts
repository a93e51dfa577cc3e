/** Settings of ingestion, and its limits. */

export interface IngestSettings {
  /** The embedded logs' folder: `<data>/log`. */
  readonly logFolder: string;
  /** How often segments' ages and failed partitions are looked at. */
  readonly tickMs?: number;
  /** At which size a log begins a new file; 64 MiB where not given. */
  readonly logFileSizeBytes?: number;
  /** Bodies taken and not yet answered; 256 MiB where not given. The door bounds them, too. */
  readonly pendingSizeBytesMax?: number;
  /** Bytes of appended frames after which a consuming segment rolls, whatever its rows; no bound where not given. */
  readonly segmentSizeBytesMax?: number;
  /** Of one table that consumes a stream: fetched and not yet taken; 64 MiB where not given. */
  readonly streamBufferSizeBytes?: number;
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

/** How often a topic is looked at: new partitions, and whether it is still the same topic. */
export const topicPollMs = 2_000;

/** Messages of one table that were fetched and not yet taken by a shard: what a stream that is faster than the machine may hold. */
export const streamBufferSizeBytesDefault = 64 << 20;

/**
 * A partition may hold a sixteenth, and a fetch brings as much, at most half of it of one partition: large fetches cost
 * less for each message, and one partition that stands still leaves room for the others.
 */
export const fetchLimits = (streamBufferSizeBytes: number) => ({
  bufferSizeBytesMax: Math.max(1 << 19, streamBufferSizeBytes >> 4),
  partitionFetchSizeBytes: Math.max(1 << 18, streamBufferSizeBytes >> 5),
  fetchSizeBytes: Math.max(1 << 19, streamBufferSizeBytes >> 4),
  /** Above the time between two answers of a busy broker, below what anybody calls late. */
  fetchWaitMs: 200,
});
