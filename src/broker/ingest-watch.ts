/**
 * What ingestion says of its partitions, at most one poll interval old: a partition that does not advance shows, with its
 * cause, in every answer that touches it, though the shard that pinned it cannot know. Asked for only while queries come.
 */
import type { Fault } from '../base/fault.ts';
import type { Clock } from '../base/seams.ts';
import type { Client } from '../wire/call.ts';
import type { PartitionFreshness } from '../wire/calls.ts';
import type { IngestCalls, IngestState } from '../wire/ingest-calls.ts';

/** How old the state may be before a query has it asked for anew, behind its answer. */
export const pollIntervalMs = 500;

/** A query waits for the state only where nobody asked for so long, as after a pause. */
const staleAfterMs = 2 * pollIntervalMs;

export class IngestWatch {
  readonly #ingest: Client<IngestCalls>;
  readonly #clock: Clock;
  #states: readonly IngestState[] = [];
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | null = null;

  constructor(ingest: Client<IngestCalls>, clock: Clock) {
    this.#ingest = ingest;
    this.#clock = clock;
  }

  /** Before the state is used. Resolves at once while queries keep coming. */
  async refresh(): Promise<void> {
    const ageMs = this.#clock.monotonicMs() - this.#askedAtMs;
    if (ageMs < pollIntervalMs) return;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    if (ageMs >= staleAfterMs) await this.#asking;
  }

  /** The pinned freshness of a partition with what ingestion knows better. */
  merge(tableId: string, pinned: PartitionFreshness): PartitionFreshness {
    const known = this.#find(tableId, pinned.partition);
    if (!known) return pinned;
    const { state, cause, lagMs } = known.freshness;
    const isHeld = state === 'failed' || state === 'paused';
    // Rows of the embedded log are visible when they are durable: what came after the pin is not late.
    if (known.source === 'log' && !isHeld) return pinned;
    const endOffset = Math.max(known.freshness.endOffset, pinned.endOffset);
    const isBehind = pinned.ingestedOffset < endOffset;
    return {
      ...pinned,
      state: isHeld ? state : isBehind ? 'consuming' : pinned.state,
      cause,
      endOffset,
      observedAtMs: Math.max(known.freshness.observedAtMs, pinned.observedAtMs),
      lagMs: isBehind || isHeld ? lagMs : 0,
    };
  }

  /** Why none of a stream's partitions is known yet; null where they are, or for the embedded log. */
  topic(tableId: string): PartitionFreshness | null {
    return this.#find(tableId, -1)?.freshness ?? null;
  }

  /** Why a partition of one of the tables takes no rows, and can then answer for none; null where all do. */
  failure(tableIds: readonly string[]): Fault | null {
    const failed = this.#states.find(
      ({ tableId, freshness, lastFault }) => tableIds.includes(tableId) && freshness.state === 'failed' && lastFault,
    );
    return failed?.lastFault ?? null;
  }

  #find(tableId: string, partition: number): IngestState | undefined {
    return this.#states.find(state => state.tableId === tableId && state.partition === partition);
  }

  async #ask(): Promise<void> {
    this.#askedAtMs = this.#clock.monotonicMs();
    try {
      this.#states = await this.#ingest.call('state', null);
    } catch {
      // An ingest role that does not answer is the health check's to tell; the next query asks again.
    }
  }
}
