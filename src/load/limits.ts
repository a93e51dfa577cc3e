/** What loads allow, each with its reason. */

/** Files of one load: a year of hourly files fits; each is looked at before the load begins. */
export const loadFilesMax = 10_000;
/** Characters of a path or pattern: what Linux takes. */
export const pathLengthMax = 4_096;
/** Of one upload: larger files are read from where they are, or come in parts. */
export const uploadSizeBytesMax = 256 * 2 ** 30;
/** Stays free on the data folder's disk whatever is uploaded, so that pushes and seals go on. */
export const uploadReserveBytes = 1 << 30;
/** Uploads at one time, whole or not: each is a file of the data folder. */
export const uploadCountMax = 10_000;
/** An upload that no load uses for so long goes. */
export const uploadAgeMsMax = 24 * 3_600_000;
/** Between two looks for uploads that can go. */
export const uploadSweepIntervalMs = 60_000;
/** Read at once to check what was uploaded: under a millisecond of hashing, so that the thread stays free for others. */
export const hashSizeBytes = 1 << 20;
/** Characters of a load's key: a hash or a file's path and date fit. */
export const loadKeyLengthMax = 200;
