import type { Clock } from '../base/seams.ts';

/**
 * A clock's tick that any number of waiters share: a timer of its own for each would cost more than a small query does. Whoever
 * waits may have to wait for less than a whole tick.
 */
export class Ticker {
  readonly #clock: Clock;
  readonly #tickMs: number;
  #next: Promise<void> | null = null;

  constructor(clock: Clock, tickMs: number) {
    this.#clock = clock;
    this.#tickMs = tickMs;
  }

  next(): Promise<void> {
    this.#next ??= this.#clock.sleep(this.#tickMs).then(() => {
      this.#next = null;
    });
    return this.#next;
  }
}
