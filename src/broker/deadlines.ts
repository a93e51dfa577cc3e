/** Ends what is still open when its time is over. One sleeper for all: a timer a query would cost more than a small query. */
import type { Clock } from '../base/seams.ts';

export class Deadlines {
  readonly #clock: Clock;
  /** Ends by the clock's monotonic milliseconds, and what to do then. */
  readonly #open = new Map<object, { readonly atMs: number; readonly expire: () => void }>();
  #wakesAtMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `expire` once after `delayMs`, unless `remove` comes first. */
  add(owner: object, delayMs: number, expire: () => void): void {
    const atMs = this.#clock.monotonicMs() + delayMs;
    this.#open.set(owner, { atMs, expire });
    if (atMs < this.#wakesAtMs) void this.#sleep(atMs);
  }

  remove(owner: object): void {
    this.#open.delete(owner);
  }

  async #sleep(untilMs: number): Promise<void> {
    this.#wakesAtMs = untilMs;
    await this.#clock.sleep(Math.max(0, untilMs - this.#clock.monotonicMs()));
    // An earlier deadline came meanwhile: its sleeper looks after the rest.
    if (this.#wakesAtMs !== untilMs) return;
    this.#wakesAtMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#clock.monotonicMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [owner, { atMs, expire }] of [...this.#open]) {
      if (atMs > nowMs) nextMs = Math.min(nextMs, atMs);
      else {
        this.#open.delete(owner);
        expire();
      }
    }
    if (nextMs < this.#wakesAtMs) void this.#sleep(nextMs);
  }
}
