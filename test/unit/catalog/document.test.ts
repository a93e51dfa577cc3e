import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeSegment, decodeTable, encodeDocument } from '../../../src/catalog/document.ts';
import type { SegmentEntry, ZoneMap } from '../../../src/catalog/table.ts';
import { defineTable } from '../../../src/catalog/validate.ts';
import { BYTES, DOUBLE, decimal, LONG, STRING, type Type, type Value } from '../../../src/column/type.ts';

const withDefaults = (...defaults: [Type, Value][]) =>
  defineTable(
    {
      name: 't',
      columns: defaults.map(([type, defaultValue], index) => ({
        name: `c${index}`,
        type,
        nullable: true,
        defaultValue,
      })),
      timeColumn: null,
      indexes: [],
      settings: {},
    },
    { id: '0123456789ab', createdAtMs: 5 },
  );

test('a definition survives with every default as it was', () => {
  const definition = withDefaults(
    [LONG, 9007199254740993n],
    [decimal(38, 2), -(10n ** 37n)],
    [DOUBLE, Number.NaN],
    [DOUBLE, Number.NEGATIVE_INFINITY],
    [DOUBLE, -0],
    [BYTES, new Uint8Array([0, 255])],
    [{ name: 'INTERVAL' }, { months: 1, days: 2, ms: 3 }],
    [STRING, '{"$long":"1"}'],
    [STRING, null],
  );
  expect(decodeTable(encodeDocument(definition))).toStrictEqual(definition);
});

const bound = fc.oneof(fc.constant(null), fc.double({ noNaN: true }), fc.bigInt(), fc.string());
const zone: fc.Arbitrary<ZoneMap> = fc.record(
  { nullCount: fc.nat(), min: bound, max: bound },
  { noNullPrototype: true },
);

test('a segment entry survives with every zone map as it was', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.integer({ min: -3, max: 99 }).map(String), zone, { noNullPrototype: true }), zones => {
      const entry: SegmentEntry = {
        id: '0123456789ab-0-0-aa',
        tableId: '0123456789ab',
        partition: 0,
        startOffset: 0,
        endOffset: 2 ** 40,
        rowCount: 3,
        sizeBytes: 9,
        generation: 1,
        tableVersion: 1,
        minTimeMs: null,
        maxTimeMs: -1,
        zones,
        createdAtMs: 1,
      };
      expect(decodeSegment(encodeDocument(entry))).toStrictEqual(entry);
    }),
  );
});

test('what is no such document is corrupt', () => {
  const corrupt = expect.objectContaining({ fault: expect.objectContaining({ code: 'CORRUPT_METADATA' }) });
  for (const text of ['', '{', 'null', '[]', '{}', '{"id":"x"}']) {
    expect(() => decodeTable(text)).toThrow(corrupt);
    expect(() => decodeSegment(text)).toThrow(corrupt);
  }
});
