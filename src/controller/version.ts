import type { Clock } from '../base/seams.ts';

/** Counts changes, and wakes those who wait for one. */
export class Version {
  #value = 1;
  readonly #waiting = new Set<() => void>();

  get value(): number {
    return this.#value;
  }

  bump(): void {
    this.#value++;
    for (const wake of this.#waiting) wake();
  }

  /** Resolves when the value is another than `since`, after `waitMs`, or when the signal aborts. */
  async changed(since: number | null, waitMs: number, clock: Clock, signal: AbortSignal): Promise<void> {
    if (since !== this.#value) return;
    const woken = new AbortController();
    const wake = (): void => woken.abort();
    this.#waiting.add(wake);
    await clock.sleep(waitMs, AbortSignal.any([signal, woken.signal])).catch(() => {});
    this.#waiting.delete(wake);
  }

  /** Resolves when a change made it hold, or when the signal aborts. */
  async changedUntil(holds: () => boolean, signal: AbortSignal): Promise<void> {
    while (!holds() && !signal.aborted)
      await new Promise<void>(resolve => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#waiting.add(wake);
        signal.addEventListener('abort', wake);
      });
  }
}
