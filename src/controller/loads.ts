/**
 * Batch loads. A load is built aside, segment by segment, and becomes visible whole: what it has staged, and how far it
 * is, is durable with each segment, so that one that was interrupted goes on where it stopped; the last transaction makes
 * all of it the table's, and hides what it replaces.
 */
import { type Fault, fault, toFault } from '../base/fault.ts';
import type { Clock, Log, Random } from '../base/seams.ts';
import type { LoadEntry } from '../catalog/load.ts';
import { loadPartition, type Replacement, type SegmentEntry } from '../catalog/table.ts';
import type { Client, Handlers } from '../wire/call.ts';
import type { ControllerCalls } from '../wire/controller-calls.ts';
import type { LoadCounts, LoadProgress, LoadStart, LoadStatus } from '../wire/load-calls.ts';
import type { TaskCalls } from '../wire/task-calls.ts';
import type { Changes } from './changes.ts';
import type { Garbage } from './garbage.ts';
import { hiddenSegments, isOpen, nextSequence } from './load-rules.ts';
import { checkSegment } from './partitions.ts';
import { openLoadsMax, replacementCountMax } from './settings.ts';
import { withFinishedLoad, withLoad } from './state.ts';
import type { Tasks } from './tasks.ts';

export type LoadHandlers = Pick<
  Handlers<ControllerCalls>,
  'startLoad' | 'loads' | 'cancelLoad' | 'stageSegment' | 'loadProgress'
>;

export interface LoadComponents {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly changes: Changes;
  readonly garbage: Garbage;
  readonly tasks: Tasks;
  readonly runner: Client<TaskCalls>;
  /** Segments may lack indexes that their table has by now. */
  indexesChanged(tableId: string): void;
}

interface Running {
  progress: LoadProgress;
  /** Of all its files. */
  report(bytesRead: number): void;
  /** Never rejects. */
  ended: Promise<void>;
}

const nothingRead: LoadProgress = { bytesRead: 0, rowsRead: 0, rowsRejected: 0, rejects: [] };

export class Loads {
  readonly #components: LoadComponents;
  /** By load id: those that somebody works on. */
  readonly #running = new Map<string, Running>();
  /** By load id: why nobody works on it any more. Not in the metadata, which a full disk would not take either. */
  readonly #interruptions = new Map<string, string>();
  #stopping = false;

  readonly handlers: LoadHandlers = {
    startLoad: request => this.#start(request),
    loads: () => Array.from(this.#components.changes.state.loads.values(), load => this.#statusOf(load)),
    cancelLoad: ({ loadId }) => this.#cancel(loadId),
    stageSegment: ({ loadId, segment, ...counts }) => this.#stage(loadId, segment, counts),
    loadProgress: ({ loadId, ...progress }) => {
      this.#checkWanted(loadId).progress = progress;
      this.#running.get(loadId)!.report(progress.bytesRead);
      return null;
    },
  };

  constructor(components: LoadComponents) {
    this.#components = components;
  }

  isRunning(loadId: string): boolean {
    return this.#running.has(loadId);
  }

  /** Ends the work; the loads go on when they are asked for again. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const running = [...this.#running];
    for (const [id] of running)
      this.#components.tasks.cancel(id, fault('SHUTTING_DOWN', 'the server is shutting down'));
    await Promise.all(running.map(([, { ended }]) => ended));
  }

  async #start(request: LoadStart): Promise<LoadStatus> {
    const load = await this.#find(request);
    if (isOpen(load) && !this.#running.has(load.id) && !this.#stopping) this.#run(load);
    return this.#statusOf(load);
  }

  /** The load of that table and key, made where there is none; one that failed or was cancelled begins anew. */
  #find({ tableId, key, inputs, options, replace, cutoffs }: LoadStart): Promise<LoadEntry> {
    const { changes, clock, random } = this.#components;
    return changes.run(async (meta, set) => {
      const { definition, replacements } = changes.table(tableId);
      const loads = [...changes.state.loads.values()];
      const known = loads.findLast(load => load.tableId === tableId && load.key === key);
      if (known && (isOpen(known) || known.state === 'finished')) return known;
      if (loads.filter(isOpen).length >= openLoadsMax)
        throw fault('LIMIT_EXCEEDED', `${openLoadsMax} loads are under way or interrupted`, {
          hint: 'wait for one to end, go on with one, or cancel one',
        });
      if (replace && definition.timeColumnId === null)
        throw fault('CONSTRAINT', `table ${definition.name} has no time column: there is no range of time to replace`);
      if (replace && replacements.length >= replacementCountMax)
        throw fault('LIMIT_EXCEEDED', `table ${definition.name} has ${replacements.length} replaced ranges`, {
          hint: 'replace one range that covers many of them',
        });
      const load: LoadEntry = {
        id: random.hex(16),
        ...{ tableId, key, sequence: null, loadsBelow: nextSequence(changes.state, tableId), state: 'running' },
        ...{ inputs, options, replace, cutoffs },
        ...{ rowsSettled: 0, rowsLoaded: 0, rowsRejected: 0, rejects: [] },
        ...{ createdAtMs: clock.nowMs(), finishedAtMs: null, error: null },
      };
      set(withLoad(changes.state, await meta.putLoad(load), load));
      return load;
    });
  }

