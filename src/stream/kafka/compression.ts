/** The four codecs of record batches, as Kafka's Java client frames them. */
import * as zlib from 'node:zlib';
import { Decompress } from 'fzstd';
import snappy from 'snappy';
import { decompressLz4Frame } from './lz4.ts';

/** By the number in a batch's attributes; 0 is none. */
export const codecNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

/**
 * No batch may become larger than this: a few kilobytes can be made that would fill any memory. Kafka's brokers take batches
 * of 1 MiB unless told otherwise.
 */
export const decompressedSizeBytesMax = 256 * 2 ** 20;

// From Node 22.15 on.
const { zstdDecompressSync } = zlib as { zstdDecompressSync?: typeof zlib.gunzipSync };

export type Decompressed =
  | { readonly bytes: Uint8Array }
  | { readonly code: 'CORRUPT_LOG' | 'UNSUPPORTED'; readonly problem: string };

/** The records of a batch; or why not, as the end of a sentence about the batch. */
export function decompress(
  codec: number,
  compressed: Uint8Array,
  sizeBytesMax = decompressedSizeBytesMax,
): Decompressed {
  const method = methods[codec - 1];
  if (!method) return { code: 'UNSUPPORTED', problem: `is compressed by an unknown method, number ${codec}` };
  try {
    return { bytes: method(compressed, sizeBytesMax) };
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    return { code: 'CORRUPT_LOG', problem: `does not decompress as ${codecNames[codec]}: ${cause}` };
  }
}

const methods: readonly ((compressed: Uint8Array, sizeBytesMax: number) => Uint8Array)[] = [
  (compressed, maxOutputLength) => zlib.gunzipSync(compressed, { maxOutputLength }),
  decompressSnappy,
  decompressLz4Frame,
  (compressed, maxOutputLength) =>
    zstdDecompressSync?.(compressed, { maxOutputLength }) ?? decompressZstd(compressed, maxOutputLength),
];

/** Twice 82 S N A P P Y 0: what Java's snappy (xerial) writes before versions and chunks of an int32 size and a block. */
const xerialMagic = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0);
const xerialHeaderSizeBytes = 16;

function decompressSnappy(compressed: Uint8Array, sizeBytesMax: number): Uint8Array {
  const isFramed = xerialMagic.every((byte, index) => compressed[index] === byte);
  if (!isFramed) return decompressSnappyBlock(compressed, sizeBytesMax);
  const view = new DataView(compressed.buffer, compressed.byteOffset, compressed.byteLength);
  const blocks: Uint8Array[] = [];
  let leftSizeBytes = sizeBytesMax;
  for (let at = xerialHeaderSizeBytes; at < compressed.length; ) {
    const end = at + 4 + view.getInt32(at);
    if (end < at + 4 || end > compressed.length) throw new RangeError('a block is cut off');
    const block = decompressSnappyBlock(compressed.subarray(at + 4, end), leftSizeBytes);
    leftSizeBytes -= block.length;
    blocks.push(block);
    at = end;
  }
  return blocks.length === 1 ? blocks[0]! : Buffer.concat(blocks);
}

function decompressSnappyBlock(compressed: Uint8Array, sizeBytesMax: number): Uint8Array {
  let sizeBytes = 0;
  for (let index = 0; index < 5; index++) {
    const byte = compressed[index] ?? 0;
    sizeBytes += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) break;
  }
  if (sizeBytes > sizeBytesMax) throw new RangeError(`more than ${sizeBytesMax} bytes`);
  // Memory that is not V8's own is several times slower here: making and freeing it costs more than the copy.
  return snappy.uncompressSync(compressed, { asBuffer: true, copyOutputData: true }) as Buffer;
}

/** That of Kafka's Java client: a frame that asks for more memory than this to be read is refused. */
const zstdWindowLogMax = 27;

function decompressZstd(compressed: Uint8Array, sizeBytesMax: number): Uint8Array {
  const isSingleSegment = (compressed[4]! & 0x20) !== 0;
  if (!isSingleSegment && 10 + (compressed[5]! >>> 3) > zstdWindowLogMax)
    throw new RangeError('its window is too large');
  if (isSingleSegment && zstdContentSizeBytes(compressed) > sizeBytesMax)
    throw new RangeError(`more than ${sizeBytesMax} bytes`);
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  const decompressor = new Decompress(chunk => {
    sizeBytes += chunk.length;
    if (sizeBytes > sizeBytesMax) throw new RangeError(`more than ${sizeBytesMax} bytes`);
    chunks.push(chunk);
  });
  decompressor.push(compressed, true);
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

/** Of a single segment, whose window is all of its content. */
function zstdContentSizeBytes(frame: Uint8Array): number {
  const flags = frame[4]!;
  const at = 5 + [0, 1, 2, 4][flags & 3]!;
  const fieldSizeBytes = [1, 2, 4, 8][flags >>> 6]!;
  let sizeBytes = fieldSizeBytes === 2 ? 256 : 0;
  for (let index = 0; index < fieldSizeBytes; index++) sizeBytes += (frame[at + index] ?? 0) * 256 ** index;
  return sizeBytes;
}
