import { once } from 'node:events';
import { type AddressInfo, connect as connectSocket, createServer, type Server, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { FaultError } from '../../../src/base/fault.ts';
import { systemRandom } from '../../../src/base/system.ts';
import type { Port } from '../../../src/wire/call.ts';
import { connect } from '../../../src/wire/connect.ts';
import { greet, helloSizeBytes } from '../../../src/wire/greeting.ts';
import { serve } from '../../../src/wire/serve.ts';
import { connectTcp, listenTcp, type TcpAddress, type TcpComponents, type TcpSettings } from '../../../src/wire/tcp.ts';
import { makeCertificate } from '../../support/certificates.ts';
import { ManualClock } from '../../support/clock.ts';
import { requires } from '../../support/requires.ts';
import { loopback, openSettings, warnings } from '../../support/tcp.ts';

type Settings = TcpSettings & TcpComponents;
type EchoCalls = { echo: { in: { bytes: Uint8Array }; out: { bytes: Uint8Array } } };

const secret = Buffer.from('0123456789abcdef');
const secured: Settings = { ...openSettings, secret };

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Answers `echo` on every connection. */
async function listen(settings: Settings) {
  const { log, lines } = warnings();
  let portCount = 0;
  const listener = await listenTcp(loopback, { ...settings, log }, port => {
    portCount++;
    serve<EchoCalls>(port, { echo: ({ bytes }) => ({ bytes }) });
  });
  closers.push(() => listener.close());
  return { address: listener.address, lines, portCount: () => portCount };
}

async function echo(port: Port, size = 3 << 20): Promise<void> {
  const bytes = new Uint8Array(size).map((_, index) => index * 7);
  const client = connect<EchoCalls>(port);
  expect(Buffer.compare((await client.call('echo', { bytes })).bytes, bytes)).toBe(0);
  client.close();
}

const faultOf = (work: Promise<unknown>): Promise<FaultError['fault']> =>
  work.then(
    () => {
      throw new Error('no fault');
    },
    error => {
      if (error instanceof FaultError) return error.fault;
      throw error;
    },
  );

async function bareSocket({ host, port }: TcpAddress): Promise<Socket> {
  const socket = connectSocket(port, host);
  closers.push(() => socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

const closed = (socket: Socket): Promise<void> =>
  new Promise(resolve => {
    if (socket.resume().closed) resolve();
    else socket.once('close', () => resolve());
  });

/** A server that does with each connection what `take` says. */
async function bareServer(take: (socket: Socket) => void, tls?: Server): Promise<TcpAddress> {
  const server = tls ?? createServer();
  const sockets: Socket[] = [];
  server.on('connection', socket => {
    sockets.push(socket);
    socket.on('error', () => {});
  });
  server.on('tlsClientError', () => {});
  server.on(tls ? 'secureConnection' : 'connection', take);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

describe('the greeting', () => {
  test('lets in who has the same secret', async () => {
    const { address } = await listen(secured);
    await echo(await connectTcp(address, secured));
  });

  test('keeps out who has another secret, and says so', async () => {
    const { address, lines, portCount } = await listen(secured);
    const fault = await faultOf(connectTcp(address, { ...secured, secret: Buffer.from('another secret, as long') }));
    expect(fault).toMatchObject({ code: 'UNAVAILABLE', hint: 'give both sides the same secret' });
    expect(fault.message).toContain(`127.0.0.1:${address.port}`);
    expect(lines).toEqual([expect.stringContaining('the other side has another secret')]);
    expect(portCount()).toBe(0);
  });

  test('needs a secret on both sides or on neither', async () => {
    const closedDoor = await listen(secured);
    expect(await faultOf(connectTcp(closedDoor.address, openSettings))).toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringContaining('asks for a secret'),
    });
    const openDoor = await listen(openSettings);
    expect(await faultOf(connectTcp(openDoor.address, secured))).toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringContaining('has no secret, and this one does'),
    });
  });

  test('without a secret is for loopback addresses only', async () => {
    for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.org', '127.0.0.1.example.org', '::ffff:192.0.2.1', '']) {
      const address = { host, port: 9 };
      expect(await faultOf(listenTcp(address, openSettings, () => {})), host).toMatchObject({ code: 'FORBIDDEN' });
      expect(await faultOf(connectTcp(address, openSettings)), host).toMatchObject({
        code: 'FORBIDDEN',
        hint: expect.stringContaining('same secret of 16 random bytes'),
      });
    }
  });

  test('refuses settings that make no sense', async () => {
    for (const wrong of [
      { secret: Buffer.alloc(15) },
      { silenceMs: 99 },
      { silenceMs: 60_001 },
      { silenceMs: Number.NaN },
    ])
      expect(await faultOf(connectTcp({ host: '127.0.0.1', port: 9 }, { ...openSettings, ...wrong }))).toMatchObject({
        code: 'INVALID_REQUEST',
      });
  });

  test('is not fooled by who sends everything back', async () => {
    const address = await bareServer(socket => socket.pipe(socket));
    expect(await faultOf(connectTcp(address, secured))).toMatchObject({ code: 'FORBIDDEN' });
  });

  test('is not fooled by what was recorded, on either side', async () => {
    const { address, portCount } = await listen(secured);
    const recorded = { client: [] as Buffer[], server: [] as Buffer[] };
    const recorder = await bareServer(async near => {
      const far = await bareSocket(address);
      near.on('data', bytes => recorded.client.push(bytes) && far.write(bytes));
      far.on('data', bytes => recorded.server.push(bytes) && near.write(bytes));
      near.on('close', () => far.destroy());
    });
    (await connectTcp(recorder, secured)).close();
    expect(portCount()).toBe(1);
    const socket = await bareSocket(address);
    socket.write(Buffer.concat(recorded.client));
    await closed(socket);
    expect(portCount()).toBe(1);
    const parrot = await bareServer(socket => socket.resume().write(Buffer.concat(recorded.server)));
    expect(await faultOf(connectTcp(parrot, secured))).toMatchObject({ code: 'FORBIDDEN' });
    const everything = Buffer.concat([...recorded.client, ...recorded.server]);
    expect(everything.includes(secret)).toBe(false);
  });

  test('gives a stranger nothing before it has said hello, and no proof before it has proved itself', async () => {
    const { address, lines, portCount } = await listen(secured);
    const received: Buffer[] = [];
    const http = await bareSocket(address);
    http.on('data', bytes => received.push(bytes));
    http.write(`GET / HTTP/1.1\r\nHost: ${'a'.repeat(100)}\r\n\r\n`);
    await closed(http);
    expect(Buffer.concat(received)).toHaveLength(0);
    expect(lines).toEqual([expect.stringContaining('does not speak the protocol')]);
    const guesser = await bareSocket(address);
    await faultOf(
      greet(guesser, {
        ...{ role: 'client', secret: Buffer.alloc(16), silenceMs: 3_000, binding: new Uint8Array() },
        random: systemRandom,
      }),
    );
    await closed(guesser);
    expect(guesser.bytesRead).toBe(helloSizeBytes);
    expect(portCount()).toBe(0);
  });

  test('has to come in time, byte by byte or not at all', async () => {
    const clock = new ManualClock();
    const { address, lines } = await listen({ ...secured, clock });
    const [silent, slow] = [await bareSocket(address), await bareSocket(address)];
    slow.write('WEI');
    await clock.untilSleeping();
    clock.advance(4_999);
    slow.write('R');
    clock.advance(1);
    await Promise.all([closed(silent), closed(slow)]);
    expect(lines[0]).toContain('did not greet within 5000 ms');
    const mute = await bareServer(() => {});
    const connecting = faultOf(connectTcp(mute, { ...secured, clock }));
    await clock.untilSleeping();
    clock.advance(5_000);
    expect(await connecting).toMatchObject({ code: 'UNAVAILABLE' });
  });

  test('lets nobody in by chance: random bytes, and a damaged hello', async () => {
    const { address, portCount } = await listen(secured);
    const hello = Buffer.alloc(helloSizeBytes);
    hello.write('WEIR');
    hello.writeUInt16LE(1, 4);
    hello.writeUInt16LE(1, 6);
    hello.writeUInt32LE(3_000, 8);
    const property = fc.asyncProperty(
      fc.constantFrom(Buffer.alloc(0), hello.subarray(0, 6), hello),
      fc.uint8Array({ maxLength: 200 }),
      async (start, bytes) => {
        const socket = await bareSocket(address);
        socket.end(Buffer.concat([start, bytes]));
        await closed(socket);
        closers.pop();
      },
    );
    await fc.assert(property, { numRuns: 50 });
    expect(portCount()).toBe(0);
    await echo(await connectTcp(address, secured));
  });

  test('of another version, or of fields out of bounds, is told apart', async () => {
    const hello = (change: (bytes: Buffer) => void): Buffer => {
      const bytes = Buffer.alloc(helloSizeBytes);
      bytes.write('WEIR');
      bytes.writeUInt16LE(1, 4);
      bytes.writeUInt32LE(3_000, 8);
      change(bytes);
      return bytes;
    };
    for (const [bytes, code] of [
      [hello(each => each.writeUInt16LE(2, 4)), 'UNSUPPORTED'],
      [hello(each => each.writeUInt16LE(6, 6)), 'CORRUPT_FRAME'],
      [hello(each => each.writeUInt32LE(1e6, 8)), 'CORRUPT_FRAME'],
      [hello(each => each.write('HTTP')), 'CORRUPT_FRAME'],
      [Buffer.from('WE'), 'UNAVAILABLE'],
    ] as const) {
      const address = await bareServer(socket => socket.resume().end(bytes));
      expect(await faultOf(connectTcp(address, openSettings))).toMatchObject({ code });
    }
  });

  test('is with somebody: where nobody listens the fault names the address', async () => {
    const { address } = await listen(openSettings);
    expect(await faultOf(listenTcp(address, openSettings, () => {}))).toMatchObject({ code: 'PORT_IN_USE' });
    await closers.pop()!();
    expect(await faultOf(connectTcp(address, openSettings))).toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/^127\.0\.0\.1:\d+ cannot be reached: .*ECONNREFUSED/),
    });
  });
});

