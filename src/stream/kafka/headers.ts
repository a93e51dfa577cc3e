import { fault } from '../../base/fault.ts';
import type { MessageBatch } from './types.ts';

const decoder = new TextDecoder();

/**
 * Headers of one message, in their order; a name may come more than once. Values are views into `bytes`; null for null.
 * @throws FaultError CORRUPT_LOG where the record does not hold what it says.
 */
export function readHeaders(
  { bytes, headerStarts, headerEnds, offsets }: MessageBatch,
  index: number,
): [name: string, value: Uint8Array | null][] {
  let at = headerStarts[index]!;
  const end = headerEnds[index]!;
  const broken = () =>
    fault('CORRUPT_LOG', `the headers of the message at offset ${offsets[index]} are not of the format`);
  const readSize = (): number => {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (at >= end) throw broken();
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    throw broken();
  };
  const readBytes = (): Uint8Array | null => {
    const size = readSize();
    if (size === -1) return null;
    if (size < 0 || at + size > end) throw broken();
    at += size;
    return bytes.subarray(at - size, at);
  };
  const headers: [string, Uint8Array | null][] = [];
  for (let left = readSize(); left > 0; left--) {
    const name = readBytes();
    if (name === null) throw broken();
    headers.push([decoder.decode(name), readBytes()]);
  }
  if (at !== end) throw broken();
  return headers;
}
