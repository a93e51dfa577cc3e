export interface ControllerSettings {
  /** How long a lease holds without being released: longer than any query may run, so only a dead broker's expires. */
  readonly leaseLimitMs: number;
  /**
   * How long files stay after nothing names them. At least `leaseLimitMs` where brokers outlive the controller: a new
   * controller does not know the leases of the one before it.
   */
  readonly removalGraceMs: number;
  /** Between two rounds of retention and removal. */
  readonly sweepIntervalMs: number;
  /** A load that nobody went on with for so long is given up, and what it has staged goes. */
  readonly loadGiveUpMs: number;
  /** Servers that hold each committed segment. */
  readonly replicaCount: number;
  /** How long a server may be silent before its segments are placed elsewhere: longer than a restart or a new version takes. */
  readonly serverGraceMs: number;
  /** Between two looks for segments to merge; null: none are merged. */
  readonly mergeIntervalMs: number | null;
  /** Of the segments that are merged at once: the merge holds about twice as much memory, and a few seconds of a core. */
  readonly mergeSizeBytesMax: number;
}

export const controllerDefaults: ControllerSettings = {
  leaseLimitMs: 600_000,
  removalGraceMs: 600_000,
  sweepIntervalMs: 30_000,
  loadGiveUpMs: 24 * 3_600_000,
  replicaCount: 1,
  serverGraceMs: 900_000,
  mergeIntervalMs: 10_000,
  mergeSizeBytesMax: 128 << 20,
};

/** Between two heartbeats of a process that joined. */
export const heartbeatMs = 1_000;

/** Three heartbeats missed and the fourth late: no query is sent there until the next one. A lost connection shows earlier. */
export const memberSilenceMs = 4 * heartbeatMs;

/** A call that waits for news is answered without any after this: long against a poll's cost, short against idle connections' limits. */
export const newsWaitMs = 10_000;

/** Each holds a connection to every other; beyond some hundred the brokers' tables of who holds what are the wrong design. */
export const memberCountMax = 256;

/** Each costs its ingest worker an open log and the shards a consuming segment, used or not. */
export const tableCountMax = 1_000;

/** Loads under way or interrupted: they run one at a time, and each may hold a table's size of staged segments. */
export const openLoadsMax = 100;

/** Ended loads that are remembered, so that asking for one again adds nothing twice: months of hourly ones. */
export const endedLoadsMax = 5_000;

/** Every query of a table looks at each of its replacements for each segment. Those that another covers do not count long. */
export const replacementCountMax = 1_000;

/** Leases at one time: many times what admission lets run, so only a broker that never releases gets here. */
export const leaseCountMax = 10_000;
