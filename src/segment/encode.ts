/** One column of a segment as the buffers of its blocks (segments/README.md, columns.arrow). */
import { assert } from '../base/assert.ts';
import { fault } from '../base/fault.ts';
import type { ColumnDefinition, ZoneMap } from '../catalog/table.ts';
import { type Column, type FixedColumn, isPresent } from '../column/column.ts';
import type { Type } from '../column/type.ts';
import { blockRows } from './block.ts';
import { type Bounds, boundDecimals, boundFloats, boundLongs, boundNumbers, boundStrings, noBounds } from './bounds.ts';
import { type SortedDictionary, sortDictionary } from './dictionary.ts';
import { lowerText, mergeZones, upperText } from './zone.ts';

export type Encoding = 'plain' | 'raw' | 'dictionary';

export interface EncodedBlock {
  readonly zone: ZoneMap;
  /** null where the block has no NULL. */
  readonly validity: Uint8Array | null;
  readonly data: readonly Uint8Array[];
}

export interface EncodedColumn {
  readonly definition: ColumnDefinition;
  readonly encoding: Encoding;
  readonly codeSizeBytes: 0 | 1 | 2 | 4;
  /** Offsets and bytes of the dictionary; bytes alone for UUID. */
  readonly dictionary: { readonly count: number; readonly data: readonly Uint8Array[] } | null;
  /** Of the whole segment, in its order; null unless dictionary-encoded. */
  readonly codes: SortedDictionary['codes'] | null;
  readonly validity: Uint8Array | null;
  readonly zone: ZoneMap;
  readonly blocks: readonly EncodedBlock[];
}

/** Arrow's offsets are signed 32-bit. */
const poolSizeBytesMax = 2 ** 31 - 1;

export const blockCountOf = (rowCount: number): number => Math.ceil(rowCount / blockRows);

/** Rows of the segment in block `index`. */
export const blockRowCount = (rowCount: number, index: number): number =>
  Math.min(blockRows, rowCount - index * blockRows);

const bytesOf = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/**
 * @param order Row of the input for each row of the segment; null where they are the same.
 * @returns Shares memory with `column` where nothing had to move.
 */
export function encodeColumn(definition: ColumnDefinition, column: Column, order: Uint32Array | null): EncodedColumn {
  const validity = gatherValidity(column, order);
  if (column.form === 'fixed') return encodeFixed(definition, column, validity, order);
  const dictionary = sortDictionary(column);
  if (dictionary) return encodeDictionary(definition, dictionary, validity, order);
  return definition.type.name === 'UUID'
    ? encodeUuids(definition, column, validity, order)
    : encodeRaw(definition, column, validity, order);
}

type BlockMaker = (start: number, end: number, index: number) => { bounds: Bounds; data: readonly Uint8Array[] };
type Parts = Pick<EncodedColumn, 'encoding'> &
  Partial<Pick<EncodedColumn, 'codeSizeBytes' | 'dictionary' | 'codes'>> & { readonly block: BlockMaker };

function assemble(
  definition: ColumnDefinition,
  rowCount: number,
  validity: Uint8Array | null,
  { encoding, codeSizeBytes = 0, dictionary = null, codes = null, block }: Parts,
): EncodedColumn {
  const blocks: EncodedBlock[] = [];
  const rowCounts: number[] = [];
  for (let start = 0; start < rowCount; start += blockRows) {
    const end = Math.min(start + blockRows, rowCount);
    const nullCount = validity ? end - start - countPresent(validity, start, end) : 0;
    const { bounds, data } = block(start, end, blocks.length);
    blocks.push({
      zone: { nullCount, ...bounds },
      validity: nullCount > 0 ? validity!.subarray(start >> 3, (end + 7) >> 3) : null,
      data,
    });
    rowCounts.push(end - start);
  }
  const zones = blocks.map(each => each.zone);
  const zone = mergeZones(zones, rowCounts);
  return { definition, encoding, codeSizeBytes, dictionary, codes, validity, zone, blocks };
}

/** The validity bitmap in the segment's order, zeros past its end; null where every row is present. */
function gatherValidity(column: Column, order: Uint32Array | null): Uint8Array | null {
  const { validity, length } = column;
  if (validity === null) return null;
  const gathered = new Uint8Array((length + 7) >> 3);
  let presentCount = 0;
  for (let row = 0; row < length; row++) {
    if (!isPresent(validity, order ? order[row]! : row)) continue;
    gathered[row >> 3]! |= 1 << (row & 7);
    presentCount++;
  }
  return presentCount === length ? null : gathered;
}

function countPresent(validity: Uint8Array, start: number, end: number): number {
  let total = 0;
  for (let row = start; row < end; row++) total += (validity[row >> 3]! >>> (row & 7)) & 1;
  return total;
}

