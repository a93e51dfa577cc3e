/**
 * The controller: which tables there are, which segments are committed, and which files may go. It answers reads from
 * memory and makes every change durable before it shows it. It never reads a segment's bytes.
 */
import { type Fault, fault, toFault } from '../base/fault.ts';
import type { Clock, Log, Random } from '../base/seams.ts';
import { findTable, matchName } from '../catalog/name.ts';
import { formatSegmentId, parseSegmentId } from '../catalog/segment-id.ts';
import type { SegmentEntry, TableSnapshot } from '../catalog/table.ts';
import { defineTable, withColumns } from '../catalog/validate.ts';
import type { MetaStore } from '../meta/store.ts';
import type { DeepStore } from '../store/deep-store.ts';
import type { Handlers } from '../wire/call.ts';
import type { ControllerCalls } from '../wire/calls.ts';
import { Garbage } from './garbage.ts';
import { Leases } from './leases.ts';
import { partitionOf, planSeek } from './seek.ts';
import { type ControllerSettings, tableCountMax } from './settings.ts';
import {
  definitionsOf,
  type State,
  stateOf,
  type TableState,
  withChange,
  withoutSegments,
  withoutTable,
  withSegment,
  withTable,
} from './state.ts';

/** What the controller tells others. A listener that fails is logged and asked no more about that change. */
export interface ControllerListeners {
  /** Tables were created or dropped. Awaited before the statement is answered, so that a push that follows it is taken. */
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
  readonly listeners: ControllerListeners;
}

export interface Controller extends Handlers<ControllerCalls> {
  /** Retention and removal, at once and then periodically. Resolves after `stop`. */
  run(): Promise<void>;
  /** Refuses further changes and resolves when those under way are done. */
  stop(): Promise<void>;
}

/** Loads the metadata; answers calls from then on. @throws FaultError CORRUPT_METADATA */
export async function createController(
  settings: ControllerSettings,
  components: ControllerComponents,
): Promise<Controller> {
  const state = stateOf(await components.meta.load());
  return new LoadedController(settings, components, state);
}

class LoadedController implements Controller {
  readonly #settings: ControllerSettings;
  readonly #components: ControllerComponents;
  readonly #leases: Leases;
  readonly #garbage: Garbage;
  readonly #stopping = new AbortController();
  #state: State;
  /** Resolves when the last change asked for is done; changes run one after another. */
  #lastChange: Promise<unknown> = Promise.resolve();
  #running: Promise<void> = Promise.resolve();

  constructor(settings: ControllerSettings, components: ControllerComponents, state: State) {
    this.#settings = settings;
    this.#components = components;
    this.#state = state;
    this.#leases = new Leases(components.clock, settings.leaseLimitMs);
    this.#garbage = new Garbage(components.clock, settings.removalGraceMs);
  }

  readonly catalog: Controller['catalog'] = () => ({
    version: this.#state.version,
    tables: definitionsOf(this.#state),
    partitionCounts: Object.fromEntries(
      Array.from(this.#state.tables, ([id, { partitions }]) => [id, partitions.length]),
    ),
  });

  readonly partitions: Controller['partitions'] = () =>
    Array.from(this.#state.tables.values()).flatMap(({ definition, partitions, segments }) => {
      const maxTimes = maxTimesOf(segments);
      return partitions.map((entry, partition) => ({
        ...{ tableId: definition.id, partition, definition, maxTimeMs: maxTimes.get(partition) ?? null },
        ...entry,
      }));
    });

  readonly snapshot: Controller['snapshot'] = ({ leaseId, tableIds }) => {
    const { version, tables } = this.#state;
    const snapshots = tableIds.map((id): TableSnapshot => {
      const table = tables.get(id);
      if (table === undefined) throw unknownTable(id);
      const { definition, segments, committedEnds, epochs } = table;
      return { definition, segments, committedEnds, epochs };
    });
    this.#leases.take(leaseId, tableIds, version);
    return { version, tables: snapshots };
  };

  readonly release: Controller['release'] = ({ leaseId }) => {
    this.#leases.release(leaseId);
    return null;
  };

  readonly createTable: Controller['createTable'] = async ({ definition: request, ifNotExists }) => {
    const { definition, created } = await this.#change(async meta => {
      const definitions = definitionsOf(this.#state);
      const [existing] = matchName(definitions, request.name);
      if (existing !== undefined && ifNotExists) return { definition: existing, created: false };
      if (existing !== undefined) throw tableExists(request.name, existing.name);
      if (definitions.length >= tableCountMax)
        throw fault('LIMIT_EXCEEDED', `there are ${definitions.length} tables`, {
          hint: `at most ${tableCountMax} are allowed: drop one that is not used`,
        });
      const definition = defineTable(request, {
        id: this.#freshTableId(),
        createdAtMs: this.#components.clock.nowMs(),
      });
      this.#state = withTable(this.#state, await meta.createTable(definition), definition);
      return { definition, created: true };
    });
    if (created) await this.#tellCatalogChanged();
    return definition;
  };

