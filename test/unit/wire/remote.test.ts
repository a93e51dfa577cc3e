import { afterEach, expect, test } from 'vitest';
import type { FaultError } from '../../../src/base/fault.ts';
import type { Port } from '../../../src/wire/call.ts';
import type { Stream } from '../../../src/wire/calls.ts';
import { connect } from '../../../src/wire/connect.ts';
import { multiplex } from '../../../src/wire/multiplex.ts';
import { type Remote, type RemoteSettings, remote } from '../../../src/wire/remote.ts';
import { serve } from '../../../src/wire/serve.ts';
import { listenTcp, type TcpAddress, type TcpListener } from '../../../src/wire/tcp.ts';
import { ManualClock } from '../../support/clock.ts';
import { loopback, openSettings } from '../../support/tcp.ts';

type EchoCalls = {
  echo: { in: string; out: string };
  never: { in: null; out: null };
  count: { in: number; out: Stream<string> };
};

const remotes: Remote[] = [];
const listeners: TcpListener[] = [];
afterEach(async () => {
  for (const each of remotes.splice(0)) each.close();
  await Promise.all(listeners.splice(0).map(each => each.close()));
});

/** Answers on the channels `a` and `b`; counts the calls that it took. */
async function listen(address: TcpAddress = loopback) {
  const taken: string[] = [];
  const ports: Port[] = [];
  const listener = await listenTcp(address, openSettings, port => {
    ports.push(port);
    const channels = multiplex(port);
    for (const name of ['a', 'b'])
      serve<EchoCalls>(channels.channel(name), {
        echo: text => {
          taken.push(text);
          return `${name}: ${text}`;
        },
        never: () => {
          taken.push('never');
          return new Promise<never>(() => {});
        },
        async *count(frames) {
          for (let frame = 0; frame < frames; frame++) yield new Uint8Array([frame]);
          return name;
        },
      });
  });
  listeners.push(listener);
  return { address: listener.address, listener, taken, ports };
}

function open(address: TcpAddress, settings: Partial<RemoteSettings> = {}) {
  const clock = new ManualClock();
  const other = remote(address, { ...openSettings, clock, ...settings });
  remotes.push(other);
  return { other, clock };
}

const faultOf = (work: Promise<unknown>): Promise<FaultError['fault']> =>
  work.then(
    value => {
      throw new Error(`no fault but ${value}`);
    },
    error => (error as FaultError).fault,
  );

/** Until the connection is there again: real sockets, so a real round of the loop for each look. */
async function until(condition: () => boolean, then: () => void = () => {}): Promise<void> {
  while (!condition()) {
    then();
    await new Promise(resolve => setImmediate(resolve));
  }
}

test('connects with the first call; several call maps and streams share the connection', async () => {
  const { address, ports } = await listen();
  const { other } = open(address);
  expect(other.connected).toBe(false);
  const [a, b] = [other.client<EchoCalls>('a'), other.client<EchoCalls>('b')];
  expect(ports).toHaveLength(0);
  expect(await Promise.all([a.call('echo', 'x'), b.call('echo', 'y'), a.call('echo', 'z')])).toEqual([
    'a: x',
    'b: y',
    'a: z',
  ]);
  expect(other.connected).toBe(true);
  const stream = b.stream('count', 20);
  const frames: number[] = [];
  for (;;) {
    const next = await stream.next();
    if (next.done) {
      expect(next.value).toBe('b');
      break;
    }
    frames.push(next.value[0]!);
  }
  expect(frames).toEqual(Array.from({ length: 20 }, (_, index) => index));
  expect(ports).toHaveLength(1);
});

test('while the other side is down calls fail at once, naming it; then it is connected again, and no call is made twice', async () => {
  const first = await listen();
  const { other, clock } = open(first.address);
  const client = other.client<EchoCalls>('a');
  await client.call('echo', 'before');
  const lost = faultOf(client.call('never', null));
  await until(() => first.taken.includes('never'));
  await listeners.pop()!.close();
  const name = `127.0.0.1:${first.address.port}`;
  expect(await lost).toMatchObject({ code: 'UNAVAILABLE', message: `${name} closed before never was answered` });
  await until(() => !other.connected);
  expect(await faultOf(client.call('echo', 'meanwhile'))).toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining(`${name} is not connected, echo was not sent`),
  });
  expect(await faultOf(client.stream('count', 1).next())).toMatchObject({ code: 'UNAVAILABLE' });
  await clock.untilSleeping();
  const second = await listen(first.address);
  await until(
    () => other.connected,
    () => clock.advance(200),
  );
  expect(await client.call('echo', 'after')).toBe('a: after');
  expect([...first.taken, ...second.taken]).toEqual(['before', 'never', 'after']);
});

test('calls wait for the first attempt, and are told why it failed; attempts become seldom', async () => {
  const { address, listener } = await listen();
  await listener.close();
  const delays: number[] = [];
  class Watched extends ManualClock {
    override sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
      // The others are the limits of the greeting.
      if (delayMs !== 5_000) delays.push(delayMs);
      return super.sleep(delayMs, signal);
    }
  }
  const clock = new Watched();
  const { other } = open(address, { clock, random: { next: () => 0.5, hex: openSettings.random.hex } });
  const client = other.client<EchoCalls>('a');
  expect(await faultOf(client.call('echo', 'x'))).toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('ECONNREFUSED'),
  });
  await until(
    () => delays.length >= 6,
    () => clock.advance(delays.at(-1) ?? 0),
  );
  expect(delays.slice(0, 6)).toEqual([100, 200, 400, 800, 1_600, 3_200]);
  other.close();
});

test('a call that is aborted while it waits for the connection rejects at once', async () => {
  const listener = await listen();
  const { other } = open(listener.address);
  const abort = new AbortController();
  const call = faultOf(other.client<EchoCalls>('a').call('echo', 'x', { signal: abort.signal }));
  abort.abort();
  expect(await call).toMatchObject({ code: 'CANCELLED' });
  expect(listener.taken).toEqual([]);
});

test('the other side calls back over the same connection', async () => {
  const answers: string[] = [];
  const listener = await listenTcp(loopback, openSettings, async port => {
    answers.push(await connect<EchoCalls>(multiplex(port).channel('back')).call('echo', 'y'));
  });
  listeners.push(listener);
  const { other } = open(listener.address, {
    onConnect: channels => {
      serve<Pick<EchoCalls, 'echo'>>(channels.channel('back'), { echo: text => `back: ${text}` });
    },
  });
  // There is no such channel, but now there is a connection.
  expect(await faultOf(other.client<EchoCalls>('none').call('echo', 'x'))).toMatchObject({ code: 'UNAVAILABLE' });
  await until(() => answers.length > 0);
  expect(answers).toEqual(['back: y']);
});

test('closing fails what is outstanding, and nothing is connected again', async () => {
  const { address, taken } = await listen();
  const { other } = open(address);
  const client = other.client<EchoCalls>('a');
  const outstanding = faultOf(client.call('never', null));
  await until(() => taken.length > 0);
  other.close();
  expect(await outstanding).toMatchObject({ code: 'UNAVAILABLE' });
  expect(await faultOf(client.call('echo', 'x'))).toMatchObject({
    message: expect.stringContaining('was closed here'),
  });
  expect(other.connected).toBe(false);
});
