/** Files of indexes: parts that are read and checked one by one (segments/README.md, index-*.bin). */
import { crc32c } from '../base/checksum.ts';
import { bitmapSizeMax, writeBitmap } from '../bitmap/roaring.ts';
import { isPresent } from '../column/column.ts';
import type { SortedDictionary } from './dictionary.ts';
import { blockCountOf } from './encode.ts';

export const indexHeaderSizeBytes = 16;
export const directoryEntrySizeBytes = 12;
const magic = new TextEncoder().encode('WEIRIDX1');

export const align8 = (size: number): number => (size + 7) & ~7;

/** Rows by code: part c is the bitmap of the rows with code c. O(rows + codes). */
export function buildInverted(
  codes: SortedDictionary['codes'],
  validity: Uint8Array | null,
  count: number,
): Uint8Array {
  const starts = new Uint32Array(count + 1);
  for (let row = 0; row < codes.length; row++)
    if (validity === null || isPresent(validity, row)) starts[codes[row]! + 1]!++;
  for (let code = 0; code < count; code++) starts[code + 1]! += starts[code]!;
  const next = starts.slice();
  const rows = new Uint32Array(starts[count]!);
  for (let row = 0; row < codes.length; row++)
    if (validity === null || isPresent(validity, row)) rows[next[codes[row]!]!++] = row;
  return writeBitmaps(rows, starts, codes.length);
}

/** One part, the bitmap of the rows that are NULL. */
export function buildNulls(validity: Uint8Array, rowCount: number): Uint8Array {
  const rows = new Uint32Array(rowCount);
  let nullCount = 0;
  for (let row = 0; row < rowCount; row++) if (!isPresent(validity, row)) rows[nullCount++] = row;
  return writeBitmaps(rows, Uint32Array.of(0, nullCount), rowCount);
}

/** Bitmap b holds `rows[starts[b] .. starts[b + 1])`, ascending. */
function writeBitmaps(rows: Uint32Array, starts: Uint32Array, segmentRowCount: number): Uint8Array {
  const blockCount = blockCountOf(segmentRowCount);
  const partSizeMax = (part: number): number => bitmapSizeMax(starts[part + 1]! - starts[part]!, blockCount);
  return writeParts(starts.length - 1, partSizeMax, (part, into, at) =>
    writeBitmap(rows, starts[part]!, starts[part + 1]!, into, at),
  );
}

/**
 * @param write Writes a part at `into[at]`, where there are zeros and room for `partSizeMax`; gives its size in bytes.
 * @returns The whole file.
 */
export function writeParts(
  count: number,
  partSizeMax: (part: number) => number,
  write: (part: number, into: Uint8Array, at: number) => number,
): Uint8Array {
  const partsAt = align8(indexHeaderSizeBytes + count * directoryEntrySizeBytes);
  let sizeMax = partsAt;
  for (let part = 0; part < count; part++) sizeMax += align8(partSizeMax(part));
  const file = new Uint8Array(sizeMax);
  const view = new DataView(file.buffer);
  file.set(magic);
  view.setUint32(8, count, true);
  let at = partsAt;
  for (let part = 0; part < count; part++) {
    const size = write(part, file, at);
    const entry = indexHeaderSizeBytes + part * directoryEntrySizeBytes;
    view.setUint32(entry, at, true);
    view.setUint32(entry + 4, size, true);
    view.setUint32(entry + 8, crc32c(file.subarray(at, at + size)), true);
    at += align8(size);
  }
  return file.subarray(0, at);
}