  readonly dropTable: Controller['dropTable'] = async ({ name, ifExists }) => {
    const dropped = await this.#change(async meta => {
      const definitions = definitionsOf(this.#state);
      if (ifExists && matchName(definitions, name).length === 0) return false;
      const { id } = findTable(definitions, name);
      const segmentIds = this.#state.tables.get(id)!.segments.map(segment => segment.id);
      this.#state = withoutTable(this.#state, await meta.dropTable(id), id);
      this.#garbage.dropTable(id, segmentIds, this.#state.version);
      return true;
    });
    if (dropped) await this.#tellCatalogChanged();
    return { dropped };
  };

  readonly publish: Controller['publish'] = async ({ segment: built }) => {
    checkSegment(built);
    return this.#change(async meta => {
      const { streamId } = partitionOf(this.#tableOf(built.tableId), built.partition);
      const segment = streamId === null ? built : { ...built, streamId };
      this.#state = withSegment(this.#state, await meta.publish(segment), segment);
      return { version: this.#state.version };
    });
  };

  readonly addPartitions: Controller['addPartitions'] = async ({ tableId, partitions: found }) => {
    await this.#change(async meta => {
      const table = this.#tableOf(tableId);
      const first = table.partitions.length;
      const fresh = found.filter(({ partition }) => partition >= first).sort((a, b) => a.partition - b.partition);
      if (fresh.length === 0) return;
      if (fresh.some(({ partition }, index) => partition !== first + index))
        throw fault(
          'INVALID_REQUEST',
          `partitions of table ${table.definition.name} are added in order, from ${first} on`,
        );
      const added = fresh.map(({ startOffset: committedEnd, streamId }) => ({
        ...{ committedEnd, streamId, paused: table.paused, epoch: 0 },
      }));
      const version = await meta.addPartitions(tableId, first, added);
      this.#state = withChange(this.#state, version, tableId, { partitions: [...table.partitions, ...added] });
    });
    return null;
  };

  readonly pause: Controller['pause'] = async ({ tableId, partition, paused }) => {
    await this.#change(async meta => {
      const table = this.#tableOf(tableId);
      if (partition !== null) partitionOf(table, partition);
      const version = await meta.setPaused(tableId, partition, paused);
      const partitions = table.partitions.map((entry, number) =>
        partition === null || partition === number ? { ...entry, paused } : entry,
      );
      this.#state = withChange(this.#state, version, tableId, {
        paused: partition === null ? paused : table.paused,
        partitions,
      });
    });
    return null;
  };

  readonly seek: Controller['seek'] = ({ tableId, partition, offset, streamId, availableFrom }) =>
    this.#change(async meta => {
      const table = this.#tableOf(tableId);
      const plan = planSeek(table, partition, offset, streamId, availableFrom);
      const { committedEnd, dropped, audit } = plan;
      const ids = dropped.map(({ id }) => id);
      const atMs = this.#components.clock.nowMs();
      const version = await meta.seek({
        ...{ tableId, partition, committedEnd, streamId, dropSegmentIds: ids },
        audit: { ...audit, tableId, partition, segmentId: null, atMs },
      });
      const old = table.partitions[partition]!;
      const entry = { ...old, committedEnd, streamId, epoch: old.epoch + 1 };
      this.#state = withChange(this.#state, version, tableId, {
        partitions: table.partitions.with(partition, entry),
        segments: table.segments.filter(segment => !dropped.includes(segment)),
      });
      for (const id of ids) this.#garbage.dropSegment(tableId, id, version);
      return { committedEnd, segmentsDropped: ids.length };
    });

  readonly addColumns: Controller['addColumns'] = async ({ tableId, columns }) => {
    const { definition, changed } = await this.#change(async meta => {
      const { definition: old } = this.#tableOf(tableId);
      const definition = withColumns(old, columns);
      if (definition === old) return { definition, changed: false };
      this.#state = withChange(this.#state, await meta.updateTable(definition), tableId, { definition });
      return { definition, changed: true };
    });
    if (changed) await this.#tellCatalogChanged();
    return definition;
  };

  readonly audit: Controller['audit'] = ({ tableId }) => this.#components.meta.audit(tableId);

  #tableOf(tableId: string): TableState {
    const table = this.#state.tables.get(tableId);
    if (table === undefined) throw unknownTable(tableId);
    return table;
  }

  run(): Promise<void> {
    this.#running = this.#sweepForEver();
    return this.#running;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.#lastChange;
  }

  /** One change at a time; memory follows once the metadata is durable. */
  #change<T>(work: (meta: MetaStore) => Promise<T>): Promise<T> {
    const change = this.#lastChange.then(async () => {
      if (this.#stopping.signal.aborted)
        throw fault('SHUTTING_DOWN', 'the controller is shutting down', { hint: 'try again once it is up' });
      try {
        return await work(this.#components.meta);
      } catch (error) {
        await this.#resync(toFault(error));
        throw error;
      }
    });
    this.#lastChange = change.catch(() => {});
    return change;
  }

  /** After a failure that says nothing about whether the transaction happened, what is on disk decides. */
  async #resync({ kind, message }: Fault): Promise<void> {
    if (kind === 'invalid' || kind === 'exhausted') return;
    try {
      this.#state = stateOf(await this.#components.meta.load());
    } catch (error) {
      this.#components.log.error('the metadata can neither be changed nor read', {
        change: message,
        read: toFault(error).message,
      });
    }
  }

  #freshTableId(): string {
    for (;;) {
      const id = this.#components.random.hex(12);
      if (!this.#state.tables.has(id)) return id;
    }
  }

  async #tellCatalogChanged(): Promise<void> {
    try {
      await this.#components.listeners.catalogChanged();
    } catch (error) {
      this.#components.log.warn('a listener failed to follow a change of tables', { cause: toFault(error).message });
    }
  }

  async #sweepForEver(): Promise<void> {
    const { clock, log } = this.#components;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#sweep();
      } catch (error) {
        log.error('retention and removal failed; they are tried again', { cause: toFault(error).message });
      }
      await clock.sleep(this.#settings.sweepIntervalMs, signal).catch(() => {});
    }
  }

  async #sweep(): Promise<void> {
    const { store, log, listeners } = this.#components;
    const expired = this.#leases.expire();
    if (expired > 0) log.warn('leases expired: a broker went away without releasing them', { leases: expired });
    for (const table of this.#state.tables.values()) await this.#retain(table);
    await this.#garbage.collect(store, () => this.#state);
    const ripe = this.#garbage.ripe(this.#leases);
    if (ripe.length === 0) return;
    await listeners.segmentsGone(ripe.flatMap(({ segmentIds }) => segmentIds));
    for (const { key } of ripe) {
      if (this.#stopping.signal.aborted) return;
      await store.remove(key);
      this.#garbage.removed(key);
      log.info('removed from the deep store', { key });
    }
  }

  /** Drops the table's segments whose last event is past retention. Rows without a time count from their segment's making. */
  async #retain({ definition: { id: tableId, name, settings } }: TableSnapshot): Promise<void> {
    const { retentionMs } = settings;
    if (retentionMs === null) return;
    const oldestMs = this.#components.clock.nowMs() - retentionMs;
    const isPast = ({ maxTimeMs, createdAtMs }: SegmentEntry) => (maxTimeMs ?? createdAtMs) < oldestMs;
    if (!this.#state.tables.get(tableId)?.segments.some(isPast)) return;
    await this.#change(async meta => {
      const past = this.#state.tables.get(tableId)?.segments.filter(isPast) ?? [];
      if (past.length === 0) return;
      const ids = past.map(segment => segment.id);
      const version = await meta.dropSegments(ids);
      this.#state = withoutSegments(this.#state, version, tableId, new Set(ids));
      for (const id of ids) this.#garbage.dropSegment(tableId, id, version);
      this.#components.log.info('dropped segments past retention', { table: name, segments: ids.length });
    });
  }
}

