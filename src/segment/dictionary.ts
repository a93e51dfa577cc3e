/** Dictionaries of a segment: whether a column gets one, its entries in byte order, codes for rows. */
import { type Column, type DictionaryColumn, isPresent, type RawColumn } from '../column/column.ts';
import { compareBytes, equalBytes, hashBytes } from '../kernel/hash.ts';
import { blockRows } from './block.ts';

/** Up to here codes take one byte a row, less than raw offsets take whatever the strings are. */
export const alwaysDictionaryCount = 256;

/**
 * Distinct values per row above which strings are stored raw. At one in two a dictionary of 20-byte strings with 4-byte
 * codes saves a third of the bytes; above, it costs a sort of nearly all strings and saves nothing, and no query groups by them.
 */
export const rawDistinctRatio = 0.5;

/** A raw column whose first block has more distinct values than this is not looked at further: hashing it all costs most of its build. */
export const firstBlockDistinctMax = Math.floor(blockRows * 0.9);

const isWorthDictionary = (distinctCount: number, rowCount: number): boolean =>
  distinctCount <= Math.max(alwaysDictionaryCount, Math.floor(rowCount * rawDistinctRatio));

export interface SortedDictionary {
  readonly count: number;
  /** Entry e is `bytes[offsets[e] .. offsets[e + 1])`; ascending, each used by a row. */
  readonly offsets: Uint32Array;
  readonly bytes: Uint8Array;
  /** By row as it came; 0 under a NULL. */
  readonly codes: Uint8Array | Uint16Array | Uint32Array;
  readonly codeSizeBytes: 1 | 2 | 4;
}

/** null: the column is better raw. */
export function sortDictionary(column: Exclude<Column, { form: 'fixed' }>): SortedDictionary | null {
  const source = column.form === 'dictionary' ? column : encodeRaw(column);
  if (source === null) return null;
  const { codes, offsets, bytes, validity, length } = source;
  const entryCount = offsets.length - 1;
  const used = new Uint8Array(entryCount);
  if (validity === null) for (let row = 0; row < length; row++) used[codes[row]!] = 1;
  else for (let row = 0; row < length; row++) if (isPresent(validity, row)) used[codes[row]!] = 1;
  let count = 0;
  for (let entry = 0; entry < entryCount; entry++) count += used[entry]!;
  if (!isWorthDictionary(count, length)) return null;

  const entries = new Uint32Array(count);
  for (let entry = 0, at = 0; entry < entryCount; entry++) if (used[entry]) entries[at++] = entry;
  sortEntries(entries, offsets, bytes);
  const ranks = new Uint32Array(entryCount);
  const sortedOffsets = new Uint32Array(count + 1);
  for (let rank = 0; rank < count; rank++) {
    const entry = entries[rank]!;
    ranks[entry] = rank;
    sortedOffsets[rank + 1] = sortedOffsets[rank]! + offsets[entry + 1]! - offsets[entry]!;
  }
  const sortedBytes = new Uint8Array(sortedOffsets[count]!);
  for (let rank = 0; rank < count; rank++)
    sortedBytes.set(bytes.subarray(offsets[entries[rank]!]!, offsets[entries[rank]! + 1]!), sortedOffsets[rank]!);

  const codeSizeBytes = count <= 0x100 ? 1 : count <= 0x1_0000 ? 2 : 4;
  const narrow = new { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array }[codeSizeBytes](length);
  if (validity === null) for (let row = 0; row < length; row++) narrow[row] = ranks[codes[row]!]!;
  else for (let row = 0; row < length; row++) narrow[row] = isPresent(validity, row) ? ranks[codes[row]!]! : 0;
  return { count, offsets: sortedOffsets, bytes: sortedBytes, codes: narrow, codeSizeBytes };
}

