import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import {
  BOOLEAN,
  BYTES,
  DATE,
  DOUBLE,
  decimal,
  INT,
  JSON_TYPE,
  LONG,
  STRING,
  TIMESTAMP,
  type Type,
  type Value,
} from '../../../src/column/type.ts';
import { decodeMessages, framed, registryOf } from './messages.ts';
import { target } from './table.ts';

const proto = `
syntax = "proto3";
package shop.v1;
import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/wrappers.proto";
import "common/money.proto";
enum Unused { NOTHING = 0; }
message First {
  message Inner { string text = 1; }
  message Other { int32 number = 1; }
  int64 id = 1;
}
message Everything {
  enum Kind { UNKNOWN = 0; CARD = 1; }
  int32 i32 = 1; sint64 s64 = 2; uint64 u64 = 3; fixed32 f32 = 4; double d = 5; float f = 6; bool b = 7;
  string text = 8; bytes raw = 9; Kind kind = 10;
  optional string maybe = 11;
  google.protobuf.Timestamp at = 12;
  google.protobuf.Int64Value boxed = 13;
  common.Money price = 14;
  repeated int64 many = 15;
  map<string, double> by_name = 16;
  map<int64, string> by_id = 17;
  google.protobuf.Duration took = 18;
  oneof choice { string left = 19; int32 right = 20; }
}
`;
const money = 'syntax = "proto3"; package common; message Money { int64 units = 1; string currency_code = 2; }';
const registry = registryOf({
  7: { type: 'PROTOBUF', text: proto, references: [{ name: 'common/money.proto', text: money }] },
  8: { type: 'AVRO', text: '"string"', references: [] },
  9: { type: 'PROTOBUF', text: 'message Broken {', references: [] },
  10: { type: 'PROTOBUF', text: proto, references: [] },
  11: { type: 'PROTOBUF', text: 'syntax = "proto3"; message First { string id = 1; }', references: [] },
});

const Long = protobuf.util.Long as unknown as { fromString(text: string, unsigned?: boolean): unknown };

const root = new protobuf.Root();
for (const name of ['timestamp', 'duration', 'wrappers'])
  root.addJSON(protobuf.common.get(`google/protobuf/${name}.proto`)!.nested!);
protobuf.parse(money, root, { keepCase: true });
protobuf.parse(proto, root, { keepCase: true });
const everything = root.lookupType('shop.v1.Everything');
const first = root.lookupType('shop.v1.First');
/** The path [1], as lists of zigzag numbers have it. */
const second = Buffer.from([2, 2]);
const encode = (value: object): Uint8Array =>
  framed(7, second, everything.encode(everything.fromObject(value)).finish());

const at = Date.UTC(2024, 0, 2, 3, 4, 5, 678);
const seconds = Math.floor(at / 1000);
const longOf = (value: bigint) => Long.fromString(String(value));
const emptyMoney = '{"units":0,"currency_code":""}';

describe('a Protobuf value in a column', () => {
  const cases: readonly (readonly [name: string, value: unknown, Type, Value | RegExp])[] = [
    ['i32', -5, INT, -5],
    ['i32', -5, STRING, '-5'],
    ['i32', undefined, INT, 0],
    ['i32', 5, DATE, /not a DATE/],
    ['s64', longOf(-(2n ** 63n)), LONG, -(2n ** 63n)],
    ['s64', longOf(9007199254740993n), LONG, 9007199254740993n],
    ['s64', longOf(2n ** 40n), INT, /outside the range of INT/],
    ['s64', at, TIMESTAMP, at],
    ['s64', undefined, LONG, 0n],
    ['u64', Long.fromString('18446744073709551615', true), decimal(20, 0), 2n ** 64n - 1n],
    ['u64', Long.fromString('18446744073709551615', true), LONG, /outside the range of LONG/],
    ['u64', 7, LONG, 7n],
    ['f32', 4294967295, LONG, 4294967295n],
    ['d', 0.1, DOUBLE, 0.1],
    ['d', undefined, DOUBLE, 0],
    ['f', 0.1, STRING, '0.1'],
    ['b', true, BOOLEAN, true],
    ['b', undefined, BOOLEAN, false],
    ['text', 'Grüße', STRING, 'Grüße'],
    ['text', undefined, STRING, ''],
    ['text', '[1]', JSON_TYPE, '[1]'],
    ['raw', Buffer.from([1, 255]), BYTES, Uint8Array.from([1, 255])],
    ['raw', undefined, BYTES, new Uint8Array(0)],
    ['kind', 1, STRING, 'CARD'],
    ['kind', undefined, STRING, 'UNKNOWN'],
    ['kind', 99, STRING, '99'],
    ['kind', 1, JSON_TYPE, '"CARD"'],
    ['maybe', undefined, STRING, null],
    ['maybe', '', STRING, ''],
    ['at', { seconds, nanos: 678_999_999 }, TIMESTAMP, at],
    ['at', { seconds: -1, nanos: 999_000_000 }, TIMESTAMP, -1],
    ['at', { seconds, nanos: 678_000_000 }, STRING, '2024-01-02T03:04:05.678Z'],
    ['at', { seconds, nanos: 678_000_000 }, JSON_TYPE, '"2024-01-02T03:04:05.678Z"'],
    ['at', { seconds: longOf(2n ** 60n) }, TIMESTAMP, /outside the range of TIMESTAMP/],
    ['at', undefined, TIMESTAMP, null],
    ['boxed', { value: 5 }, LONG, 5n],
    ['boxed', { value: 0 }, LONG, 0n],
    ['boxed', undefined, LONG, null],
    [
      'price',
      { units: longOf(2n ** 60n), currency_code: 'E"' },
      JSON_TYPE,
      '{"units":1152921504606846976,"currency_code":"E\\""}',
    ],
    ['price', {}, JSON_TYPE, emptyMoney],
    ['price', undefined, JSON_TYPE, null],
    ['price', {}, STRING, /a message where STRING is expected/],
    ['many', [1, -2], JSON_TYPE, '[1,-2]'],
    ['many', undefined, JSON_TYPE, '[]'],
    ['many', [1], LONG, /a list where LONG is expected/],
    ['by_name', { a: 1.5 }, JSON_TYPE, '{"a":1.5}'],
    ['by_id', { 5: 'five', [-6]: 'six' }, JSON_TYPE, '{"5":"five","-6":"six"}'],
    ['by_id', undefined, JSON_TYPE, '{}'],
    ['took', { seconds: 1, nanos: 500_000_000 }, STRING, '1.5s'],
    ['right', 0, INT, 0],
    ['left', undefined, STRING, null],
  ];
  test.each(cases)('%s of %o in %o', async (name, value, type, expected) => {
    const bytes = encode(value === undefined ? {} : { [name]: value });
    const { rows, rejects } = await decodeMessages('protobuf', target({ [name]: type }), [bytes], registry);
    if (expected instanceof RegExp) expect(rejects).toEqual([expect.stringMatching(expected)]);
    else {
      expect(rejects).toEqual([]);
      expect(rows).toEqual([[expected]]);
    }
  });
});

