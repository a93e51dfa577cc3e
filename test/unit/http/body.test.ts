import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { type AccountName, accountNames, createAccounts } from '../../../src/base/accounts.ts';
import { toFault } from '../../../src/base/fault.ts';
import { systemClock } from '../../../src/base/system.ts';
import { Bodies, readBody } from '../../../src/http/body.ts';

const bodiesOf = (limitBytes: number): Bodies =>
  new Bodies(
    createAccounts(
      1e9,
      Object.fromEntries(accountNames.map(name => [name, limitBytes])) as Record<AccountName, number>,
    ),
    // No wait is long here.
    { ...systemClock, monotonicMs: () => systemClock.monotonicMs() * 1_000 },
  );

/** What `readBody` makes of one request; `send` writes its body. */
async function read(account: Bodies, send: (request: ReturnType<typeof httpRequest>) => void, headers = {}) {
  const results: (number | string)[] = [];
  const server = createServer(async (request, response) => {
    try {
      const body = await readBody(request, 1000, account, 1);
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
  const account = bodiesOf(1500);
  expect(await read(account, request => request.end('x'.repeat(900)))).toEqual([900, 900]);
  expect(account.usedBytes).toBe(0);
  expect(await read(account, request => request.end('x'.repeat(1001)))).toEqual(['BODY_TOO_LARGE']);
  expect(account.usedBytes).toBe(0);
});

test('all bodies together have a limit', async () => {
  const account = bodiesOf(1500);
  await account.take(1000);
  expect(await read(account, request => request.end('x'.repeat(900)))).toEqual(['UNAVAILABLE']);
  expect(account.usedBytes).toBe(1000);
});

test('a body that says its size waits until others are done with', async () => {
  const account = bodiesOf(1500);
  const held = await account.take(1000);
  const waiting = account.take(900);
  const behind = account.take(100);
  account.give(held);
  expect(await Promise.all([waiting, behind])).toEqual([900, 100]);
  expect(account.usedBytes).toBe(1000);
});

test('what does not say its size is counted as it comes, also out of a gzip', async () => {
  const account = bodiesOf(1500);
  const held = await account.take(1000);
  const inPieces = (request: ReturnType<typeof httpRequest>): void => {
    request.write('x'.repeat(400));
    request.end('x'.repeat(400));
  };
  expect(await read(account, inPieces)).toEqual(['UNAVAILABLE']);
  const bomb = gzipSync(Buffer.alloc(900));
  expect(await read(account, request => request.end(bomb), { 'content-encoding': 'gzip' })).toEqual(['UNAVAILABLE']);
  expect(account.usedBytes).toBe(1000);
  account.give(held);
  expect(await read(account, request => request.end(bomb), { 'content-encoding': 'gzip' })).toEqual([900, 900]);
  const larger = gzipSync(Buffer.alloc(1 << 20));
  expect(await read(account, request => request.end(larger), { 'content-encoding': 'gzip' })).toEqual([
    'BODY_TOO_LARGE',
  ]);
  expect(account.usedBytes).toBe(0);
});

test('a client that leaves midway leaves nothing behind, compressed or not', async () => {
  const compressed = gzipSync('x'.repeat(500));
  for (const headers of [{}, { 'content-encoding': 'gzip' }]) {
    const account = bodiesOf(1500);
    const result = await read(
      account,
      request => request.write(compressed.subarray(0, 12), () => setImmediate(() => request.destroy())),
      headers,
    );
    expect(result).toEqual(['CANCELLED']);
    expect(account.usedBytes).toBe(0);
  }
});
