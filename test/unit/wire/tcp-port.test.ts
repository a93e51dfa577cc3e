import { once } from 'node:events';
import type { Socket } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { FaultError } from '../../../src/base/fault.ts';
import { silentLog } from '../../../src/base/seams.ts';
import type { FrameStream, Handlers, Port } from '../../../src/wire/call.ts';
import type { Stream } from '../../../src/wire/calls.ts';
import { connect } from '../../../src/wire/connect.ts';
import { streamCredit } from '../../../src/wire/message.ts';
import { serve } from '../../../src/wire/serve.ts';
import { encodeMessage, heartbeat } from '../../../src/wire/tcp-message.ts';
import { tcpPort } from '../../../src/wire/tcp-port.ts';
import { ManualClock } from '../../support/clock.ts';
import { socketPair, warnings } from '../../support/tcp.ts';

type TestCalls = {
  double: { in: number; out: number };
  never: { in: null; out: null };
  count: { in: { frames: number; sizeBytes: number }; out: Stream<{ produced: number }> };
};

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

const silenceMs = 400;
const beatMs = silenceMs / 4;

/** A port at one end of a connection, and the bare socket at the other. */
async function openPort(silence = silenceMs) {
  const { near, far } = await socketPair();
  sockets.push(near, far);
  far.on('error', () => {});
  const clock = new ManualClock();
  const { log, lines } = warnings();
  const port = tcpPort(near, { peer: 'the peer', silenceMs: silence, clock, log });
  return { near, far, clock, lines, port };
}

/** One beat of the port, when it has done the last. */
async function beat(clock: ManualClock, byMs = beatMs): Promise<void> {
  await clock.untilSleeping();
  clock.advance(byMs);
  await Promise.resolve();
}

const closed = (socket: Socket): Promise<void> =>
  new Promise(resolve => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no fault',
    error => (error instanceof FaultError ? error.fault.code : `not a fault: ${error}`),
  );

let produced = 0;
const handlers: Handlers<TestCalls> = {
  double: input => input * 2,
  never: () => new Promise<never>(() => {}),
  async *count({ frames, sizeBytes }): FrameStream<{ produced: number }> {
    for (produced = 0; produced < frames; produced++) yield new Uint8Array(sizeBytes);
    return { produced };
  },
};

const bytesOf = (...messages: readonly unknown[]): Buffer =>
  Buffer.concat(messages.flatMap(each => encodeMessage(each)));

describe('a peer', () => {
  test('that is silent is cut off within the limit, and its calls fail', async () => {
    const { far, clock, lines, port } = await openPort();
    const call = codeOf(connect<TestCalls>(port).call('never', null));
    for (let beats = 0; beats < 4; beats++) await beat(clock);
    expect(await call).toBe('UNAVAILABLE');
    expect(lines).toEqual(['a connection to another process was cut: it was silent for 400 ms']);
    await closed(far.resume());
  });

  test('that gives signs of life stays', async () => {
    const { near, far, clock, lines, port } = await openPort();
    serve(port, handlers);
    for (let beats = 0; beats < 40; beats++) {
      if (beats % 3 === 0) {
        const heard = once(near, 'data');
        far.write(heartbeat);
        await heard;
      }
      await beat(clock);
    }
    expect(lines).toEqual([]);
    const received = once(far, 'data');
    expect(((await received)[0] as Buffer).subarray(0, heartbeat.length)).toEqual(Buffer.from(heartbeat));
  });

  test('is not cut off for a pause of this process', async () => {
    const { clock, lines, port } = await openPort();
    serve(port, handlers);
    await beat(clock, 60_000);
    await beat(clock, 60_000);
    expect(lines).toEqual([]);
  });

  test('that does not read is cut off within the limit, and streams do not run ahead of it', async () => {
    const { near, far, clock, lines, port } = await openPort();
    serve(port, handlers);
    const frames = 1_000;
    const lies = Array.from({ length: frames }, () => ({ kind: 'credit', id: 1, frames: 4 }));
    const sizeBytes = 1 << 20;
    far.write(bytesOf({ kind: 'call', id: 1, name: 'count', input: { frames, sizeBytes } }, ...lies));
    // Until what the systems' buffers take is full, and as often as it takes to be sure.
    for (let last = -1; last !== produced || produced === 0; ) {
      last = produced;
      const heard = once(near, 'data');
      far.write(bytesOf({ kind: 'credit', id: 1, frames: 4 }));
      await heard;
      await new Promise(resolve => setImmediate(resolve));
    }
    const before = produced;
    expect(before).toBeLessThan(64);
    for (let beats = 0; beats < 6 && lines.length === 0; beats++) {
      const heard = Promise.race([once(near, 'data'), closed(near)]);
      far.write(bytesOf({ kind: 'credit', id: 1, frames: 4 }));
      await heard;
      await beat(clock);
    }
    expect(lines).toEqual(['a connection to another process was cut: it did not read for 400 ms']);
    expect(produced).toBe(before);
  });

  test('that drips a message is cut off after a minute', async () => {
    const { near, far, clock, lines, port } = await openPort(60_000);
    serve(port, handlers);
    const message = bytesOf({ kind: 'call', id: 1, name: 'double', input: 1 });
    for (let beats = 0; beats < 4; beats++) {
      const heard = once(near, 'data');
      far.write(message.subarray(beats, beats + 1));
      await heard;
      await beat(clock, 15_000);
    }
    expect(lines).toEqual(['a connection to another process was cut: a message took longer than 60000 ms']);
  });

  test('that ends within a message is noticed', async () => {
    const { near, far, lines, port } = await openPort();
    serve(port, handlers);
    far.end(bytesOf({ kind: 'call', id: 1, name: 'double', input: 1 }).subarray(0, 20));
    await closed(near);
    expect(lines).toEqual(['a connection to another process was cut: it ended within a message']);
  });

  test('that does not close when asked is left after the limit', async () => {
    const { near, far, clock, port } = await openPort();
    const service = serve(port, handlers);
    far.pause();
    service.close();
    for (let beats = 0; beats < 5 && !near.destroyed; beats++) await beat(clock);
    expect(near.destroyed).toBe(true);
  });
});

