import avro from 'avsc';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RegisteredSchema } from '../../../src/catalog/schema-source.ts';
import {
  BOOLEAN,
  BYTES,
  DATE,
  DOUBLE,
  decimal,
  FLOAT,
  INT,
  JSON_TYPE,
  LONG,
  STRING,
  TIMESTAMP,
  type Type,
  UUID,
  type Value,
} from '../../../src/column/type.ts';
import { decodeMessages, framed, registryOf } from './messages.ts';
import { target } from './table.ts';

const exactLong = avro.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer(value: bigint) {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(value);
    return buffer;
  },
  fromJSON: BigInt,
  toJSON: String,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
});

const isLong = (schema: unknown): boolean =>
  schema === 'long' || (typeof schema === 'object' && (schema as { type?: unknown }).type === 'long');
const typeOf = (schema: unknown): avro.Type =>
  avro.Type.forSchema(schema as avro.Schema, {
    typeHook: each => (isLong(each) ? exactLong : undefined),
    wrapUnions: true,
  });
const registered = (schema: unknown, references: RegisteredSchema['references'] = []): RegisteredSchema => ({
  type: 'AVRO',
  text: JSON.stringify(schema),
  references,
});
const record = (fields: Readonly<Record<string, unknown>>, name = 'Row') => ({
  type: 'record',
  name,
  fields: Object.entries(fields).map(([key, type]) => ({ name: key, type })),
});

/** Decodes values of one schema, id 7. */
function decode(columns: ReturnType<typeof target>, schema: unknown, values: readonly object[]) {
  const type = typeOf(schema);
  const messages = values.map(value => framed(7, type.toBuffer(value)));
  return decodeMessages('avro', columns, messages, registryOf({ 7: registered(schema) }));
}

const at = Date.UTC(2024, 0, 2, 3, 4, 5, 678);
const decimalBytes = (size: number, value: bigint): Buffer => {
  const hex = BigInt.asUintN(size * 8, value)
    .toString(16)
    .padStart(size * 2, '0');
  return Buffer.from(hex, 'hex');
};
const logical = (type: unknown, logicalType: string, more = {}) =>
  typeof type === 'string' ? { type, logicalType, ...more } : { ...(type as object), logicalType, ...more };
const fixed = (size: number) => ({ type: 'fixed', name: `F${size}`, size });

