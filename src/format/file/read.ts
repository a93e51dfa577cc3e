import { unreachable } from '../../base/assert.ts';
import type { DecodeTarget } from '../target.ts';
import { readArrowFile } from './arrow-rows.ts';
import { readAvroFile } from './avro/rows.ts';
import { openByteStream } from './byte-stream.ts';
import { readCsvFile } from './csv-rows.ts';
import { readJsonFile } from './json-rows.ts';
import { readNdjsonFile } from './ndjson-rows.ts';
import { readParquetFile } from './parquet/rows.ts';
import { TextWindow } from './text-window.ts';
import type { FileBatch, FileBytes, FileShape } from './types.ts';

/**
 * The rows of a file in their order, in bounded memory. Names, types and missing values are as `decodeRows` has them; a
 * row that does not fit is a reject, and the others stand.
 * @throws FaultError INVALID_ROWS for a file that cannot be read on, UNSUPPORTED for what of its format is not read,
 * LIMIT_EXCEEDED for parts that are too large; batches before it stand
 */
export async function* readFileRows(
  file: FileBytes,
  shape: FileShape,
  target: DecodeTarget,
): AsyncGenerator<FileBatch, void, void> {
  const known = new Set(target.columns.map(({ name }) => name));
  const placed = { columns: target.columns, fields: shape.fields.filter(({ column }) => known.has(column)) };
  switch (shape.format) {
    case 'parquet':
      return yield* readParquetFile(file, shape.nested, placed);
    case 'arrow':
      return yield* readArrowFile(file, shape.nested, placed);
    case 'avro':
      return yield* readAvroFile(file, shape.nested, placed);
    default:
      return yield* readTextFile(file, shape, placed);
  }
}

async function* readTextFile(file: FileBytes, shape: FileShape, target: DecodeTarget): AsyncGenerator<FileBatch> {
  const stream = openByteStream(file, shape.compression);
  try {
    const window = new TextWindow(stream);
    if (shape.format === 'csv') yield* readCsvFile(file.name, window, shape.dialect!, target);
    else if (shape.format === 'ndjson') yield* readNdjsonFile(window, target);
    else if (shape.format === 'json') yield* readJsonFile(window, target);
    else unreachable(shape.format as never);
  } finally {
    await stream.close();
  }
}
