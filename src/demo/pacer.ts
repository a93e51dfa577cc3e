/** A steady rate in batches. What was missed is caught up gently; what was missed too long ago is let go. */

export interface PacerOptions {
  readonly ratePerSecond: number;
  readonly tickMs: number;
  readonly startMs: number;
  readonly batchRowsMax: number;
}

/** Rows of this much time may be owed; older ones are never sent. */
const owedMsMax = 10_000;
/** How much faster than the rate it catches up. */
const catchUp = 1.25;

export interface Pacer {
  /** `due` never gives more: a tick's rows and a quarter. */
  readonly rowsMax: number;
  /** Rows to send now; they count as sent. */
  due(nowMs: number): number;
  /** How long before the last `due` the last of its rows should have been sent; 0 where it owes no more. */
  behindMs(): number;
  /** Time until the next tick; 0 where it is past. */
  waitMs(nowMs: number): number;
}

export function createPacer({ ratePerSecond, tickMs, startMs, batchRowsMax }: PacerOptions): Pacer {
  const rowsPerMs = ratePerSecond / 1000;
  // At least one, so that low rates are reached too.
  const rowsMax = Math.min(Math.max(1, Math.ceil(tickMs * rowsPerMs * catchUp)), batchRowsMax);
  let owed = 0;
  let lastMs = startMs;
  return {
    rowsMax,
    due(nowMs) {
      const passedMs = nowMs - lastMs;
      lastMs = nowMs;
      owed = Math.min(owed + passedMs * rowsPerMs, owedMsMax * rowsPerMs);
      const rows = Math.min(Math.floor(owed), rowsMax);
      owed -= rows;
      return rows;
    },
    // Less than a row is owed for no time: it is not due yet.
    behindMs: () => Math.floor(owed) / rowsPerMs,
    waitMs: nowMs => Math.max(0, lastMs + tickMs - nowMs),
  };
}
