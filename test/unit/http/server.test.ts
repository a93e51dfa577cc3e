import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FaultCode, faultKinds } from '../../../src/base/fault.ts';
import { createHttpServer, httpDefaults } from '../../../src/http/server.ts';
import { statusOf } from '../../../src/http/status.ts';
import { createRoles, startServer } from './roles.ts';

let folder: string;
let door: Awaited<ReturnType<typeof startServer>>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weir-page-'));
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Weir</title>');
  writeFileSync(join(folder, 'assets', 'page-1a2b.js'), 'export {};');
  door = await startServer({
    webFolder: folder,
    hostNames: ['weir.example'],
    origins: ['https://grafana.example'],
  });
});
afterAll(async () => {
  await door.server.close();
  rmSync(folder, { recursive: true });
});

/** `fetch` lets nobody set Host or Origin. */
async function get(path: string, headers: Record<string, string>, method = 'GET'): Promise<IncomingMessage> {
  const request = httpRequest(`${door.url}${path}`, { method, headers, agent: false });
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  return response;
}

describe('guards', () => {
  test('Host must be a name of the server', async () => {
    const statusFor = async (host: string) => (await get('/health/live', { host })).statusCode;
    for (const host of [
      'localhost',
      `localhost:${door.port}`,
      '127.0.0.1',
      '[::1]:9',
      'weir.example',
      'WEIR.example:80',
    ])
      expect([host, await statusFor(host)]).toEqual([host, 200]);
    for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', '10.0.0.1'])
      expect([host, await statusFor(host)]).toEqual([host, 403]);
    const socket = connect(door.port, '127.0.0.1');
    socket.write('GET /health/live HTTP/1.0\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1.1 403/);
    socket.destroy();
  });

  test('Origin must be the server itself or an allowed one', async () => {
    const host = `localhost:${door.port}`;
    const statusFor = async (origin: string) => (await get('/v1/tables', { host, origin })).statusCode;
    for (const origin of [`http://${host}`, 'https://grafana.example'])
      expect([origin, await statusFor(origin)]).toEqual([origin, 200]);
    for (const origin of ['http://evil.example', 'null', 'http://localhost:1', `file://${host}`, 'x'])
      expect([origin, await statusFor(origin)]).toEqual([origin, 403]);
  });

  test('preflights of foreign pages get no leave', async () => {
    const response = await get('/v1/sql', { origin: 'http://evil.example' }, 'OPTIONS');
    expect(response.statusCode).toBe(403);
    expect(response.headers['access-control-allow-origin']).toBeUndefined();
  });

  test('security headers are on every answer, streamed and refused ones too', async () => {
    for (const response of [
      await fetch(`${door.url}/ui/`),
      await fetch(`${door.url}/v1/tables/none`),
      await door.sql('SELECT 1', { accept: 'application/x-ndjson' }),
    ]) {
      expect(response.headers.get('content-security-policy')).toContain("default-src 'self'");
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      expect(response.headers.get('x-frame-options')).toBe('DENY');
    }
  });
});

describe('pages', () => {
  test('/ and /ui lead to the page', async () => {
    for (const path of ['/', '/ui']) {
      const response = await fetch(`${door.url}${path}`, { redirect: 'manual' });
      expect([response.status, response.headers.get('location')]).toEqual([302, '/ui/']);
    }
    expect(await (await fetch(`${door.url}/`)).text()).toContain('<title>Weir</title>');
  });

  test('addresses inside the page are the page, for browsers only', async () => {
    const html = { headers: { accept: 'text/html,*/*' } };
    expect(await (await fetch(`${door.url}/ui/tables/payments`, html)).text()).toContain('<title>Weir</title>');
    expect((await fetch(`${door.url}/ui/assets/none.js`)).status).toBe(404);
    expect((await fetch(`${door.url}/elsewhere`, html)).status).toBe(404);
  });

  test('assets are cached for ever, the page is asked for each time', async () => {
    const cacheOf = async (path: string) => (await fetch(`${door.url}${path}`)).headers.get('cache-control');
    expect(await cacheOf('/ui/assets/page-1a2b.js')).toContain('immutable');
    expect(await cacheOf('/ui/')).toBe('no-cache');
  });

  test('nothing outside the folder is served', async () => {
    for (const path of [
      '/ui/../package.json',
      '/ui/%2e%2e/package.json',
      '/ui/..%2f..%2fetc/passwd',
      '/ui//etc/passwd',
    ])
      expect([path, (await get(path, {})).statusCode]).not.toEqual([path, 200]);
  });

  test('the documentation names every route of the API', async () => {
    const document = (await (await fetch(`${door.url}/openapi.json`)).json()) as { paths: Record<string, unknown> };
    const page = await (await fetch(`${door.url}/docs`)).text();
    for (const path of Object.keys(document.paths)) expect(page).toContain(path);
    expect(page).not.toMatch(/<script|src="http/);
    for (const path of ['/v1/sql', '/v1/tables', '/v1/tables/{table}/rows', '/v1/queries/{id}', '/metrics'])
      expect(Object.keys(document.paths)).toContain(path);
  });

  test('without a page the answer says how to get one', async () => {
    const bare = await startServer();
    try {
      const response = await fetch(`${bare.url}/ui/`);
      expect(response.status).toBe(404);
      expect(await response.text()).toContain('npm run build');
    } finally {
      await bare.server.close();
    }
  });
});

describe('errors', () => {
  test('every code has a status; nothing that failed is a success', () => {
    const statuses = Object.fromEntries((Object.keys(faultKinds) as FaultCode[]).map(code => [code, statusOf(code)]));
    expect(statuses).toMatchObject({
      SYNTAX_ERROR: 400,
      UNKNOWN_TABLE: 404,
      UNKNOWN_QUERY: 404,
      TABLE_EXISTS: 409,
      FORBIDDEN: 403,
      BODY_TOO_LARGE: 413,
      TOO_MANY_QUERIES: 429,
      MEMORY_BUDGET: 503,
      TIMEOUT: 504,
      CANCELLED: 499,
      DISK_FULL: 503,
      INCOMPLETE: 503,
      CORRUPT_SEGMENT: 500,
      INTERNAL: 500,
    });
    for (const status of Object.values(statuses)) expect(status).toBeGreaterThanOrEqual(400);
  });

  test('an unknown route is an error of the usual shape', async () => {
    const response = await fetch(`${door.url}/v1/nothing`, { method: 'PUT' });
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({
      error: { code: 'NOT_FOUND', message: 'there is no PUT /v1/nothing', hint: 'GET /docs lists what there is' },
    });
  });

  test('what is no HTTP is refused', async () => {
    const socket = connect(door.port, '127.0.0.1');
    socket.write('\x16\x03\x01 hello\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1.1 400/);
    socket.destroy();
  });

  test('a port in use is named', async () => {
    const second = await createHttpServer({ ...httpDefaults, port: door.port }, createRoles().components);
    await expect(second.listen()).rejects.toMatchObject({
      fault: { code: 'PORT_IN_USE', message: `port ${door.port} of 127.0.0.1 is in use` },
    });
    await second.close();
  });

  test('closing waits for answers under way, and takes no more', async () => {
    const closing = await startServer();
    let open = (): void => {};
    const gate = new Promise<void>(resolve => {
      open = resolve;
    });
    let reached = (): void => {};
    const started = new Promise<void>(resolve => {
      reached = resolve;
    });
    closing.answers.set('slow', {
      columns: [],
      parts: [
        () => {
          reached();
          return gate;
        },
      ],
    });
    const answer = closing.sql('slow');
    await started;
    const closed = closing.server.close();
    await expect(fetch(`${closing.url}/health/live`)).rejects.toThrow();
    open();
    expect((await answer).status).toBe(200);
    await closed;
  });
});
