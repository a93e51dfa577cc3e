import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fault } from '../../../src/base/fault.ts';
import type { SegmentEntry } from '../../../src/catalog/table.ts';
import { createClient, type WeirClient } from '../../../src/client/client.ts';
import { parseJson } from '../../../src/client/json.ts';
import type { CreateTable, TableInfo } from '../../../src/client/types.ts';
import { typeText } from '../../../src/column/type.ts';
import { cellOfValue, valueOfCell } from '../../../src/http/json-model.ts';
import { parseType } from '../../../src/http/json-type.ts';
import type { IngestState } from '../../../src/wire/ingest-calls.ts';
import { startServer } from './roles.ts';

const bodySizeBytesMax = 100_000;
let door: Awaited<ReturnType<typeof startServer>>;
let client: WeirClient;
beforeAll(async () => {
  door = await startServer({ bodySizeBytesMax });
  client = createClient(door.url);
  await client.createTable(payments);
});
afterAll(() => door.server.close());
beforeEach(() => {
  door.state.pushAnswer = { accepted: 1, rejected: 0, rejects: [], duplicate: false };
});

const payments: CreateTable = {
  name: 'payments',
  columns: [
    { name: 'ts', type: 'TIMESTAMP', nullable: false },
    { name: 'merchant', type: 'string' },
    { name: 'amount', type: 'LONG', default: 9007199254740993n },
    { name: 'fee', type: 'DECIMAL(12, 2)', default: '1.50' },
  ],
  timeColumn: 'ts',
  indexes: [{ column: 'merchant', kind: 'inverted' }],
  settings: { segmentRows: 1000 },
};

const segment = (id: string, rowCount: number): SegmentEntry => ({
  id,
  tableId: '000000000001',
  partition: 0,
  startOffset: 0,
  endOffset: rowCount,
  rowCount,
  sizeBytes: 500,
  generation: 1,
  tableVersion: 1,
  minTimeMs: 1,
  maxTimeMs: 2,
  zones: { '3': { nullCount: 0, min: 1n, max: 9007199254740993n } },
  createdAtMs: 5,
});

const ingestState = (state: 'consuming' | 'failed', cause: string | null): IngestState => ({
  tableId: '000000000001',
  table: 'payments',
  partition: 0,
  source: 'log',
  committedEnd: 10,
  freshness: {
    partition: 0,
    ingestedOffset: 25,
    endOffset: 25,
    observedAtMs: 1,
    lagMs: 1500,
    watermarkMs: 1,
    state,
    cause,
  },
  consumingRows: 15,
  rowsIngested: 25,
  rowsRejected: 0,
  rowsFiltered: 0,
  offsetsLost: 0,
  logSizeBytes: 4096,
  lastFault: null,
  notice: null,
  auditMismatches: 0,
});

describe('definitions', () => {
  test('a table goes in and comes out, its defaults exact', async () => {
    const info = await client.table('payments');
    expect(info).toMatchObject({
      name: 'payments',
      timeColumn: 'ts',
      indexes: [{ column: 'merchant', kind: 'inverted' }],
      settings: { segmentRows: 1000 },
    });
    expect(info.columns).toEqual([
      { id: 1, name: 'ts', type: 'TIMESTAMP', nullable: false, default: null },
      { id: 2, name: 'merchant', type: 'STRING', nullable: true, default: null },
      { id: 3, name: 'amount', type: 'LONG', nullable: true, default: 9007199254740993n },
      { id: 4, name: 'fee', type: 'DECIMAL(12,2)', nullable: true, default: '1.50' },
    ]);
  });

  test('what GET shows can be posted again', async () => {
    const { name: _, columns, timeColumn, indexes, settings } = await client.table('payments');
    const copy = {
      name: 'copy',
      columns: columns.map(({ id: _, ...column }) => column),
      timeColumn,
      indexes,
      settings,
    };
    const made = await client.createTable(copy as CreateTable);
    expect(made.columns).toEqual(columns);
    await client.dropTable('copy');
    expect((await client.tables()).map(({ name }) => name)).toEqual(['payments']);
  });

  test('sizes: committed and consuming rows, segments', async () => {
    door.segments.set('000000000001', [segment('a', 4), segment('b', 6)]);
    door.state.ingestion = [ingestState('consuming', null)];
    const info: TableInfo = await client.table('PAYMENTS');
    expect(info).toMatchObject({ segments: 2, rows: 25, consumingRows: 15, sizeBytes: 1000 });
    expect(await client.segments('payments')).toEqual([
      expect.objectContaining({ id: 'a', rows: 4, minTimeMs: 1, endOffset: 4 }),
      expect.objectContaining({ id: 'b', rows: 6 }),
    ]);
    expect(door.leases.size).toBe(0);
    expect(await client.ingestion()).toEqual(door.state.ingestion);
    expect(await client.commit('payments')).toEqual({ segments: 2 });
  });

  test('errors name the cause', async () => {
    await expect(client.table('paymnts')).rejects.toMatchObject({
      status: 404,
      code: 'UNKNOWN_TABLE',
      hint: 'did you mean payments?',
    });
    await expect(client.createTable(payments)).rejects.toMatchObject({ status: 409, code: 'TABLE_EXISTS' });
    const withType = (type: string) => client.createTable({ name: 'x', columns: [{ name: 'c', type }] });
    await expect(withType('STRIN')).rejects.toMatchObject({ code: 'INVALID_DEFINITION', hint: 'did you mean STRING?' });
    await expect(withType('DECIMAL(99,1)')).rejects.toMatchObject({ code: 'INVALID_DEFINITION' });
    await expect(
      client.createTable({ name: 'x', columns: [{ name: 'c', type: 'INT', default: 'one' }] }),
    ).rejects.toMatchObject({ code: 'INVALID_LITERAL', message: 'the default of column c is no INT: one' });
  });

  test('types and defaults round-trip', () => {
    const samples: readonly (readonly [string, string | number | bigint | boolean])[] = [
      ['BOOLEAN', false],
      ['INT', -5],
      ['LONG', -9223372036854775808n],
      ['DOUBLE', 0.1],
      ['DECIMAL(38,10)', '-1234567890123456789012345678.0123456789'],
      ['TIMESTAMP', '2024-01-02T03:04:05.678Z'],
      ['DATE', '2024-02-29'],
      ['STRING', ''],
      ['UUID', '00112233-4455-6677-8899-aabbccddeeff'],
      ['JSON', '{"a":1}'],
      ['BYTES', 'AP8Q'],
    ];
    for (const [text, cell] of samples) {
      const type = parseType(text.toLowerCase());
      expect(typeText(type)).toBe(text);
      expect(cellOfValue(valueOfCell(cell, type, 'c'), type)).toEqual(cell);
    }
  });
});