test('what was posted before closing leaves first', async () => {
  const { near, far } = await socketPair();
  sockets.push(near, far);
  const settings = { peer: 'the peer', silenceMs, clock: new ManualClock(), log: silentLog };
  const [port, other] = [tcpPort(near, settings), tcpPort(far, settings)];
  const received: number[] = [];
  const ended = new Promise<void>(resolve =>
    other.listen(message => received.push((message as Uint8Array).length), resolve),
  );
  for (let count = 0; count < 5; count++) port.post(new Uint8Array(4 << 20));
  port.close();
  await ended;
  expect(received).toEqual(Array(5).fill(4 << 20));
});

describe('lies are cut off, with the reason', () => {
  test.each<[string, unknown[], string]>([
    ['no call', ['nonsense'], 'a message without a call'],
    ['an answer to who answers', [{ kind: 'done', id: 1 }], 'a message of kind "done"'],
    ['an unknown kind', [{ kind: 'more', id: 1 }], 'a message of kind "more"'],
  ])('of a caller: %s', async (_, messages, reason) => {
    const { near, far, lines, port } = await openPort();
    serve(port, handlers);
    far.write(bytesOf(...messages));
    await closed(near);
    expect(lines).toEqual([expect.stringContaining(reason)]);
  });

  const frame = { kind: 'frame', id: 1, frame: new Uint8Array(1) };
  test.each<[string, unknown[], string]>([
    ['no answer', [null], 'an answer without a call'],
    ['an answer to no call', [{ kind: 'done', id: 7 }], 'an answer to call 7, which was never made'],
    ['a frame for no call', [{ ...frame, id: 3 }], 'an answer to call 3, which was never made'],
    ['a frame for what is no stream', [{ ...frame, id: 2 }], 'a frame for never, which is no stream'],
    ['frames beyond the credit', Array(streamCredit + 1).fill(frame), 'a frame of count beyond its credit'],
  ])('of who answers: %s', async (_, messages, reason) => {
    const { near, far, lines, port } = await openPort();
    const client = connect<TestCalls>(port);
    const stream = client.stream('count', { frames: 1, sizeBytes: 1 });
    const first = codeOf(stream.next());
    const call = codeOf(client.call('never', null));
    far.write(bytesOf(...messages));
    await closed(near);
    expect(lines).toEqual([expect.stringContaining(reason)]);
    expect(await call).toBe('CORRUPT_FRAME');
    // A frame within the credit is still handed out.
    expect(['CORRUPT_FRAME', 'no fault']).toContain(await first);
  });

  test('too many calls at once are refused, one by one', async () => {
    const { near, far, port } = await openPort();
    const clock = new ManualClock();
    const other = tcpPort(far, { peer: 'the port', silenceMs, clock, log: silentLog });
    serve(port, handlers);
    const client = connect<TestCalls>(other);
    const calls = Array.from({ length: 10_000 }, () => codeOf(client.call('never', null)));
    expect(await codeOf(client.call('double', 1))).toBe('LIMIT_EXCEEDED');
    client.close();
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['UNAVAILABLE']));
    await closed(near);
  });
});

