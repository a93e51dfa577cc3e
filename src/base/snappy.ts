/** Snappy's raw blocks (https://github.com/google/snappy/blob/main/format_description.txt). */
import snappy from 'snappy';

/** @throws Error where the bytes are no block, or hold more than `sizeBytesMax` */
export function decompressSnappyBlock(compressed: Uint8Array, sizeBytesMax: number): Uint8Array {
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