describe('push', () => {
  const rows = (
    headers: Record<string, string>,
    body: string | Uint8Array<ArrayBuffer>,
    query = '',
    table = 'payments',
  ) => fetch(`${door.url}/v1/tables/${encodeURIComponent(table)}/rows${query}`, { method: 'POST', headers, body });
  const ndjson = { 'content-type': 'application/x-ndjson' };

  test('the body goes to ingestion as it is, with format, key and strictness', async () => {
    const answer = await client.push('payments', '{"amount": 9007199254740993}\n', 'ndjson', {
      idempotencyKey: 'key-1',
      strict: true,
    });
    expect(answer).toEqual({ accepted: 1, rejected: 0, rejects: [], duplicate: false });
    const { body, ...input } = door.pushes.at(-1)!;
    expect(new TextDecoder().decode(body)).toBe('{"amount": 9007199254740993}\n');
    expect(input).toEqual({ tableId: '000000000001', format: 'ndjson', strict: true, idempotencyKey: 'key-1' });
    for (const [type, format] of [
      ['application/json; charset=utf-8', 'json'],
      ['text/csv', 'csv'],
      ['application/jsonl', 'ndjson'],
    ] as const) {
      await rows({ 'content-type': type }, '[]');
      expect(door.pushes.at(-1)).toMatchObject({ format, strict: false, idempotencyKey: null });
    }
  });

  test('rejects are named', async () => {
    const rejects = [{ line: 2, column: 'amount', reason: 'not a LONG: "x"' }];
    door.state.pushAnswer = { accepted: 1, rejected: 1, rejects, duplicate: false };
    expect(await (await rows(ndjson, 'a\nb')).json()).toEqual({ accepted: 1, rejected: 1, rejects, duplicate: false });
    door.state.pushAnswer = fault('DISK_FULL', 'the disk is full');
    const full = await rows(ndjson, 'a');
    expect(full.status).toBe(503);
    expect(full.headers.get('retry-after')).toBe('1');
  });

  test('gzip is read', async () => {
    const text = '{"amount": 1}\n'.repeat(1000);
    const response = await rows({ ...ndjson, 'content-encoding': 'gzip' }, new Uint8Array(gzipSync(text)));
    expect(response.status).toBe(200);
    expect(new TextDecoder().decode(door.pushes.at(-1)!.body)).toBe(text);
  });

  test('the limit holds for what is sent, announced or not', async () => {
    const body = new Uint8Array(bodySizeBytesMax + 1);
    const announced = await rows(ndjson, body);
    expect(announced.status).toBe(413);
    expect(await announced.json()).toEqual({
      error: {
        code: 'BODY_TOO_LARGE',
        message: 'the body is larger than 100000 bytes',
        hint: 'send it in several requests',
        details: { sizeBytesMax: 100000 },
      },
    });
    const chunked = await fetch(`${door.url}/v1/tables/payments/rows`, {
      method: 'POST',
      headers: ndjson,
      body: new Blob([body]).stream(),
      duplex: 'half',
    } as RequestInit);
    expect(chunked.status).toBe(413);
    expect((await rows(ndjson, body.subarray(1))).status).toBe(200);
  });

  test('a gzip bomb stops at the limit', async () => {
    const bomb = new Uint8Array(gzipSync(Buffer.alloc(64 << 20)));
    expect(bomb.length).toBeLessThan(bodySizeBytesMax);
    const pushed = door.pushes.length;
    const response = await rows({ ...ndjson, 'content-encoding': 'gzip' }, bomb);
    expect(response.status).toBe(413);
    expect(await response.text()).toContain('after decompression');
    expect(door.pushes).toHaveLength(pushed);
  });

  test('a broken gzip is refused, whatever is broken', async () => {
    const whole = gzipSync('{"amount": 1}\n'.repeat(100));
    const noise = fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean());
    await fc.assert(
      fc.asyncProperty(noise, async ([at, flip, cut]) => {
        const bytes = new Uint8Array(whole.subarray(0, cut ? at : whole.length));
        if (!cut) bytes[at]! ^= flip;
        const { status } = await rows({ ...ndjson, 'content-encoding': 'gzip' }, bytes);
        // A flipped bit in the header (time, system) leaves the content as it was.
        expect([200, 400]).toContain(status);
        if (cut && at > 0) expect(status).toBe(400);
      }),
      { numRuns: 40 },
    );
  });

  test('what is not understood is refused by name', async () => {
    const refusal = async (response: Promise<Response>) => {
      const { error } = (await (await response).json()) as { error: { code: string; message: string } };
      return `${error.code}: ${error.message}`;
    };
    expect(await refusal(rows({ 'content-type': 'text/plain' }, 'x'))).toContain('rows of Content-Type text/plain');
    expect(await refusal(rows({ ...ndjson, 'content-encoding': 'br' }, 'x'))).toContain('Content-Encoding br');
    expect(await refusal(rows(ndjson, 'x', '?strict=maybe'))).toBe(
      'INVALID_PARAMETER: strict is true or false, not maybe',
    );
    expect(await refusal(rows({ ...ndjson, 'idempotency-key': 'x'.repeat(201) }, 'x'))).toContain('Idempotency-Key');
    expect(await refusal(rows(ndjson, 'x', '', '../../etc/passwd'))).toBe(
      'UNKNOWN_TABLE: unknown table ../../etc/passwd',
    );
  });

  test('any table name in the path is looked up or refused, never a crash', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1 }), async name => {
        const path = /^\.+$/.test(name) ? 'x' : encodeURIComponent(name);
        const response = await fetch(`${door.url}/v1/tables/${path}`);
        expect(response.status).toBe(404);
        expect(parseJson(await response.text())).toHaveProperty('error.code', 'UNKNOWN_TABLE');
      }),
      { numRuns: 40 },
    );
    expect((await fetch(`${door.url}/v1/tables/%ff`)).status).toBe(400);
  });
});

