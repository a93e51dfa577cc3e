/** A bounded number of queries at once, the rest in order of arrival, and no more than a stated number of those. */
import { fault } from '../base/fault.ts';
import { runningQueriesMax, waitingQueriesMax } from './limits.ts';

export class Admission {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /** Resolves when it is this query's turn. @throws FaultError TOO_MANY_QUERIES; the signal's reason */
  async enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#running < runningQueriesMax) {
      this.#running++;
      return;
    }
    if (this.#waiting.length >= waitingQueriesMax)
      throw fault(
        'TOO_MANY_QUERIES',
        `${runningQueriesMax} queries run and ${waitingQueriesMax} wait, which is the limit`,
        {
          hint: 'try again in a moment, or send fewer queries at once',
          details: { running: this.#running, waiting: this.#waiting.length },
        },
      );
    await new Promise<void>((resolve, reject) => {
      const start = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(start), 1);
        reject(signal.reason);
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(start);
    });
  }

  /** Called exactly once after `enter` resolved. */
  leave(): void {
    const next = this.#waiting.shift();
    // The place goes on to the next in line.
    if (next) next();
    else this.#running--;
  }
}
