/**
 * Messages as a stream of bytes: a head of 16 bytes, the structure, the contents of byte arrays (`docs/wire.md`). The
 * checksums find what TCP's 16 bits let through, and a peer whose memory or program is broken, before it does harm.
 */
import { Buffer } from 'node:buffer';
import { crc32c } from '../base/checksum.ts';
import { fault } from '../base/fault.ts';
import { malformed } from './message.ts';
import { decodeStructured } from './structured-reader.ts';
import { encodeStructured } from './structured-writer.ts';

export const headSizeBytes = 16;
const headChecksumAt = 12;

/** A catalog snapshot of 60,000 segments of half a kilobyte is not split up; decoded it takes several times as much. */
export const structureSizeBytesMax = 32 << 20;

/** Twice the largest body that the doors take, which travels in one message to whoever ingests it. */
export const bytesSizeMax = 512 << 20;

const headOf = (structureSize: number, bytesSize: number, bytesChecksum: number, into: Buffer): Buffer => {
  into.writeUInt32LE(structureSize, 0);
  into.writeUInt32LE(bytesSize, 4);
  into.writeUInt32LE(bytesChecksum, 8);
  const checksum = crc32c(into.subarray(0, headChecksumAt));
  into.writeUInt32LE(crc32c(into.subarray(headSizeBytes), checksum), headChecksumAt);
  return into;
};

/** A message without anything in it: a sign of life. */
export const heartbeat: Uint8Array = headOf(0, 0, 0, Buffer.alloc(headSizeBytes));

/**
 * Pieces to be written one after the other. Contents in `transfer` are not copied: they are read when they are written.
 * @throws FaultError LIMIT_EXCEEDED for a message too large, INTERNAL for what is no plain data
 */
export function encodeMessage(message: unknown, transfer: readonly ArrayBuffer[] = []): Uint8Array[] {
  const { structure, parts } = encodeStructured(message, headSizeBytes);
  const structureSize = structure.length - headSizeBytes;
  const bytesSize = parts.reduce((sum, { length }) => sum + length, 0);
  assertSizes(structureSize, bytesSize);
  let checksum = 0;
  const pieces: Uint8Array[] = [structure];
  for (const part of parts) {
    if (part.length === 0) continue;
    checksum = crc32c(part, checksum);
    pieces.push(transfer.includes(part.buffer as ArrayBuffer) ? part : part.slice());
  }
  headOf(structureSize, bytesSize, checksum, structure);
  return pieces;
}

function assertSizes(structureSize: number, bytesSize: number): void {
  const tooLarge = (what: string, sizeBytes: number, limit: number) =>
    fault('LIMIT_EXCEEDED', `a message has ${sizeBytes} bytes of ${what}, more than ${limit}`, {
      hint: 'ask for less at once: fewer columns, rows or tables',
      details: { limit, sizeBytes },
    });
  if (structureSize > structureSizeBytesMax) throw tooLarge('structure', structureSize, structureSizeBytesMax);
  if (bytesSize > bytesSizeMax) throw tooLarge('byte arrays', bytesSize, bytesSizeMax);
}

/** Messages out of pieces of any size. Holds one unfinished message at most. */
export class MessageReader {
  readonly #onMessage: (message: unknown) => void;
  readonly #head = Buffer.alloc(headSizeBytes);
  #structure: Buffer | null = null;
  #value: unknown;
  #parts: readonly Uint8Array[] = [];
  #partsFilled = 0;
  #bytesChecksum = 0;
  /** What comes next goes here. */
  #target: Uint8Array = this.#head;
  #filled = 0;
  #messageCount = 0;

  constructor(onMessage: (message: unknown) => void) {
    this.#onMessage = onMessage;
  }

  /** Counts messages, heartbeats too. */
  get messageCount(): number {
    return this.#messageCount;
  }

  /** A message has begun and not ended. */
  get isWithin(): boolean {
    return this.#structure !== null || this.#filled > 0;
  }

  /** @throws FaultError CORRUPT_FRAME or LIMIT_EXCEEDED; then it cannot be told where the next message begins. */
  push(bytes: Uint8Array): void {
    for (let position = 0; position < bytes.length; ) {
      const size = Math.min(this.#target.length - this.#filled, bytes.length - position);
      const piece = bytes.subarray(position, position + size);
      this.#target.set(piece, this.#filled);
      if (this.#parts.length > 0) this.#bytesChecksum = crc32c(piece, this.#bytesChecksum);
      position += size;
      this.#filled += size;
      if (this.#filled === this.#target.length) this.#advance();
    }
  }

  #advance(): void {
    this.#filled = 0;
    if (this.#structure === null) this.#takeHead();
    else if (this.#target === this.#structure) this.#takeStructure(this.#structure);
    else this.#partsFilled++;
    if (this.#structure === null || this.#target === this.#structure) return;
    const next = this.#parts[this.#partsFilled];
    if (next) this.#target = next;
    else this.#finish();
  }

  #takeHead(): void {
    const structureSize = this.#head.readUInt32LE(0);
    const bytesSize = this.#head.readUInt32LE(4);
    assertSizes(structureSize, bytesSize);
    if (structureSize > 0) {
      this.#structure = Buffer.allocUnsafeSlow(structureSize);
      this.#target = this.#structure;
    } else if (this.#head.equals(heartbeat)) this.#messageCount++;
    else throw malformed('a head of nothing');
  }

  #takeStructure(structure: Buffer): void {
    const checksum = crc32c(structure, crc32c(this.#head.subarray(0, headChecksumAt)));
    if (checksum !== this.#head.readUInt32LE(headChecksumAt)) throw malformed('its checksum is wrong');
    const { value, parts } = decodeStructured(structure, this.#head.readUInt32LE(4));
    this.#value = value;
    this.#parts = parts;
    this.#target = this.#head;
  }

  #finish(): void {
    if (this.#bytesChecksum !== this.#head.readUInt32LE(8)) throw malformed('the checksum of its bytes is wrong');
    const message = this.#value;
    this.#structure = null;
    this.#value = undefined;
    this.#parts = [];
    this.#partsFilled = 0;
    this.#bytesChecksum = 0;
    this.#target = this.#head;
    this.#messageCount++;
    this.#onMessage(message);
  }
}
