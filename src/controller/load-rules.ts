/** What follows from loads and replacements: pure functions of the metadata. */
import type { LoadEntry } from '../catalog/load.ts';
import { isHidden, segmentMasks } from '../catalog/replacement.ts';
import type { Replacement, SegmentEntry } from '../catalog/table.ts';
import type { State, TableState } from './state.ts';

export const isOpen = ({ state }: LoadEntry): boolean => state === 'running';

/** Above every number that a load, a replacement or a merged segment of the table has. */
export function nextSequence({ loads, tables }: State, tableId: string): number {
  const { segments, replacements } = tables.get(tableId)!;
  let last = 0;
  for (const load of loads.values()) if (load.tableId === tableId) last = Math.max(last, load.sequence ?? 0);
  for (const { sequence } of replacements) last = Math.max(last, sequence);
  for (const { loadSequence = 0, replacedThrough = 0 } of segments)
    last = Math.max(last, loadSequence, replacedThrough);
  return last + 1;
}

/** Segments of which the replacements leave no row. */
export function hiddenSegments(
  { definition, segments }: TableState,
  replacements: readonly Replacement[],
): readonly SegmentEntry[] {
  const { timeColumnId } = definition;
  if (timeColumnId === null) return [];
  return segments.filter(segment =>
    isHidden(segment, segmentMasks(segment, replacements), segment.zones[timeColumnId]?.nullCount ?? segment.rowCount),
  );
}

/** Replacements that can go: another hides all that they do, or there is nothing left that they could hide. */
export function idleReplacements(table: TableState): readonly Replacement[] {
  const { replacements } = table;
  return replacements.filter(
    replacement => replacements.some(other => covers(other, replacement)) || hidesNothing(replacement, table),
  );
}

const covers = (other: Replacement, { sequence, loadsBelow, fromMs, toMs, cutoffs }: Replacement): boolean =>
  other.sequence > sequence &&
  other.loadsBelow >= loadsBelow &&
  other.fromMs <= fromMs &&
  other.toMs >= toMs &&
  cutoffs.every(({ streamId, offset }, partition) => {
    const cutoff = other.cutoffs[partition];
    return cutoff !== undefined && cutoff.streamId === streamId && cutoff.offset >= offset;
  });

/** A stream may be read again from further back, and brings rows from before the replacement once more; a log is not. */
const hidesNothing = (replacement: Replacement, { definition, segments, committedEnds }: TableState): boolean =>
  definition.source.kind === 'log' &&
  replacement.cutoffs.every(({ offset }, partition) => offset <= committedEnds[partition]!) &&
  !segments.some(segment => segmentMasks(segment, [replacement]).length > 0);
