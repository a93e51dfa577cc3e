/** The load, in a process of its own: batches made beforehand, sent by several connections at once. */
import { Agent, request } from 'node:http';
import { systemRandom } from '../../src/base/system.ts';
import { createGenerator, eventSizeBytesMax } from '../../src/demo/generator.ts';
import { answerParent } from '../child.ts';

export interface LoadOrder {
  readonly url: string;
  readonly durationMs: number;
  readonly batchRows: number;
  readonly connections: number;
  /** Batches go out at this rate, whether those before are acknowledged or not; null: each connection as fast as it can. */
  readonly rowsPerSecond: number | null;
}

export interface LoadReport {
  /** Acknowledged: durable, and in the next answer. */
  readonly rows: number;
  readonly elapsedMs: number;
  /** Of each batch, from when it was due to its acknowledgement. */
  readonly latenciesMs: readonly number[];
}

/** Different bodies, taken in turns: more than the processor's caches hold. */
const bodyCount = 32;

answerParent(load);

async function load({ url, durationMs, batchRows, connections, rowsPerSecond }: LoadOrder): Promise<LoadReport> {
  const bodies = makeBodies(batchRows);
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const latenciesMs: number[] = [];
  let batches = 0;
  const send = async (dueMs: number): Promise<void> => {
    await post(agent, `${url}/v1/tables/payments/rows`, bodies[batches++ % bodyCount]!, batchRows);
    latenciesMs.push(performance.now() - dueMs);
  };
  // The first pushes find the server's code not compiled yet.
  for (let batch = 0; batch < connections; batch++) await send(performance.now());
  latenciesMs.length = 0;
  const startedMs = performance.now();
  const endMs = startedMs + durationMs;
  if (rowsPerSecond === null) await Promise.all(Array.from({ length: connections }, () => sendUntil(endMs, send)));
  else await sendAtRate((1000 * batchRows) / rowsPerSecond, startedMs, endMs, send);
  const elapsedMs = performance.now() - startedMs;
  agent.destroy();
  return { rows: latenciesMs.length * batchRows, elapsedMs, latenciesMs };
}

async function sendUntil(endMs: number, send: (dueMs: number) => Promise<void>): Promise<void> {
  while (performance.now() < endMs) await send(performance.now());
}

async function sendAtRate(
  gapMs: number,
  startedMs: number,
  endMs: number,
  send: (dueMs: number) => Promise<void>,
): Promise<void> {
  const sent: Promise<void>[] = [];
  for (let dueMs = startedMs; dueMs < endMs; dueMs += gapMs) {
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await new Promise(resolve => setTimeout(resolve, waitMs));
    sent.push(send(dueMs));
  }
  await Promise.all(sent);
}

function makeBodies(batchRows: number): Uint8Array[] {
  const generator = createGenerator(systemRandom);
  const buffer = new Uint8Array(batchRows * eventSizeBytesMax);
  return Array.from({ length: bodyCount }, () =>
    buffer.slice(0, generator.write(buffer, 0, batchRows, systemRandom.next() * 1000 + Date.now())),
  );
}

function post(agent: Agent, url: string, body: Uint8Array, rowCount: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/x-ndjson', 'content-length': body.length };
    const sent = request(url, { agent, method: 'POST', headers }, response => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => {
        if (response.statusCode === 200 && JSON.parse(text).accepted === rowCount) resolve();
        else reject(new Error(`a push of ${rowCount} rows was answered ${response.statusCode}: ${text}`));
      });
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
