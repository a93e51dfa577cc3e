import { MessageChannel } from 'node:worker_threads';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { FaultError, fault } from '../../../src/base/fault.ts';
import type { CallContext, Client, FrameStream, Handlers, Port } from '../../../src/wire/call.ts';
import type { Stream } from '../../../src/wire/calls.ts';
import { connect } from '../../../src/wire/connect.ts';
import { local } from '../../../src/wire/local.ts';
import { streamCredit } from '../../../src/wire/message.ts';
import { multiplex } from '../../../src/wire/multiplex.ts';
import { messagePortPort } from '../../../src/wire/port.ts';
import { serve } from '../../../src/wire/serve.ts';
import type { TcpListener } from '../../../src/wire/tcp.ts';
import { tcpPair } from '../../support/tcp.ts';

type TestCalls = {
  double: { in: number; out: number };
  slowly: { in: null; out: null };
  broken: { in: 'fault' | 'error'; out: null };
  unclonable: { in: null; out: unknown };
  frame: { in: { rows: number }; out: { frame: Uint8Array } };
  count: { in: { frames: number; failAt?: number }; out: Stream<{ produced: number }> };
  stuck: { in: null; out: Stream<null> };
};

/** Resolves when `until` does; each event that a test awaits is one of these. */
const event = (): { happened: Promise<void>; happen: () => void } => {
  let happen = (): void => {};
  const happened = new Promise<void>(resolve => {
    happen = resolve;
  });
  return { happened, happen };
};

class Server {
  produced = 0;
  readonly ended = event();
  readonly aborted = event();
  readonly started = event();

  #watch({ signal }: CallContext): void {
    this.started.happen();
    signal.addEventListener('abort', () => this.aborted.happen());
  }

  readonly handlers: Handlers<TestCalls> = {
    double: input => input * 2,
    slowly: (_, context) => {
      this.#watch(context);
      return new Promise(() => {});
    },
    broken: kind => {
      if (kind === 'error') throw new TypeError('no such thing');
      throw fault('UNKNOWN_TABLE', 'unknown table x', { hint: 'did you mean y?', details: { tables: ['y'] } });
    },
    unclonable: () => () => 1,
    frame: ({ rows }) => ({ frame: new Uint8Array(rows).fill(7) }),
    count: (input, context) => this.#count(input, context),
    stuck: (_, context) => this.#stuck(context),
  };

  async *#count(input: { frames: number; failAt?: number }, context: CallContext): FrameStream<{ produced: number }> {
    this.#watch(context);
    try {
      for (let frame = 0; frame < input.frames; frame++) {
        if (frame === input.failAt) throw fault('MEMORY_BUDGET', 'too much');
        this.produced++;
        yield new Uint8Array([frame]);
      }
      return { produced: this.produced };
    } finally {
      this.ended.happen();
    }
  }

  async *#stuck(context: CallContext): FrameStream<null> {
    this.#watch(context);
    yield new Uint8Array([1]);
    await this.aborted.happened;
    this.ended.happen();
    return null;
  }
}

const channels: MessageChannel[] = [];
const listeners: TcpListener[] = [];
afterEach(async () => {
  for (const { port1 } of channels.splice(0)) port1.close();
  await Promise.all(listeners.splice(0).map(listener => listener.close()));
});

const openChannel = () => {
  const channel = new MessageChannel();
  channels.push(channel);
  return { near: messagePortPort(channel.port1), far: messagePortPort(channel.port2) };
};

const openTcp = async () => {
  const { near, far, listener } = await tcpPair();
  listeners.push(listener);
  return { near, far };
};

const openMultiplex = async () => {
  const { near, far } = await openTcp();
  return { near: multiplex(near).channel('test'), far: multiplex(far).channel('test') };
};

type OpenPorts = () => Promise<{ near: Port; far: Port }> | { near: Port; far: Port };

const carriers: { carrier: string; openPorts: OpenPorts }[] = [
  { carrier: 'a MessageChannel', openPorts: openChannel },
  { carrier: 'TCP', openPorts: openTcp },
  { carrier: 'a channel of TCP', openPorts: openMultiplex },
];

const over = async (openPorts: OpenPorts) => {
  const server = new Server();
  const { near, far } = await openPorts();
  const service = serve(near, server.handlers);
  return { server, service, client: connect<TestCalls>(far) };
};

