/** Queries that run at once: beyond a few per core they only take each other's cache and memory. */
export const runningQueriesMax = 64;

/** Queries that wait for their turn: at a few milliseconds each, 1,024 wait seconds; more would only time out. */
export const waitingQueriesMax = 1024;

/** Finished queries that `system.queries` remembers. */
export const finishedQueriesMax = 200;
