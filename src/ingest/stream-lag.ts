import type { StreamEnd } from '../stream/kafka/types.ts';

/** How far a partition is behind its stream: what was last seen of the stream, and since when there is more than is visible. */
export class StreamLag {
  #end: StreamEnd | null = null;
  #behindSinceMs: number | null = null;
  #lastMessageMs: number | null = null;

  /** Where the stream ended when it was last looked at; null before. */
  get end(): StreamEnd | null {
    return this.#end;
  }

  get isBehind(): boolean {
    return this.#behindSinceMs !== null;
  }

  observe(end: StreamEnd, visibleEnd: number): void {
    this.#end = end;
    if (visibleEnd >= end.endOffset) this.#behindSinceMs = null;
    else this.#behindSinceMs ??= end.observedAtMs;
  }

  /** Messages up to `visibleEnd` are visible; the last of them is of this time, null where there was none. */
  advance(visibleEnd: number, lastMessageMs: number | null): void {
    this.#lastMessageMs = lastMessageMs ?? this.#lastMessageMs;
    if (this.#end && visibleEnd >= this.#end.endOffset) this.#behindSinceMs = null;
  }

  /** The position was moved: what was seen says nothing any more. */
  reset(): void {
    this.#end = null;
    this.#behindSinceMs = null;
    this.#lastMessageMs = null;
  }

  /**
   * Age of the oldest message that is not visible, from above: it is no older than the last one that is, and no older
   * than since when the stream was seen to be ahead. While the stream cannot be seen there may be one as old as the last look.
   */
  ageMs(nowMs: number, isBlind: boolean): number {
    const unseenMs = isBlind && this.#end ? Math.max(0, nowMs - this.#end.observedAtMs) : 0;
    if (this.#behindSinceMs === null) return unseenMs;
    const sinceMs = Math.max(this.#behindSinceMs, this.#lastMessageMs ?? this.#behindSinceMs);
    return Math.max(0, unseenMs, nowMs - sinceMs);
  }
}