requires('openssl')('with TLS', () => {
  const [ours, theirs] = [makeCertificate(), makeCertificate()];
  const mutual: Settings = { ...secured, tls: ours };

  test('and an authority both sides show its certificates, and frames pass', async () => {
    const { address } = await listen(mutual);
    await echo(await connectTcp(address, mutual));
    await echo(await connectTcp({ ...address, host: 'localhost' }, mutual));
  });

  test("another authority's certificate is refused, on either side", async () => {
    const { address, portCount } = await listen(mutual);
    const other = { ...theirs, ca: ours.ca };
    expect(await faultOf(connectTcp(address, { ...mutual, tls: other }))).toMatchObject({ code: 'UNAVAILABLE' });
    const stranger = await listen({ ...mutual, tls: { ...theirs, ca: null } });
    expect(await faultOf(connectTcp(stranger.address, mutual))).toMatchObject({ code: 'UNAVAILABLE' });
    expect(portCount()).toBe(0);
  });

  test('without an authority the secret says who it is, and nobody in the middle can pass its proof on', async () => {
    const settings = { ...secured, tls: { ...ours, ca: null } };
    const { address, lines, portCount } = await listen(settings);
    await echo(await connectTcp(address, settings));
    const middle = await bareServer(
      near => {
        const far = connectTls({ ...address, rejectUnauthorized: false });
        far.on('error', () => {});
        near.on('error', () => {});
        near.pipe(far).pipe(near);
        far.on('close', () => near.destroy());
      },
      createTlsServer({ cert: theirs.certificate, key: theirs.key }),
    );
    expect((await faultOf(connectTcp(middle, settings))).hint).toBe('give both sides the same secret');
    expect(lines).toEqual([expect.stringContaining('the other side has another secret')]);
    expect(portCount()).toBe(1);
  });

  test('on one side only there is no connection', async () => {
    const { address, portCount } = await listen(mutual);
    expect(await faultOf(connectTcp(address, secured))).toMatchObject({
      hint: 'see to the address, and that both sides use TLS or neither does',
    });
    const plain = await listen(secured);
    expect(await faultOf(connectTcp(plain.address, mutual))).toMatchObject({ code: 'UNAVAILABLE' });
    expect(portCount() + plain.portCount()).toBe(0);
  });
});

test('closing a listener closes its ports and throws out who has not greeted', async () => {
  const { address } = await listen(openSettings);
  const client = connect<EchoCalls>(await connectTcp(address, openSettings));
  const stranger = await bareSocket(address);
  await client.call('echo', { bytes: new Uint8Array(1) });
  await closers.splice(closers.length - 2, 1)[0]!();
  await closed(stranger);
  expect(await faultOf(client.call('echo', { bytes: new Uint8Array(1) }))).toMatchObject({ code: 'UNAVAILABLE' });
});
