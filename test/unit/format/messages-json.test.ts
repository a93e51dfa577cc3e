import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BOOLEAN, DOUBLE, JSON_TYPE, LONG, STRING, TIMESTAMP } from '../../../src/column/type.ts';
import { rowsOf } from '../../../src/column/value.ts';
import { decodeRows } from '../../../src/format/decode.ts';
import { unknownFieldsMax } from '../../../src/format/limits.ts';
import { decodeMessages, framed, registryOf } from './messages.ts';
import { bytesOf, target } from './table.ts';

const table = target({ id: LONG, name: STRING });
const json = (values: readonly (Uint8Array | string | null)[], of = table) => decodeMessages('json', of, values);

describe('JSON messages', () => {
  test('are a row each, arrays one for each object', async () => {
    const { rows, messageOf, rejects } = await json([
      '{"id":1,"name":"a"}',
      null,
      ' {\n  "id": 2,\n  "name": "b"\n}\n',
      '',
      '[{"id":3},\n{"id":4,"name":"d"}]',
      '[]',
      '{}',
    ]);
    expect(rejects).toEqual([]);
    expect(rows).toEqual([
      [1n, 'a'],
      [2n, 'b'],
      [3n, null],
      [4n, 'd'],
      [null, null],
    ]);
    expect(messageOf).toEqual([0, 2, 4, 4, 6]);
  });

  test('are not completed by what follows them', async () => {
    const { rows, rejects } = await json([
      '{"id":1',
      '2}',
      '{"id":12',
      '{"name":"a',
      'b"}',
      '{"id":7}',
      '{"id":tr',
      'ue}',
    ]);
    expect(rows).toEqual([[7n, null]]);
    expect(rejects.map(each => each.slice(0, 7))).toEqual([0, 1, 2, 3, 4, 6, 7].map(message => `${message} null:`));
    expect(rejects[0]).toBe('0 null: the JSON ends too early, at byte 8 of the value');
  });

  test('a truncated last one does not read the byte behind it', async () => {
    expect((await json(['{"id":'])).rejects).toEqual(['0 null: the JSON ends too early, at byte 7 of the value']);
    expect((await json(['{"id":1}', '{"id":1'])).rejects).toHaveLength(1);
  });

  test('with one bad row have none', async () => {
    const { rows, messageOf, rejects, decoded } = await json([
      '[{"id":1,"name":"x"},{"id":"y"},{"id":3}]',
      '{"id":2,"name":"z"}',
      '[{"id":1},{"id":2}',
      '[{"id":1},5]',
      '[{"id":1},]',
      '5',
    ]);
    expect(rows).toEqual([[2n, 'z']]);
    expect(messageOf).toEqual([1]);
    expect(rejects).toEqual([
      '0 id: "y" is not a LONG',
      '2 null: the JSON ends too early, at byte 19 of the value',
      '3 null: a number where a JSON object is expected',
      '4 null: unexpected "]" at byte 11 of the value',
      '5 null: a number where a JSON object is expected',
    ]);
    expect(decoded.rejects[0]!.text).toBe('[{"id":1,"name":"x"},{"id":"y"},{"id":3}]');
  });

  test('what follows an object is an error', async () => {
    expect((await json(['{"id":1}{"id":2}', '{"id":1} x'])).rejects).toEqual([
      '0 null: unexpected "{" at byte 9 of the value',
      '1 null: unexpected "x" at byte 10 of the value',
    ]);
  });

  test('that are no UTF-8 are rejected, one by one', async () => {
    const bad = Uint8Array.from([...bytesOf('{"name":"'), 0xc3, ...bytesOf('"}')]);
    const { rows, rejects } = await json(['{"name":"é"}', bad, '{"name":"ü"}']);
    expect(rows).toEqual([
      [null, 'é'],
      [null, 'ü'],
    ]);
    expect(rejects).toEqual(['1 name: the row is not valid UTF-8'.replace('name', 'null')]);
  });

  test('may be framed with a schema id where there is a registry', async () => {
    const registry = registryOf({});
    const values = [framed(200, bytesOf('{"id":1}')), '{"id":2}', framed(1)];
    const { rows, rejects } = await decodeMessages('json', table, values, registry);
    expect(rows).toEqual([
      [1n, null],
      [2n, null],
    ]);
    expect(rejects).toHaveLength(1);
    expect(registry.asked).toEqual([]);
    expect((await json([framed(200, bytesOf('{"id":1}'))])).rejects).toHaveLength(1);
  });

  test('tell of fields without a column, but not those of rejected messages', async () => {
    const { unknown } = await json([
      '{"id":"x","bad":1}',
      '{"id":1,"a":null,"b":1.5,"c":{"d":1},"e":"2024-01-02T03:04:05Z"}',
      '{"id":1,"a":true,"b":"text","bad":"really a text"}',
    ]);
    expect(unknown).toEqual({ b: 'DOUBLE', c: 'JSON', e: 'TIMESTAMP', a: 'BOOLEAN', bad: 'STRING' });
    const many = await json(Array.from({ length: 500 }, (_, index) => `{"f${index}":1}`));
    expect(many.decoded.unknownFields.size).toBe(unknownFieldsMax);
  });
});

const value = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.jsonValue({ maxDepth: 2 }),
);
const object = fc.dictionary(fc.constantFrom('id', 'name', 'x', 'ok', 'any', 'at', 'ID', 'other'), value);
const wide = target({ id: LONG, name: STRING, x: DOUBLE, ok: BOOLEAN, any: JSON_TYPE, at: TIMESTAMP });

test('property: one object a message is what NDJSON makes of the same lines', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(object, { maxLength: 30 }), fc.nat(3), async (objects, broken) => {
      const lines = objects.map((each, index) => {
        const text = JSON.stringify(each);
        return index % 4 === broken ? text.slice(0, -1 - (index % 5)) : text;
      });
      const expected = decodeRows('ndjson', bytesOf(lines.map(line => `${line}\n`).join('')), wide);
      const { rows, rejects } = await json(lines, wide);
      expect(rows).toEqual(rowsOf(expected.batch));
      expect(rejects.map(reject => reject.replace(/value$/, 'row').replace(/^\d+ /, ''))).toEqual(
        expected.rejects.map(({ column, reason }) => `${column}: ${reason}`),
      );
    }),
  );
});
