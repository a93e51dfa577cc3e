import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import avro from 'avsc';
import protobuf from 'protobufjs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { FaultError } from '../../src/base/fault.ts';
import type { SchemaRegistry } from '../../src/catalog/table.ts';
import { JSON_TYPE, LONG, STRING } from '../../src/column/type.ts';
import { registryTimeoutMs, unknownSchemaKeptMs } from '../../src/stream/limits.ts';
import { SchemaRegistryClient } from '../../src/stream/schema-registry.ts';
import { ManualClock } from '../support/clock.ts';
import { requires } from '../support/requires.ts';
import { type SchemaRegistryServer, startSchemaRegistry } from '../support/schema-registry.ts';
import { decodeMessages, framed } from '../unit/format/messages.ts';
import { target } from '../unit/format/table.ts';

function clientOf(registry: Partial<SchemaRegistry> & { url: string }, clock = new ManualClock()) {
  return new SchemaRegistryClient({
    registry: { username: null, password: null, ...registry },
    readSecret: async reference => `secret of ${reference}`,
    clock,
    fetch,
  });
}

const faultOf = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('it did not fail'),
    (error: FaultError) => error.fault,
  );

requires('schemaRegistry')('a real schema registry', () => {
  let registry: SchemaRegistryServer;
  beforeAll(async () => {
    registry = await startSchemaRegistry();
  });
  afterAll(() => registry.stop());

  test('tells the schemas of Avro messages, and what they refer to', async () => {
    const country = { type: 'enum', name: 'geo.Country', symbols: ['DE', 'FR'] };
    const place = {
      type: 'record',
      name: 'geo.Place',
      fields: [
        { name: 'country', type: 'geo.Country' },
        { name: 'city', type: 'string' },
      ],
    };
    const order = {
      type: 'record',
      name: 'Order',
      fields: [
        { name: 'id', type: 'long' },
        { name: 'place', type: 'geo.Place' },
      ],
    };
    await registry.register('geo/country', { type: 'AVRO', text: JSON.stringify(country) });
    await registry.register('geo/place', {
      type: 'AVRO',
      text: JSON.stringify(place),
      references: [{ name: 'geo.Country', subject: 'geo/country', version: 1 }],
    });
    const id = await registry.register('orders-value', {
      type: 'AVRO',
      text: JSON.stringify(order),
      references: [{ name: 'geo.Place', subject: 'geo/place', version: 1 }],
    });
    const named: Record<string, avro.Type> = {};
    for (const schema of [country, place]) avro.Type.forSchema(schema as avro.Schema, { registry: named });
    const type = avro.Type.forSchema(order as avro.Schema, { registry: named });
    const columns = target({ id: LONG, place: JSON_TYPE });
    const body = type.toBuffer({ id: 5, place: { country: 'FR', city: 'Lyon' } });
    const client = clientOf({ url: `${registry.url}/` });
    const { rows, rejects } = await decodeMessages('avro', columns, [framed(id, body), framed(4242, body)], client);
    expect(rows).toEqual([[5n, '{"country":"FR","city":"Lyon"}']]);
    expect(rejects).toEqual(['1 null: unknown schema id 4242']);
    expect((await client.schema(id))!.references.map(({ name }) => name)).toEqual(['geo.Country', 'geo.Place']);
  });

  test('tells the schemas of Protobuf messages, and what they import', async () => {
    const money = 'syntax = "proto3"; package shop; message Money { int64 units = 1; }';
    const pay =
      'syntax = "proto3"; package shop; import "shop/money.proto"; message Pay { string by = 1; Money amount = 2; }';
    await registry.register('shop/money.proto', { type: 'PROTOBUF', text: money });
    const id = await registry.register('pay-value', {
      type: 'PROTOBUF',
      text: pay,
      references: [{ name: 'shop/money.proto', subject: 'shop/money.proto', version: 1 }],
    });
    const root = new protobuf.Root();
    protobuf.parse(money, root);
    protobuf.parse(pay, root);
    const body = root
      .lookupType('shop.Pay')
      .encode({ by: 'card', amount: { units: 12 } })
      .finish();
    const columns = target({ by: STRING, amount: JSON_TYPE });
    const client = clientOf({ url: registry.url });
    const { rows } = await decodeMessages('protobuf', columns, [framed(id, Buffer.from([0]), body)], client);
    expect(rows).toEqual([['card', '{"units":12}']]);
  });

  test('that went away is asked again when it is back; schemas known before need no registry', async () => {
    const own = await startSchemaRegistry();
    const client = clientOf({ url: own.url });
    const text = '{"type":"record","name":"A","fields":[]}';
    const id = await own.register('a', { type: 'AVRO', text });
    const other = await own.register('b', { type: 'AVRO', text: text.replace('A', 'B') });
    const known = await client.schema(id);
    await own.stop();
    expect(await client.schema(id)).toBe(known);
    const { code, message } = await faultOf(client.schema(other));
    expect(code).toBe('UNAVAILABLE');
    expect(message).toContain(`the schema registry ${own.url} cannot be reached: `);
    const again = await startSchemaRegistry(Number(new URL(own.url).port));
    try {
      expect(await client.schema(other)).toBeNull();
    } finally {
      await again.stop();
    }
  });
});

