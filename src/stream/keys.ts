/**
 * Idempotency keys of a partition's latest pushes, and what those pushes answered: a push that comes again is recognised.
 * Kept in the records of the log; for records that were truncated, in `keys.checkpoint`.
 */
import { crc32c } from '../base/checksum.ts';
import { fault } from '../base/fault.ts';
import type { Disk } from '../base/seams.ts';
import { idempotencyAgeMsMax, idempotencyKeySizeBytesMax, idempotencyKeysMax } from './limits.ts';

export interface KeyAnswer {
  readonly accepted: number;
  readonly rejected: number;
  readonly appendedAtMs: number;
}

/** At most `idempotencyKeysMax` keys, none older than `idempotencyAgeMsMax`; the oldest goes first. */
export class KeyWindow {
  /** In the order of the log. */
  readonly #answers = new Map<string, KeyAnswer>();

  get size(): number {
    return this.#answers.size;
  }

  add(key: string, answer: KeyAnswer): void {
    this.#answers.delete(key);
    this.#answers.set(key, answer);
    if (this.#answers.size > idempotencyKeysMax) this.#dropOldest();
  }

  find(key: string, nowMs: number): KeyAnswer | null {
    this.expire(nowMs);
    return this.#answers.get(key) ?? null;
  }

  /** Forgets keys that are too old at `nowMs`; amortised O(1) a key. */
  expire(nowMs: number): void {
    for (const { appendedAtMs } of this.#answers.values()) {
      if (appendedAtMs > nowMs - idempotencyAgeMsMax) return;
      this.#dropOldest();
    }
  }

  /**
   * Now, as far as ages go: not later than the newest key, so that neither a clock that was set ahead nor a process that
   * was not there for long makes every key too old at once. A key then lives for a day of service.
   */
  nowMs(wallMs: number): number {
    let newestMs = Number.NEGATIVE_INFINITY;
    for (const { appendedAtMs } of this.#answers.values()) newestMs = Math.max(newestMs, appendedAtMs);
    return newestMs === Number.NEGATIVE_INFINITY ? wallMs : Math.min(wallMs, newestMs);
  }

  #dropOldest(): void {
    for (const key of this.#answers.keys()) {
      this.#answers.delete(key);
      return;
    }
  }

  entries(): IterableIterator<[string, KeyAnswer]> {
    return this.#answers.entries();
  }
}

export const keysFileName = 'keys.checkpoint';
const magic = 0x5945_4b57; // "WKEY"
const version = 1;
const headerSizeBytes = 16;
const entrySizeBytes = 18;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function encodeKeys(keys: KeyWindow): Uint8Array {
  const entries = [...keys.entries()].map(([key, answer]) => ({ key: encoder.encode(key), answer }));
  const size = entries.reduce((sum, { key }) => sum + entrySizeBytes + key.length, headerSizeBytes);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic, true);
  view.setUint32(4, version, true);
  view.setUint32(8, entries.length, true);
  let at = headerSizeBytes;
  for (const { key, answer } of entries) {
    view.setFloat64(at, answer.appendedAtMs, true);
    view.setUint32(at + 8, answer.accepted, true);
    view.setUint32(at + 12, answer.rejected, true);
    view.setUint16(at + 16, key.length, true);
    bytes.set(key, at + entrySizeBytes);
    at += entrySizeBytes + key.length;
  }
  // Over all but itself: the header's first 12 bytes, then the entries.
  view.setUint32(12, crc32c(bytes.subarray(headerSizeBytes), crc32c(bytes.subarray(0, 12))), true);
  return bytes;
}

/** Makes the window durable as it is; the old checkpoint stands until the new one does. */
export async function writeKeys(disk: Disk, folder: string, keys: KeyWindow): Promise<void> {
  const path = `${folder}/${keysFileName}`;
  const file = await disk.open(`${path}.tmp`, 'write');
  try {
    await file.truncate(0);
    await file.write(encodeKeys(keys), 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(`${path}.tmp`, path);
  await disk.syncFolder(folder);
}

/** Adds the keys of the checkpoint; none where there is no checkpoint. @throws FaultError CORRUPT_LOG */
export async function readKeys(disk: Disk, folder: string, into: KeyWindow): Promise<void> {
  const path = `${folder}/${keysFileName}`;
  if (!(await disk.exists(path))) return;
  const file = await disk.open(path, 'read');
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(await file.sizeBytes());
    bytes = bytes.subarray(0, await file.read(bytes, 0));
  } finally {
    await file.close();
  }
  const corrupt = (): Error =>
    fault('CORRUPT_LOG', `${path} fails its checksum`, {
      hint: 'restore it from a copy; without it, pushes sent again after this may be added twice',
    });
  if (bytes.length < headerSizeBytes) throw corrupt();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const crc = crc32c(bytes.subarray(headerSizeBytes), crc32c(bytes.subarray(0, 12)));
  if (view.getUint32(0, true) !== magic || view.getUint32(4, true) !== version || view.getUint32(12, true) !== crc)
    throw corrupt();
  let at = headerSizeBytes;
  for (let left = view.getUint32(8, true); left > 0; left--) {
    const size = view.getUint16(at + 16, true);
    const key = decoder.decode(bytes.subarray(at + entrySizeBytes, at + entrySizeBytes + size));
    into.add(key, {
      appendedAtMs: view.getFloat64(at, true),
      accepted: view.getUint32(at + 8, true),
      rejected: view.getUint32(at + 12, true),
    });
    at += entrySizeBytes + size;
  }
}

/** @throws FaultError INVALID_REQUEST */
export function checkKey(key: string): void {
  const size = Buffer.byteLength(key);
  if (size === 0 || size > idempotencyKeySizeBytesMax)
    throw fault(
      'INVALID_REQUEST',
      `an idempotency key has 1 to ${idempotencyKeySizeBytesMax} bytes; this one has ${size}`,
      {
        hint: 'a UUID per push is enough',
      },
    );
}
