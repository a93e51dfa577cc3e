import type { Clock } from '../base/seams.ts';

/**
 * How long one query computes before others may: long against what a turn costs (some 10 µs), short against what a
 * dashboard query, an append or a pin would notice.
 */
export const sliceMs = 4;

/**
 * Turns of one thread's event loop, dealt to runs: one run a turn, in order of asking, so that between any two slices the
 * thread takes its messages, however many runs wait.
 */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  #scheduled = false;

  /** Resolves in a macrotask of the caller's own. */
  next(): Promise<void> {
    return new Promise(resolve => {
      this.#waiting.push(resolve);
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#waiting.shift()?.();
      if (this.#waiting.length > 0) this.#schedule();
    });
  }
}

/** One run's share of the thread. */
export class Slice {
  readonly #turns: Turns;
  readonly #clock: Clock;
  #startedMs: number;

  constructor(turns: Turns, clock: Clock) {
    this.#turns = turns;
    this.#clock = clock;
    this.#startedMs = clock.monotonicMs();
  }

  /** Waits for the next turn if this one was used for a slice; at once, without waiting, if not. */
  async pause(): Promise<void> {
    if (this.#clock.monotonicMs() - this.#startedMs < sliceMs) return;
    await this.#turns.next();
    this.#startedMs = this.#clock.monotonicMs();
  }
}
