import { AvroCursor } from '../../avro-cursor.ts';
import { JsonText } from '../../json-text.ts';
import { batchRowsMax, textWindowSizeBytes } from '../../limits.ts';
import { Malformed } from '../../malformed.ts';
import { NumberedRows } from '../../numbered-rows.ts';
import type { DecodeTarget } from '../../target.ts';
import { damaged } from '../file-part.ts';
import type { FileBatch, FileBytes, NestedReading } from '../types.ts';
import { type AvroBlock, openContainer, readBlocks } from './container.ts';
import { type AvroPart, partsOf, RecordSteps } from './fields.ts';

/** Blocks are read several at a time: they are small. */
export async function* readAvroFile(
  file: FileBytes,
  nested: NestedReading,
  target: DecodeTarget,
): AsyncGenerator<FileBatch> {
  const container = await openContainer(file);
  const parts = partsOf(container.record, nested);
  let firstRow = 0;
  let blocks: AvroBlock[] = [];
  const flush = function* (): Generator<FileBatch> {
    for (const batch of readTogether(file, blocks, parts, target, firstRow)) {
      firstRow += batch.rowCount + batch.rejected;
      yield batch;
    }
    blocks = [];
  };
  for await (const block of readBlocks(file, container)) {
    blocks.push(block);
    const sizeBytes = blocks.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const rowCount = blocks.reduce((sum, each) => sum + each.rowCount, 0);
    if (sizeBytes >= textWindowSizeBytes || rowCount >= batchRowsMax) yield* flush();
  }
  yield* flush();
}

function* readTogether(
  file: FileBytes,
  blocks: readonly AvroBlock[],
  parts: readonly AvroPart[],
  target: DecodeTarget,
  firstRow: number,
): Generator<FileBatch> {
  const bytes = Buffer.concat(blocks.map(block => block.bytes));
  const cursor = new AvroCursor(bytes);
  const text = new JsonText();
  let left = blocks.reduce((sum, { rowCount }) => sum + rowCount, 0);
  let rows: NumberedRows | null = null;
  let steps: RecordSteps | null = null;
  let from = 0;
  const finished = (readBytes: number): FileBatch => {
    const { batch, accepted, rejected, rejects, ignoredValues } = rows!.finish();
    const first = firstRow;
    firstRow += accepted + rejected;
    rows = null;
    return { batch, rowCount: accepted, firstRow: first, rejected, rejects, ignoredValues, readBytes };
  };
  for (const { rowCount, bytes: own, end } of blocks) {
    const to = from + own.length;
    cursor.open(from, to);
    for (let row = 0; row < rowCount; row++) {
      if (rows === null) {
        rows = new NumberedRows(target, bytes, Math.max(8, Math.min(batchRowsMax, left)), firstRow);
        steps = new RecordSteps(parts, rows, text);
      }
      left--;
      const at = cursor.at;
      cursor.open(at, to);
      rows.begin();
      readRecord(file, cursor, steps!, firstRow + rows.attempt);
      rows.end(at, cursor.at);
      if (rows.attempt === batchRowsMax) yield finished(end);
    }
    if (cursor.at !== to) throw damaged(file, `has ${to - cursor.at} bytes left over in an Avro block`);
    from = to;
  }
  if (rows !== null) yield finished(blocks.at(-1)!.end);
}

function readRecord(file: FileBytes, cursor: AvroCursor, steps: RecordSteps, row: number): void {
  try {
    steps.read(cursor);
  } catch (error) {
    if (error instanceof Malformed) throw damaged(file, `cannot be read as Avro in row ${row}`, error);
    throw error;
  }
}
