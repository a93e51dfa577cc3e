/**
 * Adversaries of the memory budget, one after another and all at once, against a real process: it stays within its budget
 * by 15 %, it lives, it answers, and what it refuses it refuses with a number.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { requires } from '../support/requires.ts';
import { ask, startWeir, type WeirProcess } from '../support/weir-process.ts';

const memoryBytes = 768 << 20;
const residentBytesMax = memoryBytes * 1.15;
const rowCount = 2_000_000;
const rowsPerPush = 50_000;

interface Outcome {
  readonly status: number;
  readonly code: string | null;
  readonly message: string;
  readonly sizeBytes: number;
}

let folder: string;
let weir: WeirProcess;
// A connection each: one that is kept alive may be closed by the server just as the next request is written.
const agent = new Agent({ keepAlive: false, maxSockets: 1_100 });

const residentBytes = (): number => {
  const [, pages] = readFileSync(`/proc/${weir.child.pid}/statm`, 'utf8').split(' ');
  return Number(pages) * 4_096;
};

/** The answer's status and error; of a large one only the size. */
function send(path: string, body: Buffer, headers: Record<string, string> = {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${weir.url}${path}`, {
      method: 'POST',
      agent,
      headers: { 'content-type': 'application/json', 'content-length': body.length, ...headers },
    });
    request.on('error', error => reject(new Error(`${path}: ${error.message}`, { cause: error })));
    request.on('response', (response: IncomingMessage) => {
      let sizeBytes = 0;
      let start = '';
      response.on('data', (chunk: Buffer) => {
        sizeBytes += chunk.length;
        if (start.length < 4_096) start += chunk.toString('latin1');
      });
      // Cut off by its deadline: the client learns it by the broken connection.
      response.on('error', () => resolve({ status: 504, code: 'TIMEOUT', message: 'after 20000 ms', sizeBytes }));
      response.on('end', () => {
        const error = /^\{"error":(\{.*\})/.exec(start)
          ? (JSON.parse(start) as { error: { code: string; message: string } }).error
          : null;
        resolve({ status: response.statusCode!, code: error?.code ?? null, message: error?.message ?? '', sizeBytes });
      });
    });
    request.end(body);
  });
}

const query = (sql: string, parameters: readonly unknown[] = []): Promise<Outcome> =>
  send('/v1/sql', Buffer.from(JSON.stringify({ sql, parameters, timeoutMs: 20_000 })));

const push = (body: Buffer, headers: Record<string, string> = {}): Promise<Outcome> =>
  send('/v1/tables/events/rows', body, { 'content-type': 'text/csv', ...headers });

const times = <T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => make(index)));

const header = 'ts,id,key,tenant,amount,text\n';

function csvRows(first: number, count: number): string {
  let text = header;
  for (let id = first; id < first + count; id++) {
    const hash = (Math.imul(id, 2_654_435_761) >>> 0).toString(16).padStart(8, '0');
    text += `${1_700_000_000_000 + id},${id},${hash}${id},t${id % 100},${id % 1000},${hash}${hash}${hash}${hash}\n`;
  }
  return text;
}

const numbers = (count: number): string => Array.from({ length: count }, (_, index) => index * 7).join(',');
const wide = Array.from({ length: 20 }, (_, index) => `text || key AS c${index}`).join(', ');

const adversaries: Readonly<Record<string, () => Promise<Outcome[]>>> = {
  'GROUP BY on unique strings': () =>
    times(6, index => query(`SELECT key, SUM(id) FROM events GROUP BY key ORDER BY 2 LIMIT ${index + 1}`)),
  'GROUP BY on unique numbers': () =>
    times(6, index => query(`SELECT id, tenant, MIN(amount) FROM events GROUP BY id, tenant LIMIT ${index + 1}`)),
  'GROUP BY on unique decimals': () =>
    times(4, () => query('SELECT CAST(id AS DECIMAL(20, 2)), COUNT(*) FROM events GROUP BY 1 LIMIT 1')),
  'COUNT(DISTINCT) of unique strings': () =>
    times(6, () => query('SELECT COUNT(DISTINCT key), COUNT(DISTINCT text), COUNT(DISTINCT id) FROM events')),
  'ORDER BY of everything': () => times(4, () => query('SELECT * FROM events ORDER BY text, key')),
  'huge IN lists': () => {
    const list = numbers(30_000);
    return times(10, () => query(`SELECT COUNT(*) FROM events WHERE id IN (${list})`));
  },
  'many large parameters': () => {
    const parameters = Array.from({ length: 9_000 }, () => 'x'.repeat(300));
    const list = parameters.map((_, index) => `$${index + 1}`).join(',');
    return times(8, () => query(`SELECT COUNT(*) FROM events WHERE key IN (${list})`, parameters));
  },
  'wide SELECT *': () => times(4, () => query(`SELECT *, ${wide} FROM events LIMIT 25000`)),
  'large JSON': () => {
    const ones = Buffer.from(`{"sql":"SELECT 1","parameters":[${Array(1_000_000).fill('{}').join(',')}]}`);
    const rows = Buffer.from(
      `[${Array(100_000).fill('{"ts":1700000000000,"id":-1,"nested":{"a":[[],[],{}]}}').join(',')}]`,
    );
    return times(18, index =>
      index % 3 === 0 ? send('/v1/tables/events/rows?strict=true', rows) : send('/v1/sql', ones),
    );
  },
  'oversized bodies': async () => {
    const larger = Buffer.alloc(100 << 20, 'x');
    // What is within the limit, all at once; no row of it fits, so that none is added.
    const allowed = Buffer.concat([Buffer.from(header), Buffer.alloc(26 << 20, `${'x'.repeat(200)}\n`)]);
    return [...(await times(4, () => push(larger))), ...(await times(5, () => push(allowed)))];
  },
  'compressed bombs': () => {
    const bomb = gzipSync(Buffer.alloc(300 << 20));
    return times(6, () => push(bomb, { 'content-encoding': 'gzip' }));
  },
  '1,000 small queries': () =>
    times(1_000, index => query(`SELECT tenant, COUNT(*) FROM events WHERE id = ${index} GROUP BY tenant`)),
};

/** Refused: with a code that says so, and numbers; each is also a status of `http/status`. */
const refusals: Readonly<Record<string, number>> = {
  MEMORY_BUDGET: 503,
  UNAVAILABLE: 503,
  TOO_MANY_QUERIES: 429,
  TIMEOUT: 504,
  BODY_TOO_LARGE: 413,
  LIMIT_EXCEEDED: 400,
  INVALID_REQUEST: 400,
  INVALID_ROWS: 400,
};

function checkOutcomes(name: string, outcomes: readonly Outcome[]): void {
  for (const { status, code, message } of outcomes) {
    if (status === 200) continue;
    expect([code, status], `${name}: ${message}`).toEqual([code, refusals[code!]]);
    expect(message, name).toMatch(/\d/);
  }
}

/** Runs it while memory and health are looked at; returns the most that was resident. */
async function watched<T>(work: () => Promise<T>): Promise<{ answer: T; residentPeakBytes: number }> {
  let residentPeakBytes = residentBytes();
  const sampling = setInterval(() => {
    residentPeakBytes = Math.max(residentPeakBytes, residentBytes());
  }, 10);
  let isOver = false;
  const probing = (async () => {
    while (!isOver) {
      const response = await fetch(`${weir.url}/health/live`, { signal: AbortSignal.timeout(10_000) });
      expect(response.status).toBe(200);
      await response.arrayBuffer();
      await new Promise(resolve => setTimeout(resolve, 100));
    }
  })();
  try {
    return { answer: await work(), residentPeakBytes };
  } finally {
    isOver = true;
    clearInterval(sampling);
    await probing;
  }
}

const megabytes = (bytes: number): number => Math.round(bytes / 2 ** 20);

requires('resident memory')('the memory budget', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weir-memory-'));
    weir = await startWeir({
      args: ['--data', folder, '--no-demo', '--shards', '2', '--memory', `${memoryBytes}`, '--log-level', 'error'],
    });
    await ask(
      weir.url,
      `CREATE TABLE events (ts TIMESTAMP NOT NULL, id LONG NOT NULL, key STRING, tenant STRING, amount DOUBLE, text STRING)
         FROM LOG WITH (time_column = 'ts')`,
    );
    for (let first = 0; first < rowCount; first += 2 * rowsPerPush) {
      const pushes = await times(2, index => push(Buffer.from(csvRows(first + index * rowsPerPush, rowsPerPush))));
      for (const { status, message } of pushes) expect([status, message]).toEqual([200, '']);
    }
  });

  afterAll(async () => {
    agent.destroy();
    await weir?.kill();
    await rm(folder, { recursive: true, force: true });
  });

  const answersRight = async (): Promise<void> =>
    expect(await ask(weir.url, 'SELECT COUNT(*), SUM(id), MAX(key) FROM events WHERE id >= 0')).toEqual([
      [rowCount, (rowCount * (rowCount - 1)) / 2, expect.stringMatching(/^ffff/)],
    ]);

  for (const [name, attack] of Object.entries(adversaries))
    test(name, async () => {
      const startedMs = Date.now();
      const { answer: outcomes, residentPeakBytes } = await watched(attack);
      checkOutcomes(name, outcomes);
      const counts: Record<string, number> = {};
      for (const { status } of outcomes) counts[status] = (counts[status] ?? 0) + 1;
      console.log(
        `${name}: ${megabytes(residentPeakBytes)} MiB resident, ${JSON.stringify(counts)}, ${Date.now() - startedMs} ms`,
      );
      expect(residentPeakBytes).toBeLessThan(residentBytesMax);
      await answersRight();
    });

  test('all of them at once', async () => {
    const { answer, residentPeakBytes } = await watched(() =>
      Promise.all(Object.entries(adversaries).map(async ([name, attack]) => [name, await attack()] as const)),
    );
    for (const [name, outcomes] of answer) checkOutcomes(name, outcomes);
    console.log(`all at once: ${megabytes(residentPeakBytes)} MiB resident`);
    expect(residentPeakBytes).toBeLessThan(residentBytesMax);
    await answersRight();
  });

  test('a reader of 1 KB a second holds neither memory nor others, and ends with its deadline', async () => {
    const before = residentBytes();
    const { answer, residentPeakBytes } = await watched(async () => {
      const request = httpRequest(`${weir.url}/v1/sql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
      });
      // A gigabyte, were it read.
      request.end(JSON.stringify({ sql: `SELECT *, ${wide} FROM events`, timeoutMs: 4_000 }));
      const response = await new Promise<IncomingMessage>(resolve => request.once('response', resolve));
      expect(response.statusCode).toBe(200);
      response.pause();
      const reading = setInterval(() => response.read(1_024), 1_000);
      request.on('error', () => {});
      let others = 0;
      for (const startedMs = Date.now(); Date.now() - startedMs < 3_000; others++)
        expect((await query(`SELECT COUNT(*) FROM events WHERE id = ${others}`)).status).toBe(200);
      expect(others).toBeGreaterThan(5);
      await expect
        .poll(
          async () =>
            (
              await ask(
                weir.url,
                `SELECT state, error FROM system.queries WHERE sql LIKE 'SELECT *, text%'
          ORDER BY started_at DESC LIMIT 1`,
              )
            )[0],
          { timeout: 10_000, interval: 200 },
        )
        .toEqual(['failed', expect.stringMatching(/4000 ms/)]);
      clearInterval(reading);
      response.destroy();
      return others;
    });
    console.log(`slow reader: ${megabytes(residentPeakBytes - before)} MiB more, ${answer} other queries`);
    expect(residentPeakBytes).toBeLessThan(Math.max(before, residentBytesMax * 0.9) + (64 << 20));
  });

  test('the accounts say what is resident', async () => {
    const rows = (await ask(weir.url, 'SELECT account, used_bytes, peak_bytes, limit_bytes FROM system.memory')) as [
      string,
      number,
      number,
      number,
    ][];
    const of = Object.fromEntries(rows.map(([account, used, peak, limit]) => [account, { used, peak, limit }]));
    for (const [account, { used, peak, limit }] of Object.entries(of)) {
      expect(used, account).toBeGreaterThanOrEqual(0);
      expect(used, account).toBeLessThanOrEqual(peak);
      if (!['resident', 'builds', 'streams'].includes(account)) expect(peak, account).toBeLessThanOrEqual(limit);
    }
    // Nothing runs: what queries, statements and bodies held is given back, but for the query that asks.
    for (const account of ['bodies', 'builds', 'streams']) expect(of[account]!.used, account).toBe(0);
    for (const account of ['queries', 'statements', 'results'])
      expect(of[account]!.used, account).toBeLessThan(4 << 20);
    const { columns, consuming, process: share, resident, ...others } = of;
    // An arena's pages stay once they were used.
    const arenas = Math.min(columns!.peak + consuming!.peak, columns!.limit);
    const heldBytes = ['queries', 'statements', 'results', 'bodies', 'streams', 'builds', 'metadata'].reduce(
      (sum, account) => sum + others[account]!.used,
      0,
    );
    expect(resident!.used).toBeGreaterThan(columns!.used + consuming!.used + 100 * 2 ** 20);
    expect(resident!.used).toBeLessThan((arenas + heldBytes + share!.limit) * 1.15);
    const metrics = await (await fetch(`${weir.url}/metrics`)).text();
    for (const account of Object.keys(of)) expect(metrics).toContain(`weir_memory_used_bytes{account="${account}"}`);
  });
});
