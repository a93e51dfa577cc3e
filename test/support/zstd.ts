const blockSizeMax = 1 << 17;

/** A frame of zstd that stores its content as it is, in a single segment, which says its size. */
export function storedZstd(content: Uint8Array, sizeBytes = content.length): Buffer<ArrayBuffer> {
  const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0]);
  head.writeUInt32LE(sizeBytes, 5);
  const parts: Uint8Array[] = [head];
  for (let at = 0; at === 0 || at < content.length; at += blockSizeMax) {
    const block = content.subarray(at, at + blockSizeMax);
    const blockHead = Buffer.alloc(3);
    blockHead.writeUIntLE((block.length << 3) | +(at + blockSizeMax >= content.length), 0, 3);
    parts.push(blockHead, block);
  }
  return Buffer.concat(parts);
}
