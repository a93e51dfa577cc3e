/** What time does to the metadata: leases expire, segments pass retention, and files that nothing names go. */
import { toFault } from '../base/fault.ts';
import type { Clock, Log } from '../base/seams.ts';
import type { SegmentEntry, TableSnapshot } from '../catalog/table.ts';
import type { DeepStore } from '../store/deep-store.ts';
import type { Changes } from './changes.ts';
import type { Garbage } from './garbage.ts';
import type { Leases } from './leases.ts';
import { idleReplacements, isOpen } from './load-rules.ts';
import type { Loads } from './loads.ts';
import type { Quarantine } from './quarantine.ts';
import { endedLoadsMax } from './settings.ts';
import { withoutLoads, withReplacements, withSegments } from './state.ts';
import type { WallClock } from './wall-clock.ts';

export interface SweepComponents {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: DeepStore;
  readonly changes: Changes;
  readonly garbage: Garbage;
  readonly leases: Leases;
  readonly quarantine: Quarantine;
  readonly wallClock: WallClock;
  readonly loads: Loads;
  readonly loadGiveUpMs: number;
  /** No query reads these any more: their files are removed next. */
  segmentsGone(segmentIds: readonly string[]): Promise<void>;
  /** A round is over: a moment to take up what was left. */
  swept(): void;
}

/** A round at once and then periodically, until the signal. */
export async function sweepForEver(
  intervalMs: number,
  components: SweepComponents,
  signal: AbortSignal,
): Promise<void> {
  const { clock, log } = components;
  while (!signal.aborted) {
    try {
      await sweep(components, signal);
    } catch (error) {
      log.error('retention and removal failed; they are tried again', { cause: toFault(error).message });
    }
    components.swept();
    await clock.sleep(intervalMs, signal).catch(() => {});
  }
}

async function sweep(components: SweepComponents, signal: AbortSignal): Promise<void> {
  const { store, log, changes, garbage, leases, quarantine } = components;
  const expired = leases.expire();
  if (expired > 0) log.warn('leases expired: a broker went away without releasing them', { leases: expired });
  if (components.wallClock.doubt() === null) {
    for (const table of changes.state.tables.values()) await retain(table, components);
    await components.loads.giveUp(components.loadGiveUpMs);
  }
  await quarantine.recheck(signal);
  await forgetLoads(changes);
  for (const tableId of changes.state.tables.keys()) await forgetReplacements(tableId, changes);
  await garbage.collect(store, () => changes.state);
  const ripe = garbage.ripe(leases);
  if (ripe.length === 0) return;
  await components.segmentsGone(ripe.flatMap(({ segmentIds }) => segmentIds));
  for (const { key } of ripe) {
    if (signal.aborted) return;
    await store.remove(key);
    garbage.removed(key);
    log.info('removed from the deep store', { key });
  }
}

/** Drops the table's segments whose last event is past retention. Rows without a time count from their segment's making. */
async function retain(
  { definition: { id: tableId, name, settings } }: TableSnapshot,
  { clock, log, changes, garbage }: SweepComponents,
): Promise<void> {
  const { retentionMs } = settings;
  if (retentionMs === null) return;
  const oldestMs = clock.nowMs() - retentionMs;
  const isPast = ({ maxTimeMs, createdAtMs }: SegmentEntry): boolean => (maxTimeMs ?? createdAtMs) < oldestMs;
  if (!changes.state.tables.get(tableId)?.segments.some(isPast)) return;
  await changes.run(async (meta, set) => {
    const past = changes.state.tables.get(tableId)?.segments.filter(isPast) ?? [];
    if (past.length === 0) return;
    const ids = past.map(segment => segment.id);
    const version = await meta.dropSegments(ids);
    set(withSegments(changes.state, version, tableId, new Set(ids)));
    for (const id of ids) garbage.dropSegment(tableId, id, version);
    log.info('dropped segments past retention', { table: name, segments: ids.length });
  });
}

/** The oldest ended loads beyond those that are remembered. */
async function forgetLoads(changes: Changes): Promise<void> {
  const past = () => [...changes.state.loads.values()].filter(load => !isOpen(load)).slice(0, -endedLoadsMax);
  if (past().length === 0) return;
  await changes.run(async (meta, set) => {
    const ids = past().map(({ id }) => id);
    if (ids.length > 0) set(withoutLoads(changes.state, await meta.removeLoads(ids), new Set(ids)));
  });
}

async function forgetReplacements(tableId: string, changes: Changes): Promise<void> {
  const idle = () => {
    const table = changes.state.tables.get(tableId);
    return table?.replacements.length ? idleReplacements(table) : [];
  };
  if (idle().length === 0) return;
  await changes.run(async (meta, set) => {
    const gone = idle();
    if (gone.length === 0) return;
    const version = await meta.removeReplacements(
      tableId,
      gone.map(({ sequence }) => sequence),
    );
    const kept = changes.table(tableId).replacements.filter(replacement => !gone.includes(replacement));
    set(withReplacements(changes.state, version, tableId, kept));
  });
}
