/** Reading one file of the embedded log, front to back. */
import { fault } from '../base/fault.ts';
import type { Disk, DiskFile } from '../base/seams.ts';
import { recordSizeBytesMax } from './limits.ts';
import {
  decodeFileHeader,
  decodeRecord,
  fileHeaderSizeBytes,
  type LogRecord,
  peekRecord,
  recordHeaderSizeBytes,
} from './record.ts';

export const logFileName = (baseOffset: number): string => `${String(baseOffset).padStart(20, '0')}.log`;

/** Base offset of a log file's name; null for another file. */
export function baseOffsetOf(name: string): number | null {
  const match = /^(\d{20})\.log$/.exec(name);
  return match ? Number(match[1]) : null;
}

export interface FoundFile {
  readonly path: string;
  readonly baseOffset: number;
  readonly salt: number;
  /** Offset after the last record. */
  readonly endOffset: number;
  /** Up to the end of the last whole record. */
  readonly sizeBytes: number;
  /** As far as a later group vouches for; the last group is beyond. */
  readonly durableSizeBytes: number;
  /** Bytes after the last whole record, of a write that never ended. */
  readonly tornBytes: number;
  /** Its last record is the mark of a clean close. */
  readonly closedCleanly: boolean;
}

/** A window on a file, moved forward by large reads. */
class Window {
  readonly #file: DiskFile;
  readonly #sizeBytes: number;
  #bytes = new Uint8Array(1 << 18);
  #start = 0;
  #end = 0;

  constructor(file: DiskFile, sizeBytes: number) {
    this.#file = file;
    this.#sizeBytes = sizeBytes;
  }

  /** Bytes [position, position + size), fewer at the end of the file; valid until the next call. */
  async at(position: number, size: number): Promise<Uint8Array> {
    const wanted = Math.min(size, this.#sizeBytes - position);
    if (position < this.#start || position + wanted > this.#end) {
      if (wanted > this.#bytes.length) this.#bytes = new Uint8Array(wanted);
      this.#start = position;
      this.#end = position + (await this.#file.read(this.#bytes, position));
    }
    const from = position - this.#start;
    return this.#bytes.subarray(from, Math.min(from + Math.max(wanted, 0), this.#end - this.#start));
  }
}

/**
 * A file's records in order, each with memory of its own; then what was found.
 *
 * Where a record is bad, was it durable once? Records are written in groups, each only after the one before was synced,
 * and each record says how much of the file that made durable. So a whole record further on that vouches for the bad one's
 * place proves damage: CORRUPT_LOG. Without one the bad record belongs to the last group, whose write may have been cut
 * short: nobody was told that it is safe, and it is dropped. (What this cannot tell from a torn write is damage to the very
 * last group before a crash; a clean close writes a mark after it.)
 *
 * @param durableSizeBytes All of this is known to be durable, and what is behind is not looked at; null: nothing is known.
 * @throws FaultError CORRUPT_LOG
 */
export async function* scanFile(
  disk: Disk,
  path: string,
  durableSizeBytes: number | null,
): AsyncGenerator<LogRecord, FoundFile, void> {
  const file = await disk.open(path, 'read');
  try {
    const fileSize = Math.min(await file.sizeBytes(), durableSizeBytes ?? Number.POSITIVE_INFINITY);
    const window = new Window(file, fileSize);
    const header = decodeFileHeader(await window.at(0, fileHeaderSizeBytes));
    // A file gets its name only when its header is durable.
    if (header === null) throw corrupt(path, 0, 'the header');
    const { baseOffset, salt } = header;
    let position = fileHeaderSizeBytes;
    let endOffset = baseOffset;
    let vouchedFor = fileHeaderSizeBytes;
    let closedCleanly = true;
    while (position < fileSize) {
      const found = await recordAt(window, position, fileSize, salt);
      if (found === null) {
        if (durableSizeBytes !== null || (await isVouchedFor(window, position, fileSize, salt)))
          throw corrupt(path, position, 'a record');
        break;
      }
      if (found.record.baseOffset !== endOffset)
        throw corrupt(path, position, `a record of offset ${found.record.baseOffset}, where ${endOffset} follows,`);
      endOffset += found.record.rowCount;
      position += found.sizeBytes;
      vouchedFor = found.record.durableSizeBytes;
      closedCleanly = isMark(found.record);
      yield found.record;
    }
    const tornBytes = fileSize - position;
    return {
      path,
      baseOffset,
      salt,
      endOffset,
      sizeBytes: position,
      durableSizeBytes: vouchedFor,
      tornBytes,
      closedCleanly,
    };
  } finally {
    await file.close();
  }
}

/** Nothing but a place to say that all before it is durable. */
export const isMark = (record: LogRecord): boolean => record.rowCount === 0 && record.idempotencyKey === null;

async function recordAt(window: Window, position: number, fileSize: number, salt: number) {
  const peeked = peekRecord(await window.at(position, recordHeaderSizeBytes));
  if (peeked === null || peeked.sizeBytes > recordSizeBytesMax || position + peeked.sizeBytes > fileSize) return null;
  const bytes = (await window.at(position, peeked.sizeBytes)).slice();
  const record = bytes.length === peeked.sizeBytes ? decodeRecord(bytes, salt) : null;
  return record && { record, sizeBytes: peeked.sizeBytes };
}

async function isVouchedFor(window: Window, bad: number, fileSize: number, salt: number): Promise<boolean> {
  for (let position = bad + 8; position + recordHeaderSizeBytes <= fileSize; position += 8) {
    const peeked = peekRecord(await window.at(position, recordHeaderSizeBytes));
    if (peeked === null || peeked.durableSizeBytes <= bad || peeked.durableSizeBytes > position) continue;
    if ((await recordAt(window, position, fileSize, salt)) !== null) return true;
  }
  return false;
}

const corrupt = (path: string, position: number, what: string): Error =>
  fault('CORRUPT_LOG', `${path} is damaged at byte ${position}: ${what} fails its checksum or place`, {
    hint: 'rows that were acknowledged are in the damaged part: restore the file from a copy; Weir changes nothing in it',
    details: { path, position },
  });
