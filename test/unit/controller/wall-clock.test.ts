/** Retention, and a wall clock that is set ahead or back. */
import { expect, test } from 'vitest';
import { silentLog } from '../../../src/base/seams.ts';
import { pauseMsMax, trustAfterMs, WallClock } from '../../../src/controller/wall-clock.ts';
import { ManualClock } from '../../support/clock.ts';

const year = 365 * 86_400_000;

test('a clock that goes on as time does is trusted, whatever it is slewed by', () => {
  const clock = new ManualClock();
  const wall = new WallClock(clock, silentLog, clock.nowMs());
  for (let hour = 0; hour < 100; hour++) {
    clock.advance(3_600_000);
    clock.jump(hour % 2 === 0 ? 30_000 : -20_000);
    expect(wall.doubt()).toBeNull();
  }
});

test.each([10 * year, 86_400_000, -86_400_000, -10 * year])('a jump of %d ms is doubted until it is undone', byMs => {
  const clock = new ManualClock();
  const wall = new WallClock(clock, silentLog, clock.nowMs());
  clock.advance(1_000);
  clock.jump(byMs);
  expect(wall.doubt()).toContain('retention waits');
  clock.advance(trustAfterMs / 2);
  expect(wall.doubt()).not.toBeNull();
  clock.jump(-byMs);
  expect(wall.doubt()).toBeNull();
});

test('a jump that stays for a day is the truth; another one begins the day anew', () => {
  const clock = new ManualClock();
  const wall = new WallClock(clock, silentLog, null);
  clock.jump(year);
  expect(wall.doubt()).not.toBeNull();
  clock.advance(trustAfterMs - 1);
  clock.jump(year);
  expect(wall.doubt()).not.toBeNull();
  clock.advance(trustAfterMs - 1);
  expect(wall.doubt()).not.toBeNull();
  clock.advance(1);
  expect(wall.doubt()).toBeNull();
});

test('a start at a time far beyond all that there is, is doubted for a day', () => {
  const clock = new ManualClock();
  const recent = new WallClock(clock, silentLog, clock.nowMs() - pauseMsMax + 1);
  expect(recent.doubt()).toBeNull();
  const wall = new WallClock(clock, silentLog, clock.nowMs() - 10 * year);
  expect(wall.doubt()).not.toBeNull();
  clock.advance(trustAfterMs);
  expect(wall.doubt()).toBeNull();
});
