/** How far a table's definition may go. */

/** Each column costs every segment index files, zone maps and a builder's buffers; wider events belong in a JSON column. */
export const columnCountMax = 1_000;

/** Each index is a file per segment, and a sort in the builder. */
export const indexCountMax = 200;

/** A default is kept in every definition that crosses a thread. */
export const defaultSizeBytesMax = 4_096;

/** 2^26 rows at ~20 B a row is a segment of more than 1 GB: larger ones neither build nor move in one piece. */
export const segmentRowsMax = 1 << 26;

/** ~100 MB of consuming rows at 100 B each, a second or so of building. */
export const segmentRowsDefault = 1_000_000;

/** A log that is replayed for longer than this after a crash is a restart nobody waits for. */
export const segmentAgeMsMax = 7 * 86_400_000;

/** Segments seal at least this seldom: each costs files, a metadata row, and a unit of every scan. */
export const segmentAgeMsMin = 1_000;

export const segmentAgeMsDefault = 3_600_000;

/** Twice the age of the oldest event stores in use; a longer one is a mistake in units (microseconds, say). */
export const retentionMsMax = 100 * 366 * 86_400_000;

/** DECIMAL's digits: what 128 bits hold. */
export const decimalPrecisionMax = 38;

/** Brokers to begin with: a client learns of the others from any one of them. */
export const brokerCountMax = 64;

/** User names, URLs and places of secrets: far above what any has, far below what a definition should carry. */
export const connectionTextLengthMax = 1_024;

/** A transform is kept in every definition that crosses a thread; a tenth of it is a long query. */
export const transformLengthMax = 1 << 16;