describe('an Avro value in a column', () => {
  const uuid = '6ba7b810-9dad-11d1-80b4-00c04fd430c8';
  const day = { type: 'enum', name: 'Day', symbols: ['MON', 'TUE'] };
  const nested = record({ a: 'long', b: ['null', 'bytes'], c: { type: 'array', items: 'double' } }, 'Nested');
  const cases: readonly (readonly [schema: unknown, value: unknown, Type, Value | RegExp])[] = [
    ['int', -5, INT, -5],
    ['int', -5, LONG, -5n],
    ['int', 5, DOUBLE, 5],
    ['int', 5, STRING, '5'],
    ['int', 5, decimal(5, 2), 500n],
    ['int', 1, BOOLEAN, true],
    ['int', 2, BOOLEAN, /not a BOOLEAN/],
    ['int', 5, DATE, /not a DATE/],
    ['long', 2n ** 63n - 1n, LONG, 2n ** 63n - 1n],
    ['long', -(2n ** 63n), LONG, -(2n ** 63n)],
    ['long', 9007199254740993n, STRING, '9007199254740993'],
    ['long', 9007199254740993n, decimal(20, 0), 9007199254740993n],
    ['long', 2n ** 31n, INT, /outside the range of INT/],
    ['long', BigInt(at), TIMESTAMP, at],
    ['long', 2n ** 62n, TIMESTAMP, /outside the range/],
    ['long', 5n, JSON_TYPE, '5'],
    ['float', Math.fround(0.1), DOUBLE, Math.fround(0.1)],
    ['float', Math.fround(0.1), FLOAT, Math.fround(0.1)],
    ['float', Math.fround(0.1), STRING, '0.1'],
    ['float', Math.fround(0.1), decimal(5, 2), 10n],
    ['double', 0.1, DOUBLE, 0.1],
    ['double', 1e300, FLOAT, /outside the range/],
    ['double', 3, LONG, 3n],
    ['double', 3.5, LONG, /not a LONG/],
    ['double', Number.NaN, DOUBLE, Number.NaN],
    ['double', Number.NaN, JSON_TYPE, '"NaN"'],
    ['double', 2.345, decimal(5, 2), 235n],
    ['boolean', true, BOOLEAN, true],
    ['boolean', true, STRING, 'true'],
    ['boolean', true, LONG, /true where LONG is expected/],
    ['string', 'Grüße', STRING, 'Grüße'],
    ['string', '12', LONG, 12n],
    ['string', '2024-01-02T03:04:05.678Z', TIMESTAMP, at],
    ['string', '{"a": 1}', JSON_TYPE, '{"a": 1}'],
    ['string', 'no json', JSON_TYPE, /no JSON text/],
    ['string', uuid, UUID, uuid],
    [day, 'TUE', STRING, 'TUE'],
    [day, 'TUE', JSON_TYPE, '"TUE"'],
    ['bytes', Buffer.from([1, 2, 255]), BYTES, Uint8Array.from([1, 2, 255])],
    ['bytes', Buffer.from([1, 2, 255]), STRING, 'AQL/'],
    ['bytes', Buffer.from('1234'), LONG, /bytes where LONG is expected/],
    ['bytes', Buffer.from([1, 2, 255]), JSON_TYPE, '"AQL/"'],
    [fixed(3), Buffer.from([1, 2, 255]), BYTES, Uint8Array.from([1, 2, 255])],
    [logical(fixed(16), 'uuid'), Buffer.from(uuid.replaceAll('-', ''), 'hex'), UUID, uuid],
    [logical(fixed(16), 'uuid'), Buffer.from(uuid.replaceAll('-', ''), 'hex'), STRING, uuid],
    [logical('string', 'uuid'), uuid, UUID, uuid],
    [logical('string', 'uuid'), uuid, JSON_TYPE, `"${uuid}"`],
    [logical('long', 'timestamp-millis'), BigInt(at), TIMESTAMP, at],
    [logical('long', 'timestamp-micros'), BigInt(at) * 1000n + 999n, TIMESTAMP, at],
    [logical('long', 'timestamp-micros'), -1n, TIMESTAMP, -1],
    [logical('long', 'timestamp-nanos'), BigInt(at) * 1_000_000n + 1n, TIMESTAMP, at],
    [logical('long', 'local-timestamp-millis'), BigInt(at), TIMESTAMP, at],
    [logical('long', 'local-timestamp-micros'), BigInt(at) * 1000n, TIMESTAMP, at],
    [logical('long', 'timestamp-millis'), BigInt(at), LONG, BigInt(at)],
    [logical('long', 'timestamp-millis'), BigInt(at), STRING, '2024-01-02T03:04:05.678Z'],
    [logical('long', 'timestamp-millis'), BigInt(at), DATE, 19724],
    [logical('long', 'timestamp-millis'), BigInt(at), JSON_TYPE, '"2024-01-02T03:04:05.678Z"'],
    [logical('int', 'date'), 19724, DATE, 19724],
    [logical('int', 'date'), 19724, STRING, '2024-01-02'],
    [logical('int', 'date'), 19724, TIMESTAMP, Date.UTC(2024, 0, 2)],
    [logical('int', 'time-millis'), 11_045_678, STRING, '03:04:05.678'],
    [logical('long', 'time-micros'), 11_045_000_001n, STRING, '03:04:05.000001'],
    [logical('int', 'time-millis'), 5, INT, 5],
    [logical('bytes', 'decimal', { precision: 10, scale: 2 }), decimalBytes(3, -1234n), decimal(10, 2), -1234n],
    [logical('bytes', 'decimal', { precision: 10, scale: 2 }), decimalBytes(9, -1234n), decimal(10, 3), -12340n],
    [logical('bytes', 'decimal', { precision: 10, scale: 2 }), decimalBytes(3, 1234n), DOUBLE, 12.34],
    [logical('bytes', 'decimal', { precision: 10, scale: 2 }), decimalBytes(3, 1234n), STRING, '12.34'],
    [logical('bytes', 'decimal', { precision: 10, scale: 2 }), decimalBytes(3, 1234n), JSON_TYPE, '12.34'],
    [logical('bytes', 'decimal', { precision: 10, scale: 2 }), decimalBytes(4, 99999n), decimal(4, 2), /more digits/],
    [logical(fixed(16), 'decimal', { precision: 38 }), decimalBytes(16, -(10n ** 37n)), decimal(38, 0), -(10n ** 37n)],
    [['null', 'long'], { long: 4n }, LONG, 4n],
    [['null', 'long'], null, LONG, null],
    [['string', 'null'], { string: 'x' }, STRING, 'x'],
    [['null', 'string', 'long'], { long: 4n }, STRING, '4'],
    [['null', 'string', 'long'], { string: '5' }, JSON_TYPE, '"5"'],
    [['null', 'string', 'long'], null, JSON_TYPE, null],
    [{ type: 'map', values: 'long' }, { 'a"\n': 2n ** 60n }, JSON_TYPE, '{"a\\"\\u000a":1152921504606846976}'],
    [{ type: 'array', items: 'int' }, [1, 2], JSON_TYPE, '[1,2]'],
    [{ type: 'array', items: 'int' }, [], JSON_TYPE, '[]'],
    [{ type: 'array', items: 'int' }, [1, 2], LONG, /an array where LONG is expected/],
    [nested, { a: -1n, b: { bytes: Buffer.from('hi') }, c: [0.5] }, JSON_TYPE, '{"a":-1,"b":"aGk=","c":[0.5]}'],
    [nested, { a: -1n, b: null, c: [] }, JSON_TYPE, '{"a":-1,"b":null,"c":[]}'],
    [nested, { a: -1n, b: null, c: [] }, STRING, /a record where STRING is expected/],
  ];
  test.each(cases)('%j of %s in %o', async (schema, value, type, expected) => {
    const columns = target({ before: LONG, it: type, after: STRING });
    const whole = record({ before: 'long', it: schema, after: 'string' });
    const { rows, rejects } = await decode(columns, whole, [{ before: 1n, it: value, after: 'end' }]);
    if (expected instanceof RegExp) {
      expect(rejects).toHaveLength(1);
      expect(rejects[0]).toMatch(expected);
      expect(rejects[0]).toMatch(/^0 it: /);
    } else {
      expect(rejects).toEqual([]);
      expect(rows).toEqual([[1n, expected, 'end']]);
    }
  });
});

