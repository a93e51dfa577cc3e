/**
 * Files of the deep store that no metadata names and none will: of dropped tables and segments, and of builds that
 * came to nothing. They go when no lease taken before they were given up is left, and the grace period is over.
 */
import type { Clock } from '../base/seams.ts';
import type { LoadEntry } from '../catalog/load.ts';
import { loadOfSegment, parseSegmentId, tableIdPattern } from '../catalog/segment-id.ts';
import type { IndexKind, SegmentEntry } from '../catalog/table.ts';
import type { DeepStore } from '../store/deep-store.ts';
import type { Leases } from './leases.ts';
import type { State } from './state.ts';

interface Dropped {
  readonly tableId: string;
  /** Whose files are to be closed first. */
  readonly segmentIds: readonly string[];
  /** Metadata version from which on nothing names it. */
  readonly version: number;
  readonly sinceMs: number;
}

const manifestName = /^manifest-(\d+)\.json$/;
const indexName = /^index-(inverted|range|bloom)-(\d+)-(\d+)\.bin$/;

/** Rows of a load from here on may be being built. */
const settledOf = (load: LoadEntry | undefined): number =>
  load?.state === 'running' ? load.rowsLoaded : Number.POSITIVE_INFINITY;

export class Garbage {
  /** By the deep store's key: a table's folder or a segment's. */
  readonly #dropped = new Map<string, Dropped>();
  /** Ids of segments that are being built. */
  readonly #building = new Set<string>();
  readonly #clock: Clock;
  readonly #graceMs: number;
  /** Whether files that an earlier process left were looked for, which is done once. */
  #hasLooked = false;

  constructor(clock: Clock, graceMs: number) {
    this.#clock = clock;
    this.#graceMs = graceMs;
  }

  /** The segment's files stay, though nothing names them yet. @returns What ends that, called exactly once. */
  protect(segmentId: string): () => void {
    this.#building.add(segmentId);
    return () => void this.#building.delete(segmentId);
  }

  dropTable(tableId: string, segmentIds: readonly string[], version: number): void {
    this.#add(tableId, { tableId, segmentIds, version, sinceMs: this.#clock.monotonicMs() });
  }

  dropSegment(tableId: string, segmentId: string, version: number): void {
    const key = `${tableId}/${segmentId}`;
    this.#add(key, { tableId, segmentIds: [segmentId], version, sinceMs: this.#clock.monotonicMs() });
  }

  /** Files of a segment that stays. Readers keep indexes open, and no manifest. */
  dropFiles(tableId: string, segmentId: string, files: readonly string[], version: number): void {
    for (const file of files)
      this.#add(`${tableId}/${segmentId}/${file}`, {
        ...{ tableId, version, sinceMs: this.#clock.monotonicMs() },
        segmentIds: manifestName.test(file) ? [] : [segmentId],
      });
  }

  #add(key: string, dropped: Dropped): void {
    if (!this.#dropped.has(key)) this.#dropped.set(key, dropped);
  }

  /**
   * Looks through the deep store for folders that can never be published: of a table that is gone, or unnamed and
   * starting before its partition's committed end. One that starts at or after it may be a build of ingestion under way,
   * and is left alone, however old; the attempt that is published in its stead gives it up. So it is with what a load
   * builds, until the load has ended, and with what is protected. Names that are not Weir's stay.
   * @param state Read after each listing, so that it is never older than the listing.
   */
  async collect(store: DeepStore, state: () => State): Promise<void> {
    for (const tableId of await store.list('')) {
      if (!tableIdPattern.test(tableId)) continue;
      const segmentIds = await store.list(tableId);
      const { version, tables, loads, staged } = state();
      const table = tables.get(tableId);
      if (table === undefined) {
        this.dropTable(tableId, segmentIds, version);
        continue;
      }
      const named = new Set([...table.segments, ...[...staged.values()].flat()].map(segment => segment.id));
      if (!this.#hasLooked) await this.#collectFiles(store, table.segments, version);
      for (const segmentId of segmentIds) {
        const parts = parseSegmentId(segmentId);
        if (parts === null || parts.tableId !== tableId || named.has(segmentId)) continue;
        if (this.#building.has(segmentId)) continue;
        const loadId = loadOfSegment(parts);
        const settled = loadId === null ? table.committedEnds[parts.partition] : settledOf(loads.get(loadId));
        if (settled !== undefined && parts.startOffset < settled) this.dropSegment(tableId, segmentId, version);
      }
    }
    this.#hasLooked = true;
  }

  /** Files of earlier generations, which the process before this one did not come to remove. */
  async #collectFiles(store: DeepStore, segments: readonly SegmentEntry[], version: number): Promise<void> {
    for (const segment of segments) {
      if (segment.generation === 1) continue;
      const { tableId, id } = segment;
      const names = await store.list(`${tableId}/${id}`);
      this.dropFiles(
        tableId,
        id,
        names.filter(name => isObsolete(segment, name)),
        version,
      );
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

/** Of an earlier generation, and not of the current one. Later ones may be being written. */
function isObsolete({ generation, indexes }: SegmentEntry, name: string): boolean {
  const manifest = manifestName.exec(name);
  if (manifest) return Number(manifest[1]) < generation;
  const index = indexName.exec(name);
  if (!index || !indexes || Number(index[3]) > generation) return false;
  const [, kind, columnId, ofGeneration] = index;
  return !indexes.some(
    each =>
      each.kind === (kind as IndexKind) &&
      each.columnId === Number(columnId) &&
      each.generation === Number(ofGeneration),
  );
}
