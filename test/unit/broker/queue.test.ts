import { expect, test } from 'vitest';
import { type AccountName, accountNames, createAccounts, unboundAccounts } from '../../../src/base/accounts.ts';
import { Admission, type Lane } from '../../../src/broker/admission.ts';
import { longQueriesMax, queryWaitMsMax, runningQueriesMax, waitingQueriesMax } from '../../../src/broker/limits.ts';
import { ManualClock } from '../../support/clock.ts';

const forEver = (): AbortSignal => new AbortController().signal;

/** All places of short queries taken; who waits is in `entered` once it was let in. */
async function fullHouse() {
  const clock = new ManualClock();
  const admission = new Admission(unboundAccounts(), clock, 0);
  for (let index = 0; index < runningQueriesMax; index++) await admission.enter('short', forEver());
  const entered: string[] = [];
  const wait = (name: string, signal = forEver(), lane: Lane = 'short'): Promise<void> =>
    admission.enter(lane, signal).then(() => void entered.push(name));
  return { admission, clock, entered, wait };
}

test('who waits gets in by order of arrival, one for each that leaves', async () => {
  const { admission, entered, wait } = await fullHouse();
  const [first, second, third] = [wait('first'), wait('second'), wait('third')];
  admission.leave('short');
  await first;
  expect(entered).toEqual(['first']);
  admission.leave('short');
  admission.leave('short');
  await Promise.all([second, third]);
  expect(entered).toEqual(['first', 'second', 'third']);
});

test('who gives up leaves the line, and no place is lost', async () => {
  const { admission, entered, wait } = await fullHouse();
  const given = new AbortController();
  const gone = wait('gone', given.signal);
  const next = wait('next');
  given.abort(new Error('gave up'));
  await expect(gone).rejects.toThrow('gave up');
  admission.leave('short');
  await next;
  expect(entered).toEqual(['next']);
  for (let index = 0; index < runningQueriesMax; index++) admission.leave('short');
  for (let index = 0; index < runningQueriesMax; index++) await wait(`again ${index}`);
  expect(entered).toHaveLength(1 + runningQueriesMax);
});

test('who has given up before does not enter', async () => {
  const admission = new Admission(unboundAccounts(), new ManualClock(), 0);
  await expect(admission.enter('short', AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
});

test('the line has an end', async () => {
  const { admission, wait } = await fullHouse();
  const waiting = Array.from({ length: waitingQueriesMax }, (_, index) => wait(`${index}`));
  await expect(wait('one more')).rejects.toMatchObject({
    fault: { code: 'TOO_MANY_QUERIES', details: { running: runningQueriesMax, waiting: waitingQueriesMax } },
  });
  for (let index = 0; index < waitingQueriesMax; index++) admission.leave('short');
  await Promise.all(waiting);
});

test('long queries have places of their own: neither keeps the other from entering', async () => {
  const { admission, entered, wait } = await fullHouse();
  for (let index = 0; index < longQueriesMax; index++) await wait(`long ${index}`, forEver(), 'long');
  const long = wait('one long too many', forEver(), 'long');
  const short = wait('short');
  admission.leave('short');
  await short;
  expect(entered.slice(longQueriesMax)).toEqual(['short']);
  admission.leave('long');
  await long;
});

test('a wait ends, with what it waited for', async () => {
  const { clock, wait } = await fullHouse();
  const waiting = wait('in vain').catch(error => error);
  for (let pastMs = 0; pastMs <= queryWaitMsMax; pastMs += 1_000) {
    clock.advance(1_000);
    await new Promise(resolve => setImmediate(resolve));
  }
  expect(await waiting).toMatchObject({
    fault: {
      code: 'TOO_MANY_QUERIES',
      message: expect.stringMatching(/waited 1\d{4} ms for its turn.*64 queries run and 0 wait/),
      details: { running: runningQueriesMax, waiting: 0 },
    },
  });
});

test('without memory for answers queries wait, but for one', async () => {
  const clock = new ManualClock();
  const limits = Object.fromEntries(accountNames.map(name => [name, 100])) as Record<AccountName, number>;
  const accounts = createAccounts(1_000, limits);
  const admission = new Admission(accounts, clock, 40);
  expect([admission.tryEnter('short'), admission.tryEnter('long'), admission.tryEnter('short')]).toEqual([
    true,
    true,
    false,
  ]);
  expect(accounts.account('results').usedBytes).toBe(80);
  admission.leave('short');
  accounts.residentBytes = 999;
  expect(admission.tryEnter('short'), 'the process is near its budget').toBe(false);
  admission.leave('long');
  expect(admission.tryEnter('short'), 'alone').toBe(true);
  admission.leave('short');
  expect([accounts.account('results').usedBytes, admission.running]).toEqual([0, 0]);
});
