import {
  Binary,
  Bool,
  type DataType,
  DateDay,
  DateMillisecond,
  Decimal,
  Dictionary,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float16,
  Float32,
  Float64,
  Int8,
  Int32,
  Int64,
  List,
  Map_,
  Null,
  Struct,
  Table,
  TimeMicrosecond,
  TimestampMicrosecond,
  TimestampMillisecond,
  TimestampNanosecond,
  TimestampSecond,
  tableToIPC,
  Uint32,
  Uint64,
  Utf8,
  type Vector,
  vectorFromArray,
} from 'apache-arrow';
import { describe, expect, test } from 'vitest';
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
import { decodeMessages } from './messages.ts';
import { target } from './table.ts';

type Vectors = Readonly<Record<string, Vector>>;
const stream = (vectors: Vectors, form: 'stream' | 'file' = 'stream'): Uint8Array =>
  tableToIPC(new Table(vectors as never), form);
const vector = (type: DataType, values: readonly unknown[]): Vector =>
  vectorFromArray(values as never, type as never) as unknown as Vector;

const at = Date.UTC(2024, 0, 2, 3, 4, 5, 678);

describe('an Arrow value in a column', () => {
  const cases: readonly (readonly [DataType, readonly unknown[], Type, readonly Value[] | RegExp])[] = [
    [new Bool(), [true, null, false], BOOLEAN, [true, null, false]],
    [new Int8(), [-5, null], INT, [-5, null]],
    [new Int32(), [7], STRING, ['7']],
    [new Int32(), [7], DATE, /not a DATE/],
    [new Uint32(), [4294967295], LONG, [4294967295n]],
    [new Int64(), [2n ** 63n - 1n, null, -1n], LONG, [2n ** 63n - 1n, null, -1n]],
    [new Int64(), [2n ** 40n], INT, /outside the range of INT/],
    [new Int64(), [5n], JSON_TYPE, ['5']],
    [new Uint64(), [2n ** 64n - 1n], decimal(20, 0), [2n ** 64n - 1n]],
    [new Float16(), [1.5], FLOAT, [1.5]],
    [new Float32(), [0.5, null], DOUBLE, [0.5, null]],
    [new Float64(), [0.1], DOUBLE, [0.1]],
    [new Utf8(), ['Grüße', '', null], STRING, ['Grüße', '', null]],
    [new Utf8(), ['12'], LONG, [12n]],
    [new Dictionary(new Utf8(), new Int32()), ['a', 'b', null, 'a'], STRING, ['a', 'b', null, 'a']],
    [new Dictionary(new Int64(), new Int32()), [5n, null, 5n], LONG, [5n, null, 5n]],
    [new Binary(), [Uint8Array.of(1, 2)], BYTES, [Uint8Array.of(1, 2)]],
    [new Binary(), [Uint8Array.of(1, 2)], JSON_TYPE, ['"AQI="']],
    [new Binary(), [Uint8Array.of(1, 2)], LONG, /bytes where LONG is expected/],
    [new FixedSizeBinary(16), [new Uint8Array(16).fill(1)], UUID, ['01010101-0101-0101-0101-010101010101']],
    [new DateDay(), [new Date(Date.UTC(2024, 0, 2))], DATE, [19724]],
    [new DateMillisecond(), [new Date(Date.UTC(2024, 0, 2))], DATE, [19724]],
    [new TimestampSecond(), [at - 678], TIMESTAMP, [at - 678]],
    [new TimestampMillisecond(), [at, null], TIMESTAMP, [at, null]],
    [new TimestampMicrosecond('Europe/Berlin'), [at], TIMESTAMP, [at]],
    [new TimestampNanosecond(), [at], TIMESTAMP, [at]],
    [new TimeMicrosecond(), [11_045_000_001n], STRING, ['03:04:05.000001']],
    [new List(new Field('item', new Int64())), [[1n, 2n], [], null], JSON_TYPE, ['[1,2]', '[]', null]],
    [new List(new Field('item', new Int64())), [[1n]], STRING, /an array where STRING is expected/],
    [
      new FixedSizeList(2, new Field('item', new Int32())),
      [
        [1, 2],
        [3, 4],
      ],
      JSON_TYPE,
      ['[1,2]', '[3,4]'],
    ],
    [
      new Struct([new Field('a', new Utf8()), new Field('b', new List(new Field('item', new Float64())))] as never),
      [{ a: 'x"', b: [0.5] }],
      JSON_TYPE,
      ['{"a":"x\\"","b":[0.5]}'],
    ],
    [
      new Map_(
        new Field(
          'entries',
          new Struct([new Field('key', new Utf8()), new Field('value', new Int32())] as never),
        ) as never,
      ),
      [new Map([['k', 1]])],
      JSON_TYPE,
      ['{"k":1}'],
    ],
    [new Null(), [null, null], LONG, [null, null]],
  ];
  test.each(cases)('%s of %o in %o', async (arrow, values, type, expected) => {
    const { rows, rejects } = await decodeMessages('arrow', target({ it: type }), [
      stream({ it: vector(arrow, values) }),
    ]);
    if (expected instanceof RegExp) expect(rejects).toEqual([expect.stringMatching(expected)]);
    else {
      expect(rejects).toEqual([]);
      expect(rows).toEqual(expected.map(value => [value]));
    }
  });

  test('decimals keep their digits', async () => {
    const words = new Uint32Array(new BigInt64Array([-1234n, -1n]).buffer);
    const { rows, rejects } = await decodeMessages('arrow', target({ it: decimal(10, 3) }), [
      stream({ it: vector(new Decimal(2, 10, 128), [words]) }),
    ]);
    expect(rejects).toEqual([]);
    expect(rows).toEqual([[-12340n]]);
  });
});