describe('Avro records', () => {
  test('are matched by name, take defaults, and respect NOT NULL', async () => {
    const columns = target({ 'id!': LONG, Name: STRING, kind: STRING }, { kind: 'none' });
    const schema = record({ NAME: 'string', extra: record({ x: 'int' }, 'Extra'), id: ['null', 'long'], n: 'int' });
    const row = (id: unknown) => ({ NAME: 'a', extra: { x: 1 }, id, n: 3 });
    const { rows, rejects, unknown } = await decode(columns, schema, [row({ long: 1n }), row(null), row({ long: 3n })]);
    expect(rows).toEqual([
      [1n, 'a', 'none'],
      [3n, 'a', 'none'],
    ]);
    expect(rejects).toEqual(['1 id: is NULL, but the column is NOT NULL']);
    expect(unknown).toEqual({ extra: 'JSON', n: 'INT' });
  });

  test('of several schemas may be in one batch; what does not fit is rejected', async () => {
    const first = record({ id: 'long' });
    const second = record({ id: 'long', name: 'string' });
    const changed = record({ id: 'string', name: 'string' });
    const registry = registryOf({
      1: registered(first),
      2: registered(second),
      3: registered(changed),
      4: { type: 'PROTOBUF', text: 'syntax = "proto3";', references: [] },
      5: { type: 'AVRO', text: '{"type":"recor', references: [] },
      6: registered('string'),
    });
    const values = [
      framed(1, typeOf(first).toBuffer({ id: 1n })),
      framed(2, typeOf(second).toBuffer({ id: 2n, name: 'b' })),
      framed(3, typeOf(changed).toBuffer({ id: '3', name: 'c' })),
      framed(3, typeOf(changed).toBuffer({ id: 'three', name: 'c' })),
      framed(4, Buffer.from([0])),
      framed(5, Buffer.from([0])),
      framed(6, Buffer.from([2, 65])),
      framed(42, Buffer.from([0])),
      framed(1, typeOf(first).toBuffer({ id: 9n })),
      Buffer.from('{"id":1}'),
      framed(1, Buffer.from([2, 2])),
      framed(2, Buffer.from([2, 20])),
      null,
    ];
    const { rows, messageOf, rejects } = await decodeMessages(
      'avro',
      target({ id: LONG, name: STRING }),
      values,
      registry,
    );
    expect(rows).toEqual([
      [1n, null],
      [2n, 'b'],
      [3n, 'c'],
      [9n, null],
    ]);
    expect(messageOf).toEqual([0, 1, 2, 8]);
    expect(rejects).toEqual([
      '3 id: "three" is not a LONG',
      '4 null: schema 4 cannot be used: it is of the type PROTOBUF, not AVRO',
      expect.stringMatching(/^5 null: schema 5 cannot be used: /),
      '6 null: no value of schema 6: it is not a record',
      '7 null: unknown schema id 42',
      '9 null: the value does not begin with a zero byte and the id of a schema',
      '10 null: no value of schema 1: 1 bytes are left over',
      '11 null: no value of schema 2: the value ends too early',
    ]);
    expect([...registry.asked].sort()).toEqual([1, 2, 3, 4, 42, 5, 6]);
  });

  test('may be recursive, refer to other schemas, or be branches of a union', async () => {
    const node = { type: 'record', name: 'Node', fields: [{ name: 'next', type: ['null', 'Node'] }] };
    const type = typeOf(node);
    const list = (depth: number): object => ({ next: depth === 0 ? null : { Node: list(depth - 1) } });
    const columns = target({ next: JSON_TYPE });
    const registry = registryOf({
      7: registered(node),
      8: registered(record({ next: 'Node' }), [{ name: 'Node', text: JSON.stringify(node) }]),
      9: registered(['null', node, record({ next: 'int' })]),
    });
    const values = [
      framed(7, type.toBuffer(list(2))),
      framed(7, type.toBuffer(list(500))),
      framed(8, type.toBuffer(list(1))),
      framed(9, Buffer.from([4, 10])),
      framed(9, Buffer.from([0])),
    ];
    const { rows, rejects } = await decodeMessages('avro', columns, values, registry);
    expect(rows).toEqual([['{"next":{"next":null}}'], ['{"next":{"next":null}}'], ['5']]);
    expect(rejects).toEqual([
      '1 null: no value of schema 7: values nested more than 128 deep',
      '4 null: no value of schema 9: it is not a record',
    ]);
  });

  test('that claim billions of items without bytes end at once', async () => {
    const schema = record({ many: { type: 'array', items: 'null' } });
    const huge = Buffer.from([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]);
    for (const columns of [target({ many: JSON_TYPE }), target({ id: LONG })]) {
      const { rejects } = await decodeMessages(
        'avro',
        columns,
        [framed(7, huge)],
        registryOf({ 7: registered(schema) }),
      );
      expect(rejects).toEqual(['0 null: no value of schema 7: more than 1048576 items of arrays and maps']);
    }
  });
});