  #run(load: LoadEntry): void {
    const { tasks, log } = this.#components;
    const running: Running = { progress: nothingRead, report: () => {}, ended: Promise.resolve() };
    this.#running.set(load.id, running);
    this.#interruptions.delete(load.id);
    const request = {
      ...({ kind: 'load', tableId: load.tableId, unit: 'bytes', total: bytesOf(load) } as const),
      detail: load.inputs.map(({ name }) => name).join(', '),
    };
    const work = tasks.run(
      request,
      async ({ signal, progress }) => {
        running.report = bytesRead => progress(bytesRead, request.total);
        await this.#work(load.id, signal);
      },
      load.id,
    );
    running.ended = work
      .catch(error => this.#fail(load.id, toFault(error)))
      .catch(error => log.error('how a load ended could not be written down', { load: load.id, error }))
      .finally(() => this.#running.delete(load.id));
  }

  async #work(loadId: string, signal: AbortSignal): Promise<void> {
    const { changes, runner } = this.#components;
    const load = changes.state.loads.get(loadId);
    if (!load) throw ended(loadId);
    const { definition } = changes.table(load.tableId);
    const counts = await runner.call('load', { definition, load }, { signal });
    await this.#finish(loadId, counts);
  }

  #stage(loadId: string, built: SegmentEntry, { rowsSettled, rowsRejected, rejects }: LoadCounts): Promise<null> {
    const { changes } = this.#components;
    checkSegment(built);
    return changes.run(async (meta, set) => {
      this.#checkWanted(loadId);
      const load = changes.state.loads.get(loadId)!;
      if (built.partition !== loadPartition || built.tableId !== load.tableId || built.startOffset !== load.rowsLoaded)
        throw fault('INVALID_REQUEST', `segment ${built.id} is not the next of load ${loadId}, at ${load.rowsLoaded}`);
      const next = { ...load, rowsSettled, rowsRejected, rejects, rowsLoaded: built.endOffset };
      const staged = [...(changes.state.staged.get(loadId) ?? []), built];
      set(withLoad(changes.state, await meta.stageSegment(next, built), next, staged));
      return null;
    });
  }

  async #finish(loadId: string, { rowsSettled, rowsRejected, rejects }: LoadCounts): Promise<void> {
    const { changes, clock, garbage, log, indexesChanged } = this.#components;
    const tableId = await changes.run(async (meta, set) => {
      this.#checkWanted(loadId);
      const open = changes.state.loads.get(loadId)!;
      const { tableId, replace, loadsBelow, cutoffs, createdAtMs } = open;
      const sequence = nextSequence(changes.state, tableId);
      const table = changes.table(tableId);
      const replacement: Replacement | null = replace && { sequence, ...replace, loadsBelow, cutoffs, createdAtMs };
      const dropped = replacement ? hiddenSegments(table, [...table.replacements, replacement]) : [];
      const ids = dropped.map(({ id }) => id);
      const load: LoadEntry = {
        ...{ ...open, sequence, rowsSettled, rowsRejected, rejects },
        ...{ state: 'finished', finishedAtMs: clock.nowMs(), error: null },
      };
      const version = await meta.finishLoad(load, replacement, ids);
      set(withFinishedLoad(changes.state, version, load, replacement, new Set(ids)));
      for (const id of ids) garbage.dropSegment(tableId, id, version);
      log.info('finished a load', {
        ...{ table: table.definition.name, load: loadId, rows: load.rowsLoaded, rejected: rowsRejected },
        segmentsDropped: ids.length,
      });
      return tableId;
    });
    indexesChanged(tableId);
  }

  async #cancel(loadId: string): Promise<LoadStatus> {
    const load = this.#components.changes.state.loads.get(loadId);
    if (!load) throw noLoad(loadId);
    if (isOpen(load)) await this.#end(loadId, 'cancelled', null);
    const running = this.#running.get(loadId);
    this.#components.tasks.cancel(loadId, fault('CANCELLED', 'the load was cancelled'));
    await running?.ended;
    return this.#statusOf(this.#components.changes.state.loads.get(loadId) ?? load);
  }

  /** What is wrong with the load ends it; what is wrong with the world interrupts it. */
  async #fail(loadId: string, { kind, code, message }: Fault): Promise<void> {
    const { changes, log } = this.#components;
    const load = changes.state.loads.get(loadId);
    if (!load || !isOpen(load) || this.#stopping) return;
    log.warn('a load failed', { load: loadId, code, cause: message });
    this.#interruptions.set(loadId, message);
    const { rowsRejected, rejects } = this.#running.get(loadId)!.progress;
    const isOfLoad = (kind === 'invalid' || kind === 'exhausted' || kind === 'corrupt') && code !== 'MEMORY_BUDGET';
    if (isOfLoad) await this.#end(loadId, 'failed', message, { rowsRejected, rejects });
  }

  /** What it has staged goes. One that has ended already stays as it is. */
  async #end(
    loadId: string,
    state: 'failed' | 'cancelled',
    error: string | null,
    counts: Partial<LoadEntry> = {},
  ): Promise<void> {
    const { changes, clock, garbage } = this.#components;
    await changes.run(async (meta, set) => {
      const open = changes.state.loads.get(loadId);
      if (!open || !isOpen(open)) return;
      const staged = changes.state.staged.get(loadId) ?? [];
      const load: LoadEntry = { ...open, ...counts, state, error, rowsLoaded: 0, finishedAtMs: clock.nowMs() };
      const version = await meta.putLoad(load);
      set(withLoad(changes.state, version, load));
      this.#interruptions.delete(loadId);
      for (const { id } of staged) garbage.dropSegment(load.tableId, id, version);
    });
  }

  /** Gives up loads that nobody went on with. */
  async giveUp(afterMs: number): Promise<void> {
    const { changes, clock } = this.#components;
    for (const load of changes.state.loads.values()) {
      if (!isOpen(load) || this.#running.has(load.id)) continue;
      const lastMs = changes.state.staged.get(load.id)?.at(-1)?.createdAtMs ?? load.createdAtMs;
      if (clock.nowMs() - lastMs < afterMs) continue;
      const hours = Math.round(afterMs / 3_600_000);
      await this.#end(
        load.id,
        'failed',
        `${this.#interruptions.get(load.id) ?? 'it was interrupted'}; nobody went on with it for ${hours} hours`,
      );
    }
  }

  /** @throws FaultError CANCELLED where the load has ended, or its table was dropped */
  #checkWanted(loadId: string): Running {
    const load = this.#components.changes.state.loads.get(loadId);
    const running = this.#running.get(loadId);
    if (load && isOpen(load) && running) return running;
    throw ended(loadId);
  }

  #statusOf(load: LoadEntry): LoadStatus {
    const { tableId, options: _options, cutoffs: _cutoffs, rowsSettled, ...shown } = load;
    const running = this.#running.get(load.id);
    const bytesTotal = bytesOf(load);
    const table = this.#components.changes.state.tables.get(tableId)?.definition.name ?? tableId;
    const read: LoadProgress = running?.progress ?? {
      bytesRead: load.state === 'finished' ? bytesTotal : 0,
      ...{ rowsRead: rowsSettled, rowsRejected: load.rowsRejected, rejects: load.rejects },
    };
    const state = load.state === 'running' && !running ? 'interrupted' : load.state;
    const error = load.error ?? (state === 'interrupted' ? (this.#interruptions.get(load.id) ?? null) : null);
    return { ...shown, table, bytesTotal, ...read, state, error };
  }
}

const bytesOf = ({ inputs }: LoadEntry): number => inputs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);

const ended = (loadId: string) => fault('CANCELLED', `load ${loadId} has ended, or its table was dropped`);

const noLoad = (loadId: string) =>
  fault('NOT_FOUND', `there is no load ${loadId.slice(0, 50)}`, { hint: 'GET /v1/loads names those that there are' });
