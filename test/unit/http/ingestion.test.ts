import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createClient, type WeirClient } from '../../../src/client/client.ts';
import type { CreateTable } from '../../../src/client/types.ts';
import type { IngestState } from '../../../src/wire/ingest-calls.ts';
import { startServer } from './roles.ts';

let door: Awaited<ReturnType<typeof startServer>>;
let client: WeirClient;
beforeAll(async () => {
  door = await startServer();
  client = createClient(door.url);
});
afterAll(() => door.server.close());

const topic: CreateTable = {
  name: 'topic',
  columns: [{ name: 'a', type: 'LONG' }],
  source: { kind: 'kafka', brokers: ['a:9092'], topic: 'p' },
};

const refused = (source: object) =>
  fetch(`${door.url}/v1/tables`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...topic, name: 'other', source: { ...topic.source, ...source } }),
  });

describe('tables of topics', () => {
  test('what is left out is filled in, and shown', async () => {
    const info = await client.createTable(topic);
    expect(info.source).toEqual({
      ...{
        kind: 'kafka',
        brokers: ['a:9092'],
        topic: 'p',
        format: 'json',
        tls: null,
        sasl: null,
        schemaRegistry: null,
      },
      ...{ isolation: 'read_committed', startFrom: 'earliest', onLostOffsets: 'skip', onTopicRecreated: 'restart' },
      ...{ unknownFields: 'ignore', deadLetterTopic: null, transform: null },
    });
    expect((await client.table('topic')).source).toEqual(info.source);
  });

  test('what GET shows can be posted again, references and transform among it', async () => {
    const { source } = await client.createTable({
      ...topic,
      name: 'second',
      source: {
        ...{ kind: 'kafka', brokers: ['a:1', 'b:2'], topic: 'p', startFrom: 5, format: 'avro' },
        tls: { ca: 'file:/ca.pem' },
        sasl: { mechanism: 'plain', username: 'u', password: 'env:P' },
        schemaRegistry: { url: 'http://r:8081' },
        transform: { sql: 'SELECT x AS a FROM message', fields: [{ name: 'x', type: 'DECIMAL(10,2)' }] },
      },
    });
    expect(source).toMatchObject({ sasl: { password: 'env:P' }, transform: { fields: [{ type: 'DECIMAL(10,2)' }] } });
    expect((await client.createTable({ ...topic, name: 'third', source })).source).toEqual(source);
  });

  test.each([
    [{ topik: 'x' }, 'INVALID_REQUEST', /topik/],
    [{ format: 'xml' }, 'INVALID_REQUEST', /the body\.source\.format/],
    [{ brokers: ['a'] }, 'INVALID_DEFINITION', /"a" is not host:port/],
    [{ startFrom: 'soon' }, 'INVALID_REQUEST', /the body\.source\.startFrom/],
    [
      { sasl: { mechanism: 'plain', username: 'u', password: 'hunter2' } },
      'INVALID_DEFINITION',
      /sasl_password is written out/,
    ],
    [{ tls: { key: 'hunter2', certificate: 'env:C' } }, 'INVALID_DEFINITION', /tls_key is written out/],
    [{ transform: { sql: 'x', fields: [{ name: 'a', type: 'NO' }] } }, 'INVALID_DEFINITION', /"NO" is no type/],
  ] as const)('%j', async (source, code, message) => {
    const response = await refused(source);
    const text = await response.text();
    expect(response.status).toBe(400);
    expect(JSON.parse(text)).toMatchObject({ error: { code } });
    expect(text.replaceAll('\\"', '"')).toMatch(message);
    expect(text).not.toContain('hunter2');
  });
});