/** Numbers the distinct strings of a raw column as they come; null as soon as they are too many for a dictionary. */
function encodeRaw(column: RawColumn): DictionaryColumn | null {
  const { offsets, bytes, validity, length } = column;
  const codes = new Uint32Array(length);
  let slots = new Int32Array(1024).fill(-1);
  let hashes = new Uint32Array(512);
  /** By entry, the row that has it first. */
  let firstRows = new Uint32Array(512);
  let count = 0;
  for (let row = 0; row < length; row++) {
    if (!isPresent(validity, row)) continue;
    const start = offsets[row]!;
    const end = offsets[row + 1]!;
    const hash = hashBytes(bytes, start, end);
    const mask = slots.length - 1;
    let slot = hash & mask;
    let entry = slots[slot]!;
    while (entry >= 0) {
      const first = firstRows[entry]!;
      if (hashes[entry] === hash && equalBytes(bytes, start, end, bytes, offsets[first]!, offsets[first + 1]!)) break;
      entry = slots[(slot = (slot + 1) & mask)]!;
    }
    if (entry < 0) {
      if (!isWorthDictionary(count + 1, length) || (count >= firstBlockDistinctMax && row < blockRows)) return null;
      entry = count++;
      slots[slot] = entry;
      hashes[entry] = hash;
      firstRows[entry] = row;
      if (count === hashes.length) {
        hashes = copyInto(new Uint32Array(count * 2), hashes);
        firstRows = copyInto(new Uint32Array(count * 2), firstRows);
        slots = placeEntries(hashes, count);
      }
    }
    codes[row] = entry;
  }
  return { form: 'dictionary', type: column.type, length, validity, codes, ...gatherEntries(column, firstRows, count) };
}

const copyInto = (to: Uint32Array<ArrayBuffer>, from: Uint32Array): Uint32Array<ArrayBuffer> => {
  to.set(from);
  return to;
};

/** A table four times as large as its entries. */
function placeEntries(hashes: Uint32Array, count: number): Int32Array<ArrayBuffer> {
  const slots = new Int32Array(count * 4).fill(-1);
  const mask = slots.length - 1;
  for (let entry = 0; entry < count; entry++) {
    let slot = hashes[entry]! & mask;
    while (slots[slot]! >= 0) slot = (slot + 1) & mask;
    slots[slot] = entry;
  }
  return slots;
}

function gatherEntries(column: RawColumn, firstRows: Uint32Array, count: number) {
  const offsets = new Uint32Array(count + 1);
  for (let entry = 0; entry < count; entry++) {
    const row = firstRows[entry]!;
    offsets[entry + 1] = offsets[entry]! + column.offsets[row + 1]! - column.offsets[row]!;
  }
  const bytes = new Uint8Array(offsets[count]!);
  for (let entry = 0; entry < count; entry++) {
    const row = firstRows[entry]!;
    bytes.set(column.bytes.subarray(column.offsets[row]!, column.offsets[row + 1]!), offsets[entry]!);
  }
  return { offsets, bytes };
}

/** Below this many entries insertion sort is quicker. */
const insertionCount = 12;

/**
 * Sorts entry numbers by the entries' bytes: three-way radix quicksort (Bentley and Sedgewick, "Fast Algorithms for
 * Sorting and Searching Strings", 1997). A list of work instead of recursion, because a common prefix of a million
 * bytes is a depth of a million.
 */
export function sortEntries(entries: Uint32Array, offsets: Uint32Array, bytes: Uint8Array): void {
  const byteAt = (entry: number, depth: number): number => {
    const at = offsets[entry]! + depth;
    return at < offsets[entry + 1]! ? bytes[at]! : -1;
  };
  const work: [start: number, end: number, depth: number][] = [[0, entries.length, 0]];
  for (let next = work.pop(); next; next = work.pop()) {
    let [start, end, depth] = next;
    while (end - start > insertionCount) {
      const pivot = middle(
        byteAt(entries[start]!, depth),
        byteAt(entries[(start + end) >>> 1]!, depth),
        byteAt(entries[end - 1]!, depth),
      );
      let less = start;
      let greater = end;
      for (let at = start; at < greater; ) {
        const entry = entries[at]!;
        const byte = byteAt(entry, depth);
        if (byte < pivot) {
          entries[at++] = entries[less]!;
          entries[less++] = entry;
        } else if (byte > pivot) {
          entries[at] = entries[--greater]!;
          entries[greater] = entry;
        } else at++;
      }
      if (less - start > 1) work.push([start, less, depth]);
      if (end - greater > 1) work.push([greater, end, depth]);
      start = less;
      // Entries that end here are equal: distinct entries leave at most one.
      end = pivot < 0 ? less : greater;
      depth++;
    }
    insertionSort(entries, start, end, offsets, bytes);
  }
}

const middle = (a: number, b: number, c: number): number => Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));

function insertionSort(
  entries: Uint32Array,
  start: number,
  end: number,
  offsets: Uint32Array,
  bytes: Uint8Array,
): void {
  for (let at = start + 1; at < end; at++) {
    const entry = entries[at]!;
    let to = at;
    for (; to > start; to--) {
      const other = entries[to - 1]!;
      if (compareBytes(bytes, offsets[entry]!, offsets[entry + 1]!, bytes, offsets[other]!, offsets[other + 1]!) >= 0)
        break;
      entries[to] = other;
    }
    entries[to] = entry;
  }
}
