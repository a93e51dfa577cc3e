/** Neighbouring segments of one partition → one. */
import { assert } from '../base/assert.ts';
import type { Clock } from '../base/seams.ts';
import { addAccounts, denseAccounts } from '../catalog/accounts.ts';
import { type RowMask, segmentMasks } from '../catalog/replacement.ts';
import {
  type ColumnDefinition,
  loadPartition,
  type OffsetAccounts,
  type SegmentEntry,
  type TableDefinition,
  virtualColumns,
} from '../catalog/table.ts';
import { type Column, type FixedColumn, isPresent } from '../column/column.ts';
import { concatColumns } from '../column/concat.ts';
import { dayMs } from '../column/text.ts';
import { sameType } from '../column/type.ts';
import { widenColumn } from '../column/widen.ts';
import { buildSegment } from '../segment/builder.ts';
import { readStoredColumn } from '../segment/column-reader.ts';
import { missingColumn } from '../segment/consuming-column.ts';
import { OpenFiles, type SegmentFiles } from '../segment/files.ts';
import type { Manifest } from '../segment/manifest.ts';
import { readManifest } from '../segment/reader.ts';
import { storedColumns } from '../segment/row-columns.ts';
import type { SegmentSink } from '../segment/sink.ts';
import type { TaskCalls } from '../wire/task-calls.ts';
import { Pace } from './pace.ts';

/** What is read is written again: a fifth of what one ordinary disk does in a second, both ways together. */
const mergeBytesPerSecond = 40 << 20;

export interface MergeComponents {
  readonly clock: Clock;
  readonly store: SegmentSink;
  readonly files: SegmentFiles;
}

/** One of the segments: its rows that are left, ascending; null: all. */
interface Part {
  readonly entry: SegmentEntry;
  readonly manifest: Manifest;
  readonly rows: Uint32Array | null;
}

/**
 * Sorted and encoded anew, with the table's columns and indexes of today. Memory: about the size of the parts.
 * @throws FaultError CORRUPT_SEGMENT
 */
export async function mergeSegments(
  { definition, segments, replacements, segmentId }: TaskCalls['merge']['in'],
  { clock, store, files: segmentFiles }: MergeComponents,
  signal: AbortSignal,
): Promise<SegmentEntry> {
  const files = new OpenFiles(segmentFiles);
  const pace = new Pace(clock, mergeBytesPerSecond);
  try {
    const parts = segments.map((entry): Part => {
      const manifest = readManifest(entry, files);
      const masks = segmentMasks(entry, replacements);
      return { entry, manifest, rows: masks.length === 0 ? null : rowsLeft(manifest, masks, definition, files) };
    });
    const rowCount = parts.reduce((sum, { rows, entry }) => sum + (rows?.length ?? entry.rowCount), 0);
    const first = segments[0]!;
    const columnCount = storedColumns(definition).length;
    const sizeBytes = segments.reduce((sum, entry) => sum + entry.sizeBytes, 0);
    const built = await buildSegment(
      {
        ...{ definition, segmentId, rowCount, partition: first.partition },
        startOffset: first.startOffset,
        endOffset: endOffsetOf(segments),
        ...accountsOf(segments, rowCount),
        async column(columnId) {
          await pace.take((2 * sizeBytes) / columnCount, signal);
          return mergedColumn(parts, columnOf(definition, columnId), files);
        },
      },
      store,
      { createdAtMs: clock.nowMs() },
    );
    return { ...built, ...originOf(segments, replacements.at(-1)?.sequence ?? 0) };
  } finally {
    files.close('');
  }
}

const columnOf = (definition: TableDefinition, columnId: number): ColumnDefinition =>
  storedColumns(definition).find(({ id }) => id === columnId)!;

function mergedColumn(parts: readonly Part[], column: ColumnDefinition, files: OpenFiles): Column {
  return concatColumns(
    column.type,
    parts.map(({ manifest, rows }) => ({ column: wholeColumn(manifest, column, files), rows })),
  );
}

/** As the table has it now: it may be younger than the segment, or have been widened since. */
function wholeColumn(manifest: Manifest, column: ColumnDefinition, files: OpenFiles): Column {
  const stored = readStoredColumn(manifest, column.id, files);
  if (stored === null) return missingColumn(column, manifest.rowCount);
  return sameType(stored.type, column.type) ? stored : widenColumn(stored, column.type);
}

/** Loads number their rows each from 0: the offsets of several, one after another, are as many as their rows. */
function endOffsetOf(segments: readonly SegmentEntry[]): number {
  const last = segments.at(-1)!;
  if (last.partition !== loadPartition) return last.endOffset;
  return segments.reduce((sum, { startOffset, endOffset }) => sum + endOffset - startOffset, segments[0]!.startOffset);
}

/** Rows that a replacement hid are in none of the accounts' kinds: the offsets were taken, and made fewer rows. */
function accountsOf(segments: readonly SegmentEntry[], rowCount: number): { accounts?: OffsetAccounts } {
  if (segments[0]!.partition === loadPartition) return {};
  const sum = segments.map(entry => entry.accounts ?? denseAccounts(entry)).reduce(addAccounts);
  return { accounts: { ...sum, rowsOut: rowCount } };
}

/** What the metadata adds to what is built: whose rows these are, and which replacements they have been through. */
function originOf(segments: readonly SegmentEntry[], replacedThrough: number): Partial<SegmentEntry> {
  const { streamId, partition } = segments[0]!;
  const loadSequence = Math.max(...segments.map(entry => entry.loadSequence ?? 0));
  return {
    ...(streamId !== undefined && { streamId }),
    ...(partition === loadPartition && { loadSequence }),
    ...(replacedThrough > 0 && { replacedThrough }),
  };
}

/** Rows that no mask hides. */
function rowsLeft(
  manifest: Manifest,
  masks: readonly RowMask[],
  { timeColumnId }: TableDefinition,
  files: OpenFiles,
): Uint32Array {
  const time = readStoredColumn(manifest, timeColumnId!, files) as FixedColumn | null;
  const offset = readStoredColumn(manifest, virtualColumns.offset, files) as FixedColumn | null;
  assert(time !== null, 'only rows with a time are hidden');
  const unitMs = time.type.name === 'DATE' ? dayMs : 1;
  const rows = new Uint32Array(manifest.rowCount);
  let count = 0;
  for (let row = 0; row < manifest.rowCount; row++) {
    const timeMs = isPresent(time.validity, row) ? Number(time.values[row]!) * unitMs : Number.NaN;
    const offsetAt = (): number => Number(offset?.values[row] ?? 0);
    const isHidden = masks.some(
      ({ fromMs, toMs, offsetBelow }) =>
        timeMs >= fromMs && timeMs < toMs && (offsetBelow === null || offsetAt() < offsetBelow),
    );
    if (!isHidden) rows[count++] = row;
  }
  return rows.subarray(0, count);
}