/** By partition. */
function maxTimesOf(segments: readonly SegmentEntry[]): Map<number, number> {
  const maxTimes = new Map<number, number>();
  for (const { partition, maxTimeMs } of segments)
    if (maxTimeMs !== null) maxTimes.set(partition, Math.max(maxTimeMs, maxTimes.get(partition) ?? maxTimeMs));
  return maxTimes;
}

/** What is published stands for ever, so what it says of itself must hold together. */
function checkSegment({ id, tableId, partition, startOffset, endOffset }: SegmentEntry): void {
  const attempt = parseSegmentId(id)?.attempt;
  if (attempt === undefined || formatSegmentId({ tableId, partition, startOffset, attempt }) !== id)
    throw fault('INVALID_REQUEST', `${id} is not the id of a segment of table ${tableId} at offset ${startOffset}`);
  if (!Number.isSafeInteger(endOffset) || endOffset <= startOffset)
    throw fault('INVALID_REQUEST', `segment ${id} ends at offset ${endOffset}, at or before its start`);
}

const unknownTable = (tableId: string) =>
  fault('UNKNOWN_TABLE', `there is no table with id ${tableId}`, { hint: 'it was dropped' });

const tableExists = (wanted: string, existing: string) =>
  fault('TABLE_EXISTS', `table ${existing} exists`, {
    hint:
      wanted === existing
        ? 'choose another name, or say IF NOT EXISTS'
        : `names are found without regard to case, so ${wanted} would be ambiguous`,
  });