const inThread = (): { server: Server; client: Client<TestCalls> } => {
  const server = new Server();
  return { server, client: local(server.handlers) };
};

async function readAll<T>(stream: FrameStream<T>): Promise<{ frames: number[]; trailer: T }> {
  const frames: number[] = [];
  for (;;) {
    const next = await stream.next();
    if (next.done) return { frames, trailer: next.value };
    frames.push(next.value[0]!);
  }
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no fault',
    error => (error instanceof FaultError ? error.fault.code : `not a fault: ${error}`),
  );

describe.each<{ carrier: string; open: () => Promise<{ server: Server; client: Client<TestCalls> }> }>([
  ...carriers.map(({ carrier, openPorts }) => ({ carrier, open: () => over(openPorts) })),
  { carrier: 'one thread', open: async () => inThread() },
])('over $carrier', ({ open }) => {
  test('calls answer, in any number at once', async () => {
    const { client } = await open();
    const inputs = Array.from({ length: 100 }, (_, index) => index);
    expect(await Promise.all(inputs.map(input => client.call('double', input)))).toEqual(inputs.map(x => x * 2));
  });

  test('faults arrive whole', async () => {
    const { client } = await open();
    const error: FaultError = await client.call('broken', 'fault').catch(error => error);
    expect(error).toBeInstanceOf(FaultError);
    expect(error.fault).toEqual({
      kind: 'invalid',
      code: 'UNKNOWN_TABLE',
      message: 'unknown table x',
      hint: 'did you mean y?',
      details: { tables: ['y'] },
    });
    const other: FaultError = await client.call('broken', 'error').catch(error => error);
    expect(other.fault).toMatchObject({ kind: 'internal', message: 'no such thing' });
  });

  test('unknown calls are CORRUPT_FRAME', async () => {
    const { client } = await open();
    for (const name of ['nothing', 'toString', '__proto__', 'constructor'])
      expect(await codeOf((client as Client<never>).call(name as never, null as never))).toBe('CORRUPT_FRAME');
    expect(await client.call('double', 4)).toBe(8);
  });

  test('frames arrive in order, then the trailer', async () => {
    const { client } = await open();
    for (const frames of [0, 1, streamCredit, 1000]) {
      const { server, client } = await open();
      const answer = await readAll(client.stream('count', { frames }));
      expect(answer.frames).toEqual(Array.from({ length: frames }, (_, index) => index & 255));
      expect(answer.trailer).toEqual({ produced: frames });
      await server.ended.happened;
    }
    const both = await Promise.all([1, 2].map(() => readAll(client.stream('count', { frames: 50 }))));
    expect(both.map(({ frames }) => frames.length)).toEqual([50, 50]);
  });

  test('the producer is never more than the credit ahead', async () => {
    const { server, client } = await open();
    const stream = client.stream('count', { frames: 100 });
    for (let taken = 1; taken <= 100; taken++) {
      await stream.next();
      // A round trip on the same port: whatever the credit allowed has been produced by now.
      await client.call('double', 1);
      expect(server.produced - taken).toBeLessThanOrEqual(streamCredit);
    }
    expect((await stream.next()).value).toEqual({ produced: 100 });
  });

  test('returning early cancels the producer', async () => {
    const { server, client } = await open();
    for await (const frame of client.stream('count', { frames: 1_000_000 })) if (frame[0] === 10) break;
    await server.aborted.happened;
    await server.ended.happened;
    expect(server.produced).toBeLessThanOrEqual(11 + streamCredit);
  });

  test('an abort cancels a call', async () => {
    const { server, client } = await open();
    const abort = new AbortController();
    const answer = codeOf(client.call('slowly', null, { signal: abort.signal }));
    await server.started.happened;
    abort.abort();
    expect(await answer).toBe('CANCELLED');
    await server.aborted.happened;
    expect(await codeOf(client.call('double', 1, { signal: abort.signal }))).toBe('CANCELLED');
    expect(await codeOf(client.stream('stuck', null, { signal: abort.signal }).next())).toBe('CANCELLED');
  });

  test('an abort ends a stream whose producer is stuck, with the reason of the abort', async () => {
    const { server, client } = await open();
    const abort = new AbortController();
    const stream = client.stream('stuck', null, { signal: abort.signal });
    expect((await stream.next()).value).toEqual(new Uint8Array([1]));
    const next = codeOf(stream.next());
    abort.abort(fault('TIMEOUT', 'after 5 ms'));
    expect(await next).toBe('TIMEOUT');
    await server.ended.happened;
  });

  test('a failure amid a stream follows its frames', async () => {
    const { client } = await open();
    const seen: number[] = [];
    const read = async (): Promise<void> => {
      for await (const frame of client.stream('count', { frames: 10, failAt: 3 })) seen.push(frame[0]!);
    };
    expect(await codeOf(read())).toBe('MEMORY_BUDGET');
    expect(seen).toEqual([0, 1, 2]);
  });
});

