/** Processes that are killed, stopped, restarted and drained under queries: an answer is whole, or it is a clear error. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCluster, until, type WeirCluster } from '../support/weir-cluster.ts';
import { ask, startWeir, type WeirProcess } from '../support/weir-process.ts';

const rowsEach = 20_000;
const segmentCount = 8;
const sql = 'SELECT k, COUNT(*), SUM(x) FROM t GROUP BY k ORDER BY k';

/** The longest that a query waits for a server that hangs (see docs/cluster.md), and a loaded machine. */
const hangMsMax = 5_000 + 10_000;

async function fill(url: string): Promise<void> {
  await ask(url, 'CREATE TABLE t (x LONG, k STRING) FROM LOG');
  for (let segment = 0; segment < segmentCount; segment++) {
    const lines = Array.from({ length: rowsEach }, (_, row) => `{"x":${row},"k":"k${(row + segment) % 7}"}`);
    const pushed = await fetch(`${url}/v1/tables/t/rows`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: lines.join('\n'),
    });
    expect(await pushed.json()).toMatchObject({ accepted: rowsEach, rejected: 0 });
    const committed = await fetch(`${url}/v1/tables/t/commit`, { method: 'POST' });
    expect(await committed.json()).toEqual({ segments: 1 });
  }
  await ask(url, "INSERT INTO t VALUES (1, 'k0'), (2, 'new')");
}

/** Queries without a pause until `ended`; each answer must be `whole`. Returns errors, and how long the slowest took. */
async function askAll(
  url: string,
  whole: unknown,
  ended: Promise<unknown>,
): Promise<{ errors: string[]; slowestMs: number; count: number }> {
  let isOver = false;
  void ended.finally(() => {
    isOver = true;
  });
  const errors: string[] = [];
  let [slowestMs, count] = [0, 0];
  const one = async (): Promise<void> => {
    while (!isOver) {
      const startedMs = Date.now();
      try {
        expect(await ask(url, sql)).toEqual(whole);
        count++;
      } catch (error) {
        if (!(error instanceof Error) || !/^(INCOMPLETE|UNAVAILABLE)/.test(error.message)) throw error;
        errors.push(error.message);
      }
      slowestMs = Math.max(slowestMs, Date.now() - startedMs);
    }
  };
  await Promise.all([one(), one(), one()]);
  return { errors, slowestMs, count };
}
const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

