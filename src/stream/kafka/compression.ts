/** The four codecs of record batches, as Kafka's Java client frames them. */
import * as zlib from 'node:zlib';
import { decompressLz4Frame } from '../../base/lz4.ts';
import { decompressSnappyBlock } from '../../base/snappy.ts';
import { decompressZstd } from '../../base/zstd.ts';

/** By the number in a batch's attributes; 0 is none. */
export const codecNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

/**
 * No batch may become larger than this: a few kilobytes can be made that would fill any memory. Kafka's brokers take batches
 * of 1 MiB unless told otherwise.
 */
export const decompressedSizeBytesMax = 256 * 2 ** 20;

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
  decompressZstd,
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
