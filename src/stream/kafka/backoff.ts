import type { Random } from '../../base/seams.ts';

const firstDelayMs = 100;
/** What is down for long is asked no more often, and found no later, than this. */
const delayMsMax = 5_000;

/** Doubles with each failure (from 1), and differs by up to half, so that readers do not come all at once. */
export const retryDelayMs = (failureCount: number, random: Random): number =>
  Math.min(delayMsMax, firstDelayMs * 2 ** Math.min(failureCount - 1, 16)) * (0.75 + 0.5 * random.next());
