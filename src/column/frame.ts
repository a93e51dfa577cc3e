/**
 * A Batch as one flat buffer: what crosses threads, machines and the log. Little-endian.
 *
 *   header, 16 bytes   ["WBF1"][row count u32][column count u32][size of the frame u32]
 *   a column, 48 bytes [form u8][type u8][precision u8][scale u8][length u32][entry count u32][reserved u32]
 *                      then four buffers [position u32][size u32]: validity, main, offsets, bytes
 *   buffers            8-byte aligned, in column order; position 0 means absent
 *
 * main: values of a fixed column, codes of a dictionary. offsets: entry count + 1 elements of u32.
 * `decodeBatch` shares memory with the frame and checks that every buffer lies inside it; what the buffers say
 * (codes within the dictionary, offsets that ascend) is `checkBatch`'s, for frames from outside the process.
 */
import { assert } from '../base/assert.ts';
import { fault } from '../base/fault.ts';
import type { Batch, Column, FixedValues } from './column.ts';
import { isPooled, type Type, type TypeName } from './type.ts';

const magic = 0x3146_4257; // "WBF1"
const headerSizeBytes = 16;
const columnHeaderSizeBytes = 48;
const forms = ['fixed', 'raw', 'dictionary'] as const;
/** By position: written into frames and logs, so only ever appended to. */
const typeNames: readonly TypeName[] = [
  'BOOLEAN',
  'INT',
  'LONG',
  'FLOAT',
  'DOUBLE',
  'DECIMAL',
  'TIMESTAMP',
  'DATE',
  'INTERVAL',
  'STRING',
  'UUID',
  'JSON',
  'BYTES',
];

const align8 = (size: number): number => (size + 7) & ~7;
const bytesOf = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

function buffersOf(column: Column): readonly (Uint8Array | null)[] {
  const validity = column.validity && bytesOf(column.validity.subarray(0, (column.length + 7) >> 3));
  switch (column.form) {
    case 'fixed':
      return [validity, bytesOf(column.values), null, null];
    case 'raw':
      return [validity, null, bytesOf(column.offsets.subarray(0, column.length + 1)), column.bytes];
    case 'dictionary':
      return [validity, bytesOf(column.codes.subarray(0, column.length)), bytesOf(column.offsets), column.bytes];
  }
}

/** A new buffer that holds nothing else, so that it can be transferred. */
export function encodeBatch(batch: Batch): Uint8Array<ArrayBuffer> {
  const all = batch.columns.map(buffersOf);
  let sizeBytes = headerSizeBytes + columnHeaderSizeBytes * batch.columns.length;
  for (const buffers of all) for (const buffer of buffers) if (buffer) sizeBytes += align8(buffer.length);
  if (sizeBytes >= 2 ** 32)
    throw fault('LIMIT_EXCEEDED', `a batch of ${sizeBytes} bytes does not fit a frame of at most ${2 ** 32} bytes`);
  const frame = new Uint8Array(sizeBytes);
  const view = new DataView(frame.buffer);
  view.setUint32(0, magic, true);
  view.setUint32(4, batch.rowCount, true);
  view.setUint32(8, batch.columns.length, true);
  view.setUint32(12, sizeBytes, true);
  let position = headerSizeBytes + columnHeaderSizeBytes * batch.columns.length;
  batch.columns.forEach((column, index) => {
    assert(column.length === batch.rowCount, 'columns of a batch have its row count');
    const at = headerSizeBytes + columnHeaderSizeBytes * index;
    view.setUint8(at, forms.indexOf(column.form));
    view.setUint8(at + 1, typeNames.indexOf(column.type.name));
    view.setUint8(at + 2, column.type.precision ?? 0);
    view.setUint8(at + 3, column.type.scale ?? 0);
    view.setUint32(at + 4, column.length, true);
    view.setUint32(at + 8, entryCountOf(column), true);
    all[index]!.forEach((buffer, slot) => {
      if (!buffer) return;
      view.setUint32(at + 16 + 8 * slot, position, true);
      view.setUint32(at + 20 + 8 * slot, buffer.length, true);
      frame.set(buffer, position);
      position += align8(buffer.length);
    });
  });
  return frame;
}

const entryCountOf = (column: Column): number =>
  column.form === 'fixed' ? 0 : column.form === 'raw' ? column.length : column.offsets.length - 1;

/**
 * The batch in a frame; shares its memory (copied first if it is not 8-byte aligned).
 * @throws FaultError CORRUPT_FRAME
 */
