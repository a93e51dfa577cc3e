import type { Clock } from './seams.ts';

/** How often what another thread gives back is looked for: a wait this long is short beside what it waits for. */
const lookEveryMs = 10;

interface Waiter {
  readonly tryTake: () => boolean;
  readonly endsAtMs: number;
  readonly settle: (taken: boolean) => void;
}

/** Who waits for something scarce, in order of arrival: the first is served first, and nobody passes it. */
export class Line {
  readonly #clock: Clock;
  readonly #waiting: Waiter[] = [];
  #isLooking = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /**
   * True as soon as `tryTake`, asked when all before are served, says so; at once where nobody waits. False when it did not
   * within `timeoutMs`. Rejects with the signal's reason.
   */
  async wait(tryTake: () => boolean, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    signal?.throwIfAborted();
    if (this.#waiting.length === 0 && tryTake()) return true;
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        tryTake,
        endsAtMs: this.#clock.monotonicMs() + timeoutMs,
        settle: taken => {
          signal?.removeEventListener('abort', leave);
          resolve(taken);
        },
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal!.reason);
        this.look();
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiting.push(waiter);
      void this.#lookOn();
    });
  }

  /** Serves who can be served now: called when something was given back in this thread. */
  look(): void {
    while (this.#waiting[0]?.tryTake()) this.#waiting.shift()!.settle(true);
  }

  /** While somebody waits: for what other threads give back, and for those whose time is over. */
  async #lookOn(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    while (this.#waiting.length > 0) {
      await this.#clock.sleep(lookEveryMs);
      this.look();
      const nowMs = this.#clock.monotonicMs();
      for (const waiter of this.#waiting.filter(({ endsAtMs }) => endsAtMs <= nowMs)) {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        waiter.settle(false);
      }
    }
    this.#isLooking = false;
  }
}
