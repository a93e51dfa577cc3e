import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decompressLz4Frame } from '../../../../src/base/lz4.ts';
import { decompress } from '../../../../src/stream/kafka/compression.ts';

/** What a sequence of an LZ4 block says: literals, then a copy of `length` bytes from `distance` back. */
interface Sequence {
  readonly literals: Uint8Array;
  readonly distance: number;
  readonly length: number;
}

const sequenceArbitrary = fc.record({
  literals: fc.uint8Array({ maxLength: 400 }),
  distance: fc.integer({ min: 1, max: 2000 }),
  length: fc.integer({ min: 4, max: 700 }),
});

const moreBytes = (value: number): number[] =>
  value < 15 ? [] : [...Array<number>(Math.floor((value - 15) / 255)).fill(255), (value - 15) % 255];

/** The block, and what it means, by the rules as they are written. */
function block(sequences: readonly Sequence[], last: Uint8Array): [bytes: number[], meaning: number[]] {
  const bytes: number[] = [];
  const meaning: number[] = [];
  for (const { literals, distance, length } of sequences) {
    meaning.push(...literals);
    const from = meaning.length - Math.min(distance, meaning.length);
    if (from === meaning.length) continue;
    const back = meaning.length - from;
    bytes.push((Math.min(literals.length, 15) << 4) | Math.min(length - 4, 15), ...moreBytes(literals.length));
    bytes.push(...literals, back & 255, back >> 8, ...moreBytes(length - 4));
    for (let index = 0; index < length; index++) meaning.push(meaning[from + index]!);
  }
  bytes.push(Math.min(last.length, 15) << 4, ...moreBytes(last.length), ...last);
  meaning.push(...last);
  return [bytes, meaning];
}

function frame(bytes: readonly number[]): Uint8Array {
  const result = Buffer.alloc(7 + 4 + bytes.length + 4);
  result.writeUInt32LE(0x184d2204, 0);
  result.set([0x60, 0x40, 0x82], 4);
  result.writeUInt32LE(bytes.length, 7);
  result.set(bytes, 11);
  return result;
}

describe('LZ4', () => {
  test('sequences mean what the format says', () => {
    fc.assert(
      fc.property(
        fc.array(sequenceArbitrary, { maxLength: 12 }),
        fc.uint8Array({ maxLength: 300 }),
        (sequences, last) => {
          const first = { literals: Uint8Array.of(7), distance: 1, length: 4 };
          const [bytes, meaning] = block([first, ...sequences], last);
          expect([...decompressLz4Frame(frame(bytes), 1 << 20)]).toEqual(meaning);
        },
      ),
    );
  });

  test('a frame that would become too large is given up', () => {
    const [bytes] = block([{ literals: Uint8Array.of(1), distance: 1, length: 100_000 }], new Uint8Array(5));
    expect(() => decompressLz4Frame(frame(bytes), 50_000)).toThrow(RangeError);
    expect(decompressLz4Frame(frame(bytes), 100_006)).toHaveLength(100_006);
  });
});

const names = ['gzip', 'snappy', 'lz4', 'zstd'];

describe('whatever the bytes', () => {
  test.each(names)('%s gives bytes or says why not', name => {
    const codec = names.indexOf(name) + 1;
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), bytes => {
        const result = decompress(codec, bytes, 1 << 16);
        if ('bytes' in result) expect(result.bytes.length).toBeLessThanOrEqual(1 << 16);
        else expect(result).toMatchObject({ code: 'CORRUPT_LOG', problem: expect.stringContaining(name) });
      }),
    );
  });

  test('the limit holds', () => {
    expect(decompress(1, gzipSync(new Uint8Array(1000)), 999)).toMatchObject({ code: 'CORRUPT_LOG' });
    // A snappy block that says it holds 2 GiB, a zstd frame of a repeated byte, one of a huge window.
    expect(decompress(2, Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x07, 0))).toMatchObject({ code: 'CORRUPT_LOG' });
    const repeated = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, 0x03, 0x40, 0x00, 0x61);
    expect(decompress(4, repeated, 1000)).toMatchObject({ problem: expect.stringContaining('more than 1000 bytes') });
    const huge = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x03, 0x40, 0x00, 0x61);
    expect(decompress(4, huge)).toMatchObject({ problem: expect.stringContaining('window') });
    expect(decompress(5, huge)).toMatchObject({ code: 'UNSUPPORTED' });
  });
});
