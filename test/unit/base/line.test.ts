import { expect, test } from 'vitest';
import { type AccountName, accountNames, createAccounts } from '../../../src/base/accounts.ts';
import { Line } from '../../../src/base/line.ts';
import { WorkMemory } from '../../../src/base/work-memory.ts';
import { ManualClock } from '../../support/clock.ts';

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

/** Something of which there is so much. */
const scarce = (count: number) => ({
  left: count,
  take(wanted: number): boolean {
    if (wanted > this.left) return false;
    this.left -= wanted;
    return true;
  },
});

test('nobody passes the first, however little they want', async () => {
  const line = new Line(new ManualClock());
  const room = scarce(0);
  const served: string[] = [];
  const waits = [3, 1, 1].map((wanted, index) =>
    line.wait(() => room.take(wanted), 1_000).then(() => void served.push(`${index}`)),
  );
  room.left = 2;
  line.look();
  await turn();
  expect([served, line.length]).toEqual([[], 3]);
  room.left = 4;
  line.look();
  await turn();
  expect([served, line.length]).toEqual([['0', '1'], 1]);
  room.left = 1;
  line.look();
  await Promise.all(waits);
});

test('what another thread gave back is found, and a wait ends with its time', async () => {
  const clock = new ManualClock();
  const line = new Line(clock);
  const room = scarce(0);
  const first = line.wait(() => room.take(1), 1_000);
  const second = line.wait(() => room.take(1), 50);
  room.left = 1;
  clock.advance(20);
  expect(await first).toBe(true);
  await clock.untilSleeping();
  clock.advance(50);
  expect(await second).toBe(false);
  expect(await line.wait(() => true, 0)).toBe(true);
});

test('who gives up no longer keeps those behind', async () => {
  const line = new Line(new ManualClock());
  const room = scarce(1);
  const leaving = new AbortController();
  const first = line.wait(() => room.take(2), 1_000, leaving.signal);
  const second = line.wait(() => room.take(1), 1_000);
  leaving.abort(new Error('gave up'));
  await expect(first).rejects.toThrow('gave up');
  expect(await second).toBe(true);
});

test('work waits for other work, and alone is given what it asks for', async () => {
  const clock = new ManualClock();
  const limits = Object.fromEntries(accountNames.map(name => [name, 100])) as Record<AccountName, number>;
  const account = createAccounts(1_000, limits).account('builds');
  const build = new WorkMemory(account, clock);
  const load = new WorkMemory(account, clock);
  await build.hold(80);
  const waiting = load.hold(50);
  await build.hold(20);
  build.close();
  clock.advance(10);
  await waiting;
  await load.hold(70);
  expect(account.usedBytes).toBe(120);
  const late = build.hold(1).catch(error => error);
  for (let pastMs = 0; pastMs <= 60_000; pastMs += 10_000) {
    clock.advance(10_000);
    await turn();
  }
  expect(await late).toMatchObject({ fault: { code: 'MEMORY_BUDGET', details: { account: 'builds' } } });
  load.close();
  expect(account.usedBytes).toBe(0);
});
