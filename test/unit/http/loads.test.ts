import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fault } from '../../../src/base/fault.ts';
import { runningLoad, startServer } from './roles.ts';

let door: Awaited<ReturnType<typeof startServer>>;
beforeAll(async () => {
  door = await startServer();
});
afterAll(() => door.server.close());
beforeEach(() => {
  Object.assign(door.state, { started: runningLoad, load: runningLoad });
  door.state.loads.length = 0;
  door.state.uploads.length = 0;
});

const send = async (method: string, path: string, body?: unknown) => {
  const response = await fetch(`${door.url}${path}`, {
    method,
    ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
};
const files = [{ path: '/in/a.csv' }];
const shown = {
  ...{ id: runningLoad.id, table: 'flights', key: 'k', state: 'running' },
  files: [{ name: '/in/a.csv', sizeBytes: 100 }],
  replace: { from: '1970-01-01T00:00:00.000Z', to: '1970-01-02T00:00:00.000Z' },
  ...{ bytesRead: 40, bytesTotal: 100, rowsRead: 4, rowsLoaded: 2, rowsRejected: 1, rejects: runningLoad.rejects },
  ...{ createdAtMs: 1_000, finishedAtMs: null, error: null },
};

describe('POST /v1/loads', () => {
  test('answers 202 with the load, without where its files really are; 200 for one that has ended', async () => {
    const { status, json } = await send('POST', '/v1/loads', { table: 'flights', files });
    expect([status, json]).toEqual([202, { load: shown, created: null, notes: ['a guess'] }]);
    door.state.started = { ...runningLoad, state: 'finished' };
    expect((await send('POST', '/v1/loads', { table: 'flights', files })).status).toBe(200);
  });

  test('passes on what was asked for', async () => {
    await send('POST', '/v1/loads', {
      ...{
        table: 't',
        files: [...files, { upload: 'a'.repeat(64), name: 'b.csv' }],
        format: 'csv',
        delimiter: '|',
        quote: '',
      },
      ...{
        header: false,
        nullTexts: ['-'],
        nested: 'flatten',
        rejectsMax: 3,
        key: 'mine',
        create: true,
        timeColumn: null,
      },
      replace: { from: '2024-01-01', to: '2024-01-01T06:00:00+01:00' },
    });
    expect(door.state.loads).toEqual([
      {
        ...{ table: 't', files: [...files, { upload: 'a'.repeat(64), name: 'b.csv' }], key: 'mine', create: true },
        options: { format: 'csv', delimiter: '|', quote: '', header: false, nullTexts: ['-'], nested: 'flatten' },
        ...{ rejectsMax: 3, timeColumn: null, replace: { fromMs: 1_704_067_200_000, toMs: 1_704_085_200_000 } },
      },
    ]);
  });

  test('proposes on a dry run', async () => {
    const { status, json } = await send('POST', '/v1/loads', { table: 't', files, dryRun: true });
    expect([status, json]).toEqual([200, { statement: 'CREATE TABLE …', notes: [], rowCount: 3 }]);
    expect(door.state.loads).toEqual([]);
  });

  test.each([
    ['no files', { table: 't', files: [] }, 'INVALID_REQUEST'],
    ['a file that is neither', { table: 't', files: [{ url: 'http://x' }] }, 'INVALID_REQUEST'],
    ['a word that is none', { table: 't', files, frobnicate: 1 }, 'INVALID_REQUEST'],
    ['a format that is none', { table: 't', files, format: 'xlsx' }, 'INVALID_REQUEST'],
    [
      'a range that ends before it begins',
      { table: 't', files, replace: { from: '2024-01-02', to: '2024-01-01' } },
      'INVALID_REQUEST',
    ],
    ['a range of no time', { table: 't', files, replace: { from: 'monday', to: '2024-01-01' } }, 'INVALID_REQUEST'],
    ['less than no rejects', { table: 't', files, rejectsMax: -1 }, 'INVALID_REQUEST'],
  ])('refuses %s', async (_, body, code) => {
    const { status, json } = await send('POST', '/v1/loads', body);
    expect([status, (json.error as { code: string }).code]).toEqual([400, code]);
  });

  test('a folder that is not allowed is 403', async () => {
    door.state.started = fault('FORBIDDEN', 'no', { hint: 'start it with --load-from FOLDER' });
    const { status, json } = await send('POST', '/v1/loads', { table: 't', files });
    expect([status, json.error]).toEqual([
      403,
      { code: 'FORBIDDEN', message: 'no', hint: 'start it with --load-from FOLDER' },
    ]);
  });
});

test('a load is polled; one that is not there is 404', async () => {
  expect(await send('GET', `/v1/loads/${runningLoad.id}`)).toEqual({ status: 200, json: shown });
  expect((await send('GET', '/v1/loads/none')).status).toBe(404);
  expect(await send('GET', '/v1/loads')).toEqual({ status: 200, json: { loads: [] } });
});

describe('uploads', () => {
  const id = 'b'.repeat(64);
  const put = (query: string, body: string) =>
    fetch(`${door.url}/v1/uploads/${id}${query}`, {
      method: 'PUT',
      body,
      headers: { 'content-type': 'application/octet-stream' },
    });

  test('come whole, or in parts', async () => {
    expect(await (await put('', 'abc')).json()).toEqual({ receivedBytes: 3, isWhole: true });
    door.state.uploads.length = 0;
    expect(await (await put('?offset=0&size=5', 'abc')).json()).toEqual({ receivedBytes: 3, isWhole: false });
    expect(await (await put('?offset=3&size=5', 'de')).json()).toEqual({ receivedBytes: 5, isWhole: true });
    expect(door.state.uploads.map(({ offset, totalBytes }) => [offset, totalBytes])).toEqual([
      [0, 5],
      [3, 5],
    ]);
    expect(await send('GET', `/v1/uploads/${id}`)).toEqual({ status: 200, json: { receivedBytes: 5, isWhole: true } });
  });

  test.each(['?offset=-1', '?offset=1.5', '?offset=x', `?size=${'9'.repeat(30)}`])('%s is refused', async query => {
    expect((await put(query, 'abc')).status).toBe(400);
  });
});
