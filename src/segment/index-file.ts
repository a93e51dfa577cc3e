/** Files of roaring bitmaps over a segment's rows (segments/README.md, index-*.bin). */

import { crc32c } from '../base/checksum.ts';
import { bitmapSizeMax, writeBitmap } from '../bitmap/roaring.ts';
import { isPresent } from '../column/column.ts';
import type { SortedDictionary } from './dictionary.ts';
import { blockCountOf } from './encode.ts';

export const indexHeaderSizeBytes = 16;
export const directoryEntrySizeBytes = 12;
const magic = new TextEncoder().encode('WEIRIDX1');

const align8 = (size: number): number => (size + 7) & ~7;

/** Rows by code: bitmap c holds the rows with code c. O(rows + codes). */
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
  return writeIndex(rows, starts, codes.length);
}

/** One bitmap: the rows that are NULL. */
export function buildNulls(validity: Uint8Array, rowCount: number): Uint8Array {
  const rows = new Uint32Array(rowCount);
  let nullCount = 0;
  for (let row = 0; row < rowCount; row++) if (!isPresent(validity, row)) rows[nullCount++] = row;
  return writeIndex(rows, Uint32Array.of(0, nullCount), rowCount);
}

/** Bitmap b holds `rows[starts[b] .. starts[b + 1])`, ascending. */
function writeIndex(rows: Uint32Array, starts: Uint32Array, segmentRowCount: number): Uint8Array {
  const count = starts.length - 1;
  const blockCount = blockCountOf(segmentRowCount);
  let sizeMax = align8(indexHeaderSizeBytes + count * directoryEntrySizeBytes);
  for (let bitmap = 0; bitmap < count; bitmap++)
    sizeMax += align8(bitmapSizeMax(starts[bitmap + 1]! - starts[bitmap]!, blockCount));
  const file = new Uint8Array(sizeMax);
  const view = new DataView(file.buffer);
  file.set(magic);
  view.setUint32(8, count, true);
  let at = align8(indexHeaderSizeBytes + count * directoryEntrySizeBytes);
  for (let bitmap = 0; bitmap < count; bitmap++) {
    const size = writeBitmap(rows, starts[bitmap]!, starts[bitmap + 1]!, file, at);
    const entry = indexHeaderSizeBytes + bitmap * directoryEntrySizeBytes;
    view.setUint32(entry, at, true);
    view.setUint32(entry + 4, size, true);
    view.setUint32(entry + 8, crc32c(file.subarray(at, at + size)), true);
    at += align8(size);
  }
  return file.subarray(0, at);
}
