import { brotliDecompressSync, unzipSync } from 'node:zlib';
import { fault } from '../../../base/fault.ts';
import { decompressLz4Block, decompressLz4Frame } from '../../../base/lz4.ts';
import { decompressSnappyBlock } from '../../../base/snappy.ts';
import { prepareZstd } from '../../../base/zstd.ts';
import { Malformed } from '../../malformed.ts';

/** Numbers of `CompressionCodec`. */
const codecNames = ['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'LZO', 'BROTLI', 'LZ4', 'ZSTD', 'LZ4_RAW'] as const;

/** Exactly `sizeBytes` bytes. @throws Malformed */
export type Decompress = (compressed: Uint8Array, sizeBytes: number) => Uint8Array;

/** @throws FaultError UNSUPPORTED for LZO and what is unknown */
export async function decompressorOf(codec: number): Promise<Decompress> {
  const name = codecNames[codec];
  switch (name) {
    case 'UNCOMPRESSED':
      return checked(bytes => bytes);
    case 'SNAPPY':
      return checked(decompressSnappyBlock);
    case 'GZIP':
      return checked((bytes, maxOutputLength) => unzipSync(bytes, { maxOutputLength }));
    case 'BROTLI':
      return checked((bytes, maxOutputLength) => brotliDecompressSync(bytes, { maxOutputLength }));
    case 'ZSTD':
      return checked(await prepareZstd());
    case 'LZ4':
      return checked(unhadoop);
    case 'LZ4_RAW':
      return checked(decompressLz4Block);
    default:
      throw fault('UNSUPPORTED', `Parquet pages compressed with ${name ?? `codec ${codec}`} cannot be read`, {
        hint: 'write the file again with ZSTD or SNAPPY',
      });
  }
}

const checked =
  (decompress: Decompress): Decompress =>
  (compressed, sizeBytes) => {
    if (sizeBytes === 0) return new Uint8Array(0);
    let bytes: Uint8Array;
    try {
      bytes = decompress(compressed, sizeBytes);
    } catch (error) {
      throw new Malformed(`a page that does not decompress: ${error instanceof Error ? error.message : error}`);
    }
    if (bytes.length !== sizeBytes) throw new Malformed('a page of another size than it says');
    // A Buffer is made a plain array: its slices would be no copies.
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  };

/** The old LZ4 is Hadoop's frames, big-endian sizes of what they become and what they are; some writers left those out. */
function unhadoop(compressed: Uint8Array, sizeBytes: number): Uint8Array {
  const view = new DataView(compressed.buffer, compressed.byteOffset, compressed.byteLength);
  if (compressed.length >= 4 && view.getUint32(0, true) === 0x184d2204)
    return decompressLz4Frame(compressed, sizeBytes);
  const parts: Uint8Array[] = [];
  let left = sizeBytes;
  for (let at = 0; at + 8 <= compressed.length; ) {
    const size = view.getUint32(at);
    const end = at + 8 + view.getUint32(at + 4);
    if (size > left || end > compressed.length) return decompressLz4Block(compressed, sizeBytes);
    parts.push(decompressLz4Block(compressed.subarray(at + 8, end), size));
    left -= size;
    at = end;
  }
  return Buffer.concat(parts);
}
