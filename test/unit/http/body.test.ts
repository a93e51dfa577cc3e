import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { toFault } from '../../../src/base/fault.ts';
import { BodyAccount, readBody } from '../../../src/http/body.ts';

/** What `readBody` makes of one request; `send` writes its body. */
async function read(account: BodyAccount, send: (request: ReturnType<typeof httpRequest>) => void, headers = {}) {
  const results: (number | string)[] = [];
  const server = createServer(async (request, response) => {
    try {
      const body = await readBody(request, 1000, account);
      results.push(body.bytes.length, account.usedBytes);
      body.release();
    } catch (error) {
      results.push(toFault(error).code);
    }
    response.end();
    server.emit('answered');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const request = httpRequest({ port, host: '127.0.0.1', method: 'POST', headers });
  request.on('error', () => {});
  const answered = once(server, 'answered');
  send(request);
  await answered;
  request.destroy();
  server.closeAllConnections();
  server.close();
  return results;
}

test('bodies are charged while they are held, and given back whatever happens', async () => {
  const account = new BodyAccount(1500);
  expect(await read(account, request => request.end('x'.repeat(900)))).toEqual([900, 900]);
  expect(account.usedBytes).toBe(0);
  expect(await read(account, request => request.end('x'.repeat(1001)))).toEqual(['BODY_TOO_LARGE']);
  expect(account.usedBytes).toBe(0);
});

test('all bodies together have a limit', async () => {
  const account = new BodyAccount(1500);
  account.take(1000);
  expect(await read(account, request => request.end('x'.repeat(900)))).toEqual(['UNAVAILABLE']);
  expect(account.usedBytes).toBe(1000);
});

test('a client that leaves midway leaves nothing behind, compressed or not', async () => {
  const compressed = gzipSync('x'.repeat(500));
  for (const headers of [{}, { 'content-encoding': 'gzip' }]) {
    const account = new BodyAccount(1500);
    const result = await read(
      account,
      request => request.write(compressed.subarray(0, 12), () => setImmediate(() => request.destroy())),
      headers,
    );
    expect(result).toEqual(['CANCELLED']);
    expect(account.usedBytes).toBe(0);
  }
});
