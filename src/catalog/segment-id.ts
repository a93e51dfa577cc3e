/** A segment's id says where it belongs: `<tableId>-<partition>-<startOffset>-<attempt>`. Its folder: `<tableId>/<id>`. */
export interface SegmentIdParts {
  readonly tableId: string;
  readonly partition: number;
  readonly startOffset: number;
  /** Lower-case hexadecimal; unique, so that no two builders ever write to one folder. */
  readonly attempt: string;
}

const pattern = /^([0-9a-f]{12})-(0|[1-9]\d{0,8})-(0|[1-9]\d{0,15})-([0-9a-f]{1,32})$/;

export const tableIdPattern = /^[0-9a-f]{12}$/;

export const formatSegmentId = ({ tableId, partition, startOffset, attempt }: SegmentIdParts): string =>
  `${tableId}-${partition}-${startOffset}-${attempt}`;

/** null for what is no segment's id. */
export function parseSegmentId(id: string): SegmentIdParts | null {
  const match = pattern.exec(id);
  if (match === null) return null;
  const startOffset = Number(match[3]);
  if (!Number.isSafeInteger(startOffset)) return null;
  return { tableId: match[1]!, partition: Number(match[2]), startOffset, attempt: match[4]! };
}
