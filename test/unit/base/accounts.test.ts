import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type AccountName,
  accountNames,
  attachAccounts,
  createAccounts,
  unboundAccounts,
} from '../../../src/base/accounts.ts';
import { toFault } from '../../../src/base/fault.ts';
import { bundle } from '../../support/bundle.ts';

const limitsOf = (limitBytes: number): Record<AccountName, number> =>
  Object.fromEntries(accountNames.map(name => [name, limitBytes])) as Record<AccountName, number>;

test('never above the limit, never negative, and what is held is what was held less what was released', () => {
  const step = fc.record({ name: fc.constantFrom(...accountNames), sizeBytes: fc.nat(400), holds: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), steps => {
      const accounts = createAccounts(10_000, limitsOf(1_000));
      // Another thread's view of the same.
      const views = [accounts, attachAccounts(accounts.buffer)];
      const held = new Map<AccountName, number[]>(accountNames.map(name => [name, []]));
      const peaks = new Map<AccountName, number>();
      for (const [index, { name, sizeBytes, holds }] of steps.entries()) {
        const account = views[index % 2]!.account(name);
        const mine = held.get(name)!;
        const sumBytes = mine.reduce((sum, size) => sum + size, 0);
        if (holds) {
          const fits = sumBytes + sizeBytes <= 1_000;
          expect(account.tryHold(sizeBytes)).toBe(fits);
          if (fits) mine.push(sizeBytes);
        } else if (mine.length > 0) account.release(mine.pop()!);
        const usedBytes = mine.reduce((sum, size) => sum + size, 0);
        peaks.set(name, Math.max(peaks.get(name) ?? 0, usedBytes));
        expect(account).toMatchObject({ usedBytes, peakBytes: peaks.get(name), limitBytes: 1_000 });
      }
      expect(views[1]!.states()).toEqual(accounts.states());
    }),
  );
});

test('threads that hold and release at the same time add up, and never pass the limit together', async () => {
  const accounts = createAccounts(10_000, limitsOf(1_000));
  const entry = await bundle('test/unit/base/accounts-holder.ts');
  const workerData = { buffer: accounts.buffer, rounds: 50_000, sizeBytes: 400 };
  const workers = Array.from({ length: 3 }, () => new Worker(entry, { workerData }));
  const answers = await Promise.all(workers.map(async worker => (await once(worker, 'message'))[0]));
  for (const { heldCount, aboveCount } of answers) {
    expect(heldCount).toBeGreaterThan(0);
    expect(aboveCount).toBe(0);
  }
  expect(accounts.account('queries').usedBytes).toBe(answers.reduce((sum, { keptBytes }) => sum + keptBytes, 0));
  await Promise.all(workers.map(worker => worker.terminate()));
});

test('a refusal names the account and its numbers, and what to do', () => {
  const account = createAccounts(10_000, limitsOf(1_000)).account('queries');
  account.hold(900);
  try {
    account.hold(200);
    expect.unreachable();
  } catch (error) {
    expect(toFault(error)).toMatchObject({
      code: 'MEMORY_BUDGET',
      message:
        '200 bytes more for groups, sorts and distinct values of running queries do not fit: account queries has 900 of its 1000 bytes in use',
      hint: expect.stringContaining('filter more rows'),
      details: { account: 'queries', askedBytes: 200, usedBytes: 900, limitBytes: 1_000 },
    });
  }
  expect(account.usedBytes).toBe(900);
});

test('a release of what was never held is a bug', () => {
  expect(() => unboundAccounts().account('bodies').release(1)).toThrow('released more than it held');
});

test('near its budget a process is tight, above it over', () => {
  const accounts = createAccounts(1_000, limitsOf(100));
  const seen = [0, 900, 901, 1_000, 1_001, 500].map(bytes => {
    accounts.residentBytes = bytes;
    return [accounts.isTight, accounts.isOver];
  });
  expect(seen).toEqual([
    [false, false],
    [false, false],
    [true, false],
    [true, false],
    [true, true],
    [false, false],
  ]);
  expect(accounts.residentPeakBytes).toBe(1_001);
});
