/**
 * A segment's id says where it belongs: `<tableId>-<partition>-<startOffset>-<attempt>`, with `L` for the partition of batch
 * loads. Its folder: `<tableId>/<id>`.
 */
import { loadPartition } from './table.ts';

export interface SegmentIdParts {
  readonly tableId: string;
  readonly partition: number;
  readonly startOffset: number;
  /** Lower-case hexadecimal; unique, so that no two builders ever write to one folder. */
  readonly attempt: string;
}

const pattern = /^([0-9a-f]{12})-(L|0|[1-9]\d{0,8})-(0|[1-9]\d{0,15})-([0-9a-f]{1,32})$/;

export const tableIdPattern = /^[0-9a-f]{12}$/;

export const formatSegmentId = ({ tableId, partition, startOffset, attempt }: SegmentIdParts): string =>
  `${tableId}-${partition === loadPartition ? 'L' : partition}-${startOffset}-${attempt}`;

/** null for what is no segment's id. */
export function parseSegmentId(id: string): SegmentIdParts | null {
  const match = pattern.exec(id);
  if (match === null) return null;
  const startOffset = Number(match[3]);
  if (!Number.isSafeInteger(startOffset)) return null;
  return {
    tableId: match[1]!,
    partition: match[2] === 'L' ? loadPartition : Number(match[2]),
    startOffset,
    attempt: match[4]!,
  };
}

const loadIdDigits = 16;
/** Digits of an attempt: no two builds of one range share a folder, also across restored copies. */
export const attemptDigits = 12;

/** The id of a segment that a load builds: whoever finds its files knows which load they are of. */
export const formatLoadSegmentId = (
  { id, tableId }: { readonly id: string; readonly tableId: string },
  startOffset: number,
  attempt: string,
): string => formatSegmentId({ tableId, partition: loadPartition, startOffset, attempt: id + attempt });

/** The load that builds, or built, the segment; null for other segments. */
export function loadOfSegment({ partition, attempt }: SegmentIdParts): string | null {
  const isOfLoad = partition === loadPartition && attempt.length === loadIdDigits + attemptDigits;
  return isOfLoad ? attempt.slice(0, loadIdDigits) : null;
}