test('Protobuf messages are found by their index, and rejected one by one', async () => {
  const columns = target({ id: LONG, TEXT: STRING, number: INT });
  const inner = first.lookupType('Inner');
  const values = [
    framed(7, Buffer.from([0]), first.encode({ id: 5 }).finish()),
    framed(7, Buffer.from([2, 0]), first.encode({ id: 6 }).finish()),
    framed(7, Buffer.from([4, 0, 0]), inner.encode({ text: 'x' }).finish()),
    framed(7, Buffer.from([4, 0, 2]), first.lookupType('Other').encode({ number: 3 }).finish()),
    framed(7, Buffer.from([2, 8])),
    framed(7, Buffer.from([0, 8])),
    framed(7, Buffer.from([255, 255, 255, 255, 15])),
    framed(7),
    framed(8, Buffer.from([0])),
    framed(9, Buffer.from([0])),
    framed(10, Buffer.from([0])),
    framed(11, Buffer.from([0]), Buffer.from([10, 1, 0x37])),
    framed(11, Buffer.from([0]), Buffer.from([10, 1, 0x78])),
    framed(42, Buffer.from([0])),
    framed(7, Buffer.from([0])),
  ];
  const { rows, messageOf, rejects } = await decodeMessages('protobuf', columns, values, registry);
  expect(rows).toEqual([
    [5n, null, null],
    [6n, null, null],
    [null, 'x', null],
    [null, null, 3],
    [7n, null, null],
    [0n, null, null],
  ]);
  expect(messageOf).toEqual([0, 1, 2, 3, 11, 14]);
  expect(rejects.map(each => each.slice(0, 48))).toEqual([
    '4 null: no value of schema 7: the schema has no message 4'.slice(0, 48),
    '5 null: no value of schema 7: index out of range: 12 + 1 > 12'.slice(0, 48),
    expect.stringMatching(/^6 null: no value of schema 7: /),
    expect.stringMatching(/^7 null: no value of schema 7: /),
    '8 null: schema 8 cannot be used: it is of the type AVRO'.slice(0, 48),
    expect.stringMatching(/^9 null: schema 9 cannot be used: /),
    expect.stringMatching(/^10 null: schema 10 cannot be used: /),
    '12 id: "x" is not a LONG',
    '13 null: unknown schema id 42',
  ]);
});

test('fields without a column are told of', async () => {
  const { unknown } = await decodeMessages('protobuf', target({ text: STRING }), [encode({})], registry);
  expect(unknown).toMatchObject({ i32: 'INT', u64: 'DECIMAL(20,0)', at: 'TIMESTAMP', boxed: 'LONG', price: 'JSON' });
  expect(Object.keys(unknown)).toHaveLength(19);
});

test('property: what protobufjs writes is read', async () => {
  const columns = target({ i32: INT, s64: LONG, d: DOUBLE, text: STRING, raw: BYTES, maybe: STRING, many: JSON_TYPE });
  const row = fc.record({
    i32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    s64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    d: fc.double(),
    text: fc.string({ unit: 'binary' }),
    raw: fc.uint8Array(),
    maybe: fc.option(fc.string()),
    many: fc.array(fc.maxSafeInteger()),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 20 }), async values => {
      const written = values.map(each => {
        const { maybe, ...others } = { ...each, s64: longOf(each.s64), raw: Buffer.from(each.raw) };
        return encode(maybe === null ? others : { ...others, maybe });
      });
      const { rows, rejects } = await decodeMessages('protobuf', columns, written, registry);
      expect(rejects).toEqual([]);
      expect(rows).toEqual(
        values.map(({ i32, s64, d, text, raw, maybe, many }) => [i32, s64, d, text, raw, maybe, JSON.stringify(many)]),
      );
    }),
  );
});