describe.each([1, 2])('two servers, a broker, %d replicas', replicas => {
  let cluster: WeirCluster;
  let [first, second, broker]: WeirProcess[] = [];
  let whole: unknown;

  beforeAll(async () => {
    cluster = await startCluster(['--replicas', String(replicas)]);
    [first, second, broker] = await Promise.all([
      cluster.startServer('first'),
      cluster.startServer('second'),
      cluster.startBroker(),
    ]);
    await fill(broker!.url);
    whole = await ask(broker!.url, sql);
    await cluster.settled(broker!.url, 2);
  });
  afterAll(() => cluster.close());

  test('the answer is that of one process', async () => {
    expect(whole).toEqual([
      ...Array.from({ length: 7 }, (_, k) => {
        const xs = Array.from({ length: segmentCount }, (_each, segment) =>
          Array.from({ length: rowsEach }, (_row, row) => row).filter(row => (row + segment) % 7 === k),
        ).flat();
        const more = k === 0 ? 1 : 0;
        return [`k${k}`, xs.length + more, xs.reduce((sum, x) => sum + x, more)];
      }),
      ['new', 1, 2],
    ]);
    expect(await ask(broker!.url, sql)).toEqual(whole);
    // Small segments are merged meanwhile: how many there are is nobody's promise.
    await until(async () => {
      const [[announced]] = (await ask(broker!.url, 'SELECT SUM(segments_announced) FROM system.servers')) as [
        [number],
      ];
      const [[segments]] = (await ask(broker!.url, 'SELECT COUNT(*) FROM system.segments')) as [[number]];
      return segments > 0 && announced === segments * replicas;
    });
  });

  test('a server that is killed under queries: every answer is whole', async () => {
    const killed = pause(500).then(() => first!.kill());
    const { errors, count } = await askAll(
      broker!.url,
      whole,
      killed.then(() => pause(3_000)),
    );
    expect(errors).toEqual([]);
    expect(count).toBeGreaterThan(0);
    await until(async () => {
      const states = await ask(broker!.url, "SELECT state FROM system.servers WHERE roles = 'server'");
      return states.flat().includes('silent');
    });
  });

  test('it comes back with what it has in its cache', async () => {
    first = await cluster.startServer('first');
    await cluster.settled(broker!.url, 2);
    expect(await ask(broker!.url, sql)).toEqual(whole);
    expect((await ask(broker!.url, "SELECT COUNT(*) FROM system.servers WHERE roles = 'server'"))[0]).toEqual([2]);
  });

  test('a server that is stopped delays queries for a stated time at most, and nothing is missing', async () => {
    second!.child.kill('SIGSTOP');
    const { errors, slowestMs, count } = await askAll(broker!.url, whole, pause(6_000));
    second!.child.kill('SIGCONT');
    expect(errors).toEqual([]);
    expect(count).toBeGreaterThan(0);
    expect(slowestMs).toBeLessThan(hangMsMax);
    await cluster.settled(broker!.url, 2);
    expect(await ask(broker!.url, sql)).toEqual(whole);
  });

  test('while the owner is away queries say so, and afterwards they are answered', async () => {
    await cluster.owner.kill();
    await expect(ask(broker!.url, sql)).rejects.toThrow(/^UNAVAILABLE: 127\.0\.0\.1:\d+/);
    const health = await fetch(`${broker!.url}/health/ready`);
    expect(health.status).toBe(503);
    const again = await cluster.startOwner();
    await until(async () => JSON.stringify(await ask(broker!.url, sql)) === JSON.stringify(whole));
    await cluster.settled(broker!.url, 2);
    await until(async () => (await fetch(`${broker!.url}/health/ready`)).status === 200);
    expect((await fetch(`${again.url}/health/ready`)).status).toBe(200);
  });

  test('a server that is drained leaves under queries, and one that stops in good order is missed by nobody', async () => {
    const id = /server (server-\w+)/.exec(first!.output())![1]!;
    const drained = fetch(`${broker!.url}/v1/servers/${id}/drain`, { method: 'POST' }).then(async response => {
      expect(response.status).toBe(200);
      await until(async () => {
        const states = await ask(broker!.url, 'SELECT state FROM system.servers WHERE server = ?', [id]);
        return states[0]![0] === 'drained';
      });
      expect(await first!.stop()).toBe(0);
    });
    const { errors, count } = await askAll(broker!.url, whole, drained);
    expect(errors).toEqual([]);
    expect(count).toBeGreaterThan(0);
    const left = "SELECT server FROM system.servers WHERE roles = 'server' AND segments_placed > 0";
    expect(await ask(broker!.url, left)).toHaveLength(1);
    await cluster.settled(broker!.url, 1);
    const stopped = askAll(broker!.url, whole, second!.stop());
    expect((await stopped).errors).toEqual([]);
  });
});

describe('who may join', () => {
  const env = { WEIR_TEST_SECRET: 'a secret of sixteen bytes', WEIR_OTHER_SECRET: 'another one, as long as it' };
  let cluster: WeirCluster;
  beforeAll(async () => {
    cluster = await startCluster(['--secret', 'env:WEIR_TEST_SECRET'], env);
  });
  afterAll(() => cluster.close());

  test('who has the secret', async () => {
    const broker = await cluster.startBroker(['--secret', 'env:WEIR_TEST_SECRET']);
    expect(await ask(broker.url, 'SELECT 1')).toEqual([[1]]);
    expect(await broker.stop()).toBe(0);
  });

  test.each([
    ['none', []],
    ['another', ['--secret', 'env:WEIR_OTHER_SECRET']],
  ])('not who has %s', async (_, args) => {
    await expect(cluster.startBroker(args)).rejects.toThrow(/secret/);
    expect(cluster.owner.log()).toMatch(/a connection was refused/);
  });
});

test.each([
  [['--roles', 'server', '--data', 'x'], '--roles server needs --join'],
  [['--roles', 'broker'], '--roles broker needs --join'],
  [['--roles', 'server', '--join', '127.0.0.1:1'], '--roles server needs --data'],
  [['--roles', 'ingest'], 'nothing that one process can be'],
  [['--join', '127.0.0.1:1'], 'only servers and brokers join'],
  [['--secret', 'hunter2hunter2hunter2'], 'takes a place, not the secret itself'],
  [['--wire', '0.0.0.0:0'], 'without a secret'],
  [['--roles', 'broker', '--join', '192.0.2.1:1'], 'without a secret'],
])('weir start %j is refused', async (args, why) => {
  const folder = await mkdtemp(join(tmpdir(), 'weir-refused-'));
  const data = args.includes('--roles') ? [] : ['--data', folder];
  try {
    const error = await startWeir({ args: [...args, ...data, '--no-demo'] }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).toContain(why);
    expect((error as Error).message).not.toContain('hunter2');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
