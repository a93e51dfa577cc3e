import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fault } from '../../../src/base/fault.ts';
import { systemClock } from '../../../src/base/system.ts';
import { createClient } from '../../../src/client/client.ts';
import type { WeirError } from '../../../src/client/error.ts';
import {
  BOOLEAN,
  BYTES,
  DATE,
  DOUBLE,
  decimal,
  FLOAT,
  INT,
  INTERVAL,
  JSON_TYPE,
  LONG,
  STRING,
  TIMESTAMP,
  UUID,
} from '../../../src/column/type.ts';
import { deadlineGraceMs, queryTimeoutMsDefault } from '../../../src/http/limits.ts';
import { type Scripted, startServer } from './roles.ts';

let door: Awaited<ReturnType<typeof startServer>>;
beforeAll(async () => {
  door = await startServer();
});
afterAll(() => door.server.close());

const everyType: Scripted = {
  columns: [
    { name: 'b', type: BOOLEAN },
    { name: 'i', type: INT },
    { name: 'l', type: LONG },
    { name: 'f', type: FLOAT },
    { name: 'd', type: DOUBLE },
    { name: 'n', type: decimal(38, 4) },
    { name: 't', type: TIMESTAMP },
    { name: 'day', type: DATE },
    { name: 'v', type: INTERVAL },
    { name: 's', type: STRING },
    { name: 'u', type: UUID },
    { name: 'j', type: JSON_TYPE },
    { name: 'x', type: BYTES },
  ],
  parts: [
    [
      [
        true,
        -7,
        9007199254740993n,
        Math.fround(0.1),
        0.1,
        -12345678901234567890123456789012345678n,
        1704164645678,
        19724,
        { months: 14, days: 3, ms: 14706789 },
        'a "quoted", \\ line\nbreak ünïcödé \u0001',
        '00112233-4455-6677-8899-aabbccddeeff',
        '{"n": 9007199254740993}',
        new Uint8Array([0, 255, 16]),
      ],
      [null, null, null, null, null, null, null, null, null, null, null, null, null],
    ],
    [
      [
        false,
        2147483647,
        -9223372036854775808n,
        Number.NaN,
        Number.NEGATIVE_INFINITY,
        5n,
        -1,
        -1,
        { months: 0, days: 0, ms: 0 },
        '',
        'ffffffff-ffff-ffff-ffff-ffffffffffff',
        'null',
        new Uint8Array(),
      ],
    ],
  ],
};

