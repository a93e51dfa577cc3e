import type { Clock } from '../../src/base/seams.ts';

interface Sleeper {
  readonly wakeAtMs: number;
  readonly wake: () => void;
}

/** Time that moves only when a test says so. */
export class ManualClock implements Clock {
  #nowMs: number;
  #elapsedMs = 0;
  #sleepers: Sleeper[] = [];
  #onSleep: (() => void)[] = [];

  constructor(nowMs = 1_700_000_000_000) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = (): void => {
        this.#sleepers = this.#sleepers.filter(other => other !== sleeper);
        reject(signal!.reason);
      };
      const wake = (): void => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      const sleeper: Sleeper = { wakeAtMs: this.#elapsedMs + delayMs, wake };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', onAbort);
      for (const resolveWaiter of this.#onSleep.splice(0)) resolveWaiter();
    });
  }

  /** The wall clock is set, forward or back; no time passes. */
  jump(byMs: number): void {
    this.#nowMs += byMs;
  }

  /** Wakes whoever sleeps no longer than this, earliest first. */
  advance(byMs: number): void {
    this.#nowMs += byMs;
    this.#elapsedMs += byMs;
    const due = this.#sleepers.filter(sleeper => sleeper.wakeAtMs <= this.#elapsedMs);
    this.#sleepers = this.#sleepers.filter(sleeper => sleeper.wakeAtMs > this.#elapsedMs);
    for (const { wake } of due.sort((a, b) => a.wakeAtMs - b.wakeAtMs)) wake();
  }

  /** Resolves when somebody sleeps: a periodic task has done its round. */
  async untilSleeping(): Promise<void> {
    if (this.#sleepers.length === 0) await new Promise<void>(resolve => this.#onSleep.push(resolve));
  }
}
