/**
 * Segments whose bytes were found damaged. No query reads one; in the background its files are read again and again, at a
 * growing distance, for a disk may recover and an operator may restore a copy: then it is as it was before.
 */
import { fault, toFault } from '../base/fault.ts';
import type { Clock, Log } from '../base/seams.ts';
import { noAccounts } from '../catalog/accounts.ts';
import type { SegmentEntry } from '../catalog/table.ts';
import type { Client, Handlers } from '../wire/call.ts';
import type { ControllerCalls, QuarantinedSegment } from '../wire/controller-calls.ts';
import type { TaskCalls } from '../wire/task-calls.ts';
import type { Changes } from './changes.ts';
import type { Garbage } from './garbage.ts';
import { type State, withSegments } from './state.ts';

type QuarantineHandlers = Pick<Handlers<ControllerCalls>, 'quarantine' | 'reportCorrupt' | 'dropSegment'>;

export interface QuarantineComponents {
  readonly clock: Clock;
  readonly log: Log;
  readonly changes: Changes;
  readonly garbage: Garbage;
  readonly tasks: Client<TaskCalls>;
  /** In the background: those that are damaged are written anew. */
  rebuildIndexes(segment: SegmentEntry): void;
  /** Whoever has them open reads them anew. */
  evict(segmentIds: readonly string[]): Promise<void>;
}

/** Between two readings of a damaged segment's files: a disk's hiccup is over soon, a restored copy may wait. */
const recheckMs = { first: 20_000, longest: 600_000 } as const;

/** @param tableIds null: of all tables. */
export function quarantineOf({ quarantine, tables }: State, tableIds: readonly string[] | null): QuarantinedSegment[] {
  if (quarantine.size === 0) return [];
  return Array.from(tables.values())
    .filter(({ definition }) => tableIds === null || tableIds.includes(definition.id))
    .flatMap(({ definition, segments }) =>
      segments.flatMap(({ id }) => {
        const entry = quarantine.get(id);
        return entry ? [{ ...entry, tableId: definition.id, table: definition.name }] : [];
      }),
    );
}

function findSegment(state: State, segmentId: string): SegmentEntry | null {
  for (const { segments } of state.tables.values()) {
    const found = segments.find(({ id }) => id === segmentId);
    if (found) return found;
  }
  return null;
}

export class Quarantine {
  readonly #components: QuarantineComponents;
  /** By segment: when its files are read next, by the monotonic clock, and how long after that. */
  readonly #rechecks = new Map<string, { readonly dueAtMs: number; readonly delayMs: number }>();

  constructor(components: QuarantineComponents) {
    this.#components = components;
  }

  readonly handlers: QuarantineHandlers = {
    quarantine: () => quarantineOf(this.#components.changes.state, null),

    reportCorrupt: async ({ segmentId, part, cause }) => {
      const { changes, clock, log } = this.#components;
      if (part === 'index') {
        const segment = findSegment(changes.state, segmentId);
        if (!segment) return null;
        log.warn('an index is damaged: queries scan the column until it is built anew', { segment: segmentId, cause });
        this.#components.rebuildIndexes(segment);
        return null;
      }
      await changes.run(async (meta, set) => {
        const { state } = changes;
        const segment = findSegment(state, segmentId);
        // Dropped meanwhile, or known already.
        if (!segment || state.quarantine.has(segmentId)) return;
        const entry = { segmentId, cause, atMs: clock.nowMs() };
        const version = await meta.putQuarantine(entry);
        set({ ...changes.state, version, quarantine: new Map(changes.state.quarantine).set(segmentId, entry) });
        log.error('a segment is damaged: queries that need it fail until its files are restored', {
          ...{ segment: segmentId, table: changes.table(segment.tableId).definition.name, cause },
        });
      });
      return null;
    },

    dropSegment: async ({ tableId, segmentId }) => {
      const { changes, garbage, clock, log } = this.#components;
      return changes.run(async (meta, set) => {
        const { definition, segments } = changes.table(tableId);
        const segment = segments.find(({ id }) => id === segmentId);
        if (!segment)
          throw fault('NOT_FOUND', `table ${definition.name} has no segment ${segmentId}`, {
            hint: 'system.segments lists them',
          });
        const { partition, startOffset, endOffset, rowCount } = segment;
        const version = await meta.dropSegments([segmentId], {
          ...{ tableId, partition, kind: 'drop', segmentId, startOffset, endOffset, atMs: clock.nowMs() },
          accounts: { ...noAccounts, lost: endOffset - startOffset },
        });
        set(withSegments(changes.state, version, tableId, new Set([segmentId])));
        garbage.dropSegment(tableId, segmentId, version);
        log.warn('a segment was dropped on request', { table: definition.name, segment: segmentId, rowCount });
        return { rowCount };
      });
    },
  };

  /** Reads the files of those whose time has come, one by one. */
  async recheck(signal: AbortSignal): Promise<void> {
    const { changes, clock, log } = this.#components;
    const { quarantine } = changes.state;
    for (const id of this.#rechecks.keys()) if (!quarantine.has(id)) this.#rechecks.delete(id);
    for (const id of quarantine.keys()) {
      if (signal.aborted) return;
      const nowMs = clock.monotonicMs();
      const { dueAtMs, delayMs } = this.#rechecks.get(id) ?? { dueAtMs: nowMs, delayMs: recheckMs.first };
      if (nowMs < dueAtMs) continue;
      this.#rechecks.set(id, { dueAtMs: nowMs + delayMs, delayMs: Math.min(2 * delayMs, recheckMs.longest) });
      const segment = findSegment(changes.state, id);
      if (!segment) continue;
      try {
        await this.#recheckOne(segment, signal);
      } catch (error) {
        log.warn('the files of a damaged segment could not be looked at', {
          segment: id,
          cause: toFault(error).message,
        });
      }
    }
  }

  async #recheckOne(segment: SegmentEntry, signal: AbortSignal): Promise<void> {
    const { changes, tasks, log, evict } = this.#components;
    const { problems } = await tasks.call('verify', { segment }, { signal });
    if (problems.length > 0) return;
    await evict([segment.id]);
    await changes.run(async (meta, set) => {
      if (!changes.state.quarantine.has(segment.id)) return;
      const version = await meta.removeQuarantine([segment.id]);
      const quarantine = new Map(changes.state.quarantine);
      quarantine.delete(segment.id);
      set({ ...changes.state, version, quarantine });
      log.warn('a damaged segment is whole again: queries read it', { segment: segment.id });
    });
  }
}
