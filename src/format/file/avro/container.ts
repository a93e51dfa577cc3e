/** Avro's object container files (https://avro.apache.org/docs/1.12.0/specification/#object-container-files). */
import { inflateRawSync } from 'node:zlib';
import { FaultError, fault } from '../../../base/fault.ts';
import { decompressSnappyBlock } from '../../../base/snappy.ts';
import { decompressZstd } from '../../../base/zstd.ts';
import { AvroCursor } from '../../avro-cursor.ts';
import { RecordReader } from '../../avro-parts.ts';
import { compileAvro } from '../../avro-schema.ts';
import { avroItemsMax } from '../../limits.ts';
import { Malformed } from '../../malformed.ts';
import { damaged, readPart } from '../file-part.ts';
import type { FileBytes } from '../types.ts';

/** The schema is in it, as JSON. */
const headerSizeMax = 1 << 22;

/** One block, as it is and decompressed; writers make blocks of some ten kilobytes. */
const blockSizeMax = 1 << 26;

const syncSizeBytes = 16;

/** Two numbers of ten bytes at most. */
const blockHeadSizeMax = 20;

export interface AvroContainer {
  readonly record: RecordReader;
  readonly codec: string;
  readonly sync: Uint8Array;
  /** Of the first block. */
  readonly position: number;
}

export interface AvroBlock {
  readonly rowCount: number;
  readonly bytes: Uint8Array;
  /** In the file. */
  readonly end: number;
}

/** @throws FaultError INVALID_ROWS, UNSUPPORTED for a codec that is not read */
export async function openContainer(file: FileBytes): Promise<AvroContainer> {
  const bytes = await readPart(file, 0, Math.min(file.sizeBytes, headerSizeMax));
  try {
    return parseHeader(file, bytes);
  } catch (error) {
    if (error instanceof FaultError) throw error;
    throw damaged(file, 'has an Avro header that cannot be read', error);
  }
}

function parseHeader(file: FileBytes, bytes: Uint8Array): AvroContainer {
  const cursor = new AvroCursor(bytes);
  cursor.open(4, bytes.length);
  const metadata = new Map<string, string>();
  for (let count = cursor.block(); count > 0; count = cursor.block())
    for (let index = 0; index < count; index++) {
      const key = Buffer.from(bytes.subarray(cursor.text(), cursor.at)).toString();
      const size = cursor.size();
      metadata.set(key, Buffer.from(bytes.subarray(cursor.take(size), cursor.at)).toString());
    }
  const syncAt = cursor.take(syncSizeBytes);
  const record = compileAvro({ type: 'AVRO', text: metadata.get('avro.schema') ?? '', references: [] });
  if (!(record instanceof RecordReader)) throw new Malformed('its schema is no record');
  const codec = metadata.get('avro.codec') ?? 'null';
  if (codecs[codec] === undefined)
    throw fault('UNSUPPORTED', `${file.name} is compressed with ${codec.slice(0, 50)}, which cannot be read`, {
      hint: `the codecs of Avro that are read are ${Object.keys(codecs).join(', ')}`,
    });
  return { record, codec, sync: bytes.slice(syncAt, cursor.at), position: cursor.at };
}

/** @throws FaultError INVALID_ROWS, LIMIT_EXCEEDED */
export async function* readBlocks(file: FileBytes, container: AvroContainer): AsyncGenerator<AvroBlock> {
  for (let at = container.position; at < file.sizeBytes; ) {
    const head = new AvroCursor(await readPart(file, at, Math.min(blockHeadSizeMax, file.sizeBytes - at)));
    head.open(0, head.bytes.length);
    let block: AvroBlock;
    try {
      const rowCount = head.long();
      const sizeBytes = head.long();
      if (!(sizeBytes >= 0 && sizeBytes <= blockSizeMax)) throw new Malformed(`a block of ${sizeBytes} bytes`);
      if (!(rowCount >= 0 && rowCount <= Math.max(avroItemsMax, sizeBytes)))
        throw new Malformed(`a block of ${rowCount} rows`);
      const end = at + head.at + sizeBytes + syncSizeBytes;
      const content = await readPart(file, at + head.at, sizeBytes + syncSizeBytes);
      if (Buffer.compare(content.subarray(sizeBytes), container.sync) !== 0)
        throw new Malformed('a block without its marker behind it');
      const bytes = codecs[container.codec]!(content.subarray(0, sizeBytes), blockSizeMax);
      block = { rowCount, bytes, end };
    } catch (error) {
      if (error instanceof FaultError) throw error;
      throw damaged(file, `cannot be read in the Avro block at byte ${at}`, error);
    }
    yield block;
    at = block.end;
  }
}

/** Behind each block of snappy. */
const checksumSizeBytes = 4;

const codecs: Readonly<Record<string, (bytes: Uint8Array, sizeMax: number) => Uint8Array>> = Object.assign(
  Object.create(null),
  {
    null: (bytes: Uint8Array) => bytes,
    deflate: (bytes: Uint8Array, maxOutputLength: number) => inflateRawSync(bytes, { maxOutputLength }),
    snappy: (bytes: Uint8Array, sizeMax: number) =>
      decompressSnappyBlock(bytes.subarray(0, Math.max(0, bytes.length - checksumSizeBytes)), sizeMax),
    zstandard: decompressZstd,
  },
);
