import type { Row } from '../../api/client.ts';
import { toNumber } from '../../components/format.ts';

export interface PerSecond {
  /** Every whole second of the window, in seconds since 1970. */
  readonly seconds: readonly number[];
  /** Events of each; 0 where the answer has none. */
  readonly counts: readonly number[];
}

/** Most events reach the table this soon after they happen: a second that ended less than this ago would be drawn too low. */
export const settleMs = 500;

/**
 * Every second of the window up to the last one that ended `settleMs` before the watermark. Seconds without events are
 * zero, not gaps; late events raise seconds that were drawn already.
 * @param rows Second (ISO 8601) and count.
 */
export function perSecond(rows: readonly Row[], watermarkMs: number, windowSeconds: number): PerSecond {
  const end = Math.floor((watermarkMs - settleMs) / 1000);
  const counts = new Array<number>(windowSeconds).fill(0);
  for (const [second, count] of rows) {
    const slot = Math.floor(Date.parse(String(second)) / 1000) - (end - windowSeconds);
    if (slot >= 0 && slot < windowSeconds) counts[slot] = toNumber(count ?? null) ?? 0;
  }
  return { seconds: counts.map((_, slot) => end - windowSeconds + slot), counts };
}

/** Mean of the last few whole seconds: steadier than one. */
export function recentRate({ counts }: PerSecond, overSeconds = 5): number {
  const recent = counts.slice(-overSeconds);
  return recent.reduce((sum, count) => sum + count, 0) / Math.max(1, recent.length);
}
