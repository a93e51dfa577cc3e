import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inferColumns } from '../../../src/format/infer.ts';
import { createMessageDecoder } from '../../../src/format/message-decoder.ts';
import { guessFormat, inferCsvColumns, jsonSample, packMessages } from '../../../src/format/sample.ts';
import { bytesOf } from './table.ts';

const values = (...texts: string[]): Uint8Array[] => texts.map(bytesOf);
const json = fc.oneof(fc.object(), fc.array(fc.object({ maxDepth: 1 }), { maxLength: 3 }));

describe('the format of a sample', () => {
  test('is what most messages are', () => {
    expect(guessFormat(values('{"a":1}', ' [{"a":1}]\n', 'oops'))).toBe('json');
    expect(guessFormat(values('"text"', '1'))).toBe(null);
    expect(guessFormat(values('a,b', '"x\ny",2\n', '1,2,3'))).toBe('csv');
    expect(guessFormat(values('a', 'b'))).toBe(null);
    expect(guessFormat(values('a,\u0001b', 'c,\u0001d'))).toBe(null);
    expect(guessFormat([Uint8Array.of(0, 0, 0, 0, 7, 2, 3)])).toBe('framed');
    expect(guessFormat(values('\0\0\0\0\u0007{"a":1}'))).toBe('framed json');
    expect(guessFormat([Uint8Array.of(255, 255, 255, 255, 16, 0, 0, 0)])).toBe('arrow');
    expect(guessFormat([])).toBe(null);
  });

  test('no bytes are too odd for it', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), sample => {
        guessFormat(sample);
        inferColumns(jsonSample(sample, true));
        inferCsvColumns(sample);
      }),
    );
  });

  test('JSON of any shape is JSON', () => {
    fc.assert(
      fc.property(json, fc.nat(3), (value, indent) => {
        expect(guessFormat(values(JSON.stringify(value, null, indent)))).toBe('json');
      }),
    );
  });
});

test('columns inferred from JSON messages take those messages', async () => {
  // Keys that differ by case alone are one column to a decoder: a table cannot have both.
  const keys = fc.constantFrom('ts', 'n', 'text', 'Café', 'x y');
  const leaf = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.string(), fc.boolean());
  const object = fc.dictionary(
    keys,
    fc.oneof(leaf, fc.constant(null), fc.array(leaf), fc.date({ noInvalidDate: true })),
  );
  const message = fc.oneof(object, fc.array(object));
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: 1 }), async messages => {
      const sample = messages.map(each => bytesOf(JSON.stringify(each)));
      const { columns } = inferColumns(jsonSample(sample, false));
      const target = {
        columns: columns.map((column, index) => ({ id: index + 1, ...column, nullable: true, defaultValue: null })),
      };
      const { rejects, unknownFields } = await createMessageDecoder({ format: 'json', target, schemas: null }).decode(
        packMessages(sample),
      );
      expect([rejects, [...unknownFields]]).toEqual([[], []]);
    }),
  );
});