describe('health and metrics', () => {
  test('ready while queries are answered, with the causes of what is wrong', async () => {
    const broken = await startServer();
    try {
      const other = createClient(broken.url);
      broken.state.ingestion = [ingestState('failed', 'the disk is full')];
      const response = await fetch(`${broken.url}/health/ready`);
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({
        status: 'degraded',
        checks: {
          queries: { ok: true, causes: [] },
          metadata: { ok: true, causes: [] },
          ingestion: { ok: false, causes: ['payments, partition 0: the disk is full'] },
          cluster: { ok: true, causes: [] },
          storage: { ok: true, causes: [] },
        },
      });
      expect((await other.health()).status).toBe('degraded');
      expect(await (await fetch(`${broken.url}/health/live`)).json()).toEqual({ status: 'live' });
    } finally {
      await broken.server.close();
    }
  });

  test('not ready where queries are not answered', async () => {
    const broken = await startServer();
    try {
      broken.answers.set('SELECT 1', fault('UNAVAILABLE', 'no server is up'));
      const response = await fetch(`${broken.url}/health/ready`);
      expect(response.status).toBe(503);
      expect(await response.json()).toMatchObject({
        status: 'unavailable',
        checks: { queries: { ok: false, causes: ['no server is up'] } },
      });
    } finally {
      await broken.server.close();
    }
  });

  test('metrics count queries, rows and what the roles say', async () => {
    door.state.ingestion = [ingestState('failed', 'x')];
    door.segments.set('000000000001', [segment('a', 10)]);
    await (await door.sql('SELECT 1', { accept: 'application/x-ndjson' })).text();
    await door.sql('SELECT nothing');
    const response = await fetch(`${door.url}/metrics`);
    expect(response.headers.get('content-type')).toContain('text/plain');
    const text = await response.text();
    for (const line of [
      'weir_queries_total{outcome="ok"} 1',
      'weir_queries_total{outcome="UNKNOWN_COLUMN"} 1',
      'weir_ingested_offset{table="payments",partition="0"} 25',
      'weir_ingestion_lag_seconds{table="payments",partition="0"} 1.5',
      'weir_ingestion_failed{table="payments",partition="0"} 1',
      'weir_segments{table="payments"} 1',
      'weir_table_rows{table="payments"} 25',
    ])
      expect(text).toContain(line);
    expect(text).toMatch(/weir_rows_pushed_total\{table="payments"\} \d+/);
    expect(text).toMatch(/weir_http_request_duration_seconds_count\{route="\/v1\/sql",method="POST",status="200"\} 1/);
    expect(text).toContain('process_resident_memory_bytes');
    expect(text).toContain('nodejs_eventloop_lag_seconds');
  });
});
