import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  addInterval,
  binTimestamp,
  compareIntervals,
  extractField,
  intervalBetween,
  minusInterval,
  multiplyInterval,
  plusInterval,
  truncStepMs,
  truncTimestamp,
  type Unit,
} from '../../../src/function/datetime.ts';
import { parseInterval } from '../../../src/function/interval-text.ts';
import { faultOf } from './calls.ts';

/** Years 1 to 9999. */
const moments = fc.integer({ min: Date.UTC(1970) - 62_135_596_800_000, max: Date.UTC(9999, 11, 31) });

/** Date's own constructor takes years below 100 for 19xx. */
function utc(year: number, month: number, day = 1): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month, day);
  return date.getTime();
}

test('date_trunc agrees with Date', () => {
  fc.assert(
    fc.property(moments, ms => {
      const date = new Date(ms);
      const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
      const startOfDay = utc(year, month, day);
      const wants: Record<string, number> = {
        millisecond: ms,
        second: ms - date.getUTCMilliseconds(),
        minute: startOfDay + (date.getUTCHours() * 60 + date.getUTCMinutes()) * 60_000,
        hour: startOfDay + date.getUTCHours() * 3_600_000,
        day: startOfDay,
        week: startOfDay - ((date.getUTCDay() + 6) % 7) * 86_400_000,
        month: utc(year, month),
        quarter: utc(year, month - (month % 3)),
        year: utc(year, 0),
        decade: utc(year - (year % 10), 0),
        century: utc(year - ((year - 1) % 100), 0),
        millennium: utc(year - ((year - 1) % 1000), 0),
      };
      for (const [unit, want] of Object.entries(wants)) expect(truncTimestamp(unit as Unit, ms), unit).toBe(want);
    }),
    { numRuns: 1000 },
  );
});

test('extract agrees with Date', () => {
  fc.assert(
    fc.property(moments, ms => {
      const date = new Date(ms);
      const thursday = new Date(ms + (4 - (date.getUTCDay() || 7)) * 86_400_000);
      const isoyear = thursday.getUTCFullYear();
      expect(extractField('year', ms)).toBe(date.getUTCFullYear());
      expect(extractField('quarter', ms)).toBe(Math.floor(date.getUTCMonth() / 3) + 1);
      expect(extractField('month', ms)).toBe(date.getUTCMonth() + 1);
      expect(extractField('day', ms)).toBe(date.getUTCDate());
      expect(extractField('hour', ms)).toBe(date.getUTCHours());
      expect(extractField('minute', ms)).toBe(date.getUTCMinutes());
      expect(extractField('second', ms)).toBe((date.getUTCSeconds() * 1000 + date.getUTCMilliseconds()) / 1000);
      expect(extractField('dow', ms)).toBe(date.getUTCDay());
      expect(extractField('isodow', ms)).toBe(date.getUTCDay() || 7);
      expect(extractField('doy', ms)).toBe(Math.floor((ms - utc(date.getUTCFullYear(), 0)) / 86_400_000) + 1);
      expect(extractField('isoyear', ms)).toBe(isoyear);
      expect(extractField('week', ms)).toBe(Math.floor((thursday.getTime() - utc(isoyear, 0)) / 604_800_000) + 1);
      expect(extractField('epoch', ms)).toBe(ms / 1000);
    }),
    { numRuns: 1000 },
  );
});

test('years before 1 as PostgreSQL has them', () => {
  const bc = (year: number) => utc(1 - year, 0);
  expect(extractField('year', bc(5))).toBe(-5);
  expect(extractField('century', utc(1, 0))).toBe(1);
  expect(extractField('century', bc(1))).toBe(-1);
  expect(extractField('century', bc(100))).toBe(-1);
  expect(extractField('millennium', bc(1))).toBe(-1);
  expect(extractField('decade', bc(1))).toBe(0);
  expect(extractField('decade', bc(11))).toBe(-1);
  expect(extractField('decade', bc(12))).toBe(-2);
  expect(truncTimestamp('century', bc(50))).toBe(bc(100));
  expect(truncTimestamp('decade', bc(5))).toBe(bc(11));
  expect(truncTimestamp('decade', bc(12))).toBe(bc(21));
  expect(truncTimestamp('millennium', bc(5))).toBe(bc(1000));
});

test('steps are what date_trunc does', () => {
  fc.assert(
    fc.property(moments, fc.constantFrom('second', 'minute', 'hour', 'day', 'week'), (ms, unit) => {
      const { stepMs, originMs } = truncStepMs(unit)!;
      const want = truncTimestamp(unit as Unit, ms);
      expect((want - originMs) % stepMs).toBe(want < originMs ? -0 : 0);
      expect(ms - want).toBeGreaterThanOrEqual(0);
      expect(ms - want).toBeLessThan(stepMs);
    }),
  );
  expect(truncStepMs('month')).toBe(null);
  expect(truncStepMs('Days')).toEqual({ stepMs: 86_400_000, originMs: 0 });
});

