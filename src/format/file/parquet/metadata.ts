/** A Parquet file's footer (https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift). */
import { fault } from '../../../base/fault.ts';
import { Malformed } from '../../malformed.ts';
import { damaged, readPart } from '../file-part.ts';
import type { FileBytes } from '../types.ts';
import { type ParquetLeaf, type ParquetNode, readSchema } from './schema.ts';
import { ThriftReader, type ThriftStruct } from './thrift.ts';

/** A footer of a thousand columns and a thousand row groups has some hundred megabytes; it is parsed at once. */
const footerSizeMax = 1 << 27;

/** Rows of a row group; writers make groups of a million. */
const rowGroupRowsMax = 1 << 28;

/** The footer's size and `PAR1`. */
const tailSizeBytes = 8;

export interface ColumnChunk {
  readonly codec: number;
  /** In the file. */
  readonly position: number;
  readonly sizeBytes: number;
}

export interface RowGroup {
  readonly rowCount: number;
  /** By leaf. */
  readonly chunks: readonly ColumnChunk[];
}

export interface ParquetMetadata {
  /** The fields of a row. */
  readonly fields: readonly ParquetNode[];
  readonly leaves: readonly ParquetLeaf[];
  readonly rowGroups: readonly RowGroup[];
}

/** @throws FaultError INVALID_ROWS, UNSUPPORTED for an encrypted file, LIMIT_EXCEEDED for a huge footer */
export async function readMetadata(file: FileBytes): Promise<ParquetMetadata> {
  if (file.sizeBytes < tailSizeBytes + 4) throw damaged(file, 'is too short for a Parquet file');
  const tail = await readPart(file, file.sizeBytes - tailSizeBytes, tailSizeBytes);
  const magic = Buffer.from(tail.subarray(4)).toString('latin1');
  if (magic === 'PARE') throw encrypted(file);
  if (magic !== 'PAR1') throw damaged(file, 'does not end like a Parquet file');
  const sizeBytes = new DataView(tail.buffer).getUint32(0, true);
  if (sizeBytes > footerSizeMax)
    throw fault('LIMIT_EXCEEDED', `${file.name} has a footer of ${sizeBytes} bytes, and the limit is ${footerSizeMax}`);
  const position = file.sizeBytes - tailSizeBytes - sizeBytes;
  if (position < 4) throw damaged(file, 'has a Parquet footer larger than itself');
  const bytes = await readPart(file, position, sizeBytes);
  try {
    return parse(new ThriftReader(bytes).struct(), position, file);
  } catch (error) {
    if (error instanceof Malformed) throw damaged(file, 'has a Parquet footer that cannot be read', error);
    throw error;
  }
}

const encrypted = (file: FileBytes) =>
  fault('UNSUPPORTED', `${file.name} is an encrypted Parquet file`, { hint: 'write it again without encryption' });

function parse(root: ThriftStruct, end: number, file: FileBytes): ParquetMetadata {
  if (root.has(8)) throw encrypted(file);
  const { fields, leaves } = readSchema(root.structs(2));
  const rowGroups = root.structs(4).map((group): RowGroup => {
    const rowCount = group.count(3);
    if (rowCount > rowGroupRowsMax) throw new Malformed(`a row group of ${rowCount} rows`);
    const chunks = group.structs(1).map(chunk => chunkOf(chunk, end));
    if (chunks.length !== leaves.length) throw new Malformed('a row group without all columns');
    return { rowCount, chunks };
  });
  return { fields, leaves, rowGroups };
}

function chunkOf(chunk: ThriftStruct, end: number): ColumnChunk {
  const metadata = chunk.struct(3);
  const dataPosition = metadata.count(9);
  const dictionaryPosition = metadata.count(11, 0);
  const position = dictionaryPosition > 0 && dictionaryPosition < dataPosition ? dictionaryPosition : dataPosition;
  const sizeBytes = metadata.count(7);
  if (position < 4 || position + sizeBytes > end) throw new Malformed('a column chunk outside of the file');
  return { codec: metadata.count(4), position, sizeBytes };
}
