/**
 * Roaring bitmaps in the portable format, read container by container where they lie, and written from sorted rows.
 * Specification: https://github.com/RoaringBitmap/RoaringFormatSpec (32-bit).
 *
 *   without runs   [12346 u32][container count u32]
 *   with runs      [12347 u16][container count - 1 u16][a bit a container: is it runs? ceil(count / 8) bytes]
 *   then           [key u16][cardinality - 1 u16] a container, ascending keys
 *   then           [offset u32] a container, from the start of the bitmap; left out with runs and fewer than 4 containers
 *   then           containers: runs [count u16] and [start u16][length - 1 u16] each; else up to 4,096 rows an array of
 *                  u16, else 8,192 bytes of bits
 *
 * Bytes are taken as hostile: everything read is checked to lie within `[offset, offset + size)`.
 */
import { fault } from '../base/fault.ts';
import { countSelected, listSelected, setRange } from '../kernel/selection.ts';

const cookieWithoutRuns = 12_346;
const cookieWithRuns = 12_347;
/** From here on an array of u16 would be larger than the bits of all 65,536 rows. */
const arrayRowsMax = 4_096;
const bitsetSizeBytes = 8_192;
/** A row's upper 16 bits choose the container. */
const containerCountMax = 65_536;
/** With runs, shorter bitmaps have no offsets. */
const offsetsFromCount = 4;

const u16 = (bytes: Uint8Array, at: number): number => bytes[at]! | (bytes[at + 1]! << 8);
const u32 = (bytes: Uint8Array, at: number): number => (u16(bytes, at) | (u16(bytes, at + 2) << 16)) >>> 0;

const corrupt = (what: string): Error => fault('CORRUPT_SEGMENT', `a roaring bitmap ${what}`);

/** Where the parts of one bitmap are. Reused: reading allocates nothing. */
const header = { containerCount: 0, runFlagsAt: 0, keysAt: 0, offsetsAt: 0, containersAt: 0, end: 0 };

function readHeader(bytes: Uint8Array, offset: number, size: number): typeof header {
  const end = offset + size;
  if (offset < 0 || size < 8 || end > bytes.length) throw corrupt(`of ${size} bytes does not lie in its file`);
  const cookie = u32(bytes, offset);
  let at = offset + 8;
  header.runFlagsAt = 0;
  if ((cookie & 0xffff) === cookieWithRuns) {
    header.containerCount = (cookie >>> 16) + 1;
    header.runFlagsAt = offset + 4;
    at = offset + 4 + ((header.containerCount + 7) >>> 3);
  } else if (cookie === cookieWithoutRuns) {
    header.containerCount = u32(bytes, offset + 4);
    if (header.containerCount > containerCountMax) throw corrupt(`has ${header.containerCount} containers`);
  } else throw corrupt(`begins with ${cookie}`);
  header.keysAt = at;
  at += header.containerCount * 4;
  const hasOffsets = header.runFlagsAt === 0 || header.containerCount >= offsetsFromCount;
  header.offsetsAt = hasOffsets ? at : 0;
  if (hasOffsets) at += header.containerCount * 4;
  if (at > end) throw corrupt(`of ${size} bytes has no room for ${header.containerCount} containers`);
  header.containersAt = at;
  header.end = end;
  return header;
}

const isRuns = (bytes: Uint8Array, index: number): boolean =>
  header.runFlagsAt !== 0 && ((bytes[header.runFlagsAt + (index >>> 3)]! >>> (index & 7)) & 1) === 1;

const cardinalityAt = (bytes: Uint8Array, index: number): number => u16(bytes, header.keysAt + 4 * index + 2) + 1;

/** Position among the containers of the one with this key, -1 where there is none. */
function findContainer(bytes: Uint8Array, key: number): number {
  let low = 0;
  let high = header.containerCount;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (u16(bytes, header.keysAt + 4 * middle) < key) low = middle + 1;
    else high = middle;
  }
  return low < header.containerCount && u16(bytes, header.keysAt + 4 * low) === key ? low : -1;
}

function containerSize(bytes: Uint8Array, index: number, at: number): number {
  if (isRuns(bytes, index)) {
    if (at + 2 > header.end) throw corrupt('ends within a container');
    return 2 + 4 * u16(bytes, at);
  }
  const cardinality = cardinalityAt(bytes, index);
  return cardinality <= arrayRowsMax ? 2 * cardinality : bitsetSizeBytes;
}

function containerAt(bytes: Uint8Array, offset: number, index: number): number {
  if (header.offsetsAt !== 0) {
    const at = offset + u32(bytes, header.offsetsAt + 4 * index);
    if (at < header.containersAt) throw corrupt('has a container inside its header');
    return at;
  }
  let at = header.containersAt;
  for (let before = 0; before < index; before++) at += containerSize(bytes, before, at);
  return at;
}

/**
 * ORs the rows `key * 65,536 + r` of a bitmap into `words`: row r is bit `r & 31` of word `r >> 5`. O(container).
 * @param words 2,048 words.
 * @throws FaultError CORRUPT_SEGMENT
 */
