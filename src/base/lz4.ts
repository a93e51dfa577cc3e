/**
 * LZ4 frames (lz4_Frame_format.md of the LZ4 project) and blocks. A frame's checksums are not looked at: what is around it
 * has its own, or its own checks.
 */
const magic = 0x184d2204;

/** @throws RangeError where the bytes are no whole frame, or hold more than `sizeBytesMax`. */
export function decompressLz4Frame(input: Uint8Array, sizeBytesMax: number): Uint8Array {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  if (view.getUint32(0, true) !== magic) throw new RangeError('no LZ4 frame');
  const flags = view.getUint8(4);
  const blockChecksumSizeBytes = flags & 0x10 ? 4 : 0;
  // Flags, block size, the content's size and the dictionary's id where there are any, the header's checksum.
  let at = 4 + 2 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0) + 1;
  const output = new Output(input.length * 4, sizeBytesMax);
  for (;;) {
    const size = view.getUint32(at, true);
    at += 4;
    if (size === 0) return output.finish();
    const sizeBytes = size & 0x7fff_ffff;
    if (at + sizeBytes > input.length) throw new RangeError('an LZ4 block is cut off');
    if (size >>> 31) output.append(input, at, at + sizeBytes);
    else decompressBlock(input, at, at + sizeBytes, output);
    at += sizeBytes + blockChecksumSizeBytes;
  }
}

/** One block without a frame. @throws RangeError as above */
export function decompressLz4Block(input: Uint8Array, sizeBytesMax: number): Uint8Array {
  const output = new Output(sizeBytesMax, sizeBytesMax);
  decompressBlock(input, 0, input.length, output);
  return output.finish();
}

/** Grows by doubling, up to a limit. */
class Output {
  bytes: Uint8Array;
  sizeBytes = 0;
  readonly #sizeBytesMax: number;

  constructor(sizeBytes: number, sizeBytesMax: number) {
    this.bytes = Buffer.allocUnsafeSlow(Math.min(Math.max(sizeBytes, 1024), sizeBytesMax));
    this.#sizeBytesMax = sizeBytesMax;
  }

  /** Makes room for so many bytes more. */
  reserve(sizeBytes: number): void {
    const needed = this.sizeBytes + sizeBytes;
    if (needed <= this.bytes.length) return;
    if (needed > this.#sizeBytesMax) throw new RangeError(`more than ${this.#sizeBytesMax} bytes`);
    const larger = Buffer.allocUnsafeSlow(Math.min(needed * 2, this.#sizeBytesMax));
    larger.set(this.bytes.subarray(0, this.sizeBytes));
    this.bytes = larger;
  }

  append(from: Uint8Array, start: number, end: number): void {
    this.reserve(end - start);
    this.bytes.set(from.subarray(start, end), this.sizeBytes);
    this.sizeBytes += end - start;
  }

  finish = (): Uint8Array => this.bytes.subarray(0, this.sizeBytes);
}

/** Shorter runs are copied byte by byte: a call costs more than they do. */
const callPaysFrom = 32;

function decompressBlock(input: Uint8Array, start: number, end: number, output: Output): void {
  let at = start;
  while (at < end) {
    const token = input[at++]!;
    let literals = token >>> 4;
    if (literals === 15) {
      let more: number;
      do {
        more = input[at++]!;
        literals += more;
      } while (more === 255 && at < end);
    }
    if (at + literals > end) throw new RangeError('an LZ4 literal is cut off');
    copyLiterals(input, at, literals, output);
    at += literals;
    // The last sequence ends with its literals.
    if (at === end) return;
    const distance = input[at]! | (input[at + 1]! << 8);
    at += 2;
    let length = (token & 15) + 4;
    if (length === 19) {
      let more: number;
      do {
        more = input[at++]!;
        length += more;
      } while (more === 255 && at < end);
    }
    if (at > end) throw new RangeError('an LZ4 match is cut off');
    copyMatch(distance, length, output);
  }
}

function copyLiterals(input: Uint8Array, start: number, count: number, output: Output): void {
  if (count >= callPaysFrom) {
    output.append(input, start, start + count);
    return;
  }
  output.reserve(count);
  const { bytes, sizeBytes } = output;
  for (let index = 0; index < count; index++) bytes[sizeBytes + index] = input[start + index]!;
  output.sizeBytes = sizeBytes + count;
}

function copyMatch(distance: number, length: number, output: Output): void {
  output.reserve(length);
  const { bytes, sizeBytes } = output;
  const from = sizeBytes - distance;
  if (from < 0 || distance === 0) throw new RangeError('an LZ4 match lies before the beginning');
  if (distance >= length && length >= callPaysFrom) bytes.copyWithin(sizeBytes, from, from + length);
  else for (let index = 0; index < length; index++) bytes[sizeBytes + index] = bytes[from + index]!;
  output.sizeBytes = sizeBytes + length;
}
