import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FaultError } from '../../../src/base/fault.ts';
import {
  bytesSizeMax,
  encodeMessage,
  headSizeBytes,
  heartbeat,
  MessageReader,
  structureSizeBytesMax,
} from '../../../src/wire/tcp-message.ts';

const encode = (message: unknown): Buffer => Buffer.concat(encodeMessage(message));

const read = (pieces: readonly Uint8Array[]): unknown[] => {
  const messages: unknown[] = [];
  const reader = new MessageReader(message => messages.push(message));
  for (const piece of pieces) reader.push(piece);
  return messages;
};

const message = fc.record({
  kind: fc.string(),
  frames: fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 }),
  numbers: fc.float64Array({ maxLength: 20 }),
});

const cutAt = (bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] => {
  const ends = [...cuts.map(cut => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
};

describe('messages', () => {
  test('are read from pieces of any size, heartbeats among them', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), fc.array(fc.nat(), { maxLength: 20 }), (messages, cuts) => {
        const bytes = Buffer.concat(messages.flatMap(each => [heartbeat, encode(each), heartbeat]));
        expect(read(cutAt(bytes, cuts))).toEqual(messages);
        expect(read([...bytes].map(byte => new Uint8Array([byte])))).toEqual(messages);
      }),
      { numRuns: 100 },
    );
  });

  test('given away are written from where they are, all others copied', () => {
    const [given, kept] = [new Uint8Array(8).fill(1), new Uint8Array(8).fill(2)];
    const pieces = encodeMessage({ given, kept }, [given.buffer]);
    given.fill(8);
    kept.fill(9);
    expect(pieces.slice(1).map(piece => piece[0])).toEqual([8, 2]);
  });

  test('with a byte changed are never taken for another message', () => {
    fc.assert(
      fc.property(message, fc.nat(), fc.integer({ min: 1, max: 255 }), (sent, at, change) => {
        const bytes = encode(sent);
        bytes[at % bytes.length]! ^= change;
        const messages: unknown[] = [];
        const reader = new MessageReader(each => messages.push(each));
        try {
          reader.push(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(FaultError);
        }
        // Nothing, or an error: a size that grew waits for the rest.
        expect(messages).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  test('of random bytes are an error or wait for their rest', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 10 }), pieces => {
        try {
          expect(read(pieces)).toEqual([]);
        } catch (error) {
          expect(error).toBeInstanceOf(FaultError);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('beyond the limits are refused by who sends and by who reads, with the numbers', () => {
    expect(() => encode('a'.repeat(structureSizeBytesMax))).toThrow(`of structure, more than ${structureSizeBytesMax}`);
    for (const [structureSize, bytesSize] of [
      [structureSizeBytesMax + 1, 0],
      [10, bytesSizeMax + 1],
    ]) {
      const head = Buffer.alloc(headSizeBytes);
      head.writeUInt32LE(structureSize!, 0);
      head.writeUInt32LE(bytesSize!, 4);
      expect(() => read([head])).toThrow(/more than \d+/);
    }
    // The claim alone takes nothing: the contents are made room for when the structure says that they are there.
    const claim = encode(null);
    claim.writeUInt32LE(bytesSizeMax, 4);
    expect(() => read([claim])).toThrow(FaultError);
  });
});
