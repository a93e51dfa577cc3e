/** Arrow IPC streams that are pushed: columns by name, rejects by the row's number. */
import { fault } from '../base/fault.ts';
import { type ArrowBatch, readArrowStream } from '../column/arrow-stream.ts';
import { castColumns } from './column-rows.ts';
import { concatBatches } from './concat.ts';
import { pushRowsMax, pushTextSizeMax, rejectsKeptMax } from './limits.ts';
import { reasonOf } from './malformed.ts';
import type { Decoded, DecodeTarget } from './target.ts';

/** @throws FaultError INVALID_ROWS for bytes that are no Arrow stream, or whose columns cannot be read */
export function decodeArrow(bytes: Uint8Array, target: DecodeTarget): Decoded {
  let firstRow = 0;
  const parts = read(bytes).map(({ rowCount, names, columns }) => {
    const sources = columns.map((column, index) => ({ path: [names[index]!], column }));
    const decoded = castColumns(sources, rowCount, target, firstRow);
    firstRow += rowCount;
    return decoded;
  });
  if (parts.length === 0) return castColumns([], 0, target, 0);
  const sum = (count: (part: Decoded) => number): number => parts.reduce((total, part) => total + count(part), 0);
  return {
    batch: concatBatches(parts.map(({ batch }) => batch)),
    accepted: sum(part => part.accepted),
    rejected: sum(part => part.rejected),
    rejects: parts.flatMap(part => part.rejects).slice(0, rejectsKeptMax),
    ignoredValues: sum(part => part.ignoredValues),
  };
}

function read(bytes: Uint8Array): readonly ArrowBatch[] {
  if (bytes.length === 0) return [];
  try {
    return readArrowStream(bytes, pushRowsMax, pushTextSizeMax);
  } catch (error) {
    throw fault(
      'INVALID_ROWS',
      `the body cannot be read as an Arrow stream: ${reasonOf(error)}`,
      { hint: 'send an IPC stream or file, such as pyarrow.ipc.new_stream writes' },
      { cause: error },
    );
  }
}
