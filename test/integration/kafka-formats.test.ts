/** Avro and Protobuf with a real schema registry, CSV, Arrow, from a real broker into tables. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableFromArrays, tableToIPC } from 'apache-arrow';
import avsc from 'avsc';
import protobuf from 'protobufjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Kafka, startKafka } from '../support/kafka.ts';
import { kafkaVersions, requires } from '../support/requires.ts';
import { type SchemaRegistryServer, startSchemaRegistry } from '../support/schema-registry.ts';
import { ask, startWeir, type WeirProcess } from '../support/weir-process.ts';

/** Confluent's framing: a zero, the schema's id, and what the format puts before the body. */
const framed = (id: number, ...parts: readonly Uint8Array[]): Buffer => {
  const head = Buffer.alloc(5);
  head.writeInt32BE(id, 1);
  return Buffer.concat([head, ...parts]);
};

requires('kafka', 'schemaRegistry')('message formats', () => {
  let kafka: Kafka;
  let registry: SchemaRegistryServer;
  let folder: string;
  let weir: WeirProcess;

  beforeAll(async () => {
    [kafka, registry] = await Promise.all([startKafka({ version: kafkaVersions[1] }), startSchemaRegistry()]);
    folder = await mkdtemp(join(tmpdir(), 'weir-formats-'));
    weir = await startWeir({ args: ['--data', folder, '--no-demo', '--shards', '1'] });
  });
  afterAll(async () => {
    await weir?.stop();
    await registry?.stop();
    await kafka?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const sql = (text: string): Promise<unknown[][]> => ask(weir.url, text);
  const from = (topic: string, format: string): string =>
    `FROM KAFKA (brokers = '${kafka.brokers[0]}', topic = '${topic}', format = '${format}'${
      format === 'avro' || format === 'protobuf' ? `, schema_registry = '${registry.url}'` : ''
    })`;
  const produce = (topic: string, ...values: readonly Buffer[]): Promise<void> =>
    kafka.produce(
      topic,
      0,
      values.map(value => ({ value })),
    );
  const rowsBecome = (text: string, want: unknown[][]): Promise<void> =>
    eventually(async () => expect(await sql(text)).toEqual(want), 30_000);

  const avroSchema = (...more: readonly object[]) => ({
    type: 'record',
    name: 'Payment',
    fields: [{ name: 'id', type: 'long' }, { name: 'merchant', type: ['null', 'string'] }, ...more],
  });
  const avroMessage = (id: number, schema: object, value: object): Buffer =>
    framed(id, avsc.Type.forSchema(schema as never).toBuffer(value));

  test('Avro: fields are ignored or columns, a type that changed is a reject, and nothing stops', async () => {
    await kafka.createTopic('avro', 1);
    await sql(`CREATE TABLE avro (id LONG NOT NULL, merchant STRING, amount INT) ${from('avro', 'avro')}`);
    const first = avroSchema();
    const wider = avroSchema(
      { name: 'amount', type: 'int', default: 0 },
      { name: 'extra', type: 'string', default: '' },
    );
    const changed = avroSchema({ name: 'amount', type: 'string', default: '' });
    const ids: number[] = [];
    for (const [index, schema] of [first, wider, changed].entries())
      ids.push(await registry.register(`avro-${index}`, { type: 'AVRO', text: JSON.stringify(schema) }));
    await produce(
      'avro',
      avroMessage(ids[0]!, first, { id: 1, merchant: 'a' }),
      avroMessage(ids[1]!, wider, { id: 2, merchant: null, amount: 7, extra: 'x' }),
      avroMessage(ids[2]!, changed, { id: 3, merchant: 'c', amount: 'seven' }),
      avroMessage(ids[2]!, changed, { id: 4, merchant: 'd', amount: '8' }),
      framed(99_999, Buffer.from([1, 2, 3])),
      Buffer.from('not framed'),
    );
    await rowsBecome('SELECT id, merchant, amount FROM avro ORDER BY id', [
      [1, 'a', null],
      [2, null, 7],
      [4, 'd', 8],
    ]);
    await eventually(async () => {
      const rejects = await sql(`SELECT "offset", reason FROM system.rejects WHERE "table" = 'avro' ORDER BY 1`);
      expect(rejects).toEqual([
        [2, expect.stringContaining('seven')],
        [4, expect.stringContaining('99999')],
        [5, expect.any(String)],
      ]);
    });
  });

  test('a registry that is away holds the messages, says so, and loses none', async () => {
    await kafka.createTopic('held', 1);
    await sql(`CREATE TABLE held (id LONG) ${from('held', 'avro')}`);
    const schema = avroSchema();
    const id = await registry.register('held', { type: 'AVRO', text: JSON.stringify(schema) });
    const port = Number(new URL(registry.url).port);
    await registry.stop();
    await produce('held', avroMessage(id, schema, { id: 5, merchant: null }));
    await eventually(async () => {
      const [[state, cause]] = (await sql(`SELECT state, cause FROM system.ingestion WHERE "table" = 'held'`)) as [
        [string, string],
      ];
      expect([state, cause]).toEqual(['failed', expect.stringContaining(String(port))]);
    });
    // Not in between: a registry that forgot its schemas would tell that there is none of this id.
    await sql('PAUSE INGESTION held');
    registry = await startSchemaRegistry(port);
    // It keeps its schemas in memory: the same ids come back in the same order.
    for (let next = 0; next < id; next++)
      await registry.register(`again-${next}`, {
        type: 'AVRO',
        text: JSON.stringify(next + 1 === id ? schema : avroSchema({ name: `f${next}`, type: 'int', default: 0 })),
      });
    await sql('RESUME INGESTION held');
    await rowsBecome('SELECT id FROM held', [[5]]);
  });

  test('Protobuf', async () => {
    await kafka.createTopic('proto', 1);
    const text = 'syntax = "proto3"; message Payment { int64 id = 1; string merchant = 2; optional double fee = 3; }';
    const id = await registry.register('proto', { type: 'PROTOBUF', text });
    const type = protobuf.parse(text, { keepCase: true }).root.lookupType('Payment');
    await sql(`CREATE TABLE proto (id LONG, merchant STRING, fee DOUBLE) ${from('proto', 'protobuf')}`);
    const message = (value: object): Buffer => framed(id, Uint8Array.of(0), type.encode(value).finish());
    await produce('proto', message({ id: 1, merchant: 'a', fee: 0.5 }), message({ id: 2 }));
    await rowsBecome('SELECT id, merchant, fee FROM proto ORDER BY id', [
      [1, 'a', 0.5],
      [2, '', null],
    ]);
  });

  test('CSV and Arrow', async () => {
    await kafka.createTopic('csv', 1);
    await kafka.createTopic('arrow', 1);
    await sql(`CREATE TABLE csv (id LONG, text STRING) ${from('csv', 'csv')}`);
    await sql(`CREATE TABLE arrow (id DOUBLE, text STRING) ${from('arrow', 'arrow')}`);
    await produce('csv', Buffer.from('1,"a, b"'), Buffer.from('2,'), Buffer.from('x,y'));
    const table = tableFromArrays({ id: Float64Array.of(1, 2), text: ['one', 'two'] });
    await produce('arrow', Buffer.from(tableToIPC(table, 'stream')), Buffer.from('nothing of the kind'));
    await rowsBecome('SELECT id, text FROM csv ORDER BY id', [
      [1, 'a, b'],
      [2, null],
    ]);
    await rowsBecome('SELECT id, text, $offset FROM arrow ORDER BY id', [
      [1, 'one', 0],
      [2, 'two', 0],
    ]);
    await eventually(async () => {
      expect(await sql(`SELECT COUNT(*) FROM system.rejects WHERE "table" IN ('csv', 'arrow')`)).toEqual([[2]]);
    });
  });
});