describe('answers', () => {
  test('JSON: the exact shape, every type, every digit', async () => {
    door.answers.set('every', everyType);
    const response = await door.sql('every', { 'x-request-id': 'my-query.1' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(response.headers.get('x-request-id')).toBe('my-query.1');
    const text = await response.text();
    expect(text).toContain('[true,-7,9007199254740993,0.1,0.1,"-1234567890123456789012345678901234.5678",');
    expect(text).toContain('"2024-01-02T03:04:05.678Z","2024-01-02","1 year 2 mons 3 days 04:05:06.789",');
    expect(text).toContain('[null,null,null,null,null,null,null,null,null,null,null,null,null]');
    expect(text).toContain('-9223372036854775808,"NaN","-Infinity","0.0005","1969-12-31T23:59:59.999Z","1969-12-31",');
    const { rows, columns, ...rest } = JSON.parse(text);
    expect(Object.keys(rest)).toEqual(['complete', 'freshness', 'stats', 'queryId']);
    expect(rest).toMatchObject({ complete: true, queryId: 'my-query.1', stats: { rowsScanned: 10 } });
    expect(columns[5]).toEqual({ name: 'n', type: 'DECIMAL(38,4)' });
    expect(rows[0].slice(9)).toEqual([
      'a "quoted", \\ line\nbreak ünïcödé \u0001',
      '00112233-4455-6677-8899-aabbccddeeff',
      '{"n": 9007199254740993}',
      'AP8Q',
    ]);
    expect(rows).toHaveLength(3);
  });

  test('the client keeps 64-bit integers', async () => {
    door.answers.set('every', everyType);
    const client = createClient(door.url);
    const answer = await client.query('every');
    expect(answer.rows.map(row => row[2])).toEqual([9007199254740993n, null, -9223372036854775808n]);
    const stream = await client.stream('every');
    const rows: unknown[] = [];
    for (;;) {
      const next = await stream.rows.next();
      if (next.done) {
        expect(next.value).toMatchObject({ complete: true, queryId: stream.queryId });
        break;
      }
      rows.push(...next.value);
    }
    expect(rows).toEqual(answer.rows);
    expect(stream.columns).toEqual(answer.columns);
  });

  test('NDJSON: header, rows, trailer', async () => {
    const response = await door.sql('SELECT 1', { accept: 'application/x-ndjson' });
    const lines = (await response.text()).split('\n');
    expect(lines[0]).toMatch(/^\{"columns":\[\{"name":"one","type":"INT"\}\],"queryId":"[0-9a-f]{16}"\}$/);
    expect(lines[1]).toBe('[1]');
    expect(JSON.parse(lines[2]!)).toMatchObject({ complete: true, freshness: {} });
    expect(lines[3]).toBe('');
  });

  test('CSV: RFC 4180, NULL apart from the empty string', async () => {
    door.answers.set('csv', {
      columns: [
        { name: 'a,b', type: STRING },
        { name: 'n', type: DOUBLE },
      ],
      parts: [
        [
          ['plain', 1.5],
          ['with "quotes", and\r\nlines', Number.NaN],
          ['', null],
          [null, -0],
        ],
      ],
    });
    const response = await door.sql('csv', { accept: 'text/csv' });
    expect(response.headers.get('content-type')).toContain('text/csv');
    expect(await response.text()).toBe('"a,b",n\r\nplain,1.5\r\n"with ""quotes"", and\r\nlines",NaN\r\n"",\r\n,-0\r\n');
  });

  test('Accept is weighed; what cannot be given is refused', async () => {
    const typeOf = async (accept: string) => (await door.sql('SELECT 1', { accept })).headers.get('content-type');
    expect(await typeOf('text/html, */*;q=0.1')).toContain('application/json');
    expect(await typeOf('application/json;q=0.5, text/csv')).toContain('text/csv');
    expect(await typeOf('text/csv;q=0, application/x-ndjson')).toContain('ndjson');
    const refused = await door.sql('SELECT 1', { accept: 'image/png' });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ error: { code: 'INVALID_REQUEST' } });
  });

  test('a partial answer says so, and is never CSV', async () => {
    door.answers.set('partial', { columns: [], parts: [], complete: false });
    const response = await door.sql('partial', {}, { allowPartial: true });
    expect(await response.json()).toMatchObject({ complete: false, missing: ['segment-7'] });
    expect((await door.sql('partial', { accept: 'text/csv' }, { allowPartial: true })).status).toBe(400);
  });

  test('the request travels whole: parameters exact, timeout, identity', async () => {
    const client = createClient(door.url);
    await client.query('SELECT 1', { parameters: [9007199254740993n, 1.5, 'x', null, true], timeoutMs: 77 });
    expect(door.opened.at(-1)).toMatchObject({
      parameters: [9007199254740993n, 1.5, 'x', null, true],
      timeoutMs: 77,
      allowPartial: false,
      timeZone: 'UTC',
    });
  });
});

const wide = 'x'.repeat(1000);
/** About 1 MB of rows. */
const manyRows = Array.from({ length: 1000 }, (_, index) => [index, wide]);
const wideColumns = [
  { name: 'i', type: INT },
  { name: 's', type: STRING },
];