// ── fuzz ────────────────────────────────────────────────────────────────────────────────────────────────────

interface Damage {
  readonly at: number;
  readonly how: 'flip' | 'cut' | 'insert' | 'repeat';
  readonly bytes: Uint8Array;
}

const damage: fc.Arbitrary<Damage> = fc.record({
  at: fc.nat(),
  how: fc.constantFrom('flip', 'cut', 'insert', 'repeat'),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }),
});

function damaged(sound: Buffer, { at, how, bytes }: Damage): Buffer {
  const position = at % sound.length;
  const [before, after] = [sound.subarray(0, position), sound.subarray(position)];
  if (how === 'cut') return before;
  if (how === 'insert') return Buffer.concat([before, bytes, after]);
  if (how === 'repeat') return Buffer.concat([sound, after, sound]);
  const flipped = Buffer.from(sound);
  for (const [index, byte] of bytes.entries())
    if (position + index < flipped.length) flipped[position + index]! ^= byte;
  return flipped;
}

/** Byte by byte, or in larger pieces, then the end; each is read before the next is sent only where the system likes. */
async function send(far: Socket, bytes: Buffer, pieceSize: number): Promise<void> {
  for (let position = 0; position < bytes.length && far.writable; position += pieceSize) {
    far.write(bytes.subarray(position, position + pieceSize));
    if (pieceSize < 10) await new Promise(resolve => setImmediate(resolve));
  }
  far.end();
}

const pieceSizes = fc.constantFrom(1, 7, 1_000, 1_000_000);

/** Messages of a caller that says nothing wrong, or of one that does but in well-formed messages. */
const callerMessage = fc.oneof(
  fc.record({
    kind: fc.constant('call'),
    id: fc.nat(5),
    name: fc.constantFrom('double', 'never', 'none'),
    input: fc.anything(),
  }),
  fc.record({
    kind: fc.constant('call'),
    id: fc.nat(5),
    name: fc.constant('count'),
    input: fc.record({ frames: fc.nat(20), sizeBytes: fc.nat(2_000) }),
  }),
  fc.record({ kind: fc.constantFrom('credit', 'cancel'), id: fc.nat(5), frames: fc.oneof(fc.nat(9), fc.anything()) }),
);

const serverMessage = fc.oneof(
  fc.record({ kind: fc.constantFrom('done', 'fault', 'frame'), id: fc.nat(4), output: fc.anything() }),
  fc.record({ kind: fc.constant('frame'), id: fc.nat(4), frame: fc.uint8Array({ maxLength: 100 }) }),
  fc.record({ kind: fc.constant('done'), id: fc.nat(4), output: fc.integer() }),
);

describe('whatever comes', () => {
  /** The port has to close when its peer does, whatever it made of the bytes. */
  const takes = async (use: (port: Port) => Promise<unknown>[], bytes: Buffer, pieceSize: number): Promise<void> => {
    const { near, far, port } = await openPort();
    const settled = use(port);
    far.resume();
    await send(far, bytes, pieceSize);
    await Promise.all([closed(near), closed(far), ...settled]);
  };

  const asServer = (port: Port): Promise<unknown>[] => {
    serve(port, handlers);
    return [];
  };
  const asClient = (port: Port): Promise<unknown>[] => {
    const client = connect<TestCalls>(port);
    const drain = async (): Promise<void> => {
      for await (const _ of client.stream('count', { frames: 9, sizeBytes: 9 }));
    };
    return [client.call('double', 1), client.call('never', null), drain()].map(work => codeOf(work));
  };

  for (const [name, use, message] of [
    ['a server', asServer, callerMessage],
    ['a client', asClient, serverMessage],
  ] as const) {
    test(`${name} lives through random bytes`, async () => {
      const property = fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), pieceSizes, (bytes, pieceSize) =>
        takes(use, Buffer.from(bytes), pieceSize),
      );
      await fc.assert(property, { numRuns: 60 });
    });

    test(`${name} lives through conversations, sound and damaged`, async () => {
      const messages = fc.array(message as fc.Arbitrary<unknown>, { minLength: 1, maxLength: 12 });
      const property = fc.asyncProperty(messages, fc.option(damage), pieceSizes, (sent, harm, pieceSize) => {
        const sound = bytesOf(...sent.map(each => structuredClone(each)));
        return takes(use, harm ? damaged(sound, harm) : sound, pieceSize);
      });
      await fc.assert(property, { numRuns: 150 });
    });
  }
});
