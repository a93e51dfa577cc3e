/**
 * Files of the deep store that no metadata names and none will: of dropped tables and segments, and of builds that
 * came to nothing. They go when no lease taken before they were given up is left, and the grace period is over.
 */
import type { Clock } from '../base/seams.ts';
import { parseSegmentId, tableIdPattern } from '../catalog/segment-id.ts';
import type { DeepStore } from '../store/deep-store.ts';
import type { Leases } from './leases.ts';
import type { State } from './state.ts';

interface Dropped {
  readonly tableId: string;
  readonly segmentIds: readonly string[];
  /** Metadata version from which on nothing names it. */
  readonly version: number;
  readonly sinceMs: number;
}

export class Garbage {
  /** By the deep store's key: a table's folder or a segment's. */
  readonly #dropped = new Map<string, Dropped>();
  readonly #clock: Clock;
  readonly #graceMs: number;

  constructor(clock: Clock, graceMs: number) {
    this.#clock = clock;
    this.#graceMs = graceMs;
  }

  dropTable(tableId: string, segmentIds: readonly string[], version: number): void {
    this.#add(tableId, { tableId, segmentIds, version, sinceMs: this.#clock.monotonicMs() });
  }

  dropSegment(tableId: string, segmentId: string, version: number): void {
    const key = `${tableId}/${segmentId}`;
    this.#add(key, { tableId, segmentIds: [segmentId], version, sinceMs: this.#clock.monotonicMs() });
  }

  #add(key: string, dropped: Dropped): void {
    if (!this.#dropped.has(key)) this.#dropped.set(key, dropped);
  }

  /**
   * Looks through the deep store for folders that can never be published: of a table that is gone, or unnamed and
   * starting before its partition's committed end. One that starts at or after it may be a build under way, and is left
   * alone, however old; the attempt that is published in its stead gives it up. Names that are not Weir's stay.
   * @param state Read after each listing, so that it is never older than the listing.
   */
  async collect(store: DeepStore, state: () => State): Promise<void> {
    for (const tableId of await store.list('')) {
      if (!tableIdPattern.test(tableId)) continue;
      const segmentIds = await store.list(tableId);
      const { version, tables } = state();
      const table = tables.get(tableId);
      if (table === undefined) {
        this.dropTable(tableId, segmentIds, version);
        continue;
      }
      const named = new Set(table.segments.map(segment => segment.id));
      for (const segmentId of segmentIds) {
        const parts = parseSegmentId(segmentId);
        if (parts === null || parts.tableId !== tableId || named.has(segmentId)) continue;
        const committedEnd = table.committedEnds[parts.partition];
        if (committedEnd !== undefined && parts.startOffset < committedEnd)
          this.dropSegment(tableId, segmentId, version);
      }
    }
  }

  /** What may go now. */
  ripe(leases: Leases): readonly { readonly key: string; readonly segmentIds: readonly string[] }[] {
    const latestMs = this.#clock.monotonicMs() - this.#graceMs;
    const ripe: { key: string; segmentIds: readonly string[] }[] = [];
    for (const [key, { tableId, segmentIds, version, sinceMs }] of this.#dropped)
      if (sinceMs <= latestMs && !leases.holds(tableId, version)) ripe.push({ key, segmentIds });
    return ripe;
  }

  removed(key: string): void {
    this.#dropped.delete(key);
  }
}