export function decodeBatch(bytes: Uint8Array): Batch {
  const frame = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const check = (holds: boolean, what: string): void => {
    if (!holds) throw fault('CORRUPT_FRAME', `a batch frame of ${bytes.length} bytes has ${what}`);
  };
  check(frame.length >= headerSizeBytes && view.getUint32(0, true) === magic, 'no header');
  const rowCount = view.getUint32(4, true);
  const columnCount = view.getUint32(8, true);
  check(view.getUint32(12, true) === frame.length, 'another size in its header');
  check(headerSizeBytes + columnHeaderSizeBytes * columnCount <= frame.length, `no room for ${columnCount} columns`);
  const columns: Column[] = [];
  for (let index = 0; index < columnCount; index++) {
    const at = headerSizeBytes + columnHeaderSizeBytes * index;
    const form = forms[view.getUint8(at)];
    const name = typeNames[view.getUint8(at + 1)];
    check(form !== undefined && name !== undefined, `an unknown form or type of column ${index}`);
    const type: Type =
      name === 'DECIMAL' ? { name, precision: view.getUint8(at + 2), scale: view.getUint8(at + 3) } : { name: name! };
    check((form === 'fixed') !== isPooled(type), `column ${index} of type ${name} in the form ${form}`);
    const length = view.getUint32(at + 4, true);
    check(length === rowCount, `column ${index} of another length`);
    const entryCount = view.getUint32(at + 8, true);
    const buffer = (slot: number): Uint8Array => {
      const position = view.getUint32(at + 16 + 8 * slot, true);
      const size = view.getUint32(at + 20 + 8 * slot, true);
      if (position === 0) return frame.subarray(0, 0);
      check(position % 8 === 0 && position + size <= frame.length, `buffer ${slot} of column ${index} outside`);
      return frame.subarray(position, position + size);
    };
    const present = view.getUint32(at + 16, true) !== 0;
    const validity = present ? buffer(0) : null;
    check(validity === null || validity.length === (length + 7) >> 3, `a short validity of column ${index}`);
    const words = (slot: number, count: number): Uint32Array => {
      const part = buffer(slot);
      check(part.length === count * 4, `buffer ${slot} of column ${index} of another size`);
      return new Uint32Array(part.buffer, part.byteOffset, count);
    };
    if (form === 'fixed') {
      const values = fixedView(type, buffer(1), length);
      check(values !== null, `values of column ${index} of another size`);
      columns.push({ form, type, length, validity, values: values! });
    } else if (form === 'raw') {
      columns.push({ form, type, length, validity, offsets: words(2, length + 1), bytes: buffer(3) });
    } else {
      const codes = words(1, length);
      columns.push({
        form: 'dictionary',
        type,
        length,
        validity,
        codes,
        offsets: words(2, entryCount + 1),
        bytes: buffer(3),
      });
    }
  }
  return { rowCount, columns };
}

/** Rows in a frame, without decoding it. */
export const frameRowCount = (frame: Uint8Array): number =>
  new DataView(frame.buffer, frame.byteOffset, headerSizeBytes).getUint32(4, true);

function fixedView(type: Type, part: Uint8Array, length: number): FixedValues | null {
  const of = <T>(
    elementSize: number,
    elements: number,
    make: (b: ArrayBufferLike, o: number, n: number) => T,
  ): T | null => (part.length === elements * elementSize ? make(part.buffer, part.byteOffset, elements) : null);
  switch (type.name) {
    case 'BOOLEAN':
      return of(1, length, (b, o, n) => new Uint8Array(b, o, n));
    case 'INT':
    case 'DATE':
      return of(4, length, (b, o, n) => new Int32Array(b, o, n));
    case 'FLOAT':
      return of(4, length, (b, o, n) => new Float32Array(b, o, n));
    case 'DOUBLE':
      return of(8, length, (b, o, n) => new Float64Array(b, o, n));
    case 'LONG':
    case 'TIMESTAMP':
      return of(8, length, (b, o, n) => new BigInt64Array(b, o, n));
    case 'DECIMAL':
    case 'INTERVAL':
      return of(8, length * 2, (b, o, n) => new BigInt64Array(b, o, n));
    default:
      return null;
  }
}

/**
 * What `decodeBatch` takes on trust: codes and offsets that stay inside. O(rows). For frames from outside the process.
 * @throws FaultError CORRUPT_FRAME
 */
export function checkBatch(batch: Batch): void {
  batch.columns.forEach((column, index) => {
    if (column.form === 'fixed') return;
    let last = 0;
    for (const offset of column.offsets) {
      if (offset < last || offset > column.bytes.length)
        throw fault('CORRUPT_FRAME', `offsets of column ${index} do not ascend within ${column.bytes.length} bytes`);
      last = offset;
    }
    if (column.form === 'dictionary') {
      const entryCount = column.offsets.length - 1;
      for (const code of column.codes)
        if (code >= entryCount && !(code === 0 && entryCount === 0))
          throw fault('CORRUPT_FRAME', `column ${index} has code ${code} in a dictionary of ${entryCount}`);
    }
  });
}