test('property: what avsc writes is read', async () => {
  const schema = record({
    a: 'long',
    b: ['null', 'string'],
    c: 'double',
    d: 'bytes',
    e: { type: 'map', values: 'int' },
    f: 'float',
    g: 'int',
    h: 'boolean',
  });
  const columns = target({ a: LONG, b: STRING, c: DOUBLE, d: BYTES, e: JSON_TYPE, f: FLOAT, g: INT, h: BOOLEAN });
  const row = fc.record({
    a: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    b: fc.option(fc.string({ unit: 'binary' })),
    c: fc.double(),
    d: fc.uint8Array(),
    e: fc.dictionary(fc.string(), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
    f: fc.float(),
    g: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    h: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 20 }), async values => {
      const written = values.map(each => ({
        ...each,
        b: each.b === null ? null : { string: each.b },
        d: Buffer.from(each.d),
      }));
      const { rows, rejects } = await decode(columns, schema, written);
      expect(rejects).toEqual([]);
      expect(rows.map(([a, b, c, d, , f, g, h]) => [a, b, c, d, f, g, h])).toEqual(
        values.map(({ a, b, c, d, f, g, h }) => [a, b, c, d, f, g, h]),
      );
      expect(rows.map(cells => JSON.parse(cells[4] as string))).toEqual(values.map(({ e }) => ({ ...e })));
    }),
  );
});