export function selectContainer(
  bytes: Uint8Array,
  offset: number,
  size: number,
  key: number,
  words: Uint32Array,
): void {
  readHeader(bytes, offset, size);
  const index = findContainer(bytes, key);
  if (index < 0) return;
  let at = containerAt(bytes, offset, index);
  if (at + containerSize(bytes, index, at) > header.end) throw corrupt('ends within a container');
  const cardinality = cardinalityAt(bytes, index);
  if (isRuns(bytes, index)) {
    const runCount = u16(bytes, at);
    at += 2;
    for (let run = 0; run < runCount; run++, at += 4) {
      const start = u16(bytes, at);
      const last = start + u16(bytes, at + 2);
      if (last > 0xffff) throw corrupt(`has a run from ${start} to ${last}`);
      setRange(words, start, last + 1);
    }
  } else if (cardinality <= arrayRowsMax) {
    for (const end = at + 2 * cardinality; at < end; at += 2) {
      const row = bytes[at]! | (bytes[at + 1]! << 8);
      words[row >>> 5]! |= 1 << (row & 31);
    }
  } else {
    for (let word = 0; word < 2_048; word++, at += 4)
      words[word]! |= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  }
}

/**
 * Where the 8,192 bytes of the container with this key begin; -1 where it is no bitset (then `selectContainer` tells its
 * rows). Bits that lie so need not be copied.
 * @throws FaultError CORRUPT_SEGMENT
 */
export function bitsetAt(bytes: Uint8Array, offset: number, size: number, key: number): number {
  readHeader(bytes, offset, size);
  const index = findContainer(bytes, key);
  if (index < 0 || isRuns(bytes, index) || cardinalityAt(bytes, index) <= arrayRowsMax) return -1;
  const at = containerAt(bytes, offset, index);
  if (at + bitsetSizeBytes > header.end) throw corrupt('ends within a container');
  return at;
}

/**
 * Rows in a whole bitmap, from its header. O(containers).
 * @throws FaultError CORRUPT_SEGMENT
 */
export function cardinality(bytes: Uint8Array, offset: number, size: number): number {
  readHeader(bytes, offset, size);
  let total = 0;
  for (let index = 0; index < header.containerCount; index++) total += cardinalityAt(bytes, index);
  return total;
}

/** Upper bound of what `writeContainer` writes. */
export const containerSizeMax = 16 + bitsetSizeBytes;

/**
 * Writes the rows of one container, as bits of 2,048 words, as a bitmap at `into[at]`; without rows, as an empty one. The
 * bits of a bitset lie 16 bytes behind `at`.
 * @param into Zeros from `at` on, with room for `containerSizeMax`.
 * @returns Its size in bytes.
 */
export function writeContainer(words: Uint32Array, key: number, into: Uint8Array, at: number): number {
  const count = countSelected(words, 0, words.length);
  const view = new DataView(into.buffer, into.byteOffset + at);
  view.setUint32(0, cookieWithoutRuns, true);
  view.setUint32(4, Math.min(count, 1), true);
  if (count === 0) return 8;
  view.setUint16(8, key, true);
  view.setUint16(10, count - 1, true);
  view.setUint32(12, 16, true);
  if (count > arrayRowsMax) {
    for (let word = 0; word < words.length; word++) view.setUint32(16 + 4 * word, words[word]!, true);
    return containerSizeMax;
  }
  const rows = new Uint32Array(32 * words.length);
  listSelected(words, 0, words.length, rows);
  for (let row = 0; row < count; row++) view.setUint16(16 + 2 * row, rows[row]!, true);
  return 16 + 2 * count;
}

/** Upper bound of what `writeBitmap` writes for so many rows in a segment of so many blocks. */
export const bitmapSizeMax = (rowCount: number, blockCount: number): number =>
  8 + 8 * Math.min(rowCount, blockCount) + 2 * rowCount;

/**
 * Writes ascending distinct rows `rows[start .. end)` as a bitmap of array and bitset containers at `into[at]`.
 * @param into Zeros from `at` on, with room for `bitmapSizeMax`.
 * @returns Its size in bytes.
 */
export function writeBitmap(rows: Uint32Array, start: number, end: number, into: Uint8Array, at: number): number {
  const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
  let containerCount = 0;
  for (let row = start, key = -1; row < end; row++) {
    if (rows[row]! >>> 16 === key) continue;
    key = rows[row]! >>> 16;
    containerCount++;
  }
  view.setUint32(at, cookieWithoutRuns, true);
  view.setUint32(at + 4, containerCount, true);
  const keysAt = at + 8;
  const offsetsAt = keysAt + 4 * containerCount;
  let position = offsetsAt + 4 * containerCount;
  for (let first = start, index = 0; first < end; index++) {
    const key = rows[first]! >>> 16;
    let last = first + 1;
    while (last < end && rows[last]! >>> 16 === key) last++;
    view.setUint16(keysAt + 4 * index, key, true);
    view.setUint16(keysAt + 4 * index + 2, last - first - 1, true);
    view.setUint32(offsetsAt + 4 * index, position - at, true);
    if (last - first <= arrayRowsMax) {
      for (let row = first; row < last; row++, position += 2) {
        into[position] = rows[row]!;
        into[position + 1] = rows[row]! >>> 8;
      }
    } else {
      for (let row = first; row < last; row++) {
        const low = rows[row]! & 0xffff;
        into[position + (low >>> 3)]! |= 1 << (low & 7);
      }
      position += bitsetSizeBytes;
    }
    first = last;
  }
  return position - at;
}