test('a month added keeps the day, or takes the last', () => {
  fc.assert(
    fc.property(moments, fc.integer({ min: -500, max: 500 }), (ms, months) => {
      const from = new Date(ms);
      const to = new Date(addInterval(ms, { months, days: 0, ms: 0 }));
      const index = from.getUTCFullYear() * 12 + from.getUTCMonth() + months;
      expect(to.getUTCFullYear() * 12 + to.getUTCMonth()).toBe(index);
      const lastDay = new Date(utc(Math.floor(index / 12), (((index % 12) + 12) % 12) + 1, 0)).getUTCDate();
      expect(to.getUTCDate()).toBe(Math.min(from.getUTCDate(), lastDay));
      expect((((to.getTime() - ms) % 86_400_000) + 0) | 0).toBe(0);
    }),
  );
});

test('a difference added back is where one started', () => {
  fc.assert(
    fc.property(moments, moments, (a, b) => {
      expect(addInterval(b, intervalBetween(a, b))).toBe(a);
    }),
  );
});

const int = fc.integer({ min: -1000, max: 1000 });
const intervals = fc.record({ months: int, days: int, ms: fc.integer({ min: -1e9, max: 1e9 }) });

test('interval arithmetic', () => {
  fc.assert(
    fc.property(intervals, intervals, (a, b) => {
      expect(minusInterval(plusInterval(a, b), b)).toEqual(a);
      expect(multiplyInterval(a, 3)).toEqual(plusInterval(plusInterval(a, a), a));
      const span = (x: typeof a) => (x.months * 30 + x.days) * 86_400_000 + x.ms;
      expect(Math.sign(compareIntervals(a, b))).toBe(Math.sign(span(a) - span(b)));
    }),
  );
  expect(faultOf(() => multiplyInterval({ months: 1, days: 0, ms: 0 }, 1e10)).message).toBe('interval out of range');
  expect(faultOf(() => multiplyInterval({ months: 1, days: 0, ms: 0 }, Number.NaN)).message).toBe(
    'interval out of range',
  );
});

test('intervals from text, as PostgreSQL reads them', () => {
  const day = 86_400_000;
  const hour = 3_600_000;
  const check = (text: string, months: number, days: number, ms: number) =>
    expect(parseInterval(text), text).toEqual({ months, days, ms });
  check('1 hour', 0, 0, hour);
  check('2 days 3 hours', 0, 2, 3 * hour);
  check('1 year 2 mons', 14, 0, 0);
  check('1 day 02:00:00', 0, 1, 2 * hour);
  check('-1 days +02:03:04', 0, -1, 2 * hour + 184_000);
  check('1 2:03:04', 0, 1, 2 * hour + 184_000);
  check('-1-2', -14, 0, 0);
  check('1.5 months', 1, 15, 0);
  check('1.5 years', 18, 0, 0);
  check('1.7 weeks', 0, 11, 21 * hour + 36 * 60_000);
  check('1.3 month', 1, 9, 0);
  check('0.1 hours', 0, 0, 360_000);
  check('5', 0, 0, 5000);
  check('3 days ago', 0, -3, 0);
  check('1h30m', 0, 0, 1.5 * hour);
  check('@ 1 minute', 0, 0, 60_000);
  check('P1DT2H', 0, 1, 2 * hour);
  check('P1Y2M3W4DT5H6M7.5S', 14, 25, 5 * hour + 6 * 60_000 + 7500);
  check('PT36H', 0, 0, 1.5 * day);
  check('-00:00:01.5', 0, 0, -1500);
  for (const text of [
    '',
    'x',
    '1 fortnight',
    'P',
    'PT',
    '1:99',
    '--1 day',
    '1 day day',
    '99999999999 days',
    '1 quarter',
  ])
    expect(parseInterval(text), text).toBe(null);
});

test('no text breaks the reader', () => {
  const parts = fc.constantFrom(
    '1',
    '-',
    '+',
    '.5',
    ':',
    ' ',
    'day',
    'mon',
    'h',
    'P',
    'T',
    'D',
    'ago',
    '@',
    'é',
    '1e9',
  );
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 12 }), pieces => {
      const parsed = parseInterval(pieces.join(''));
      if (parsed !== null) for (const part of Object.values(parsed)) expect(Number.isSafeInteger(part)).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

test('bins hold their moment', () => {
  fc.assert(
    fc.property(moments, moments, fc.integer({ min: 1, max: 1e9 }), (ms, originMs, strideMs) => {
      const start = binTimestamp({ months: 0, days: 0, ms: strideMs }, ms, originMs);
      expect(Math.abs((start - originMs) % strideMs)).toBe(0);
      expect(ms - start).toBeGreaterThanOrEqual(0);
      expect(ms - start).toBeLessThan(strideMs);
    }),
  );
  const stride = { months: 0, days: 0, ms: 0 };
  expect(faultOf(() => binTimestamp(stride, 0, 0)).message).toBe('stride must be greater than zero');
});
