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
}

export const controllerDefaults: ControllerSettings = {
  leaseLimitMs: 600_000,
  removalGraceMs: 600_000,
  sweepIntervalMs: 30_000,
};

/** Each costs its ingest worker an open log and the shards a consuming segment, used or not. */
export const tableCountMax = 1_000;

/** Leases at one time: many times what admission lets run, so only a broker that never releases gets here. */
export const leaseCountMax = 10_000;
