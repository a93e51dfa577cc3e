/** Which rows a replacement hides: pure functions of what the metadata says. */
import { loadPartition, type Replacement, type SegmentEntry } from './table.ts';

/** Rows whose time lies in `[fromMs, toMs)`, and whose offset is below `offsetBelow` where that is not null, are hidden. */
export interface RowMask {
  readonly fromMs: number;
  readonly toMs: number;
  readonly offsetBelow: number | null;
}

/** What is hidden of a committed segment; empty for nearly all. Conservative in time only: rows tell. */
export const segmentMasks = (segment: SegmentEntry, replacements: readonly Replacement[]): readonly RowMask[] =>
  replacements.flatMap(replacement => {
    const { fromMs, toMs } = replacement;
    const { minTimeMs, maxTimeMs, replacedThrough = 0 } = segment;
    if (replacement.sequence <= replacedThrough) return [];
    if (minTimeMs === null || maxTimeMs === null || maxTimeMs < fromMs || minTimeMs >= toMs) return [];
    if (segment.partition === loadPartition)
      return (segment.loadSequence ?? 0) < replacement.loadsBelow ? [{ fromMs, toMs, offsetBelow: null }] : [];
    const cutoff = replacement.cutoffs[segment.partition];
    if (!cutoff) return [];
    if ((segment.streamId ?? null) !== cutoff.streamId)
      return segment.createdAtMs < replacement.createdAtMs ? [{ fromMs, toMs, offsetBelow: null }] : [];
    if (segment.startOffset >= cutoff.offset) return [];
    return [{ fromMs, toMs, offsetBelow: segment.endOffset <= cutoff.offset ? null : cutoff.offset }];
  });

/** What is hidden of a partition's consuming rows, of which `startOffset` is the first. */
export const consumingMasks = (
  partition: number,
  streamId: string | null,
  startOffset: number,
  replacements: readonly Replacement[],
): readonly RowMask[] =>
  replacements.flatMap(({ fromMs, toMs, cutoffs }) => {
    const cutoff = cutoffs[partition];
    if (!cutoff || cutoff.streamId !== streamId || startOffset >= cutoff.offset) return [];
    return [{ fromMs, toMs, offsetBelow: cutoff.offset }];
  });

/** True where a mask hides every row of the segment: it can be dropped. `nullTimes`: rows without a time are never hidden. */
export const isHidden = (segment: SegmentEntry, masks: readonly RowMask[], nullTimes: number): boolean =>
  nullTimes === 0 &&
  masks.some(
    ({ fromMs, toMs, offsetBelow }) =>
      offsetBelow === null && segment.minTimeMs! >= fromMs && segment.maxTimeMs! < toMs,
  );
