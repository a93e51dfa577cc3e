/** Bytes that anybody may send: no decoder throws, hangs, reads a neighbour or lets a bad message take a good one with it. */
import { Field, Int64, List, Struct, Table, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow';
import avro from 'avsc';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import type { MessageFormat } from '../../../src/catalog/table.ts';
import { DOUBLE, decimal, JSON_TYPE, LONG, STRING, TIMESTAMP, UUID } from '../../../src/column/type.ts';
import { decodeMessages, framed, registryOf } from './messages.ts';
import { bytesOf, target } from './table.ts';

const columns = target({
  id: LONG,
  name: STRING,
  at: TIMESTAMP,
  tags: JSON_TYPE,
  of: JSON_TYPE,
  score: DOUBLE,
  price: decimal(9, 2),
  key: UUID,
});

const avroSchema = {
  type: 'record',
  name: 'Row',
  fields: [
    { name: 'id', type: ['null', 'long'] },
    { name: 'name', type: 'string' },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-micros' } },
    { name: 'tags', type: { type: 'array', items: ['null', 'string'] } },
    {
      name: 'of',
      type: { type: 'record', name: 'Of', fields: [{ name: 'more', type: { type: 'map', values: ['null', 'Of'] } }] },
    },
    { name: 'score', type: 'float' },
    { name: 'price', type: { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 } },
    { name: 'key', type: { type: 'string', logicalType: 'uuid' } },
    { name: 'unknown', type: { type: 'array', items: { type: 'record', name: 'Empty', fields: [] } } },
  ],
};
const proto = `
syntax = "proto3";
message Row {
  int64 id = 1; string name = 2; sint64 at = 3; repeated string tags = 4; Row of = 5; double score = 6;
  optional string price = 7; optional bytes key = 8; map<int64, Row> unknown = 9;
}`;
const registry = registryOf({
  1: { type: 'AVRO', text: JSON.stringify(avroSchema), references: [] },
  2: { type: 'PROTOBUF', text: proto, references: [] },
});

const key = '6ba7b810-9dad-11d1-80b4-00c04fd430c8';
const of = { more: { a: { more: {} }, b: null } };
const arrowColumns = {
  id: vectorFromArray([1n, null, 3n], new Int64()),
  name: vectorFromArray(['a', 'b', 'a']),
  tags: vectorFromArray([['x'], [], null], new List(new Field('item', new Utf8()))),
  of: vectorFromArray([{ a: 'x' }, { a: null }, null], new Struct([new Field('a', new Utf8())] as never)),
};
const good: Readonly<Record<MessageFormat, Uint8Array>> = {
  json: bytesOf(
    `[{"id":1,"name":"a\\u00e9","at":"2024-01-02T03:04:05Z","tags":["x",{"y":[1.5e3]}],"of":{},"score":-0.25},\n{"price":"1.50","key":"${key}","unknown":true}]`,
  ),
  csv: bytesOf(`1,"a ""b""",2024-01-02T03:04:05Z,"[1]",{},-0.25,1.50,${key}\r\n2,,,,,,,`),
  avro: framed(
    1,
    avro.Type.forSchema(avroSchema as avro.Schema, { wrapUnions: false }).toBuffer({
      ...{ id: 5, name: 'é', at: 1_700_000_000_000_000, tags: ['x', null], of, score: 0.25 },
      ...{ price: Buffer.from([1, 2]), key, unknown: [{}, {}] },
    }),
  ),
  protobuf: framed(
    2,
    Buffer.from([0]),
    protobuf
      .parse(proto, { keepCase: true })
      .root.lookupType('Row')
      .encode({ id: 5, name: 'é', at: 9, tags: ['x'], of: { id: 1 }, price: '1.5', unknown: { 5: { id: 2 } } })
      .finish(),
  ),
  arrow: tableToIPC(new Table(arrowColumns as never), 'stream'),
};

const arrowFile = tableToIPC(new Table(arrowColumns as never), 'file');

/** Some bytes of a good message are others, some are gone, some are there twice. */
const damaged = (bytes: Uint8Array): fc.Arbitrary<Uint8Array> =>
  fc
    .record({
      flips: fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 4 }),
      from: fc.option(fc.nat(bytes.length), { freq: 3 }),
      size: fc.integer({ min: -8, max: 8 }),
    })
    .map(({ flips, from, size }) => {
      const copy = Uint8Array.from(bytes);
      for (const [at, byte] of flips) copy[at] = byte;
      if (from === null) return copy;
      return Buffer.concat([copy.subarray(0, from), copy.subarray(Math.max(0, from + size))]);
    });

const schemas = (format: MessageFormat) => (format === 'avro' || format === 'protobuf' ? registry : null);

describe.each(Object.keys(good) as MessageFormat[])('%s', format => {
  const bytes = good[format];
  const framedAs = format === 'avro' ? 1 : 2;

  test('a good message is read', async () => {
    const { rejects, rows } = await decodeMessages(format, columns, [bytes], schemas(format));
    expect(rejects).toEqual([]);
    expect(rows.length).toBeGreaterThan(0);
  });

  test('bad bytes between good messages are rejected or read, and the good ones stand', async () => {
    const random = fc.uint8Array({ maxLength: 64 });
    const any = fc.oneof(
      damaged(bytes),
      damaged(format === 'arrow' ? arrowFile : bytes),
      random,
      random.map(body => framed(framedAs, body)),
    );
    const whole = (await decodeMessages(format, columns, [bytes], schemas(format))).rows;
    await fc.assert(
      fc.asyncProperty(fc.array(any, { minLength: 1, maxLength: 4 }), async bad => {
        const values = [bytes, ...bad, bytes];
        const { rows, messageOf, rejects } = await decodeMessages(format, columns, values, schemas(format));
        const rowsOf = (message: number) => rows.filter((_, row) => messageOf[row] === message);
        expect(rowsOf(0)).toEqual(whole);
        expect(rowsOf(values.length - 1)).toEqual(whole);
        for (const reject of rejects) expect(reject.length).toBeLessThan(4096);
      }),
      { numRuns: 400 },
    );
  });
});