describe.each(carriers)('a port over $carrier', ({ openPorts }) => {
  test('bytes of an output arrive, also where they are a part of a larger buffer', async () => {
    const { client } = await over(openPorts);
    expect((await client.call('frame', { rows: 3 })).frame).toEqual(new Uint8Array([7, 7, 7]));
    const { near, far } = await openPorts();
    const large = new Uint8Array(1000).fill(9);
    serve<{ part: { in: null; out: { frame: Uint8Array } } }>(near, { part: () => ({ frame: large.subarray(1, 3) }) });
    const { frame } = await connect<{ part: { in: null; out: { frame: Uint8Array } } }>(far).call('part', null);
    expect([...frame]).toEqual([9, 9]);
    expect(frame.buffer.byteLength).toBe(2);
    expect(large.length).toBe(1000);
  });

  test('what cannot be cloned is a fault on either side, and the port goes on', async () => {
    const { client } = await over(openPorts);
    expect(await codeOf(client.call('unclonable', null))).toBe('INTERNAL');
    expect(await codeOf(client.call('double', (() => 1) as unknown as number))).toBe('INTERNAL');
    expect(await client.call('double', 2)).toBe(4);
  });

  test('closing the port rejects what is outstanding and cancels it on the other side', async () => {
    for (const side of ['server', 'client'] as const) {
      const { server, service, client } = await over(openPorts);
      const call = codeOf(client.call('slowly', null));
      const stream = client.stream('stuck', null);
      await stream.next();
      const next = codeOf(stream.next());
      if (side === 'server') service.close();
      else client.close();
      expect(await call).toBe('UNAVAILABLE');
      expect(await next).toBe('UNAVAILABLE');
      await server.aborted.happened;
      expect(await codeOf(client.call('double', 1))).toBe('UNAVAILABLE');
    }
  });

  test('malformed messages never crash a server: answered when they can be, else the port closes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.object({ values: [fc.anything()], key: fc.constantFrom('id', 'kind', 'name') })),
        async messages => {
          const server = new Server();
          const { near, far } = await openPorts();
          serve(near, server.handlers);
          const closed = event();
          const answered = event();
          far.listen(message => {
            const { id, kind } = message as { id: number; kind: string };
            if (id === 999_999 && kind === 'done') answered.happen();
          }, closed.happen);
          for (const message of messages) far.post(message);
          for (const kind of ['credit', 'frame', 'call', 'nonsense']) far.post({ kind, id: 1, frames: 'many' });
          far.post({ kind: 'call', id: 999_999, name: 'double', input: 1 });
          await Promise.race([answered.happened, closed.happened]);
        },
      ),
      { numRuns: 50 },
    );
  }, 30_000);

  test('malformed answers reject the call that they are about, or all', async () => {
    for (const answers of [
      [
        { kind: 'done?', id: 1 },
        { kind: 'fault', id: 2, fault: { code: 'NONE' } },
      ],
      ['nonsense'],
    ]) {
      const { near, far } = await openPorts();
      const client = connect<TestCalls>(far);
      const calls = [codeOf(client.call('double', 1)), codeOf(client.call('double', 2))];
      near.listen(
        () => {},
        () => {},
      );
      for (const answer of answers) near.post(answer);
      expect(await Promise.all(calls)).toEqual(['CORRUPT_FRAME', 'CORRUPT_FRAME']);
    }
  });
});

test('transferred input leaves its sender', async () => {
  const { near, far } = openChannel();
  type SizeCalls = { size: { in: { frame: Uint8Array }; out: number } };
  serve<SizeCalls>(near, { size: ({ frame }) => frame.length });
  const frame = new Uint8Array(100);
  expect(await connect<SizeCalls>(far).call('size', { frame }, { transfer: [frame.buffer] })).toBe(100);
  expect(frame.length).toBe(0);
});