function encodeFixed(
  definition: ColumnDefinition,
  column: FixedColumn,
  validity: Uint8Array | null,
  order: Uint32Array | null,
): EncodedColumn {
  const { type } = definition;
  const rowCount = column.length;
  const plain = (block: BlockMaker): EncodedColumn =>
    assemble(definition, rowCount, validity, { encoding: 'plain', block });
  if (type.name === 'BOOLEAN') {
    const values = gatherBytes(column.values as Uint8Array, order, rowCount);
    const bits = packBits(values);
    return plain((start, end) => ({
      bounds: boundNumbers(values, validity, start, end),
      data: [bits.subarray(start >> 3, (end + 7) >> 3)],
    }));
  }
  const { values } = column;
  const rowWords = type.name === 'DECIMAL' || type.name === 'INTERVAL' ? 4 : values.BYTES_PER_ELEMENT / 4;
  const source = new Int32Array(values.buffer, values.byteOffset, rowCount * rowWords);
  const words = order ? gatherWords(source, order, rowWords) : source;
  if (type.name === 'INTERVAL')
    return plain((start, end) => ({ bounds: noBounds, data: splitIntervals(words, start, end) }));
  const bound = boundsOf(type, words, validity);
  return plain((start, end) => ({
    bounds: bound(start, end),
    data: [bytesOf(words.subarray(start * rowWords, end * rowWords))],
  }));
}

function boundsOf(type: Type, words: Int32Array, validity: Uint8Array | null): (start: number, end: number) => Bounds {
  const { buffer, byteOffset, length } = words;
  switch (type.name) {
    case 'FLOAT': {
      const values = new Float32Array(buffer, byteOffset, length);
      return (start, end) => boundFloats(values, validity, start, end);
    }
    case 'DOUBLE': {
      const values = new Float64Array(buffer, byteOffset, length / 2);
      return (start, end) => boundFloats(values, validity, start, end);
    }
    case 'LONG':
    case 'TIMESTAMP':
      return (start, end) => boundLongs(type, words, validity, start, end);
    case 'DECIMAL':
      return (start, end) => boundDecimals(words, validity, start, end);
    default:
      return (start, end) => boundNumbers(words, validity, start, end);
  }
}

/** Rows of 1, 2 or 4 words. As integers: a bit pattern that is a NaN would not survive a copy as a double. */
function gatherWords(source: Int32Array, order: Uint32Array, rowWords: number): Int32Array {
  const out = new Int32Array(order.length * rowWords);
  if (rowWords === 1) {
    for (let row = 0; row < order.length; row++) out[row] = source[order[row]!]!;
  } else if (rowWords === 2) {
    for (let row = 0; row < order.length; row++) {
      const from = 2 * order[row]!;
      out[2 * row] = source[from]!;
      out[2 * row + 1] = source[from + 1]!;
    }
  } else {
    for (let row = 0; row < order.length; row++)
      for (let word = 0; word < rowWords; word++) out[rowWords * row + word] = source[rowWords * order[row]! + word]!;
  }
  return out;
}

function gatherBytes(source: Uint8Array, order: Uint32Array | null, rowCount: number): Uint8Array {
  if (order === null) return source.subarray(0, rowCount);
  const out = new Uint8Array(rowCount);
  for (let row = 0; row < rowCount; row++) out[row] = source[order[row]!]!;
  return out;
}

function packBits(values: Uint8Array): Uint8Array {
  const bits = new Uint8Array((values.length + 7) >> 3);
  for (let row = 0; row < values.length; row++) if (values[row] !== 0) bits[row >> 3]! |= 1 << (row & 7);
  return bits;
}

/** Months, days, ms: the children of Arrow's struct. A row is the words days, months, ms low, ms high (see `Type`). */
function splitIntervals(words: Int32Array, start: number, end: number): readonly Uint8Array[] {
  const months = new Int32Array(end - start);
  const days = new Int32Array(end - start);
  const ms = new Int32Array(2 * (end - start));
  for (let row = start, to = 0; row < end; row++, to++) {
    days[to] = words[4 * row]!;
    months[to] = words[4 * row + 1]!;
    ms[2 * to] = words[4 * row + 2]!;
    ms[2 * to + 1] = words[4 * row + 3]!;
  }
  return [bytesOf(months), bytesOf(days), bytesOf(ms)];
}

function encodeDictionary(
  definition: ColumnDefinition,
  dictionary: SortedDictionary,
  validity: Uint8Array | null,
  order: Uint32Array | null,
): EncodedColumn {
  const { count, offsets, bytes, codeSizeBytes } = dictionary;
  assertPoolSize(definition, bytes.length);
  const codes = order ? gatherCodes(dictionary.codes, order) : dictionary.codes;
  return assemble(definition, codes.length, validity, {
    encoding: 'dictionary',
    codeSizeBytes,
    dictionary: { count, data: definition.type.name === 'UUID' ? [bytes] : [bytesOf(offsets), bytes] },
    codes,
    block: (start, end) => {
      const { min, max } = boundNumbers(codes, validity, start, end);
      return {
        bounds: textBounds(definition.type, offsets, bytes, min as number | null, max as number | null),
        data: [bytesOf(codes.subarray(start, end))],
      };
    },
  });
}

