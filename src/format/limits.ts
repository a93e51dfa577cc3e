/** How far input is followed before it is refused. */

/** One row's text; Kafka's default message size. A larger "row" is nearly always a file with its line ends lost. */
export const rowSizeBytesMax = 1 << 20;

/** Objects and arrays inside one another. PostgreSQL's default stack takes some thousands; real events stay below ten. */
export const nestingDepthMax = 128;

/** How much of a bad row is kept to show what was wrong with it. */
export const excerptSizeBytes = 1024;

/** Rejects kept one by one; further ones are only counted, so that a wrong file cannot fill the memory with reasons. */
export const rejectsKeptMax = 10_000;

/** Distinct keys whose meaning is remembered within a batch; rows with ever new keys look each further one up. */
export const keysRememberedMax = 4_096;

/** Characters of a value that a reason quotes. */
export const quotedLengthMax = 64;

/** Text longer than this is no number, time or date: it is not even looked at. */
export const scalarTextSizeMax = 512;
