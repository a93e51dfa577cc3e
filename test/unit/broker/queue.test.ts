import { expect, test } from 'vitest';
import { Admission } from '../../../src/broker/admission.ts';
import { runningQueriesMax, waitingQueriesMax } from '../../../src/broker/limits.ts';

/** All places taken; who waits is in `entered` once it was let in. */
async function fullHouse() {
  const admission = new Admission();
  for (let index = 0; index < runningQueriesMax; index++) await admission.enter(new AbortController().signal);
  const entered: string[] = [];
  const wait = (name: string, signal = new AbortController().signal): Promise<void> =>
    admission.enter(signal).then(() => void entered.push(name));
  return { admission, entered, wait };
}

test('who waits gets in by order of arrival, one for each that leaves', async () => {
  const { admission, entered, wait } = await fullHouse();
  const [first, second, third] = [wait('first'), wait('second'), wait('third')];
  admission.leave();
  await first;
  expect(entered).toEqual(['first']);
  admission.leave();
  admission.leave();
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
  admission.leave();
  await next;
  expect(entered).toEqual(['next']);
  for (let index = 0; index < runningQueriesMax; index++) admission.leave();
  for (let index = 0; index < runningQueriesMax; index++) await wait(`again ${index}`);
  expect(entered).toHaveLength(1 + runningQueriesMax);
});

test('who has given up before does not enter', async () => {
  const admission = new Admission();
  await expect(admission.enter(AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
});

test('the line has an end', async () => {
  const { admission, wait } = await fullHouse();
  const waiting = Array.from({ length: waitingQueriesMax }, (_, index) => wait(`${index}`));
  await expect(wait('one more')).rejects.toMatchObject({
    fault: { code: 'TOO_MANY_QUERIES', details: { running: runningQueriesMax, waiting: waitingQueriesMax } },
  });
  for (let index = 0; index < waitingQueriesMax; index++) admission.leave();
  await Promise.all(waiting);
});
