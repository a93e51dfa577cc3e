import { MessageChannel } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { FaultError } from '../../../src/base/fault.ts';
import { connect } from '../../../src/wire/connect.ts';
import { multiplex } from '../../../src/wire/multiplex.ts';
import { messagePortPort } from '../../../src/wire/port.ts';
import { serve } from '../../../src/wire/serve.ts';

type NameCalls = { name: { in: null; out: string }; never: { in: null; out: null } };

const open: { close(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

const openPair = () => {
  const { port1, port2 } = new MessageChannel();
  const ports = { near: messagePortPort(port1), far: messagePortPort(port2) };
  open.push(ports.near);
  return ports;
};

const handlers = (name: string) => ({ name: () => name, never: () => new Promise<never>(() => {}) });
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no fault',
    error => (error instanceof FaultError ? error.fault.code : `not a fault: ${error}`),
  );

test('channels of one port do not hear each other, and calls go both ways', async () => {
  const { near, far } = openPair();
  const [left, right] = [multiplex(near), multiplex(far)];
  for (const name of ['controller', 'server']) serve<NameCalls>(left.channel(name), handlers(name));
  serve<NameCalls>(right.channel('ingest'), handlers('ingest'));
  const names = ['server', 'controller'].map(name => connect<NameCalls>(right.channel(name)).call('name', null));
  expect(await Promise.all(names)).toEqual(['server', 'controller']);
  expect(await connect<NameCalls>(left.channel('ingest')).call('name', null)).toBe('ingest');
});

test('a channel that the other side does not have fails its calls, and no other', async () => {
  const { near, far } = openPair();
  serve<NameCalls>(multiplex(near).channel('server'), handlers('server'));
  const right = multiplex(far);
  const lost = connect<NameCalls>(right.channel('broker'));
  expect(await codeOf(lost.call('name', null))).toBe('UNAVAILABLE');
  expect(await codeOf(lost.call('name', null))).toBe('UNAVAILABLE');
  expect(await connect<NameCalls>(right.channel('server')).call('name', null)).toBe('server');
});

test('a channel closes alone, the port all of them, and no name is used twice', async () => {
  const { near, far } = openPair();
  const [left, right] = [multiplex(near), multiplex(far)];
  const services = ['a', 'b'].map(name => serve<NameCalls>(left.channel(name), handlers(name)));
  const [a, b] = ['a', 'b'].map(name => connect<NameCalls>(right.channel(name))) as [
    ReturnType<typeof connect<NameCalls>>,
    ReturnType<typeof connect<NameCalls>>,
  ];
  const waiting = codeOf(a.call('never', null));
  services[0]!.close();
  expect(await waiting).toBe('UNAVAILABLE');
  expect(await b.call('name', null)).toBe('b');
  expect(() => right.channel('a')).toThrow('is open already, or was');
  const other = codeOf(b.call('never', null));
  left.close();
  expect(await other).toBe('UNAVAILABLE');
  expect(await codeOf(connect<NameCalls>(right.channel('c')).call('name', null))).toBe('UNAVAILABLE');
});

test('what is no message of a channel closes the port', async () => {
  for (const nonsense of ['text', null, [], [1, 2], {}]) {
    const { near, far } = openPair();
    multiplex(near);
    await new Promise<void>(resolve => {
      far.listen(() => {}, resolve);
      far.post(nonsense);
    });
  }
});

test('a lie on one channel closes the port', async () => {
  const { near, far } = openPair();
  serve<NameCalls>(multiplex(near).channel('a'), handlers('a'));
  await new Promise<void>(resolve => {
    far.listen(() => {}, resolve);
    far.post(['a', { kind: 'frame', id: 1 }]);
  });
});

test('messages that nobody listens to do not pile up', async () => {
  const { near, far } = openPair();
  multiplex(near).channel('a');
  await new Promise<void>(resolve => {
    far.listen(() => {}, resolve);
    for (let count = 0; count < 2_000; count++) far.post(['a', count]);
  });
});
