/**
 * Whether SQLite's write-ahead log was damaged after it was durable. SQLite takes a frame whose checksum fails for the end
 * of the log, as if the power had gone while it was written; transactions behind it would be forgotten without a word.
 * Each transaction is synced before the next begins: a whole one further on proves that the bad frame was durable.
 *
 * Format: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
 */
import { existsSync, readFileSync } from 'node:fs';

const headerSizeBytes = 32;
const frameHeaderSizeBytes = 24;
const magicLittleEndian = 0x377f0682;
const magicBigEndian = 0x377f0683;

/** Two sums that go on from frame to frame. */
type Sums = readonly [number, number];

function sumWords(bytes: Buffer, start: number, end: number, bigEndian: boolean, [first, second]: Sums): Sums {
  let a = first;
  let b = second;
  for (let at = start; at < end; at += 8) {
    a = (a + (bigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at)) + b) >>> 0;
    b = (b + (bigEndian ? bytes.readUInt32BE(at + 4) : bytes.readUInt32LE(at + 4)) + a) >>> 0;
  }
  return [a, b];
}

const sumsAt = (bytes: Buffer, at: number): Sums => [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)];
const same = (left: Sums, right: Sums): boolean => left[0] === right[0] && left[1] === right[1];

/** Where the log of the database at `path` is damaged; null where it is whole, or ends in a write that was cut short. */
export function findWalDamage(path: string): string | null {
  const walPath = `${path}-wal`;
  if (!existsSync(walPath) || !existsSync(path)) return null;
  const bytes = readFileSync(walPath);
  if (bytes.length < headerSizeBytes + frameHeaderSizeBytes) return null;
  const magic = bytes.readUInt32BE(0);
  const bigEndian = magic === magicBigEndian;
  let sums = sumWords(bytes, 0, 24, bigEndian, [0, 0]);
  const isHeaderWhole = (bigEndian || magic === magicLittleEndian) && same(sums, sumsAt(bytes, 24));
  // Of the database where the log's own header cannot be believed.
  const pageSizeBytes = isHeaderWhole ? bytes.readUInt32BE(8) : readFileSync(path).readUInt16BE(16) || 4096;
  const frameSizeBytes = frameHeaderSizeBytes + pageSizeBytes;
  const frameCount = Math.floor((bytes.length - headerSizeBytes) / frameSizeBytes);
  if (frameCount === 0) return null;
  const frameAt = (frame: number): number => headerSizeBytes + frame * frameSizeBytes;
  const salts = sumsAt(bytes, isHeaderWhole ? 16 : frameAt(0) + 8);
  const isOurs = (frame: number): boolean => same(sumsAt(bytes, frameAt(frame) + 8), salts);
  let whole = 0;
  for (; isHeaderWhole && whole < frameCount && isOurs(whole); whole++) {
    const at = frameAt(whole);
    sums = sumWords(bytes, at, at + 8, bigEndian, sums);
    sums = sumWords(bytes, at + frameHeaderSizeBytes, at + frameSizeBytes, bigEndian, sums);
    if (!same(sums, sumsAt(bytes, at + 16))) break;
  }
  // Frames that an earlier round of the log left behind have other salts.
  let commits = 0;
  for (let frame = whole; frame < frameCount; frame++) {
    if (!isOurs(frame)) continue;
    if (commits > 0) return `${walPath} is damaged at byte ${isHeaderWhole ? frameAt(whole) : 0}: its checksum fails`;
    if (bytes.readUInt32BE(frameAt(frame) + 4) !== 0) commits++;
  }
  return null;
}