describe('a server that answers otherwise', () => {
  let server: Server;
  let url: string;
  let asked: IncomingMessage[];
  async function serve(answer: (response: ServerResponse, request: IncomingMessage) => void): Promise<void> {
    asked = [];
    server = createServer((request, response) => {
      asked.push(request);
      answer(response, request);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as { port: number }).port}/registry`;
  }
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  test('is given the password, which no message shows', async () => {
    await serve(response => response.writeHead(401).end('{"error_code":401}'));
    const client = clientOf({ url: url.replace('//', '//user:hidden@'), username: 'weir', password: 'env:SECRET' });
    const { code, message, hint } = await faultOf(client.schema(1));
    expect(code).toBe('FORBIDDEN');
    expect(message).toBe(`the schema registry ${url} refuses: status 401`);
    expect(hint).toMatch(/password/);
    expect(asked[0]!.url).toBe('/registry/schemas/ids/1');
    expect(asked[0]!.headers.authorization).toBe(
      `Basic ${Buffer.from('weir:secret of env:SECRET').toString('base64')}`,
    );
  });

  test.each([
    [500, '{"error_code":50001,"message":"down"}'],
    [429, ''],
    [200, '<html>'],
    [200, '{}'],
    [404, 'no such page'],
  ])('with status %d and %s is no registry now', async (status, body) => {
    await serve(response => response.writeHead(status).end(body));
    const { code, message } = await faultOf(clientOf({ url }).schema(1));
    expect(code).toBe('UNAVAILABLE');
    expect(message).toBe(`the schema registry ${url} does not answer as a schema registry does: status ${status}`);
  });

  test('is not waited for longer than the limit', async () => {
    await serve(() => {});
    const clock = new ManualClock();
    const failed = faultOf(clientOf({ url }, clock).schema(1));
    await once(server, 'request');
    clock.advance(registryTimeoutMs);
    expect((await failed).message).toContain(`no answer within ${registryTimeoutMs} ms`);
  });

  test('breaking off is unavailable', async () => {
    await serve(response => {
      response.writeHead(200, { 'content-length': '100' }).write('{"schema":');
      setImmediate(() => response.destroy());
    });
    expect((await faultOf(clientOf({ url }).schema(1))).code).toBe('UNAVAILABLE');
  });

  test('is asked once for one id, and again for an unknown one after a while', async () => {
    await serve((response, request) =>
      request.url!.endsWith('/1')
        ? response.end('{"schema":"\\"string\\""}')
        : response.writeHead(404).end('{"error_code":40403,"message":"Schema not found"}'),
    );
    const clock = new ManualClock();
    const client = clientOf({ url }, clock);
    const [first, second] = await Promise.all([client.schema(1), client.schema(1)]);
    expect(first).toEqual({ type: 'AVRO', text: '"string"', references: [] });
    expect(second).toBe(first);
    expect([await client.schema(2), await client.schema(2)]).toEqual([null, null]);
    expect(asked).toHaveLength(2);
    clock.advance(unknownSchemaKeptMs + 1);
    await client.schema(1);
    await client.schema(2);
    expect(asked).toHaveLength(3);
  });
});
