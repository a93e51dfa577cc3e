/** Record batches by hand, as the protocol guide has them: an encoder that shares nothing with what it tests. */
import { gzipSync } from 'node:zlib';
import snappy from 'snappy';
import { crc32c } from '../../src/base/checksum.ts';

export interface TestRecord {
  readonly offsetDelta: number;
  readonly timestampDelta: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly (readonly [string, Uint8Array | null])[];
}

export interface TestBatch {
  readonly baseOffset: number;
  readonly records: readonly TestRecord[];
  readonly lastOffsetDelta?: number;
  readonly baseTimestamp?: number;
  readonly maxTimestamp?: number;
  readonly codec?: Codec;
  readonly isTransactional?: boolean;
  readonly isControl?: boolean;
  readonly isLogAppendTime?: boolean;
  readonly producerId?: number;
  readonly magic?: number;
}

export type Codec = 'none' | 'gzip' | 'snappy' | 'xerial' | 'lz4' | 'zstd';
const codecNumbers: Readonly<Record<Codec, number>> = { none: 0, gzip: 1, snappy: 2, xerial: 2, lz4: 3, zstd: 4 };

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

export const record = (offsetDelta: number, value: string | null, key: string | null = null): TestRecord => ({
  offsetDelta,
  timestampDelta: offsetDelta,
  key: key === null ? null : utf8(key),
  value: value === null ? null : utf8(value),
  headers: [],
});

/** One marker. */
export const marker = (baseOffset: number, producerId: number, type: 'abort' | 'commit'): TestBatch => ({
  baseOffset,
  producerId,
  isControl: true,
  isTransactional: true,
  records: [{ ...record(0, ''), key: Uint8Array.of(0, 0, 0, type === 'commit' ? 1 : 0) }],
});

function varint(value: number | bigint): number[] {
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
  const bytes: number[] = [];
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return bytes;
}

const sized = (bytes: Uint8Array | null): number[] => (bytes ? [...varint(bytes.length), ...bytes] : varint(-1));

function encodeRecord({ offsetDelta, timestampDelta, key, value, headers }: TestRecord): number[] {
  const body = [0, ...varint(timestampDelta), ...varint(offsetDelta), ...sized(key), ...sized(value)];
  body.push(...varint(headers.length));
  for (const [name, content] of headers) body.push(...sized(utf8(name)), ...sized(content));
  return [...varint(body.length), ...body];
}

export function encodeTestBatch(batch: TestBatch): Uint8Array {
  const { records, codec = 'none', baseTimestamp = 0, producerId = -1 } = batch;
  const body = compress(Uint8Array.from(records.flatMap(encodeRecord)), codec);
  const bytes = Buffer.alloc(61 + body.length);
  bytes.writeBigInt64BE(BigInt(batch.baseOffset), 0);
  bytes.writeInt32BE(bytes.length - 12, 8);
  bytes.writeInt8(batch.magic ?? 2, 16);
  const flags =
    (batch.isLogAppendTime ? 8 : 0) |
    (batch.isTransactional ? 16 : 0) |
    (batch.isControl ? 32 : 0) |
    codecNumbers[codec];
  bytes.writeInt16BE(flags, 21);
  bytes.writeInt32BE(batch.lastOffsetDelta ?? records.at(-1)?.offsetDelta ?? 0, 23);
  bytes.writeBigInt64BE(BigInt(baseTimestamp), 27);
  bytes.writeBigInt64BE(BigInt(batch.maxTimestamp ?? baseTimestamp), 35);
  bytes.writeBigInt64BE(BigInt(producerId), 43);
  bytes.writeInt16BE(0, 51);
  bytes.writeInt32BE(-1, 53);
  bytes.writeInt32BE(records.length, 57);
  bytes.set(body, 61);
  return sealed(bytes);
}

/** With the checksum of what it holds now. */
export function sealed(batch: Uint8Array): Uint8Array {
  new DataView(batch.buffer, batch.byteOffset).setUint32(17, crc32c(batch.subarray(21)));
  return batch;
}

export const concat = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

function compress(bytes: Uint8Array, codec: Codec): Uint8Array {
  if (codec === 'gzip') return gzipSync(bytes);
  if (codec === 'snappy') return snappy.compressSync(bytes);
  if (codec === 'xerial') return xerial(bytes);
  if (codec === 'lz4') return lz4Frame(bytes);
  if (codec === 'zstd') return zstdFrame(bytes);
  return bytes;
}

const int32 = (value: number, littleEndian = false): Uint8Array => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, littleEndian);
  return bytes;
};

/** Java's framing of snappy: header, then blocks of at most 20 bytes here, so that there are several. */
function xerial(bytes: Uint8Array): Uint8Array {
  const parts = [Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0), int32(1), int32(1)];
  for (let at = 0; at < bytes.length; at += 20) {
    const block = snappy.compressSync(bytes.subarray(at, at + 20));
    parts.push(int32(block.length), block);
  }
  return concat(...parts);
}

/** A block of literals and one that is not compressed. */
function lz4Frame(bytes: Uint8Array): Uint8Array {
  const half = bytes.length >> 1;
  const block = [half >= 15 ? 0xf0 : half << 4];
  if (half >= 15) {
    let rest = half - 15;
    for (; rest >= 255; rest -= 255) block.push(255);
    block.push(rest);
  }
  const first = concat(Uint8Array.from(block), bytes.subarray(0, half));
  const second = bytes.subarray(half);
  const size = (sizeBytes: number, isPlain: boolean) => int32(isPlain ? sizeBytes | (1 << 31) : sizeBytes, true);
  const blocks = second.length === 0 ? [] : [size(second.length, true), second];
  return concat(
    int32(0x184d2204, true),
    Uint8Array.of(0x60, 0x40, 0x82),
    size(first.length, false),
    first,
    ...blocks,
    int32(0),
  );
}

/** A frame of one raw block. */
function zstdFrame(bytes: Uint8Array): Uint8Array {
  const header = (bytes.length << 3) | 1;
  return concat(
    Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, header & 255, (header >> 8) & 255, (header >> 16) & 255),
    bytes,
  );
}
