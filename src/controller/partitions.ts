/** Partitions: how far each is, what is published of it, and where it goes on. */
import { fault } from '../base/fault.ts';
import type { Clock } from '../base/seams.ts';
import { formatSegmentId, parseSegmentId } from '../catalog/segment-id.ts';
import type { SegmentEntry } from '../catalog/table.ts';
import type { Handlers } from '../wire/call.ts';
import type { ControllerCalls } from '../wire/controller-calls.ts';
import type { Changes } from './changes.ts';
import type { Garbage } from './garbage.ts';
import { partitionOf, planSeek } from './seek.ts';
import { withChange, withSegment } from './state.ts';

type PartitionHandlers = Pick<Handlers<ControllerCalls>, 'partitions' | 'publish' | 'addPartitions' | 'pause' | 'seek'>;

/** @param indexesChanged A segment may lack indexes that its table has by now. */
export function partitionHandlers(
  changes: Changes,
  garbage: Garbage,
  clock: Clock,
  indexesChanged: (tableId: string) => void,
): PartitionHandlers {
  return {
    partitions: () =>
      Array.from(changes.state.tables.values()).flatMap(({ definition, partitions, segments }) => {
        const maxTimes = maxTimesOf(segments);
        return partitions.map((entry, partition) => ({
          ...{ tableId: definition.id, partition, definition, maxTimeMs: maxTimes.get(partition) ?? null },
          ...entry,
        }));
      }),

    async publish({ segment: built }) {
      checkSegment(built);
      const published = await changes.run(async (meta, set) => {
        const { streamId } = partitionOf(changes.table(built.tableId), built.partition);
        const segment = streamId === null ? built : { ...built, streamId };
        set(withSegment(changes.state, await meta.publish(segment), segment));
        return { version: changes.state.version };
      });
      indexesChanged(built.tableId);
      return published;
    },

    async addPartitions({ tableId, partitions: found }) {
      await changes.run(async (meta, set) => {
        const table = changes.table(tableId);
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
        set(withChange(changes.state, version, tableId, { partitions: [...table.partitions, ...added] }));
      });
      return null;
    },

    async pause({ tableId, partition, paused }) {
      await changes.run(async (meta, set) => {
        const table = changes.table(tableId);
        if (partition !== null) partitionOf(table, partition);
        const version = await meta.setPaused(tableId, partition, paused);
        const partitions = table.partitions.map((entry, number) =>
          partition === null || partition === number ? { ...entry, paused } : entry,
        );
        const ofTable = partition === null ? paused : table.paused;
        set(withChange(changes.state, version, tableId, { paused: ofTable, partitions }));
      });
      return null;
    },

    seek: ({ tableId, partition, offset, streamId, availableFrom }) =>
      changes.run(async (meta, set) => {
        const table = changes.table(tableId);
        const plan = planSeek(table, partition, offset, streamId, availableFrom);
        const { committedEnd, dropped, audit } = plan;
        const ids = dropped.map(({ id }) => id);
        const version = await meta.seek({
          ...{ tableId, partition, committedEnd, streamId, dropSegmentIds: ids },
          audit: { ...audit, tableId, partition, segmentId: null, atMs: clock.nowMs() },
        });
        const old = table.partitions[partition]!;
        const entry = { ...old, committedEnd, streamId, epoch: old.epoch + 1 };
        set(
          withChange(changes.state, version, tableId, {
            partitions: table.partitions.with(partition, entry),
            segments: table.segments.filter(segment => !dropped.includes(segment)),
          }),
        );
        for (const id of ids) garbage.dropSegment(tableId, id, version);
        return { committedEnd, segmentsDropped: ids.length };
      }),
  };
}

/** By partition. */
function maxTimesOf(segments: readonly SegmentEntry[]): Map<number, number> {
  const maxTimes = new Map<number, number>();
  for (const { partition, maxTimeMs } of segments)
    if (maxTimeMs !== null) maxTimes.set(partition, Math.max(maxTimeMs, maxTimes.get(partition) ?? maxTimeMs));
  return maxTimes;
}

/** What is published stands for ever, so what it says of itself must hold together. */
export function checkSegment({ id, tableId, partition, startOffset, endOffset }: SegmentEntry): void {
  const attempt = parseSegmentId(id)?.attempt;
  if (attempt === undefined || formatSegmentId({ tableId, partition, startOffset, attempt }) !== id)
    throw fault('INVALID_REQUEST', `${id} is not the id of a segment of table ${tableId} at offset ${startOffset}`);
  if (!Number.isSafeInteger(endOffset) || endOffset <= startOffset)
    throw fault('INVALID_REQUEST', `segment ${id} ends at offset ${endOffset}, at or before its start`);
}
