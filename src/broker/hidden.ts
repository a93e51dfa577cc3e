/** What replacements hide of a snapshot's scan units. */
import { consumingMasks, isHidden, type RowMask, segmentMasks } from '../catalog/replacement.ts';
import type { SegmentEntry, TableSnapshot } from '../catalog/table.ts';
import type { ScanTask } from '../wire/shard-calls.ts';

/** Segments of which a row may be left. */
export function visibleSegments({ definition, segments, replacements }: TableSnapshot): readonly SegmentEntry[] {
  const { timeColumnId } = definition;
  if (replacements.length === 0 || timeColumnId === null) return segments;
  return segments.filter(
    segment =>
      !isHidden(
        segment,
        segmentMasks(segment, replacements),
        segment.zones[timeColumnId]?.nullCount ?? segment.rowCount,
      ),
  );
}

/** By scan unit; none for a unit of which nothing is hidden. */
export function masksOf(
  { definition, replacements, streamIds }: TableSnapshot,
  segments: readonly SegmentEntry[],
  ranges: ScanTask['ranges'],
): ScanTask['masks'] {
  const masks: Record<string, readonly RowMask[]> = {};
  const add = (unit: string, hidden: readonly RowMask[]): void => {
    if (hidden.length > 0) masks[unit] = hidden;
  };
  for (const segment of segments) add(segment.id, segmentMasks(segment, replacements));
  for (const { partition, startOffset } of ranges)
    add(
      `consuming-${definition.id}-${partition}`,
      consumingMasks(partition, streamIds[partition] ?? null, startOffset, replacements),
    );
  return masks;
}
