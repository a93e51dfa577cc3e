/** Who of this process's shards scans what, and whether all of it was answered. */
import { blockShard, partitionShard } from '../catalog/placement.ts';
import { blockRows } from '../segment/block.ts';
import type { ServerRunInput, ServerScan } from '../wire/server-calls.ts';
import type { RunInput, ScanTask } from '../wire/shard-calls.ts';

export type Task = RunInput['tasks'][number];

const blockCount = (rowCount: number): number => Math.ceil(rowCount / blockRows);

/** One task for each leaf fragment and shard that has a part in it: each block and consuming range goes to exactly one shard. */
export const dealTasks = (
  { fragments, scans }: Pick<ServerRunInput, 'fragments' | 'scans'>,
  shardCount: number,
): Task[] => fragments.slice(1).flatMap((_, index) => dealFragment(index + 1, scans, shardCount));

export function dealFragment(fragment: number, scans: readonly ServerScan[], shardCount: number): Task[] {
  const tasks: Task[] = [];
  for (let shard = 0; shard < shardCount; shard++) {
    const parts: ScanTask[] = [];
    for (const { tableId, definition, segments, ranges, masks } of scans) {
      const dealt = segments
        .map(entry => ({
          // Zone maps have done their work at the broker; a shard reads its blocks' own from the manifest.
          entry: { ...entry, zones: {} },
          blocks: Array.from({ length: blockCount(entry.rowCount) }, (_, block) => block).filter(
            block => blockShard(entry.id, block, shardCount) === shard,
          ),
        }))
        .filter(({ blocks }) => blocks.length > 0);
      const owned = ranges.filter(({ partition }) => partitionShard(tableId, partition, shardCount) === shard);
      if (dealt.length > 0 || owned.length > 0)
        parts.push({ tableId, definition, segments: dealt, ranges: owned, masks });
    }
    if (parts.length > 0) tasks.push({ shard, fragment, scans: parts });
  }
  return tasks;
}

export function busiestShard(tasks: readonly Task[]): number | null {
  let best: Task | null = null;
  for (const task of tasks) if (!best || weightOf(task) > weightOf(best)) best = task;
  return best?.shard ?? null;
}

const weightOf = (task: Task): number =>
  task.scans.reduce(
    (sum, scan) => sum + scan.ranges.length + scan.segments.reduce((n, { blocks }) => n + blocks.length, 0),
    0,
  );

const rangeUnit = (tableId: string, partition: number): string => `consuming-${tableId}-${partition}`;

/** Units of scan tasks, by the names that execution answers them by. */
export const unitsOfTask = ({ scans }: Task): string[] =>
  scans.flatMap(({ tableId, segments, ranges }) => [
    ...segments.map(({ entry }) => entry.id),
    ...ranges.map(({ partition }) => rangeUnit(tableId, partition)),
  ]);

export const unitsOfScans = (scans: readonly ServerScan[]): string[] =>
  scans.flatMap(({ tableId, segments, ranges }) => [
    ...segments.map(({ id }) => id),
    ...ranges.map(({ partition }) => rangeUnit(tableId, partition)),
  ]);

/** Units answered as often as they were dealt: a segment dealt to two shards counts when both have answered. */
export function answeredUnits(dealt: Iterable<readonly string[]>, answered: readonly string[]): string[] {
  const open = new Map<string, number>();
  for (const units of dealt) for (const unit of units) open.set(unit, (open.get(unit) ?? 0) + 1);
  for (const unit of answered) open.set(unit, (open.get(unit) ?? 0) - 1);
  return [...open].filter(([, left]) => left === 0).map(([unit]) => unit);
}
