/** Calls and streams over TCP beside the same over a MessagePort, both to one other thread. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { silentLog } from '../../src/base/seams.ts';
import { systemClock, systemRandom } from '../../src/base/system.ts';
import type { Client } from '../../src/wire/call.ts';
import { connect } from '../../src/wire/connect.ts';
import { messagePortPort } from '../../src/wire/port.ts';
import { connectTcp, type TcpAddress } from '../../src/wire/tcp.ts';
import { median, timeInTurns } from '../measure.ts';
import { paymentsDefinition } from '../payments/data.ts';
import type { BenchRow } from '../row.ts';
import type { Suite } from '../suite.ts';
import type { BenchCalls } from './calls.ts';

const callsDefault = 5_000;
const callsSmoke = 50;
const framesDefault = 1_000;
const framesSmoke = 10;
const frameSizeBytes = 1 << 20;

export const wireSuite: Suite = {
  name: 'wire',
  summary: 'round trips of a call, and a stream of 1 MiB frames, over TCP beside a MessagePort',
  async run({ runs, smoke, progress, note }) {
    const worker = new Worker(new URL('./answer.js', import.meta.url));
    const [address] = (await once(worker, 'message')) as [TcpAddress];
    const settings = { secret: null, tls: null, clock: systemClock, random: systemRandom, log: silentLog };
    const clients = [
      connect<BenchCalls>(await connectTcp(address, settings)),
      connect<BenchCalls>(messagePortPort(worker)),
    ];
    try {
      progress.update('wire: calling');
      const calls = smoke ? callsSmoke : callsDefault;
      const called = await compare('round trips of a small call', clients, calls, runs, client => call(client, calls));
      progress.update('wire: streaming');
      const frames = smoke ? framesSmoke : framesDefault;
      const streamed = await compare('stream of 1 MiB frames', clients, frames, runs, client => stream(client, frames));
      progress.done('wire: done');
      note(
        'Wire: a call carries the definition of a table of 14 columns, one call after the other. TCP: loopback, no TLS.',
      );
      return [...called, ...streamed];
    } finally {
      for (const client of clients) client.close();
    }
  },
};

async function call(client: Client<BenchCalls>, count: number): Promise<boolean> {
  const definition = paymentsDefinition();
  let isRight = true;
  for (let index = 0; index < count; index++) {
    const { queryId } = await client.call('echo', { queryId: `q${index}`, definition, deadlineMs: Infinity });
    isRight &&= queryId === `q${index}`;
  }
  return isRight;
}

async function stream(client: Client<BenchCalls>, count: number): Promise<boolean> {
  const frames = client.stream('frames', { count, sizeBytes: frameSizeBytes });
  for (let sum = 0; ; ) {
    const next = await frames.next();
    if (next.done) return next.value === sum;
    sum += next.value.at(-1)!;
  }
}

/** One row for TCP, one for the MessagePort; per second of what was counted. */
async function compare(
  query: string,
  clients: readonly Client<BenchCalls>[],
  count: number,
  runs: number,
  work: (client: Client<BenchCalls>) => Promise<boolean>,
): Promise<BenchRow[]> {
  const answers = await Promise.all(clients.map(work));
  const times = await timeInTurns(
    clients.map(client => () => work(client)),
    runs,
  );
  const [tcp, port] = clients.map((_, index): BenchRow => {
    const medianMs = median(times[index]!);
    return {
      ...{ suite: 'wire', query, rows: count, engine: index === 0 ? 'weir' : 'MessagePort' },
      ...{ medianMs, minMs: Math.min(...times[index]!), answersEqual: answers[index]! },
      measures: { perSecond: (count * 1_000) / medianMs, microsecondsEach: (medianMs * 1_000) / count },
    };
  }) as [BenchRow, BenchRow];
  return [{ ...tcp, ratio: tcp.medianMs / port.medianMs }, port];
}
