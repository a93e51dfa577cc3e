import { readFileSync } from 'node:fs';
import type { ColumnDefinition } from '../../../../src/catalog/table.ts';
import { typeText } from '../../../../src/column/type.ts';
import { type rowAt, rowsOf } from '../../../../src/column/value.ts';
import { inferFile } from '../../../../src/format/file/infer-file.ts';
import { readFileRows } from '../../../../src/format/file/read.ts';
import { sniffFile } from '../../../../src/format/file/sniff.ts';
import type {
  FileBatch,
  FileBytes,
  FileOptions,
  FileShape,
  InferredFileTable,
} from '../../../../src/format/file/types.ts';
import type { DecodeTarget } from '../../../../src/format/target.ts';
import { bytesOf } from '../table.ts';

/** @param stepMax Bytes that one read gives at most: a file need not give all that it is asked for. */
export const memoryFile = (content: string | Uint8Array, name = 'file', stepMax = 1 << 30): FileBytes => {
  const bytes = typeof content === 'string' ? bytesOf(content) : content;
  return {
    name,
    sizeBytes: bytes.length,
    async read(into, position) {
      const part = bytes.subarray(position, position + Math.min(into.length, stepMax));
      into.set(part);
      return part.length;
    },
  };
};

export const diskFile = (path: string): FileBytes => memoryFile(readFileSync(path), path);

export interface Read {
  readonly rows: ReturnType<typeof rowAt>[];
  /** As `line column: reason`. */
  readonly rejects: string[];
  readonly batches: FileBatch[];
}

export async function readAll(file: FileBytes, shape: FileShape, target: DecodeTarget): Promise<Read> {
  const batches: FileBatch[] = [];
  for await (const batch of readFileRows(file, shape, target)) batches.push(batch);
  let at = 0;
  let readBytes = 0;
  for (const batch of batches) {
    if (batch.firstRow !== at) throw new Error(`a batch begins at row ${batch.firstRow} and not at ${at}`);
    if (batch.readBytes < readBytes || batch.readBytes > file.sizeBytes) throw new Error('bytes that fall');
    if (batch.batch.rowCount !== batch.rowCount) throw new Error('a batch of another size');
    at += batch.rowCount + batch.rejected;
    readBytes = batch.readBytes;
  }
  return {
    rows: batches.flatMap(({ batch }) => rowsOf(batch)),
    rejects: batches.flatMap(batch => batch.rejects.map(({ line, column, reason }) => `${line} ${column}: ${reason}`)),
    batches,
  };
}

export const targetOf = ({ columns }: InferredFileTable): { columns: ColumnDefinition[] } => ({
  columns: columns.map((column, index) => ({ id: index + 1, defaultValue: null, ...column })),
});

/** A proposal as `name TYPE`, `!` behind what is never null, `*` behind what has few values. */
export const columnsText = ({ columns }: InferredFileTable): string[] =>
  columns.map(
    ({ name, type, nullable, lowCardinality }) =>
      `${name} ${typeText(type)}${nullable ? '' : '!'}${lowCardinality ? '*' : ''}`,
  );

/** Sniffed and inferred. */
export async function propose(file: FileBytes, options: FileOptions = {}) {
  const sniffed = await sniffFile(file, options);
  const table = await inferFile([file], [sniffed]);
  return { shape: table.shapes[0] as FileShape, table, columns: columnsText(table) };
}

/** Sniffed, inferred, and read into the table that was inferred. */
export async function load(file: FileBytes, options: FileOptions = {}) {
  const proposed = await propose(file, options);
  return { ...proposed, ...(await readAll(file, proposed.shape, targetOf(proposed.table))) };
}
