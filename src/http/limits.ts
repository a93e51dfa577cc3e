/** What the HTTP door allows, each with its reason. */

/** Of one push, after decompression too: about 500,000 events; larger files come in batches. */
export const bodySizeBytesDefault = 64 << 20;
/** Of `POST /v1/sql` and of a table's definition: a generated statement is long, an INSERT with 10,000 rows fits. */
export const sqlBodySizeBytesMax = 4 << 20;
/** Of `POST /v1/loads`: ten thousand files by name fit. */
export const loadBodySizeBytesMax = 4 << 20;
/** `parameters` of one statement: PostgreSQL's own limit is 65,535; nobody writes a tenth of that by hand. */
export const parameterCountMax = 10_000;
/** A query that names no timeout gets this. */
export const queryTimeoutMsDefault = 30_000;
/** The longest timeout that a query may ask for: a pinned snapshot keeps old files alive. */
export const queryTimeoutMsMax = 600_000;
/** Characters of an idempotency key: a UUID, a hash or a path of a file with a position all fit. */
export const idempotencyKeyLengthMax = 200;
/** Characters of a path parameter (a table's name, percent-encoded: up to 128 characters of 4 bytes of 3). */
export const pathParameterLengthMax = 1_536;

/** Open connections: each costs about 10 KB here and one file descriptor of the usual 1,024 or more. */
export const connectionCountMax = 2_000;
/** A request must have arrived whole within this: a body of 64 MiB at 5 Mbit/s. Bounds what a trickling client holds. */
export const requestTimeoutMs = 120_000;
/** A connection without a request closes after this; longer than the 60 s of common load balancers, so that they close first. */
export const keepAliveTimeoutMs = 72_000;
/** A reader that takes nothing of an answer for this long loses it: its query holds a snapshot. */
export const slowReaderTimeoutMs = 60_000;
/** What a query's time is over by when its reader is given up: the broker ends it first, and says why. */
export const deadlineGraceMs = 250;
/** Answers under way at `close` may go on for this long. */
export const closeGraceMs = 5_000;

/** Rows go out in pieces of about this size; an answer that is smaller is sent whole, with its true status. */
export const chunkSizeBytes = 64 << 10;
/** A check of `/health/ready` that takes longer has failed: orchestrators themselves give up after 1 to 5 s. */
export const healthTimeoutMs = 2_000;
/** Checks are not repeated within this, however many probes ask. */
export const healthAgeMsMax = 1_000;
