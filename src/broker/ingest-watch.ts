/**
 * What ingestion says of its partitions, at most one poll interval old: a partition that does not advance shows, with its
 * cause, in every answer that touches it, though the shard that pinned it cannot know. Asked for only while queries come.
 */
import type { Clock } from '../base/seams.ts';
import type { Client } from '../wire/call.ts';
import type { IngestCalls, IngestState, PartitionFreshness } from '../wire/calls.ts';

/** How old the state may be before a query asks for it anew. */
export const pollIntervalMs = 500;

export class IngestWatch {
  readonly #ingest: Client<IngestCalls>;
  readonly #clock: Clock;
  #states: readonly IngestState[] = [];
  #askedAtMs = Number.NEGATIVE_INFINITY;

  constructor(ingest: Client<IngestCalls>, clock: Clock) {
    this.#ingest = ingest;
    this.#clock = clock;
  }

  /** The pinned freshness of a partition with what ingestion knows better. */
  merge(tableId: string, pinned: PartitionFreshness): PartitionFreshness {
    if (this.#clock.monotonicMs() - this.#askedAtMs >= pollIntervalMs) void this.#ask();
    const known = this.#states.find(
      state => state.tableId === tableId && state.partition === pinned.partition,
    )?.freshness;
    if (known?.state !== 'failed' && known?.state !== 'paused') return pinned;
    const { state, cause, endOffset, observedAtMs, lagMs } = known;
    return { ...pinned, state, cause, endOffset: Math.max(endOffset, pinned.endOffset), observedAtMs, lagMs };
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
