/** Compressed buffers of Arrow, for the package, which has no codecs of its own. */
import { CompressionType, compressionRegistry } from 'apache-arrow';
import { decompressLz4Frame } from '../base/lz4.ts';
import { decompressZstd } from '../base/zstd.ts';

let left = 0;

/** Bytes that buffers may become until this is called again, whatever they claim. */
export function allowDecompressed(sizeBytes: number): void {
  left = sizeBytes;
}

const bounded = (decompress: (bytes: Uint8Array, sizeBytesMax: number) => Uint8Array) => ({
  decode(bytes: Uint8Array): Uint8Array {
    const decompressed = decompress(bytes, left);
    left -= decompressed.length;
    // Views of 64-bit values need it aligned.
    return decompressed.byteOffset % 8 === 0 ? decompressed : new Uint8Array(decompressed);
  },
});

compressionRegistry.set(CompressionType.LZ4_FRAME, bounded(decompressLz4Frame));
compressionRegistry.set(CompressionType.ZSTD, bounded(decompressZstd));