function gatherCodes(source: SortedDictionary['codes'], order: Uint32Array): SortedDictionary['codes'] {
  const out = new (source.constructor as Uint32ArrayConstructor)(order.length);
  for (let row = 0; row < order.length; row++) out[row] = source[order[row]!]!;
  return out;
}

/** Of entries `min` and `max`; null where every row is NULL. */
function textBounds(
  type: Type,
  offsets: Uint32Array,
  bytes: Uint8Array,
  min: number | null,
  max: number | null,
): Bounds {
  if (type.name !== 'STRING' || min === null || max === null) return noBounds;
  return {
    min: lowerText(bytes, offsets[min]!, offsets[min + 1]!),
    max: upperText(bytes, offsets[max]!, offsets[max + 1]!),
  };
}

type PooledColumn = Exclude<Column, FixedColumn>;

/** Entry of each of the segment's rows in the input's pool. */
function entriesOf(column: PooledColumn, order: Uint32Array | null): (row: number) => number {
  if (column.form === 'dictionary') {
    const { codes } = column;
    return order ? row => codes[order[row]!]! : row => codes[row]!;
  }
  return order ? row => order[row]! : row => row;
}

function encodeRaw(
  definition: ColumnDefinition,
  column: PooledColumn,
  validity: Uint8Array | null,
  order: Uint32Array | null,
): EncodedColumn {
  const { offsets: from, bytes: source } = column;
  const entryOf = entriesOf(column, order);
  return assemble(definition, column.length, validity, {
    encoding: 'raw',
    block: (start, end) => {
      const offsets = new Uint32Array(end - start + 1);
      const entries = new Uint32Array(end - start);
      let sizeBytes = 0;
      for (let row = start; row < end; row++) {
        const entry = (entries[row - start] = entryOf(row));
        if (validity === null || isPresent(validity, row)) sizeBytes += from[entry + 1]! - from[entry]!;
        offsets[row - start + 1] = sizeBytes;
      }
      assertPoolSize(definition, sizeBytes);
      const bytes = new Uint8Array(sizeBytes);
      copyEntries(source, from, entries, bytes, offsets);
      const present = validity ? validity.subarray(start >> 3) : null;
      const { minRow, maxRow } = boundStrings(offsets, bytes, present, 0, end - start);
      return {
        bounds: textBounds(definition.type, offsets, bytes, minRow, maxRow),
        data: [bytesOf(offsets), bytes],
      };
    },
  });
}

/** A call to `set` costs as much as copying about so many bytes in a loop. */
const loopSizeBytesMax = 128;

/** Copies entries to their places `toOffsets`. Short ones by words: a call to `set` a row would take four times as long. */
function copyEntries(
  from: Uint8Array,
  fromOffsets: Uint32Array,
  entries: Uint32Array,
  to: Uint8Array,
  toOffsets: Uint32Array,
): void {
  const source = new DataView(from.buffer, from.byteOffset, from.byteLength);
  const target = new DataView(to.buffer, to.byteOffset, to.byteLength);
  for (let row = 0; row < entries.length; row++) {
    let start = fromOffsets[entries[row]!]!;
    let at = toOffsets[row]!;
    const end = toOffsets[row + 1]!;
    if (end - at > loopSizeBytesMax) {
      to.set(from.subarray(start, start + end - at), at);
      continue;
    }
    for (; at + 4 <= end; at += 4, start += 4) target.setInt32(at, source.getInt32(start, true), true);
    for (; at < end; at++, start++) to[at] = from[start]!;
  }
}

const uuidSizeBytes = 16;

function encodeUuids(
  definition: ColumnDefinition,
  column: PooledColumn,
  validity: Uint8Array | null,
  order: Uint32Array | null,
): EncodedColumn {
  const { offsets: from, bytes: source } = column;
  const entryOf = entriesOf(column, order);
  return assemble(definition, column.length, validity, {
    encoding: 'raw',
    block: (start, end) => {
      const bytes = new Uint8Array((end - start) * uuidSizeBytes);
      for (let row = start; row < end; row++) {
        if (validity !== null && !isPresent(validity, row)) continue;
        const entry = entryOf(row);
        assert(from[entry + 1]! - from[entry]! === uuidSizeBytes, 'a UUID has 16 bytes');
        const at = (row - start) * uuidSizeBytes;
        for (let index = 0; index < uuidSizeBytes; index++) bytes[at + index] = source[from[entry]! + index]!;
      }
      return { bounds: noBounds, data: [bytes] };
    },
  });
}

function assertPoolSize(definition: ColumnDefinition, sizeBytes: number): void {
  if (sizeBytes > poolSizeBytesMax)
    throw fault(
      'LIMIT_EXCEEDED',
      `${definition.name} has ${sizeBytes} bytes of strings in a block or dictionary; Arrow's offsets end at ${poolSizeBytesMax}`,
      {
        hint: 'lower segment_rows',
      },
    );
}
