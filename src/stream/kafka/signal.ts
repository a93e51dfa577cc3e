import type { Clock } from '../../base/seams.ts';

/** One waits, others wake: a wake before the wait is not lost. */
export class Signal {
  #isSet = false;
  #wakeUp: (() => void) | null = null;

  wake(): void {
    this.#isSet = true;
    this.#wakeUp?.();
  }

  /** Until it is woken, or `timeoutMs` have passed. */
  async wait(clock: Clock, timeoutMs: number | null): Promise<void> {
    if (!this.#isSet) {
      const stop = new AbortController();
      const woken = new Promise<void>(resolve => {
        this.#wakeUp = resolve;
      });
      if (timeoutMs === null) await woken;
      else await Promise.race([woken, clock.sleep(timeoutMs, stop.signal).catch(() => {})]);
      stop.abort();
      this.#wakeUp = null;
    }
    this.#isSet = false;
  }
}
