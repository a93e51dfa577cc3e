import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FaultError } from '../../../src/base/fault.ts';
import { structuredDepthMax } from '../../../src/wire/structured.ts';
import { decodeStructured } from '../../../src/wire/structured-reader.ts';
import { encodeStructured } from '../../../src/wire/structured-writer.ts';

const encode = (value: unknown) => {
  const { structure, parts } = encodeStructured(value, 0);
  return { structure: new Uint8Array(structure), content: Buffer.concat(parts) };
};

function decode({ structure, content }: ReturnType<typeof encode>): unknown {
  const { value, parts } = decodeStructured(structure, content.length);
  let position = 0;
  for (const part of parts) {
    part.set(content.subarray(position, position + part.length));
    position += part.length;
  }
  return value;
}

const check = (value: unknown): void => {
  const answer = decode(encode(value));
  if (!isDeepStrictEqual(answer, structuredClone(value))) expect(answer).toEqual(value);
};

const anyText = fc.string({ unit: fc.nat(0xffff).map(code => String.fromCharCode(code)), maxLength: 40 });
const anyValue = fc.anything({
  key: fc.oneof(fc.string(), anyText, fc.constantFrom('__proto__', 'constructor', 'a', 'b')),
  values: [
    ...[fc.boolean(), fc.integer(), fc.double(), fc.string(), anyText, fc.bigInt(), fc.constantFrom(null, undefined)],
    ...[
      fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }),
      fc.constantFrom(-0, Number.NaN, -Infinity, 2 ** 31, -(2 ** 31)),
    ],
  ],
  maxDepth: 4,
  withNullPrototype: true,
  withTypedArray: true,
});

describe('structured values', () => {
  test('arrive as a structured clone would', () => {
    fc.assert(fc.property(anyValue, check), { numRuns: 1_000 });
  });

  test('of every edge', () => {
    for (const text of [
      '',
      'a'.repeat(24),
      'a'.repeat(25),
      'a'.repeat(100_000),
      'é',
      'é'.repeat(200),
      '😀',
      '\ud800',
      'a\udfff',
    ])
      check(text);
    for (const power of [31n, 32n, 53n, 63n, 64n, 127n, 4096n])
      for (const near of [-1n, 0n, 1n]) {
        check(2n ** power + near);
        check(-(2n ** power) + near);
        check(Number(2n ** power + near));
      }
    check(Array.from({ length: 300 }, (_, index) => ({ index, name: `n${index}`, nested: { index } })));
    check({
      buffer: new Uint8Array([1, 2]).buffer,
      empty: new Float64Array(0),
      view: new Uint8Array(100).fill(3).subarray(5, 8),
    });
  });

  test('that are instances of classes arrive as their fields, and Buffers as Uint8Arrays', () => {
    class Point {
      readonly x = 1;
    }
    expect(decode(encode(new Point()))).toStrictEqual({ x: 1 });
    expect(decode(encode(Buffer.from('ab')))).toStrictEqual(new Uint8Array([97, 98]));
  });

  test('keep typed arrays apart, each in memory of its own', () => {
    const frame = new Uint8Array(1000);
    const [first, second] = decode(encode([frame.subarray(8, 16), frame.subarray(16, 32)])) as Uint8Array[];
    expect([first!.buffer.byteLength, second!.buffer.byteLength]).toEqual([8, 16]);
  });

  test('of objects alike name their keys once', () => {
    const rows = Array.from({ length: 100 }, (_, value) => ({ aRatherLongName: value }));
    expect(encode(rows).structure.length).toBeLessThan(100 * 5 + 50);
  });

  test('that are no plain data are refused', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    for (const value of [
      () => 1,
      Symbol('a'),
      new Map(),
      new Date(),
      new Error('a'),
      Promise.resolve(),
      cycle,
      new DataView(new ArrayBuffer(1)),
    ])
      expect(() => encode({ value }), String(value)).toThrow(/cannot be sent to another process/);
  });

  test('nest as deep as the limit and no deeper', () => {
    const nested = (depth: number): unknown => {
      let value: unknown = 1;
      for (let level = 0; level < depth; level++) value = level % 2 ? [value] : { value };
      return value;
    };
    let inner = decode(encode(nested(structuredDepthMax)));
    for (let level = structuredDepthMax - 1; level >= 0; level--)
      inner = level % 2 ? (inner as unknown[])[0] : (inner as { value: unknown }).value;
    expect(inner).toBe(1);
    expect(() => encode(nested(structuredDepthMax + 1))).toThrow(/nested deeper than 1500/);
    const deeper = new Uint8Array(structuredDepthMax * 100).fill(1);
    for (let level = 0; level < deeper.length; level += 2) deeper[level] = 12;
    expect(() => decodeStructured(deeper, 0)).toThrow(/deeper than 1500/);
  });
});

describe('bytes that nobody encoded', () => {
  const survives = (structure: Uint8Array, bytesSize: number): void => {
    try {
      decodeStructured(structure, bytesSize);
    } catch (error) {
      expect(error).toBeInstanceOf(FaultError);
      expect((error as FaultError).fault.code).toBe('CORRUPT_FRAME');
    }
  };

  test('are a value or CORRUPT_FRAME', () => {
    const tag = fc.integer({ min: 0, max: 17 });
    const items = fc.oneof(tag, tag, fc.nat(255));
    fc.assert(
      fc.property(fc.array(items, { maxLength: 200 }), fc.nat(1000), (bytes, size) =>
        survives(new Uint8Array(bytes), size),
      ),
      { numRuns: 2_000 },
    );
  });

  test('that were changed or cut short are a value or CORRUPT_FRAME', () => {
    fc.assert(
      fc.property(anyValue, fc.nat(), fc.nat(255), (value, at, byte) => {
        const { structure, content } = encode(value);
        const changed = structure.slice();
        changed[at % changed.length] = byte;
        survives(changed, content.length);
        const cut = structure.subarray(0, at % structure.length);
        expect(() => decodeStructured(cut, content.length)).toThrow(FaultError);
      }),
      { numRuns: 1_000 },
    );
  });

  test.each<[string, number[], number]>([
    ['an array of more items than bytes', [12, 0xff, 0xff, 0xff, 0xff, 0x0f], 0],
    ['an object of more keys than bytes', [13, 0xff, 0xff, 0xff, 0xff, 0x0f], 0],
    ['a string of more bytes than are there', [9, 0xff, 0xff, 0xff, 0xff, 0x0f, 65], 0],
    ['an integer of 35 bits', [4, 0xff, 0xff, 0xff, 0xff, 0x7f], 0],
    ['an integer without an end', [4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 0],
    ['byte arrays larger than their contents', [15, 1, 0xff, 0xff, 0xff, 0xff, 0x0f], 10],
    ['contents that no byte array takes', [15, 1, 4], 10],
    ['half an element', [15, 9, 12], 12],
    ['an unknown kind of bytes', [15, 200, 1], 1],
    ['a key twice', [13, 2, 9, 1, 65, 9, 1, 65, 0, 0], 0],
    ['a key that is no string', [13, 1, 4, 0, 0], 0],
    ['a shape that was not there', [14, 0], 0],
    ['a second value', [0, 0], 0],
    ['an unknown tag', [16], 0],
    ['nothing', [], 0],
  ])('%s', (_, bytes, size) => {
    expect(() => decodeStructured(new Uint8Array(bytes), size)).toThrow(FaultError);
  });
});