test('Arrow messages are many rows each, by name, or none', async () => {
  const columns = target({ 'id!': LONG, name: STRING, kind: STRING }, { kind: 'none' });
  const ids = vector(new Int64(), [1n, 2n]);
  const { rows, messageOf, rejects, unknown } = await decodeMessages('arrow', columns, [
    stream({ ID: ids, name: vector(new Utf8(), ['a', 'b']), more: vector(new Float64(), [1, 2]) }),
    stream({ id: vector(new Int64(), [3n, null]) }),
    stream({ id: ids }, 'file'),
    null,
    'no arrow at all',
    stream({ id: ids }).slice(0, -100),
    stream({ other: ids }),
  ]);
  expect(rows).toEqual([
    [1n, 'a', 'none'],
    [2n, 'b', 'none'],
    [1n, null, 'none'],
    [2n, null, 'none'],
  ]);
  expect(messageOf).toEqual([0, 0, 2, 2]);
  expect(rejects).toEqual([
    '1 id: is NULL, but the column is NOT NULL',
    expect.stringMatching(/^4 null: /),
    expect.stringMatching(/^5 null: /),
    '6 id: is missing, and the column is NOT NULL without a default',
  ]);
  expect(unknown).toEqual({ more: 'DOUBLE' });
});

test('an Arrow message that claims more rows than the limit is rejected at once', async () => {
  const claim = stream({ a: vector(new Null(), [null]) });
  const view = new DataView(claim.buffer, claim.byteOffset, claim.byteLength);
  const { rows, rejects } = await decodeMessages('arrow', target({ a: LONG, b: LONG }), [claim]);
  expect([rows, rejects]).toEqual([[[null, null]], []]);
  // The only 64-bit ones of the message: how many rows the batch and its column have, and how many are NULL.
  for (let at = 0; at + 8 <= claim.length; at += 8)
    if (view.getBigInt64(at, true) === 1n) view.setBigInt64(at, 1n << 30n, true);
  expect((await decodeMessages('arrow', target({ a: LONG }), [claim])).rejects).toEqual([
    '0 null: the Arrow stream has more rows or values than the limit',
  ]);
});
