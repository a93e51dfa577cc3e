import { FaultError } from '../../base/fault.ts';
import { type ArrowFileBatch, readArrowBatches } from '../../column/arrow-file.ts';
import { arrowMessageSizeMax, pushRowsMax } from '../limits.ts';
import type { DecodeTarget } from '../target.ts';
import { damaged, readPart } from './file-part.ts';
import { cutBatches } from './typed-rows.ts';
import type { FileBatch, FileBytes, NestedReading } from './types.ts';

export async function* readArrowFile(
  file: FileBytes,
  nested: NestedReading,
  target: DecodeTarget,
): AsyncGenerator<FileBatch> {
  const progress = { readBytes: 0 };
  let firstRow = 0;
  for await (const { rowCount, columns } of arrowBatches(file, nested, progress)) {
    yield* cutBatches(columns, rowCount, target, firstRow, progress.readBytes);
    firstRow += rowCount;
  }
}

/**
 * The first has no rows and shows the columns.
 * @param progress Is told of the bytes that were read.
 * @throws FaultError INVALID_ROWS
 */
export async function* arrowBatches(
  file: FileBytes,
  nested: NestedReading,
  progress: { readBytes: number },
): AsyncGenerator<ArrowFileBatch> {
  const read = async (position: number, sizeBytes: number): Promise<Uint8Array> => {
    progress.readBytes = Math.max(progress.readBytes, position + sizeBytes);
    return readPart(file, position, sizeBytes);
  };
  const limits = { rowsMax: pushRowsMax, messageSizeMax: arrowMessageSizeMax };
  try {
    yield* readArrowBatches(read, file.sizeBytes, limits, nested === 'flatten');
  } catch (error) {
    if (error instanceof FaultError) throw error;
    throw damaged(file, `cannot be read as Arrow near byte ${progress.readBytes}`, error);
  }
}
