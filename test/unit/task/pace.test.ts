import { expect, test } from 'vitest';
import { Pace } from '../../../src/task/pace.ts';
import { ManualClock } from '../../support/clock.ts';

const never = new AbortController().signal;

test('waits until the bytes taken so far are not too many for the time that passed', async () => {
  const clock = new ManualClock();
  const pace = new Pace(clock, 1_000);
  await pace.take(4, never);
  let isTaken = false;
  const taken = pace.take(996, never).then(() => {
    isTaken = true;
  });
  await clock.untilSleeping();
  clock.advance(999);
  await Promise.resolve();
  expect(isTaken).toBe(false);
  clock.advance(1);
  await taken;
  clock.advance(1_000);
  await pace.take(1_000, never);
});

test('ends with its signal', async () => {
  const clock = new ManualClock();
  const abort = new AbortController();
  const waiting = new Pace(clock, 1).take(1_000, abort.signal);
  abort.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
});
