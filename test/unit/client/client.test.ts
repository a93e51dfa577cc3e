import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createClient } from '../../../src/client/client.ts';

let server: Server | null = null;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A client of a server that answers as told. */
async function clientOf(listener: RequestListener) {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return createClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}

const header = '{"columns":[{"name":"n","type":"LONG"}],"queryId":"q"}\n';

const readAll = async (rows: AsyncIterable<readonly unknown[]>): Promise<unknown[]> => {
  const all: unknown[] = [];
  for await (const group of rows) all.push(...group);
  return all;
};

describe('an answer', () => {
  test('of NDJSON without its trailer, ended or broken off, is an error', async () => {
    for (const finish of [
      (response: Parameters<RequestListener>[1]) => response.end(),
      (response: Parameters<RequestListener>[1]) => response.destroy(),
    ]) {
      const client = await clientOf((_, response) => {
        response.write(`${header}[1]\n`, () => finish(response));
      });
      const read = async () => readAll((await client.stream('SELECT n FROM t')).rows);
      await expect(read()).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
      server!.close();
    }
  });

  test('of NDJSON cut within a line is an error', async () => {
    const client = await clientOf((_, response) => {
      response.end(`${header}[1]\n[900719925474`);
    });
    const { rows } = await client.stream('SELECT n FROM t');
    await expect(readAll(rows)).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  });

  test('split anywhere is joined', async () => {
    const trailer = '{"complete":true,"freshness":{},"stats":{},"queryId":"q"}\n';
    const body = Buffer.from(`${header}["é"]\n["日本"]\n[9007199254740993]\n${trailer}`);
    const client = await clientOf(async (_, response) => {
      for (const byte of body) await new Promise(resolve => response.write(Buffer.from([byte]), resolve));
      response.end();
    });
    const { rows, columns } = await client.stream('SELECT n FROM t');
    expect(columns).toEqual([{ name: 'n', type: 'LONG' }]);
    expect(await readAll(rows)).toEqual([['é'], ['日本'], [9007199254740993n]]);
  });

  test('is read to its end, so that its connection serves the next request', async () => {
    const trailer = '{"complete":true,"freshness":{},"stats":{},"queryId":"q"}\n';
    const parts = [`${header}[1]\n${trailer}`];
    const ends: string[] = [];
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          const part = parts.shift();
          if (part !== undefined) return controller.enqueue(new TextEncoder().encode(part));
          ends.push('closed');
          controller.close();
        },
        cancel: () => void ends.push('cancelled'),
      },
      { highWaterMark: 0 },
    );
    const client = createClient('', { fetch: async () => new Response(body) });
    const { rows } = await client.stream('SELECT n FROM t');
    expect(await readAll(rows)).toEqual([[1]]);
    expect(ends).toEqual(['closed']);
  });

  test('of which the reader wants no more is cancelled', async () => {
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      pull: controller => controller.enqueue(new TextEncoder().encode(`${header}[1]\n`)),
      cancel: () => {
        cancelled = true;
      },
    });
    const client = createClient('', { fetch: async () => new Response(body) });
    for await (const _ of (await client.stream('SELECT n FROM t')).rows) break;
    expect(cancelled).toBe(true);
  });

  test('of JSON broken off without an error is one', async () => {
    const client = await clientOf((_, response) => {
      response.write('{"columns":[],"rows":[[1],', () => response.destroy());
    });
    await expect(client.query('SELECT 1')).rejects.toMatchObject({ code: 'CONNECTION_LOST', retryable: true });
  });
});

describe('what is no Weir', () => {
  test('another server', async () => {
    const client = await clientOf((_, response) => {
      response.writeHead(502).end('<html>Bad gateway</html>');
    });
    await expect(client.query('SELECT 1')).rejects.toMatchObject({ code: 'BAD_ANSWER', status: 502 });
    await expect(client.tables()).rejects.toMatchObject({ code: 'BAD_ANSWER' });
  });

  test('no server', async () => {
    await expect(createClient('http://127.0.0.1:1').tables()).rejects.toMatchObject({
      code: 'CONNECTION_FAILED',
      hint: expect.stringContaining('npm start'),
    });
  });

  test('an abort stays an abort', async () => {
    const client = await clientOf(() => {});
    const signal = AbortSignal.timeout(20);
    await expect(client.query('SELECT 1', { signal })).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});

test('requests: paths encoded, headers where they belong', async () => {
  const seen: unknown[] = [];
  const client = await clientOf((request, response) => {
    const { method, url, headers } = request;
    seen.push([method, url, headers['content-type'], headers['content-encoding'], headers['idempotency-key']]);
    request.resume();
    response.end('{"accepted":1,"rejected":0,"rejects":[],"duplicate":false}');
  });
  await client.push('a/b', 'x', 'csv', { idempotencyKey: 'k', strict: true, gzip: true });
  expect(seen).toEqual([['POST', '/v1/tables/a%2Fb/rows?strict=true', 'text/csv', 'gzip', 'k']]);
});
