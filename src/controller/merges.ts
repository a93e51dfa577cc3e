/** Small segments become larger ones, one merge at a time, while ingestion and queries go on. */
import { fault, toFault } from '../base/fault.ts';
import type { Clock, Log, Random } from '../base/seams.ts';
import { attemptDigits, formatSegmentId } from '../catalog/segment-id.ts';
import type { SegmentEntry } from '../catalog/table.ts';
import type { Client } from '../wire/call.ts';
import type { TaskCalls } from '../wire/task-calls.ts';
import type { Changes } from './changes.ts';
import type { Garbage } from './garbage.ts';
import { isOpen } from './load-rules.ts';
import { planMerge } from './merge-plan.ts';
import { type TableState, withSegments } from './state.ts';
import type { Tasks } from './tasks.ts';

/** A run of segments whose merge failed is left alone for so long. */
const retryAfterMs = 600_000;

export interface MergeComponents {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly changes: Changes;
  readonly garbage: Garbage;
  readonly tasks: Tasks;
  readonly runner: Client<TaskCalls>;
}

/** Looks for something to merge at once and then periodically, until the signal. Never rejects. */
export async function mergeForEver(
  intervalMs: number,
  sizeBytesMax: number,
  components: MergeComponents,
  signal: AbortSignal,
): Promise<void> {
  const { clock, changes, log } = components;
  /** By the id of their first segment: when to try again. */
  const failed = new Map<string, number>();
  const next = (tableId: string): readonly SegmentEntry[] | null => {
    const { tables, quarantine, loads } = changes.state;
    const table = tables.get(tableId);
    for (const [id, atMs] of failed) if (atMs <= clock.monotonicMs()) failed.delete(id);
    if (!table) return null;
    const pending = [...loads.values()].filter(
      load => load.tableId === tableId && isOpen(load) && load.replace !== null,
    );
    return planMerge(table, pending, ({ id }) => quarantine.has(id) || failed.has(id), sizeBytesMax);
  };
  while (!signal.aborted) {
    for (const tableId of changes.state.tables.keys()) {
      for (let parts = next(tableId); parts && !signal.aborted; ) {
        try {
          await mergeParts(tableId, parts, components, signal);
        } catch (error) {
          const { code, message } = toFault(error);
          if (!signal.aborted) log.warn('a merge of segments failed', { table: tableId, code, cause: message });
          failed.set(parts[0]!.id, clock.monotonicMs() + retryAfterMs);
        }
        parts = next(tableId);
      }
    }
    await clock.sleep(intervalMs, signal).catch(() => {});
  }
}

/** Built aside, then one transaction. What was dropped or replaced meanwhile makes it void. */
async function mergeParts(
  tableId: string,
  parts: readonly SegmentEntry[],
  { random, changes, garbage, tasks, runner }: MergeComponents,
  signal: AbortSignal,
): Promise<void> {
  const { definition, replacements } = changes.table(tableId);
  const { partition, startOffset } = parts[0]!;
  const segmentId = formatSegmentId({ tableId, partition, startOffset, attempt: random.hex(attemptDigits) });
  const rowCount = parts.reduce((sum, part) => sum + part.rowCount, 0);
  const detail = `${parts.length} segments of ${rowCount} rows`;
  await tasks.run({ kind: 'merge', tableId, detail, total: parts.length, unit: 'segments' }, async task => {
    const isBuilt = garbage.protect(segmentId);
    try {
      const { segment } = await runner.call(
        'merge',
        { definition, segments: parts, replacements, segmentId },
        { signal: AbortSignal.any([signal, task.signal]) },
      );
      await changes.run(async (meta, set) => {
        const table = changes.table(tableId);
        if (!isAsPlanned(table, parts, replacements))
          throw fault('CANCELLED', 'the segments changed while they were merged', { hint: 'it is planned anew' });
        const ids = parts.map(({ id }) => id);
        const version = await meta.replaceSegments(ids, segment);
        set(withSegments(changes.state, version, tableId, new Set(ids), [segment]));
        for (const id of ids) garbage.dropSegment(tableId, id, version);
      });
    } finally {
      isBuilt();
    }
  });
}

/** Every part is there in the generation that was read, and nothing was hidden since. */
const isAsPlanned = (
  { segments, replacements: now }: TableState,
  parts: readonly SegmentEntry[],
  then: TableState['replacements'],
): boolean =>
  now.at(-1)?.sequence === then.at(-1)?.sequence &&
  parts.every(part => segments.some(({ id, generation }) => id === part.id && generation === part.generation));
