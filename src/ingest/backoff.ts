import type { Clock, Random } from '../base/seams.ts';
import { backoffMs } from './settings.ts';

/** How long to wait after `failures` failures in a row: doubling, with a random half, so that many do not come back at once. */
export const backoffDelayMs = (failures: number, random: Random): number =>
  Math.min(backoffMs.longest, backoffMs.first * 2 ** Math.min(failures - 1, 20)) * (0.5 + random.next() / 2);

/** Waits; false where the signal ended it. */
export async function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(delayMs, signal);
    return !signal.aborted;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
