/** Short queries that run at once: beyond a few per core they only take each other's cache and memory. */
export const runningQueriesMax = 64;

/** Long queries that run at once, beside the short ones: each may take a good part of the memory that queries have. */
export const longQueriesMax = 8;

/** Rows in the segments and ranges that are left after pruning: with more a query is a long one. Some 20 ms of work for a core. */
export const shortQueryRowsMax = 1 << 20;

/** Queries that wait for their turn: at a few milliseconds each, 1,024 wait seconds; more would only time out. */
export const waitingQueriesMax = 1024;

/** The longest wait for a turn: half of the usual timeout, so that who waited has as much left to run; who waits longer had better know. */
export const queryWaitMsMax = 15_000;

/**
 * What a statement holds while it runs or waits, for each UTF-16 unit of its text: measured at 37 bytes for an IN list of
 * 30,000 numbers (a plan's literal each), and about as much again for the copies in the shards.
 */
export const statementBytesPerUnit = 64;

/** Finished queries that `system.queries` remembers. */
export const finishedQueriesMax = 200;
