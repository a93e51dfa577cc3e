/** Arrow IPC streams of others, each whole in memory → batches. */
import { RecordBatchReader } from 'apache-arrow';
import { columnOfArrow } from './arrow-columns.ts';
import { allowDecompressed } from './arrow-compression.ts';
import { verifyArrow } from './arrow-verify.ts';
import type { Batch } from './column.ts';

/** A schema may leave a name out. */
export const nameOf = ({ name }: { readonly name: string | null }): string => name ?? '';

export interface ArrowBatch extends Batch {
  /** Of column i, as the stream's schema has it. */
  readonly names: readonly string[];
}

/**
 * The batches of an Arrow IPC stream or file, each column of the type that loses nothing: unsigned 64 bits are
 * DECIMAL(20,0), times of day STRING, lists, structs and maps JSON; times finer than a millisecond are cut.
 * @param rowsMax Of all batches; and sixteen times as many values.
 * @param textSizeMax Bytes of JSON, of what dictionaries repeat, and of what is compressed.
 * @throws Error that says what is wrong with the bytes, or what of them cannot be read
 */
export function readArrowStream(bytes: Uint8Array, rowsMax: number, textSizeMax: number): ArrowBatch[] {
  verifyArrow(bytes, rowsMax, textSizeMax);
  const budget = { left: textSizeMax };
  allowDecompressed(textSizeMax);
  const batches: ArrowBatch[] = [];
  // A copy is aligned, as views of 64-bit values need it.
  const reader = RecordBatchReader.from(bytes.slice()).open();
  for (const batch of reader) {
    const names = batch.schema.fields.map(nameOf);
    const columns = batch.data.children.map(child => columnOfArrow(child, batch.numRows, budget));
    batches.push({ rowCount: batch.numRows, names, columns });
  }
  return batches;
}