describe('failures', () => {
  test('an error before any row has its own status, position and hint', async () => {
    const response = await door.sql('SELECT mercant FROM payments', { 'x-request-id': 'q7' });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      error: {
        code: 'UNKNOWN_COLUMN',
        message: 'unknown column mercant',
        position: { line: 1, column: 8, offset: 7 },
        hint: 'did you mean merchant?',
      },
      queryId: 'q7',
    });
  });

  test('an error after few rows still has its own status', async () => {
    const columns = [{ name: 'i', type: INT }];
    door.answers.set('late', { columns, parts: [[[1], [2]], fault('TIMEOUT', 'took longer than 5 ms')] });
    const response = await door.sql('late');
    expect(response.status).toBe(504);
    expect(await response.json()).toMatchObject({ error: { code: 'TIMEOUT' } });
  });

  test('JSON that fails midway breaks off, and the client learns why', async () => {
    door.answers.set('midway', { columns: wideColumns, parts: [manyRows, fault('UNAVAILABLE', 'a server left')] });
    await expect((await door.sql('midway')).text()).rejects.toThrow();
    const failure = await createClient(door.url)
      .query('midway')
      .catch((error: WeirError) => error);
    expect(failure).toMatchObject({ name: 'WeirError', code: 'UNAVAILABLE', message: 'a server left' });
  });

  test('NDJSON that fails midway ends with an error', async () => {
    door.answers.set('midway', { columns: wideColumns, parts: [manyRows, fault('UNAVAILABLE', 'a server left')] });
    const text = await (await door.sql('midway', { accept: 'application/x-ndjson' })).text();
    const lines = text.trimEnd().split('\n');
    expect(lines).toHaveLength(1002);
    expect(JSON.parse(lines.at(-1)!)).toMatchObject({ error: { code: 'UNAVAILABLE' } });
    const stream = await createClient(door.url).stream('midway');
    let rowCount = 0;
    const read = async (): Promise<void> => {
      for await (const rows of stream.rows) rowCount += rows.length;
    };
    await expect(read()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(rowCount).toBe(1000);
  });

  test('CSV that fails midway breaks off', async () => {
    door.answers.set('midway', { columns: wideColumns, parts: [manyRows, fault('UNAVAILABLE', 'a server left')] });
    const response = await door.sql('midway', { accept: 'text/csv' });
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
  });

  test('a large answer arrives whole in every form', async () => {
    const parts = Array.from({ length: 5 }, () => manyRows);
    door.answers.set('large', { columns: wideColumns, parts });
    const { rows } = (await (await door.sql('large')).json()) as { rows: unknown[] };
    expect(rows).toEqual(parts.flat());
    expect((await (await door.sql('large', { accept: 'text/csv' })).text()).length).toBe(
      6 + parts.flat().reduce((size, [index]) => size + String(index).length + 1003, 0) - 1,
    );
  });

  test('bad requests are refused with what is wrong', async () => {
    const refusal = async (body: string, headers: Record<string, string> = {}) => {
      const response = await fetch(`${door.url}/v1/sql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body,
      });
      const { error } = (await response.json()) as { error: { code: string; message: string } };
      return `${response.status} ${error.code}: ${error.message}`;
    };
    expect(await refusal('{"sql": ')).toContain('400 INVALID_REQUEST: the body is no JSON');
    expect(await refusal('{"sql": 1}')).toContain('400 INVALID_REQUEST: the body.sql');
    expect(await refusal('{"sql": "SELECT 1", "timeoutMs": 0}')).toContain('the body.timeoutMs');
    expect(await refusal('{"sql": "SELECT 1", "parameters": [{}]}')).toContain('the body.parameters[0]');
    expect(await refusal('{"sql": "SELECT 1", "limit": 5}')).toContain('limit');
    expect(await refusal('SELECT 1', { 'content-type': 'text/plain' })).toContain(
      '400 INVALID_REQUEST: Content-Type text/plain',
    );
    expect(await refusal(`{"sql": "${'x'.repeat(5 << 20)}"}`)).toBe(
      '413 BODY_TOO_LARGE: the body is larger than 4194304 bytes',
    );
  });

  test('hostile bodies never get past 4xx', async () => {
    const body = fc.oneof(
      fc.json(),
      fc.string({ unit: 'binary' }),
      fc.json().map(json => `{"sql": ${json}, "x": `),
    );
    await fc.assert(
      fc.asyncProperty(body, async text => {
        const response = await fetch(`${door.url}/v1/sql`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: text,
        });
        expect(response.status).toBe(400);
        expect(await response.json()).toHaveProperty('error.message');
      }),
      { numRuns: 40 },
    );
  });
});

describe('cancelling', () => {
  const waits = (): Scripted & { readonly aborted: Promise<void>; readonly reached: Promise<void> } => {
    let onAborted = (): void => {};
    let onReached = (): void => {};
    const abortedPromise = new Promise<void>(resolve => {
      onAborted = resolve;
    });
    const reachedPromise = new Promise<void>(resolve => {
      onReached = resolve;
    });
    return {
      columns: wideColumns,
      parts: [
        signal =>
          new Promise((_, reject) => {
            onReached();
            signal.addEventListener('abort', () => {
              onAborted();
              reject(signal.reason);
            });
          }),
      ],
      aborted: abortedPromise,
      reached: reachedPromise,
    };
  };

  test('closing the connection cancels the query', async () => {
    const query = waits();
    door.answers.set('waits', query);
    const controller = new AbortController();
    const answer = door.sql('waits', { 'x-request-id': 'gone' }, {}, controller.signal);
    await query.reached;
    controller.abort();
    await expect(answer).rejects.toThrow();
    await query.aborted;
    await expect.poll(() => door.cancelled).toContain('gone');
    expect(door.running.has('gone')).toBe(false);
  });

  test('DELETE /v1/queries/{id} cancels it, once', async () => {
    const query = waits();
    door.answers.set('waits', query);
    const answer = door.sql('waits', { 'x-request-id': 'long-one' });
    await query.reached;
    const listed = (await (await fetch(`${door.url}/v1/queries`)).json()) as { queries: { queryId: string }[] };
    expect(listed.queries.map(({ queryId }) => queryId)).toContain('long-one');
    const client = createClient(door.url);
    expect(await client.cancel('long-one')).toBe(true);
    const response = await answer;
    expect(response.status).toBe(499);
    expect(await response.json()).toMatchObject({ error: { code: 'CANCELLED' }, queryId: 'long-one' });
    expect(await client.cancel('long-one')).toBe(false);
    const again = await fetch(`${door.url}/v1/queries/long-one`, { method: 'DELETE' });
    expect(again.status).toBe(404);
    expect(await again.json()).toMatchObject({ error: { code: 'UNKNOWN_QUERY' } });
  });

  test('a reader that leaves a stream early cancels the query', async () => {
    let framesMade = 0;
    const made = async (): Promise<void> => {
      framesMade++;
    };
    const parts = Array.from({ length: 200 }, () => [made, manyRows] as const).flat();
    door.answers.set('endless', { columns: wideColumns, parts });
    const request = httpRequest(`${door.url}/v1/sql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': 'left' },
    });
    request.end(JSON.stringify({ sql: 'endless' }));
    const [response] = await once(request, 'response');
    await once(response, 'readable');
    // Nothing more is read: what the sockets do not hold is not made.
    response.destroy();
    await expect.poll(() => door.cancelled.includes('left')).toBe(true);
    expect(framesMade).toBeLessThan(100);
  });

  test('a reader that takes nothing until the query has no time left loses its answer', async () => {
    // On this clock every wait for a reader is too long: it lasts as long as the query may, which is half a slow reader's time.
    const sleep = async (delayMs: number, signal?: AbortSignal): Promise<void> => {
      expect(delayMs).toBeLessThanOrEqual(queryTimeoutMsDefault + deadlineGraceMs);
      return delayMs > queryTimeoutMsDefault / 2 ? undefined : systemClock.sleep(delayMs, signal);
    };
    const slow = await startServer({}, { clock: { ...systemClock, sleep } });
    try {
      const parts = Array.from({ length: 50 }, () => manyRows);
      slow.answers.set('large', { columns: wideColumns, parts });
      const answer = slow.sql('large', { 'x-request-id': 'slow' }).then(response => response.text());
      await expect(answer).rejects.toThrow();
      await expect.poll(() => slow.cancelled).toEqual(['slow']);
    } finally {
      await slow.server.close();
    }
  });
});
