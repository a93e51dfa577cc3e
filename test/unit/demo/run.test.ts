import { describe, expect, test } from 'vitest';
import { type Clock, silentLog } from '../../../src/base/seams.ts';
import { WeirError } from '../../../src/client/error.ts';
import type { PushResult } from '../../../src/client/types.ts';
import { createPacer } from '../../../src/demo/pacer.ts';
import { runDemo } from '../../../src/demo/run.ts';

/** Time that passes only while someone sleeps. */
class SteppedClock implements Clock {
  ms = 1_000_000;
  nowMs = (): number => this.ms;
  monotonicMs = (): number => this.ms;
  async sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw signal.reason;
    this.ms += delayMs;
  }
}

const random = { next: () => 0.5, hex: (digits: number) => 'a'.repeat(digits) };

interface Push {
  readonly atMs: number;
  readonly key: string;
  readonly rows: number;
}

/** Runs the demo for `lengthMs`; `push` may take time or refuse. */
async function run(
  lengthMs: number,
  ratePerSecond: number,
  onPush: (clock: SteppedClock, push: Push, index: number) => void = () => {},
) {
  const clock = new SteppedClock();
  const endMs = clock.ms + lengthMs;
  const controller = new AbortController();
  const statements: string[] = [];
  const tried: Push[] = [];
  const taken: Push[] = [];
  const client = {
    async query(sql: string) {
      statements.push(sql);
      return { columns: [], rows: [], complete: true, freshness: {}, stats: {} as never, queryId: 'q' };
    },
    async push(_table: string, body: string | Uint8Array, _format: string, options?: { idempotencyKey?: string }) {
      if (clock.ms >= endMs) controller.abort();
      const rows = new TextDecoder().decode(body as Uint8Array).split('\n').length - 1;
      const push = { atMs: clock.ms, key: options!.idempotencyKey!, rows };
      tried.push(push);
      onPush(clock, push, tried.length - 1);
      taken.push(push);
      return { accepted: rows, rejected: 0, rejects: [], duplicate: false } satisfies PushResult;
    },
  };
  const total = await runDemo(client, { ratePerSecond, clock, random, log: silentLog, signal: controller.signal });
  return { total, statements, tried, taken, endMs };
}

const rowsOf = (pushes: readonly Push[]): number => pushes.reduce((sum, { rows }) => sum + rows, 0);

describe('runDemo', () => {
  test('creates the table once and keeps the rate in batches of a tick', async () => {
    const { statements, taken, total } = await run(10_000, 2_000);
    expect(statements).toHaveLength(1);
    expect(statements[0]).toContain('CREATE TABLE IF NOT EXISTS payments');
    expect(total).toBe(rowsOf(taken));
    expect(total).toBeGreaterThan(19_800);
    expect(total).toBeLessThanOrEqual(20_100);
    expect(Math.max(...taken.map(({ rows }) => rows))).toBeLessThanOrEqual(125);
    expect(new Set(taken.map(({ key }) => key)).size).toBe(taken.length);
  });

  test('a low rate is kept too', async () => {
    const { total } = await run(20_000, 3);
    expect(total).toBeGreaterThanOrEqual(58);
    expect(total).toBeLessThanOrEqual(61);
  });

  test('a refused batch is sent again with its key, ever more slowly, then caught up without a burst', async () => {
    const busy = new WeirError({ error: { code: 'UNAVAILABLE', message: 'starting' } }, 503);
    const { tried, taken, total } = await run(20_000, 2_000, (_clock, _push, index) => {
      if (index >= 20 && index < 25) throw busy;
    });
    const refused = tried.slice(20, 26);
    expect(new Set(refused.map(({ key }) => key)).size).toBe(1);
    const waits = refused.slice(1).map(({ atMs }, index) => atMs - refused[index]!.atMs);
    expect(waits).toEqual([100, 200, 400, 800, 1600]);
    expect(Math.max(...taken.map(({ rows }) => rows))).toBeLessThanOrEqual(125);
    // 3.1 s were missed; 17 s at a quarter above the rate make up for them.
    expect(total).toBeGreaterThan(39_500);
  });

  test('ends when its table is dropped', async () => {
    const dropped = new WeirError({ error: { code: 'UNKNOWN_TABLE', message: 'unknown table payments' } }, 404);
    const { total } = await run(60_000, 2_000, (_clock, _push, index) => {
      if (index === 3) throw dropped;
    });
    expect(total).toBe(300);
  });

  test('a refusal that repeating does not cure ends it with the error', async () => {
    const invalid = new WeirError({ error: { code: 'INVALID_REQUEST', message: 'no' } }, 400);
    await expect(
      run(60_000, 2_000, () => {
        throw invalid;
      }),
    ).rejects.toBe(invalid);
  });
});

test('the pacer lets go of what was missed too long ago', () => {
  const pacer = createPacer({ ratePerSecond: 1000, tickMs: 50, startMs: 0, batchRowsMax: 1_000_000 });
  let rows = 0;
  let nowMs = 3_600_000;
  for (let tick = 0; tick < 2000; tick++) rows += pacer.due((nowMs += 50));
  // 100 s of rows, and ten of the hour.
  expect(rows).toBeGreaterThan(109_000);
  expect(rows).toBeLessThanOrEqual(110_050);
  expect(pacer.waitMs(nowMs + 20)).toBe(30);
  expect(pacer.waitMs(nowMs + 70)).toBe(0);
});

test('the pacer says how late its rows are, so that their times keep the rate', () => {
  const pacer = createPacer({ ratePerSecond: 1000, tickMs: 50, startMs: 0, batchRowsMax: 1_000_000 });
  expect([pacer.due(50), pacer.behindMs()]).toEqual([50, 0]);
  // Half a second was missed: 63 rows of 63 ms at each tick, until nothing is owed.
  expect([pacer.due(550), pacer.behindMs()]).toEqual([63, 437]);
  expect([pacer.due(600), pacer.behindMs()]).toEqual([63, 424]);
  let nowMs = 600;
  while (pacer.behindMs() > 0) pacer.due((nowMs += 50));
  expect(nowMs).toBeLessThan(2_600);
});
