/**
 * The controller: which tables there are, which segments are committed, and which files may go. It answers reads from
 * memory and makes every change durable before it shows it. It never reads a segment's bytes.
 */
import { fault } from '../base/fault.ts';
import type { Clock, Log, Random } from '../base/seams.ts';
import { tableIdPattern } from '../catalog/segment-id.ts';
import type { TableSnapshot } from '../catalog/table.ts';
import type { MetaStore } from '../meta/store.ts';
import type { DeepStore } from '../store/deep-store.ts';
import type { Client, Handlers } from '../wire/call.ts';
import type { MemberCalls } from '../wire/cluster-calls.ts';
import type { ControllerCalls } from '../wire/controller-calls.ts';
import type { TaskCalls } from '../wire/task-calls.ts';
import { Changes } from './changes.ts';
import { Garbage } from './garbage.ts';
import { IndexBuilds } from './index-builds.ts';
import { Leases } from './leases.ts';
import { Loads } from './loads.ts';
import { createMembership, type SelfEntry } from './membership.ts';
import { mergeForEver } from './merges.ts';
import { partitionHandlers } from './partitions.ts';
import { Quarantine, quarantineOf } from './quarantine.ts';
import type { ControllerSettings } from './settings.ts';
import { definitionsOf, type State, stateOf } from './state.ts';
import { sweepForEver } from './sweep.ts';
import { tableHandlers } from './tables.ts';
import { Tasks } from './tasks.ts';
import { WallClock } from './wall-clock.ts';

/** What the controller tells others. A listener that fails is logged and asked no more about that change. */
export interface ControllerListeners {
  /** Tables were created, changed or dropped. Awaited before the statement is answered, so that a push that follows it is taken. */
  catalogChanged(): Promise<void>;
  /** No query reads these any more: close their files, for they are removed next. */
  segmentsGone(segmentIds: readonly string[]): Promise<void>;
}

export interface ControllerComponents {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Stays its opener's to close, after `stop`. */
  readonly meta: MetaStore;
  readonly store: DeepStore;
  /** Who does what is long: merges, builds of indexes, loads. */
  readonly tasks: Client<TaskCalls>;
  readonly listeners: ControllerListeners;
  /** The process that it is in, for the list of the cluster's; null: there is no such list. */
  self?(): SelfEntry;
}

export interface Controller extends Handlers<ControllerCalls> {
  /** Who joined, and who holds what. */
  readonly membership: Handlers<MemberCalls>;
  /** Retention, removal and merges, at once and then periodically. Resolves after `stop`. */
  run(): Promise<void>;
  /** Refuses further changes and resolves when those under way are done. */
  stop(): Promise<void>;
}

/** Loads the metadata; answers calls from then on. @throws FaultError CORRUPT_METADATA */
export async function createController(
  settings: ControllerSettings,
  components: ControllerComponents,
): Promise<Controller> {
  const { clock, log, meta, listeners } = components;
  const state = stateOf(await meta.load());
  await refuseLostMetadata(state, components.store);
  const changes = new Changes(meta, log, state);
  const leases = new Leases(clock, settings.leaseLimitMs);
  const garbage = new Garbage(clock, settings.removalGraceMs);
  const tasks = new Tasks(clock, components.random);
  const indexesChanged = (tableId: string): void => indexes.wake(tableId);
  const evict = (segmentIds: readonly string[]): Promise<void> => listeners.segmentsGone(segmentIds);
  const indexes = new IndexBuilds({ log, changes, garbage, tasks, runner: components.tasks, evict });
  const wallClock = new WallClock(clock, log, newestOf(state));
  const quarantine = new Quarantine({
    ...components,
    changes,
    garbage,
    evict,
    rebuildIndexes: segment => indexes.rebuild(segment),
  });
  const loads = new Loads({ ...components, changes, garbage, tasks, runner: components.tasks, indexesChanged });
  const membership = createMembership(settings, { ...components, changes });
  const stopping = new AbortController();
  let running: Promise<unknown> = Promise.resolve();

  return {
    ...tableHandlers({
      ...components,
      changes,
      garbage,
      indexesChanged,
      catalogChanged: () => listeners.catalogChanged(),
    }),
    ...partitionHandlers(changes, garbage, clock, indexesChanged),
    ...quarantine.handlers,
    ...loads.handlers,
    membership: membership.handlers,

    catalog: () => ({
      version: changes.state.version,
      tables: definitionsOf(changes.state),
      partitionCounts: Object.fromEntries(
        Array.from(changes.state.tables, ([id, { partitions }]) => [id, partitions.length]),
      ),
    }),

    snapshot({ leaseId, tableIds }) {
      const snapshots = tableIds.map((id): TableSnapshot => {
        const { definition, segments, replacements, committedEnds, epochs, streamIds } = changes.table(id);
        return { definition, segments, replacements, committedEnds, epochs, streamIds };
      });
      const { version } = changes.state;
      leases.take(leaseId, tableIds, version);
      return { version, tables: snapshots, quarantine: quarantineOf(changes.state, tableIds) };
    },

    release({ leaseId }) {
      leases.release(leaseId);
      return null;
    },

    notices() {
      const doubt = wallClock.doubt();
      return doubt === null ? [] : [doubt];
    },

    audit: ({ tableId }) => meta.audit(tableId),

    tasks: () => tasks.entries(name => changes.state.tables.get(name)?.definition.name ?? null),

    cancelTask: ({ taskId }) => ({
      cancelled: tasks.cancel(taskId, fault('CANCELLED', 'the task was cancelled')),
    }),

    async run() {
      const { sweepIntervalMs, mergeIntervalMs, mergeSizeBytesMax, loadGiveUpMs } = settings;
      const { signal } = stopping;
      const shared = { ...components, changes, garbage };
      running = Promise.all([
        sweepForEver(
          sweepIntervalMs,
          {
            ...{ ...shared, leases, quarantine, wallClock, loads, loadGiveUpMs },
            segmentsGone: evict,
            swept: () => indexes.wakeAll(),
          },
          signal,
        ),
        mergeIntervalMs === null ||
          mergeForEver(mergeIntervalMs, mergeSizeBytesMax, { ...shared, tasks, runner: components.tasks }, signal),
        membership.run(signal),
      ]);
      await running;
    },

    async stop() {
      stopping.abort();
      await indexes.stop();
      await running;
      await loads.stop();
      await changes.stop();
    },
  };
}

/** When the newest of what there is was made; null where there is nothing. */
function newestOf({ tables }: State): number | null {
  let newestMs: number | null = null;
  for (const { definition, segments } of tables.values())
    for (const { createdAtMs } of [definition, ...segments]) newestMs = Math.max(newestMs ?? createdAtMs, createdAtMs);
  return newestMs;
}

/**
 * Metadata that never had a transaction, over a deep store that has tables: the file was removed, or cut to nothing. To go
 * on would be to take every segment for one that nobody needs. @throws FaultError CORRUPT_METADATA
 */
async function refuseLostMetadata({ version }: State, store: DeepStore): Promise<void> {
  if (version > 0) return;
  const tableIds = (await store.list('')).filter(name => tableIdPattern.test(name));
  if (tableIds.length === 0) return;
  throw fault(
    'CORRUPT_METADATA',
    `the metadata is empty, and the deep store has the segments of ${tableIds.length} tables`,
    {
      hint: 'restore meta/ from a copy of the data folder; or, to begin anew, move store/ and log/ away',
      details: { tableIds: tableIds.slice(0, 20) },
    },
  );
}
