import { deflateRawSync } from 'node:zlib';
import avro from 'avsc';
import snappy from 'snappy';
import { storedZstd } from '../../../support/zstd.ts';

const schema = {
  type: 'record',
  name: 'Event',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-micros' } },
    { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['A', 'B'] } },
    { name: 'amount', type: ['null', { type: 'bytes', logicalType: 'decimal', precision: 10, scale: 2 }] },
    { name: 'tags', type: { type: 'array', items: 'string' } },
    {
      name: 'actor',
      type: [
        'null',
        {
          type: 'record',
          name: 'Actor',
          fields: [
            { name: 'login', type: 'string' },
            { name: 'id', type: 'int' },
          ],
        },
      ],
    },
  ],
} as const;

export const rowOf = (id: number) => ({
  id,
  at: 1_626_847_200_123_456 + id,
  kind: id % 2 === 0 ? 'A' : 'B',
  amount: id % 3 === 0 ? null : { bytes: Buffer.from([1, id & 127]) },
  tags: [`t${id}`],
  actor: id % 4 === 0 ? null : { Actor: { login: `u${id}`, id } },
});

const header = avro.Type.forSchema({
  type: 'record',
  name: 'Header',
  fields: [
    { name: 'magic', type: { type: 'fixed', name: 'Magic', size: 4 } },
    { name: 'meta', type: { type: 'map', values: 'bytes' } },
    { name: 'sync', type: { type: 'fixed', name: 'Sync', size: 16 } },
  ],
});
const long = avro.Type.forSchema('long');

/** The reader makes nothing of it: the marker behind a block is enough. */
const noChecksum = Buffer.alloc(4);

const codecs: Readonly<Record<string, (content: Buffer) => Buffer>> = {
  null: content => content,
  deflate: content => deflateRawSync(content),
  snappy: content => Buffer.concat([snappy.compressSync(content), noChecksum]),
  zstandard: content => storedZstd(content),
};

/** An object container file. */
export function container(rows: readonly object[], codec: string, of: object = schema, rowsPerBlock = 1000): Buffer {
  const type = avro.Type.forSchema(of as avro.Schema, { wrapUnions: true });
  const sync = Buffer.alloc(16, 7);
  const meta = { 'avro.schema': Buffer.from(JSON.stringify(of)), 'avro.codec': Buffer.from(codec) };
  const parts = [header.toBuffer({ magic: Buffer.from('Obj\x01'), meta, sync })];
  for (let from = 0; from < rows.length; from += rowsPerBlock) {
    const block = rows.slice(from, from + rowsPerBlock);
    const content = codecs[codec]!(Buffer.concat(block.map(row => type.toBuffer(row))));
    parts.push(long.toBuffer(block.length), long.toBuffer(content.length), content, sync);
  }
  return Buffer.concat(parts);
}

export const avroSample = (): Uint8Array => container([0, 1, 2, 3, 4].map(rowOf), 'null', schema, 2);
