/**
 * The bytes of the embedded log: file header and record, as segments/README.md ("The embedded log") specifies them.
 */
import { assert } from '../base/assert.ts';
import { crc32c } from '../base/checksum.ts';

export const fileHeaderSizeBytes = 32;
export const recordHeaderSizeBytes = 64;
const fileMagic = 0x474f_4c57; // "WLOG"
const fileVersion = 1;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const align8 = (size: number): number => (size + 7) & ~7;
const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** One push: its accepted rows, and what it answered. */
export interface NewRecord {
  /** 0 for a push whose rows were all rejected, which is kept for its key. */
  readonly rowCount: number;
  readonly rejectedCount: number;
  /** Not empty. */
  readonly idempotencyKey: string | null;
  readonly tableVersion: number;
  /** Largest event time of the rows, not clamped; null without a time column or rows. */
  readonly maxTimeMs: number | null;
  /** Column i of the frame is table column `columnIds[i]`. */
  readonly columnIds: readonly number[];
  /** A Batch (`column/frame`). */
  readonly frame: Uint8Array;
}

export interface LogRecord extends NewRecord {
  /** Offset of the first row. */
  readonly baseOffset: number;
  readonly appendedAtMs: number;
  /** How much of the file was known durable when this was written. */
  readonly durableSizeBytes: number;
}

export interface FileHeader {
  readonly baseOffset: number;
  /** Where the checksums of the file's records start: bytes that a client sent cannot pass for a record. */
  readonly salt: number;
}

export function encodeFileHeader({ baseOffset, salt }: FileHeader): Uint8Array {
  const bytes = new Uint8Array(fileHeaderSizeBytes);
  const view = viewOf(bytes);
  view.setUint32(0, fileMagic, true);
  view.setUint32(4, fileVersion, true);
  view.setBigUint64(8, BigInt(baseOffset), true);
  view.setUint32(16, salt, true);
  view.setUint32(28, crc32c(bytes.subarray(0, 28)), true);
  return bytes;
}

/** null where the bytes are no header of a version that is known. */
export function decodeFileHeader(bytes: Uint8Array): FileHeader | null {
  if (bytes.length < fileHeaderSizeBytes) return null;
  const view = viewOf(bytes);
  if (view.getUint32(0, true) !== fileMagic || view.getUint32(4, true) !== fileVersion) return null;
  if (view.getUint32(28, true) !== crc32c(bytes.subarray(0, 28))) return null;
  return { baseOffset: Number(view.getBigUint64(8, true)), salt: view.getUint32(16, true) };
}

/** Bytes that the record takes in a file; a multiple of 8. */
export const recordSizeBytes = (record: NewRecord): number =>
  framePosition(record.columnIds.length, keySizeBytes(record.idempotencyKey)) + align8(record.frame.length);

export const keySizeBytes = (key: string | null): number => (key === null ? 0 : Buffer.byteLength(key));

const framePosition = (columnCount: number, keySize: number): number =>
  align8(recordHeaderSizeBytes + columnCount * 4 + keySize);

/** Writes the record at `position` of `into`, which is zero there; answers the position after it. */
export function encodeRecord(record: LogRecord, salt: number, into: Uint8Array, position: number): number {
  const size = recordSizeBytes(record);
  assert(position + size <= into.length, 'the group was measured');
  const bytes = into.subarray(position, position + size);
  const view = viewOf(bytes);
  const key = record.idempotencyKey === null ? null : encoder.encode(record.idempotencyKey);
  view.setUint32(4, size, true);
  view.setBigUint64(8, BigInt(record.baseOffset), true);
  view.setUint32(16, record.rowCount, true);
  view.setUint32(20, record.rejectedCount, true);
  view.setBigUint64(24, BigInt(record.durableSizeBytes), true);
  view.setFloat64(32, record.appendedAtMs, true);
  view.setFloat64(40, record.maxTimeMs ?? Number.NaN, true);
  view.setUint32(48, record.tableVersion, true);
  view.setUint16(52, key?.length ?? 0, true);
  view.setUint16(54, record.columnIds.length, true);
  view.setUint32(56, record.frame.length, true);
  record.columnIds.forEach((id, index) => {
    view.setInt32(recordHeaderSizeBytes + index * 4, id, true);
  });
  if (key) bytes.set(key, recordHeaderSizeBytes + record.columnIds.length * 4);
  bytes.set(record.frame, framePosition(record.columnIds.length, key?.length ?? 0));
  view.setUint32(0, crc32c(bytes.subarray(4), salt), true);
  return position + size;
}

/** What a record's first 64 bytes say of its extent; null where they cannot be a record's. Nothing is verified yet. */
export function peekRecord(
  header: Uint8Array,
): { readonly sizeBytes: number; readonly durableSizeBytes: number } | null {
  if (header.length < recordHeaderSizeBytes) return null;
  const view = viewOf(header);
  const sizeBytes = view.getUint32(4, true);
  if (sizeBytes < recordHeaderSizeBytes || sizeBytes % 8 !== 0) return null;
  return { sizeBytes, durableSizeBytes: Number(view.getBigUint64(24, true)) };
}

/** The record that fills `bytes`; null where its checksum fails. Its frame shares memory with them. */
export function decodeRecord(bytes: Uint8Array, salt: number): LogRecord | null {
  const view = viewOf(bytes);
  if (view.getUint32(0, true) !== crc32c(bytes.subarray(4), salt)) return null;
  const keySize = view.getUint16(52, true);
  const columnCount = view.getUint16(54, true);
  const frameSize = view.getUint32(56, true);
  const maxTimeMs = view.getFloat64(40, true);
  const frameAt = framePosition(columnCount, keySize);
  assert(frameAt + align8(frameSize) === bytes.length, 'a record with a right checksum is as its writer made it');
  const keyAt = recordHeaderSizeBytes + columnCount * 4;
  return {
    baseOffset: Number(view.getBigUint64(8, true)),
    rowCount: view.getUint32(16, true),
    rejectedCount: view.getUint32(20, true),
    durableSizeBytes: Number(view.getBigUint64(24, true)),
    appendedAtMs: view.getFloat64(32, true),
    maxTimeMs: Number.isNaN(maxTimeMs) ? null : maxTimeMs,
    tableVersion: view.getUint32(48, true),
    idempotencyKey: keySize === 0 ? null : decoder.decode(bytes.subarray(keyAt, keyAt + keySize)),
    columnIds: Array.from({ length: columnCount }, (_, index) =>
      view.getInt32(recordHeaderSizeBytes + index * 4, true),
    ),
    frame: bytes.subarray(frameAt, frameAt + frameSize),
  };
}
