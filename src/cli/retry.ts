/** Requests that are worth another try: a server that restarts is back within seconds. */
import type { Clock } from '../base/seams.ts';
import { WeirError } from '../client/error.ts';

const triesMax = 8;
const backoffMsMin = 200;

/** @throws WeirError of the last try, or one that another try does not heal */
export async function withRetries<T>(clock: Clock, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof WeirError) || !error.retryable || attempt === triesMax) throw error;
      await clock.sleep(backoffMsMin * 2 ** (attempt - 1), signal);
    }
  }
}
