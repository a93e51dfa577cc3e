/**
 * Builds of indexes: whatever segment has other indexes than its table gets them in the background, one segment after
 * another, and answers meanwhile as it is. What the metadata says decides what is left to do, so a restart goes on by itself.
 */
import { fault, toFault } from '../base/fault.ts';
import type { Log } from '../base/seams.ts';
import type { SegmentEntry, TableDefinition } from '../catalog/table.ts';
import type { Client } from '../wire/call.ts';
import type { TaskCalls } from '../wire/task-calls.ts';
import type { Changes } from './changes.ts';
import type { Garbage } from './garbage.ts';
import { withSegmentEntry } from './state.ts';
import type { RunningTask, Tasks } from './tasks.ts';

export interface IndexBuildComponents {
  readonly log: Log;
  readonly changes: Changes;
  readonly garbage: Garbage;
  readonly tasks: Tasks;
  readonly runner: Client<TaskCalls>;
  /** Whoever has them open reads them anew. */
  evict(segmentIds: readonly string[]): Promise<void>;
}

export class IndexBuilds {
  readonly #components: IndexBuildComponents;
  readonly #stopping = new AbortController();
  /** By table id. */
  readonly #running = new Map<string, Promise<void>>();
  /** By segment or table id: at which version of its table it failed, or was cancelled. Tried again at another one, or after a restart. */
  readonly #givenUp = new Map<string, number>();
  /** By id: whose indexes were found damaged. A restart forgets it, and the next query finds it again. */
  readonly #damaged = new Set<string>();

  constructor(components: IndexBuildComponents) {
    this.#components = components;
  }

  /** Begins what is to be done for a table; nothing where that is nothing, or is under way. */
  wake(tableId: string): void {
    if (this.#stopping.signal.aborted || this.#running.has(tableId) || this.#pending(tableId).length === 0) return;
    this.#running.set(
      tableId,
      this.#build(tableId).finally(() => this.#running.delete(tableId)),
    );
  }

  rebuild({ id, tableId }: SegmentEntry): void {
    this.#damaged.add(id);
    this.wake(tableId);
  }

  wakeAll(): void {
    for (const tableId of this.#components.changes.state.tables.keys()) this.wake(tableId);
  }

  async stop(): Promise<void> {
    this.#stopping.abort(fault('CANCELLED', 'the controller is shutting down; the build goes on after the next start'));
    await Promise.all(this.#running.values());
  }

  /** Segments that are to be looked at; none of a table that is gone. */
  #pending(tableId: string): readonly SegmentEntry[] {
    const table = this.#components.changes.state.tables.get(tableId);
    if (!table) return [];
    const { definition, segments } = table;
    const { version } = definition;
    if (this.#givenUp.get(tableId) === version) return [];
    return segments.filter(
      segment =>
        this.#givenUp.get(segment.id) !== version && (this.#damaged.has(segment.id) || !isCurrent(segment, definition)),
    );
  }

  async #build(tableId: string): Promise<void> {
    const { log, changes, tasks } = this.#components;
    const { name } = changes.table(tableId).definition;
    const total = this.#pending(tableId).length;
    try {
      await tasks.run(
        { kind: 'index', tableId, detail: `indexes of ${total} segments of ${name}`, total, unit: 'segments' },
        task => this.#buildAll(tableId, task),
      );
    } catch (error) {
      const { code, message } = toFault(error);
      const version = changes.state.tables.get(tableId)?.definition.version;
      if (code === 'CANCELLED' && version !== undefined && !this.#stopping.signal.aborted)
        this.#givenUp.set(tableId, version);
      log.warn('indexes could not be built', { table: name, cause: message });
    }
  }

  async #buildAll(tableId: string, task: RunningTask): Promise<void> {
    const signal = AbortSignal.any([task.signal, this.#stopping.signal]);
    let failure: unknown = null;
    let done = 0;
    for (;;) {
      const pending = this.#pending(tableId);
      const [segment] = pending;
      task.progress(done, done + pending.length);
      if (!segment) break;
      signal.throwIfAborted();
      try {
        await this.#buildOne(segment, signal);
      } catch (error) {
        signal.throwIfAborted();
        // The thread of tasks died, or the like: all of it again with the next round.
        if (toFault(error).kind === 'unavailable') throw error;
        failure ??= error;
        this.#giveUp(segment);
      }
      done++;
    }
    if (failure !== null) throw failure;
  }

  #giveUp({ id, tableId }: SegmentEntry): void {
    const table = this.#components.changes.state.tables.get(tableId);
    if (table) this.#givenUp.set(id, table.definition.version);
  }

  async #buildOne(segment: SegmentEntry, signal: AbortSignal): Promise<void> {
    const { changes, garbage, runner } = this.#components;
    const { definition } = changes.table(segment.tableId);
    const { segment: built, obsolete } = await runner.call('index', { definition, segment }, { signal });
    await changes.run(async (meta, set) => {
      const current = changes.state.tables.get(segment.tableId)?.segments.find(({ id }) => id === segment.id);
      // Dropped or merged meanwhile: its folder goes, and what was written with it.
      if (current?.generation !== segment.generation) return;
      const version = await meta.updateSegment(built);
      set(withSegmentEntry(changes.state, version, built));
      garbage.dropFiles(segment.tableId, segment.id, obsolete, version);
    });
    if (this.#damaged.delete(segment.id)) await this.#components.evict([segment.id]);
  }
}

/** Each index of its table was seen to, and no other. */
function isCurrent({ indexes }: SegmentEntry, definition: TableDefinition): boolean {
  if (indexes === undefined) return definition.indexes.length === 0;
  if (indexes.length !== definition.indexes.length) return false;
  return definition.indexes.every(({ columnId, kind }) =>
    indexes.some(index => index.columnId === columnId && index.kind === kind),
  );
}
