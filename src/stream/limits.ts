/** How large the embedded log's parts may grow. */

/** A file of the log; whole files are removed below the committed end, so this is about what is replayed needlessly. */
export const logFileSizeBytesDefault = 64 << 20;

/** A record is one push; its frame's positions are 32 bits, and a reader holds it in memory. */
export const recordSizeBytesMax = 1 << 30;

/** Records that share one write and fsync: more would delay the first of them for a copy that takes longer than the sync. */
export const groupSizeBytesMax = 8 << 20;

/** An idempotency key: two UUIDs and a name fit. */
export const idempotencyKeySizeBytesMax = 256;

/** Keys remembered per partition: a client that retries after more pushes than this has lost track for other reasons. */
export const idempotencyKeysMax = 100_000;

/** A day: the longest outage after which a client's retry of the same push is still one. */
export const idempotencyAgeMsMax = 86_400_000;

/** After a failed repair of the log, how long until the next; a full disk seldom empties faster. */
export const repairDelayMs = 1_000;

/** The file of rejected rows, of which the one before is kept too. */
export const rejectLogSizeBytesMax = 8 << 20;

/** Rejected rows of one push that are kept; the answer counts all of them. */
export const rejectsPerPushMax = 1_000;

/** How long a schema registry may take to answer: it is asked while ingestion waits. */
export const registryTimeoutMs = 10_000;

/** One answer of a schema registry; schemas are some kilobytes, generated ones some hundred. */
export const registryAnswerSizeBytesMax = 8 << 20;

/** Schemas that one refers to, directly or not. */
export const schemaReferencesMax = 256;

/** Schemas kept per source; a topic has a few, garbage may name any. */
export const schemasKeptMax = 1024;

/** An id that the registry did not know is asked for again after this: its replica may have been late. */
export const unknownSchemaKeptMs = 30_000;
