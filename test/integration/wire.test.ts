/** Calls to a real other process, which is paused, goes on, and is killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import type { FaultError } from '../../src/base/fault.ts';
import type { Stream } from '../../src/wire/calls.ts';
import { type Remote, remote } from '../../src/wire/remote.ts';
import type { TcpAddress } from '../../src/wire/tcp.ts';
import { eventually } from '../support/eventually.ts';
import { loopback, openSettings } from '../support/tcp.ts';

type EchoCalls = {
  echo: { in: string; out: string };
  never: { in: null; out: null };
  count: { in: number; out: Stream<number> };
};

const settings = { ...openSettings, secret: Buffer.from('sixteen bytes or more'), silenceMs: 400 };

/** On the build, as a process of its own; says where it listens. */
const script = `
  import { systemClock, systemRandom } from './dist/src/base/system.js';
  import { silentLog } from './dist/src/base/seams.js';
  import { listenTcp } from './dist/src/wire/tcp.js';
  import { multiplex } from './dist/src/wire/multiplex.js';
  import { serve } from './dist/src/wire/serve.js';
  const [address, secret, silenceMs] = JSON.parse(process.argv[1]);
  const settings = {
    secret: Buffer.from(secret), tls: null, silenceMs, clock: systemClock, random: systemRandom, log: silentLog,
  };
  const { address: bound } = await listenTcp(address, settings, port => serve(multiplex(port).channel('echo'), {
    echo: text => text,
    never: () => new Promise(() => {}),
    async *count(frames) {
      for (let frame = 0; frame < frames; frame++) yield new Uint8Array(1 << 20).fill(frame);
      return frames;
    },
  }));
  console.log(JSON.stringify(bound));
`;

const children: ChildProcess[] = [];
const remotes: Remote[] = [];
afterEach(() => {
  for (const each of remotes.splice(0)) each.close();
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function startProcess(address: TcpAddress = loopback): Promise<{ child: ChildProcess; address: TcpAddress }> {
  const order = JSON.stringify([address, settings.secret.toString(), settings.silenceMs]);
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, order], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [line] = await once(createInterface({ input: child.stdout! }), 'line');
  return { child, address: JSON.parse(line) };
}

const faultOf = (work: Promise<unknown>): Promise<FaultError['fault']> =>
  work.then(
    () => {
      throw new Error('no fault');
    },
    error => (error as FaultError).fault,
  );

test('a process that is paused or killed is noticed, its calls fail, and it is connected again', async () => {
  const { child, address } = await startProcess();
  const other = remote(address, settings);
  remotes.push(other);
  const client = other.client<EchoCalls>('echo');
  expect(await client.call('echo', 'a')).toBe('a');
  let sum = 0;
  for await (const frame of client.stream('count', 100)) sum += frame.length === 1 << 20 ? frame[999]! : -1_000;
  expect(sum).toBe((99 * 100) / 2);

  const outstanding = faultOf(client.call('never', null));
  child.kill('SIGSTOP');
  expect(await outstanding).toMatchObject({ code: 'UNAVAILABLE' });
  expect(other.connected).toBe(false);
  expect((await faultOf(client.call('echo', 'b'))).message).toContain(`127.0.0.1:${address.port} is not connected`);
  child.kill('SIGCONT');
  await eventually(async () => expect(await client.call('echo', 'c')).toBe('c'));

  const lost = faultOf(client.call('never', null));
  child.kill('SIGKILL');
  expect(await lost).toMatchObject({ code: 'UNAVAILABLE' });
  await startProcess(address);
  await eventually(async () => expect(await client.call('echo', 'd')).toBe('d'));
});
