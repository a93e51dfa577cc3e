/**
 * Whether the wall clock can be trusted with what cannot be undone: dropping rows that are past retention. A clock that
 * was set ten years ahead, by a typing error or a broken time server, would drop everything before anybody noticed.
 */
import type { Clock, Log } from '../base/seams.ts';

/** Further than this from where the monotonic clock says that it should be, the wall clock has jumped. */
export const jumpMsMax = 300_000;
/** A data folder that was not used for so long is old, or the clock is ahead. */
export const pauseMsMax = 7 * 86_400_000;
/** A jump that nobody has undone for so long is the truth: a machine that slept, a clock that was wrong before. */
export const trustAfterMs = 86_400_000;

const iso = (ms: number): string => new Date(ms).toISOString();

export class WallClock {
  readonly #clock: Clock;
  readonly #log: Log;
  /** A moment at which the wall clock was believed, by both clocks. */
  #believed: { readonly wallMs: number; readonly monotonicMs: number };
  #jump: { readonly byMs: number; readonly sinceMs: number } | null = null;

  /** @param newestMs When the newest of what the metadata has was made; null where there is nothing. */
  constructor(clock: Clock, log: Log, newestMs: number | null) {
    this.#clock = clock;
    this.#log = log;
    const nowMs = clock.nowMs();
    const isLongAgo = newestMs !== null && nowMs - newestMs > pauseMsMax;
    this.#believed = { wallMs: isLongAgo ? newestMs : nowMs, monotonicMs: clock.monotonicMs() };
  }

  /** Why it cannot be trusted now; null where it can. */
  doubt(): string | null {
    const wallMs = this.#clock.nowMs();
    const monotonicMs = this.#clock.monotonicMs();
    const byMs = wallMs - this.#believed.wallMs - (monotonicMs - this.#believed.monotonicMs);
    if (Math.abs(byMs) <= jumpMsMax) {
      if (this.#jump) this.#log.warn('the clock is where it was expected again', { now: iso(wallMs) });
      return this.#believe(wallMs, monotonicMs);
    }
    if (this.#jump === null || Math.abs(byMs - this.#jump.byMs) > jumpMsMax) {
      this.#jump = { byMs, sinceMs: monotonicMs };
      this.#log.warn('the clock jumped: retention waits', { byMs: Math.round(byMs), now: iso(wallMs) });
    }
    if (monotonicMs - this.#jump.sinceMs >= trustAfterMs) {
      this.#log.warn('the clock has not been set back: retention goes on by it', { now: iso(wallMs) });
      return this.#believe(wallMs, monotonicMs);
    }
    return (
      `the clock says ${iso(wallMs)}, ${Math.round(byMs / 1000)} seconds from what was expected: ` +
      'retention waits until it is right, or for a day'
    );
  }

  #believe(wallMs: number, monotonicMs: number): null {
    this.#believed = { wallMs, monotonicMs };
    this.#jump = null;
    return null;
  }
}
