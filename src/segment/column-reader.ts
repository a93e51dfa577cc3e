import { fault } from '../base/fault.ts';
import type { Column, FixedValues } from '../column/column.ts';
import { isPooled, type Type } from '../column/type.ts';
import { blockRows } from './block.ts';
import { blockRowCount, type EncodedColumn } from './encode.ts';
import { readEncodedColumn } from './encoded-reader.ts';
import type { OpenFiles } from './files.ts';
import type { Manifest } from './manifest.ts';

const uuidSizeBytes = 16;
/** A raw column's offsets are 32-bit. */
const rawSizeBytesMax = 2 ** 32 - 1;

/**
 * Every row of a column of a committed segment as a plain column, in the segment's order, and in the type and form that it
 * is stored in. All bytes are checked. Memory: twice what the column takes on disk until it returns, then once.
 * @returns null: the segment does not have the column.
 * @throws FaultError CORRUPT_SEGMENT; LIMIT_EXCEEDED where raw strings have more than 4 GB
 */
export function readStoredColumn(manifest: Manifest, columnId: number, files: OpenFiles): Column | null {
  const encoded = readEncodedColumn(manifest, columnId, files);
  return encoded && decodeColumn(encoded, manifest.rowCount);
}

/** The opposite of `encodeColumn`, but for the order of the rows. */
function decodeColumn(encoded: EncodedColumn, rowCount: number): Column {
  const { type } = encoded.definition;
  const common = { type, length: rowCount, validity: encoded.validity };
  if (encoded.encoding === 'dictionary') return { form: 'dictionary', ...common, ...entriesOf(encoded) };
  if (isPooled(type)) return { form: 'raw', ...common, ...stringsOf(encoded, rowCount) };
  return { form: 'fixed', ...common, values: valuesOf(encoded, rowCount) };
}

function entriesOf({ codes, dictionary }: EncodedColumn) {
  const { count, data } = dictionary!;
  const bytes = data.at(-1)!;
  // Where every row is NULL the dictionary is empty, and their code, 0, is an empty string's.
  const offsets =
    count === 0 ? new Uint32Array(2) : data.length === 2 ? new Uint32Array(data[0]!.buffer) : uuidOffsets(count);
  return { codes: Uint32Array.from(codes!), offsets, bytes };
}

const uuidOffsets = (count: number): Uint32Array =>
  Uint32Array.from({ length: count + 1 }, (_, entry) => entry * uuidSizeBytes);

function stringsOf({ definition, blocks }: EncodedColumn, rowCount: number) {
  const sizeBytes = blocks.reduce((sum, { data }) => sum + data.at(-1)!.length, 0);
  if (sizeBytes > rawSizeBytesMax)
    throw fault(
      'LIMIT_EXCEEDED',
      `column ${definition.name} has ${sizeBytes} bytes of strings in a segment; at most ${rawSizeBytesMax} are read at once`,
    );
  const offsets = new Uint32Array(rowCount + 1);
  const bytes = new Uint8Array(sizeBytes);
  let end = 0;
  for (const [index, { data }] of blocks.entries()) {
    const count = blockRowCount(rowCount, index);
    const local = data.length === 2 ? new Uint32Array(data[0]!.buffer) : uuidOffsets(count);
    for (let row = 1; row <= count; row++) offsets[index * blockRows + row] = end + local[row]!;
    bytes.set(data.at(-1)!, end);
    end += data.at(-1)!.length;
  }
  return { offsets, bytes };
}

function valuesOf({ definition: { type }, blocks }: EncodedColumn, rowCount: number): FixedValues {
  const values = fixedValues(type, rowCount);
  const into = new Uint8Array(values.buffer);
  const rowSizeBytes = rowCount === 0 ? 0 : into.length / rowCount;
  for (const [index, { data }] of blocks.entries()) {
    const firstRow = index * blockRows;
    const count = blockRowCount(rowCount, index);
    if (type.name === 'BOOLEAN') unpackBits(data[0]!, into, firstRow, count);
    else if (type.name === 'INTERVAL') joinIntervals(data.map(wordsOf), wordsOf(into), firstRow, count);
    else into.set(data[0]!, firstRow * rowSizeBytes);
  }
  return values;
}

const wordsOf = ({ buffer }: Uint8Array): Int32Array => new Int32Array(buffer);

function fixedValues(type: Type, rowCount: number): FixedValues {
  switch (type.name) {
    case 'BOOLEAN':
      return new Uint8Array(rowCount);
    case 'INT':
    case 'DATE':
      return new Int32Array(rowCount);
    case 'FLOAT':
      return new Float32Array(rowCount);
    case 'DOUBLE':
      return new Float64Array(rowCount);
    case 'LONG':
    case 'TIMESTAMP':
      return new BigInt64Array(rowCount);
    default:
      return new BigInt64Array(2 * rowCount);
  }
}

function unpackBits(bits: Uint8Array, values: Uint8Array, firstRow: number, count: number): void {
  for (let row = 0; row < count; row++) values[firstRow + row] = (bits[row >> 3]! >>> (row & 7)) & 1;
}

/** From months, days and ms apart, as Arrow has them, to rows of days, months, ms low, ms high (see `Type`). */
function joinIntervals(parts: readonly Int32Array[], into: Int32Array, firstRow: number, count: number): void {
  const [months, days, ms] = parts as [Int32Array, Int32Array, Int32Array];
  for (let row = 0, at = 4 * firstRow; row < count; row++, at += 4) {
    into[at] = days[row]!;
    into[at + 1] = months[row]!;
    into[at + 2] = ms[2 * row]!;
    into[at + 3] = ms[2 * row + 1]!;
  }
}