describe('steering', () => {
  beforeEach(() => {
    door.steered.length = 0;
  });
  const tableId = () => door.tables.find(({ name }) => name === 'topic')!.id;

  test('every call goes to ingestion as it is meant', async () => {
    await client.pause('topic');
    await client.resume('Topic', 3);
    expect(await client.commit('topic')).toEqual({ segments: 2 });
    expect(await client.commit('topic', 1)).toEqual({ segments: 2 });
    expect(await client.seek('topic', { offset: 7 }, 1)).toEqual({ partitions: [{ partition: 1, offset: 7 }] });
    await client.seek('topic', { time: '2024-05-01T00:00:00Z' });
    await client.seek('topic', 'end');
    const id = tableId();
    expect(door.steered).toEqual([
      { action: 'pause', input: { tableId: id, partition: null } },
      { action: 'resume', input: { tableId: id, partition: 3 } },
      { action: 'commit', input: { tableId: id } },
      { action: 'commit', input: { tableId: id, partition: 1 } },
      { action: 'seek', input: { tableId: id, partition: 1, to: { kind: 'offset', offset: 7 } } },
      { action: 'seek', input: { tableId: id, partition: null, to: { kind: 'time', timeMs: Date.UTC(2024, 4, 1) } } },
      { action: 'seek', input: { tableId: id, partition: null, to: { kind: 'end' } } },
    ]);
  });

  test('without a body, as curl -X POST sends it', async () => {
    for (const path of ['ingestion/pause', 'ingestion/commit', 'commit'])
      expect((await fetch(`${door.url}/v1/tables/topic/${path}`, { method: 'POST' })).status).toBe(200);
    expect(door.steered.map(({ action }) => action)).toEqual(['pause', 'commit', 'commit']);
  });

  test.each([
    ['seek', {}, /the body\.to/],
    ['seek', { to: 'middle' }, /the body\.to/],
    ['seek', { to: { offset: 1 } }, /an offset is of one partition/],
    ['seek', { to: { time: 'soon' } }, /the body\.to\.time: soon is no time/],
    ['pause', { partition: -1 }, /the body\.partition/],
  ] as const)('%s %j is refused', async (action, body, message) => {
    const response = await fetch(`${door.url}/v1/tables/topic/ingestion/${action}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(400);
    expect(await response.text()).toMatch(message);
    expect(door.steered).toEqual([]);
  });
});

test('state, health and metrics of a partition', async () => {
  const table = door.tables.find(({ name }) => name === 'topic')!;
  const state: IngestState = {
    ...{ tableId: table.id, table: 'topic', partition: 2, source: 'kafka', committedEnd: 5, logSizeBytes: 0 },
    freshness: {
      ...{ partition: 2, ingestedOffset: 10, endOffset: 25, observedAtMs: 1, lagMs: 1500, watermarkMs: null },
      ...{ state: 'paused', cause: null },
    },
    ...{
      consumingRows: 0,
      rowsIngested: 9,
      rowsRejected: 3,
      rowsFiltered: 4,
      offsetsLost: 5,
      lastFault: null,
      notice: null,
      auditMismatches: 1,
    },
  };
  door.state.ingestion = [state, { ...state, tableId: 'another', table: 'other' }];
  expect(await client.ingestion('topic')).toEqual([state]);
  expect((await client.health()).checks.ingestion!.causes[0]).toMatch(
    /^topic, partition 2: 1 ranges of offsets do not add up/,
  );
  const text = await (await fetch(`${door.url}/metrics`)).text();
  for (const [name, value] of Object.entries({
    weir_ingested_offset: 10,
    weir_end_offset: 25,
    weir_ingestion_lag_offsets: 15,
    weir_ingestion_lag_seconds: 1.5,
    weir_ingestion_paused: 1,
    weir_ingestion_failed: 0,
    weir_ingested_rows: 9,
    weir_ingestion_rejected_rows: 3,
    weir_ingestion_filtered_rows: 4,
    weir_ingestion_lost_offsets: 5,
    weir_ingestion_audit_mismatches: 1,
  }))
    expect(text).toContain(`${name}{table="topic",partition="2"} ${value}\n`);
});
