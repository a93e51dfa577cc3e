/** Bounds how fast background work reads and writes, so that it never takes the disk from queries and ingestion. */
import type { Clock } from '../base/seams.ts';

/** Debts below this are not slept over: a timer is good for milliseconds. */
const sleepMsMin = 5;

/** At most so many bytes a second, on average over its life. */
export class Pace {
  readonly #clock: Clock;
  readonly #bytesPerSecond: number;
  readonly #startedMs: number;
  #takenBytes = 0;

  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
    this.#startedMs = clock.monotonicMs();
  }

  /** Resolves when so many bytes more are not too many. @throws the signal's reason */
  async take(sizeBytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#takenBytes += sizeBytes;
    const dueMs = this.#startedMs + (this.#takenBytes * 1000) / this.#bytesPerSecond;
    const waitMs = dueMs - this.#clock.monotonicMs();
    if (waitMs >= sleepMsMin) await this.#clock.sleep(waitMs, signal);
    signal.throwIfAborted();
  }
}
