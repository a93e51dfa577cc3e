import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fault } from '../../../src/base/fault.ts';
import { parseJson } from '../../../src/client/json.ts';
import { batchOf } from '../../../src/column/builder.ts';
import type { Batch, DictionaryColumn } from '../../../src/column/column.ts';
import { DOUBLE, FLOAT, LONG, STRING, TIMESTAMP, type Type } from '../../../src/column/type.ts';
import { type AnswerFormat, createAnswerWriter } from '../../../src/http/answer.ts';
import { ByteSink } from '../../../src/http/sink.ts';

/** The rows of a batch as an answer has them, written in pieces of at least `pieceSizeBytes`. */
function write(format: AnswerFormat, types: readonly Type[], batch: Batch, pieceSizeBytes = 100): string {
  const sink = new ByteSink(16);
  const writer = createAnswerWriter(format, sink, 'q');
  let text = '';
  writer.begin(types.map((type, index) => ({ name: `c${index}`, type })));
  for (let row = 0; row < batch.rowCount; ) {
    row = writer.writeRows(batch, row, pieceSizeBytes);
    text += Buffer.from(sink.take()).toString();
  }
  return text;
}

const jsonRows = (types: readonly Type[], batch: Batch): unknown[][] => {
  const lines = write('ndjson', types, batch).trimEnd().split('\n').slice(1);
  return lines.map(line => parseJson(line) as unknown[]);
};

const text = fc.string({ unit: 'binary' });

test('any text is the same after JSON, and after CSV', () => {
  fc.assert(
    fc.property(fc.array(fc.option(text), { minLength: 1 }), values => {
      const batch = batchOf(
        [STRING],
        values.map(value => [value]),
      );
      expect(jsonRows([STRING], batch)).toEqual(values.map(value => [value]));
      const fields = values.map(value =>
        value === null ? '' : value === '' || /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value,
      );
      expect(write('csv', [STRING], batch)).toBe(`c0\r\n${fields.map(field => `${field}\r\n`).join('')}`);
    }),
  );
});

test('any number reads back exactly', () => {
  const row = fc.tuple(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.float({ noNaN: true, noDefaultInfinity: true }),
    fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 }),
  );
  const types = [LONG, DOUBLE, FLOAT, TIMESTAMP];
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 20 }), rows => {
      const read = jsonRows(types, batchOf(types, rows));
      rows.forEach(([long, double, float, ms], index) => {
        expect(BigInt(read[index]![0] as number)).toBe(long);
        expect(Object.is(read[index]![1], double)).toBe(true);
        expect(Object.is(Math.fround(read[index]![2] as number), float)).toBe(true);
        expect(read[index]![3]).toBe(new Date(ms).toISOString());
      });
    }),
  );
});

test('dictionary columns are written by their entries', () => {
  const entries = new TextEncoder().encode('abcdé');
  const column: DictionaryColumn = {
    form: 'dictionary',
    type: STRING,
    length: 4,
    validity: new Uint8Array([0b1011]),
    codes: new Uint32Array([1, 0, 0, 2]),
    offsets: new Uint32Array([0, 1, 4, 6]),
    bytes: entries,
  };
  expect(jsonRows([STRING], { rowCount: 4, columns: [column] })).toEqual([['bcd'], ['a'], [null], ['é']]);
});

test('JSON after a failure is no complete answer', () => {
  const sink = new ByteSink(16);
  const writer = createAnswerWriter('json', sink, 'q');
  writer.begin([{ name: 'n', type: LONG }]);
  writer.writeRows(batchOf([LONG], [[1n]]), 0, 1 << 20);
  expect(writer.fail(fault('TIMEOUT', 'too slow').fault)).toBe(true);
  expect(JSON.parse(Buffer.from(sink.take()).toString())).toEqual({
    columns: [{ name: 'n', type: 'LONG' }],
    rows: [[1]],
    complete: false,
    error: { code: 'TIMEOUT', message: 'too slow' },
    queryId: 'q',
  });
});
