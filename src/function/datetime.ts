/**
 * Calendar arithmetic on milliseconds and days since 1970 UTC, with PostgreSQL's meaning: weeks start on Monday, a month
 * added keeps the day or takes the month's last, there is no year 0 (1 BC is year 0 inside, -1 outside).
 */
import { fault } from '../base/fault.ts';
import { civilFromDays, dayMs, daysFromCivil, daysInMonth, timestampMsMax } from '../column/text.ts';
import type { Interval } from '../column/type.ts';

export type Unit =
  | 'microsecond'
  | 'millisecond'
  | 'second'
  | 'minute'
  | 'hour'
  | 'day'
  | 'week'
  | 'month'
  | 'quarter'
  | 'year'
  | 'decade'
  | 'century'
  | 'millennium';

export type Field = Unit | 'epoch' | 'dow' | 'isodow' | 'doy' | 'isoyear';

/** PostgreSQL's spellings beside the name itself. */
const spellings: Readonly<Record<Unit, readonly string[]>> = {
  microsecond: ['microseconds', 'us', 'usec', 'usecs', 'microsecon'],
  millisecond: ['milliseconds', 'ms', 'msec', 'msecs', 'millisecon'],
  second: ['seconds', 's', 'sec', 'secs'],
  minute: ['minutes', 'm', 'min', 'mins'],
  hour: ['hours', 'h', 'hr', 'hrs'],
  day: ['days', 'd'],
  week: ['weeks', 'w'],
  month: ['months', 'mon', 'mons'],
  quarter: ['quarters', 'qtr'],
  year: ['years', 'y', 'yr', 'yrs'],
  decade: ['decades', 'dec', 'decs'],
  century: ['centuries', 'c', 'cent'],
  millennium: ['millennia', 'millenniums', 'mil', 'mils'],
};

const units = new Map<string, Unit>();
for (const [unit, others] of Object.entries(spellings) as [Unit, readonly string[]][])
  for (const name of [unit, ...others]) units.set(name, unit);

/** The unit of a name in any case; null for none. */
export const unitOf = (name: string): Unit | null => units.get(name.toLowerCase()) ?? null;

const otherFields: ReadonlySet<string> = new Set(['epoch', 'dow', 'isodow', 'doy', 'isoyear']);

export function fieldOf(name: string): Field | null {
  const lower = name.toLowerCase();
  return otherFields.has(lower) ? (lower as Field) : unitOf(lower);
}

const hourMs = 3_600_000;
const minuteMs = 60_000;

/** Days of an INTERVAL's month where it must be compared or divided, as PostgreSQL. */
export const daysPerMonth = 30;

export const outOfRange = (what: 'timestamp' | 'date' | 'interval') =>
  fault('NUMERIC_OVERFLOW', `${what} out of range`, {
    hint: what === 'interval' ? 'months and days are 32 bits' : 'years -271821 to 275760 are held',
  });

export function checkTimestamp(ms: number): number {
  if (!(Math.abs(ms) <= timestampMsMax)) throw outOfRange('timestamp');
  return ms;
}

/** 100 million days, as for timestamps. */
const dateDaysMax = timestampMsMax / dayMs;

export function checkDate(days: number): number {
  if (!(Math.abs(days) <= dateDaysMax)) throw outOfRange('date');
  return days;
}

const intMax = 2 ** 31 - 1;

function checkInterval(interval: Interval): Interval {
  const { months, days, ms } = interval;
  if (!(Math.abs(months) <= intMax && Math.abs(days) <= intMax && Math.abs(ms) <= Number.MAX_SAFE_INTEGER))
    throw outOfRange('interval');
  return interval;
}

/** No -0 in an interval: it would print, and compare by `Object.is`, as another value. */
export const makeInterval = (months: number, days: number, ms: number): Interval =>
  checkInterval({ months: months + 0, days: days + 0, ms: ms + 0 });

/** Monday, 5 January 1970. */
const weekOriginMs = 4 * dayMs;

/**
 * The fixed step behind DATE_TRUNC of a unit up to the week: the result is the greatest `originMs + k × stepMs` that is
 * not after the timestamp. Null for units of changing length.
 */
export function truncStepMs(unit: string): { stepMs: number; originMs: number } | null {
  switch (unitOf(unit)) {
    case 'microsecond':
    case 'millisecond':
      return { stepMs: 1, originMs: 0 };
    case 'second':
      return { stepMs: 1000, originMs: 0 };
    case 'minute':
      return { stepMs: minuteMs, originMs: 0 };
    case 'hour':
      return { stepMs: hourMs, originMs: 0 };
    case 'day':
      return { stepMs: dayMs, originMs: 0 };
    case 'week':
      return { stepMs: 7 * dayMs, originMs: weekOriginMs };
    default:
      return null;
  }
}

/** First year of the decade, century or millennium; astronomical years. Centuries start in 1, 101, … */
function truncYear(year: number, unit: Unit): number {
  switch (unit) {
    case 'decade':
      return Math.floor(year / 10) * 10;
    case 'century':
      return Math.floor((year - 1) / 100) * 100 + 1;
    case 'millennium':
      return Math.floor((year - 1) / 1000) * 1000 + 1;
    default:
      return year;
  }
}

/** First day of the month, quarter, year, … that holds `days`. */
export function truncDays(days: number, unit: Unit): number {
  const { year, month } = civilFromDays(days);
  if (unit === 'month') return daysFromCivil(year, month, 1);
  if (unit === 'quarter') return daysFromCivil(year, month - ((month - 1) % 3), 1);
  return daysFromCivil(truncYear(year, unit), 1, 1);
}

const floorTo = (value: number, step: number): number => Math.floor(value / step) * step;

/** DATE_TRUNC of one timestamp. */
export function truncTimestamp(unit: Unit, ms: number): number {
  const step = truncStepMs(unit);
  if (step) return floorTo(ms - step.originMs, step.stepMs) + step.originMs;
  return truncDays(Math.floor(ms / dayMs), unit) * dayMs;
}

/** 0 is Sunday; 1970 began on a Thursday. */
const dayOfWeek = (days: number): number => (((days + 4) % 7) + 7) % 7;
const isoDayOfWeek = (days: number): number => dayOfWeek(days) || 7;

/** ISO 8601: the week belongs to the year of its Thursday. */
function isoWeek(days: number): { year: number; week: number } {
  const thursday = days - isoDayOfWeek(days) + 4;
  const { year } = civilFromDays(thursday);
  return { year, week: Math.floor((thursday - daysFromCivil(year, 1, 1)) / 7) + 1 };
}

/** As people count: before year 1 comes year -1. */
const withoutYearZero = (year: number): number => (year > 0 ? year : year - 1);

function eraField(year: number, size: number): number {
  return year > 0 ? Math.floor((year + size - 1) / size) : -Math.floor((size - 1 - (year - 1)) / size);
}

/** Fields that depend on the date alone; null for those of the time of day. */
export function extractFromDays(field: Field, days: number): number | null {
  switch (field) {
    case 'dow':
      return dayOfWeek(days);
    case 'isodow':
      return isoDayOfWeek(days);
    case 'week':
      return isoWeek(days).week;
    case 'isoyear':
      return withoutYearZero(isoWeek(days).year);
    case 'epoch':
    case 'hour':
    case 'minute':
    case 'second':
    case 'millisecond':
    case 'microsecond':
      return null;
  }
  const { year, month, day } = civilFromDays(days);
  switch (field) {
    case 'day':
      return day;
    case 'doy':
      return days - daysFromCivil(year, 1, 1) + 1;
    case 'month':
      return month;
    case 'quarter':
      return Math.floor((month - 1) / 3) + 1;
    case 'year':
      return withoutYearZero(year);
    case 'decade':
      return Math.floor(year / 10);
    case 'century':
      return eraField(year, 100);
    case 'millennium':
      return eraField(year, 1000);
  }
}

/** Fields of the time of day, 0 ≤ `inDay` < 86,400,000 ms. */
export function extractFromTime(field: Field, inDay: number): number {
  switch (field) {
    case 'hour':
      return Math.floor(inDay / hourMs);
    case 'minute':
      return Math.floor(inDay / minuteMs) % 60;
    case 'second':
      return (inDay % minuteMs) / 1000;
    case 'millisecond':
      return inDay % minuteMs;
    default:
      return (inDay % minuteMs) * 1000;
  }
}

/** EXTRACT of one timestamp; seconds carry their fraction, `epoch` is in seconds. */
export function extractField(field: Field, ms: number): number {
  if (field === 'epoch') return ms / 1000;
  const days = Math.floor(ms / dayMs);
  return extractFromDays(field, days) ?? extractFromTime(field, ms - days * dayMs);
}

const secondsPerYear = 365.25 * 86_400;

export function extractFromInterval(field: Field, { months, days, ms }: Interval): number | null {
  const years = Math.trunc(months / 12);
  switch (field) {
    case 'epoch':
      return (years * secondsPerYear * 1000 + ((months % 12) * daysPerMonth + days) * dayMs + ms) / 1000;
    case 'year':
      return years;
    case 'month':
      return months % 12;
    case 'quarter':
      return Math.trunc((months % 12) / 3) + 1;
    case 'decade':
      return Math.trunc(years / 10);
    case 'century':
      return Math.trunc(years / 100);
    case 'millennium':
      return Math.trunc(years / 1000);
    case 'day':
      return days;
    case 'hour':
      return Math.trunc(ms / hourMs);
    case 'minute':
      return Math.trunc(ms / minuteMs) % 60;
    case 'second':
    case 'millisecond':
    case 'microsecond':
      return Math.sign(ms) * extractFromTime(field, Math.abs(ms) % dayMs);
    default:
      return null;
  }
}

/** DATE_TRUNC of an interval: months and time each towards zero. Null for `week`, which has no place in one. */
export function truncInterval(unit: Unit, { months, days, ms }: Interval): Interval | null {
  const monthsStep = { month: 1, quarter: 3, year: 12, decade: 120, century: 1200, millennium: 12_000 } as const;
  if (unit === 'week') return null;
  if (unit in monthsStep) {
    const step = monthsStep[unit as keyof typeof monthsStep];
    return makeInterval(Math.trunc(months / step) * step, 0, 0);
  }
  if (unit === 'day') return makeInterval(months, days, 0);
  const { stepMs } = truncStepMs(unit)!;
  return makeInterval(months, days, Math.trunc(ms / stepMs) * stepMs);
}

/** Months first (to the month's last day at most), then days, then milliseconds. */
export function addInterval(ms: number, interval: Interval): number {
  let sum = ms;
  if (interval.months !== 0) {
    const days = Math.floor(ms / dayMs);
    sum = addMonths(days, interval.months) * dayMs + (ms - days * dayMs);
  }
  return checkTimestamp(sum + interval.days * dayMs + interval.ms);
}

function addMonths(days: number, months: number): number {
  const { year, month, day } = civilFromDays(days);
  const total = year * 12 + (month - 1) + months;
  const toYear = Math.floor(total / 12);
  const toMonth = total - toYear * 12 + 1;
  return daysFromCivil(toYear, toMonth, Math.min(day, daysInMonth(toYear, toMonth)));
}

export const negateInterval = ({ months, days, ms }: Interval): Interval => makeInterval(-months, -days, -ms);

export const plusInterval = (a: Interval, b: Interval): Interval =>
  makeInterval(a.months + b.months, a.days + b.days, a.ms + b.ms);

export const minusInterval = (a: Interval, b: Interval): Interval =>
  makeInterval(a.months - b.months, a.days - b.days, a.ms - b.ms);

/** Whole days and the rest, both of one sign: what `timestamp - timestamp` is. */
export const intervalBetween = (ms: number, fromMs: number): Interval => {
  const difference = ms - fromMs;
  return makeInterval(0, Math.trunc(difference / dayMs), difference % dayMs);
};

/** Rounds what floating point left of a fraction: to millionths, as PostgreSQL's TSROUND. */
const settle = (value: number): number => Math.round(value * 1e6) / 1e6;

/** Carries fractions down: of a month to days, of a day to time (PostgreSQL's `interval_mul`). */
function settleInterval(months: number, days: number, ms: number): Interval {
  const wholeMonths = Math.trunc(months);
  const wholeDays = Math.trunc(days);
  const monthDays = settle((months - wholeMonths) * daysPerMonth);
  const restSeconds = settle((days - wholeDays + monthDays - Math.trunc(monthDays)) * 86_400);
  const carriedDays = Math.trunc(restSeconds / 86_400);
  const restMs = (restSeconds - carriedDays * 86_400) * 1000;
  return makeInterval(wholeMonths, wholeDays + carriedDays + Math.trunc(monthDays), Math.round(ms + restMs));
}

export const multiplyInterval = ({ months, days, ms }: Interval, factor: number): Interval =>
  settleInterval(months * factor, days * factor, ms * factor);

/** @param by Not 0. */
export const divideInterval = ({ months, days, ms }: Interval, by: number): Interval =>
  settleInterval(months / by, days / by, ms / by);

/** An interval as whole days (a month is 30) and 0 ≤ ms < 86,400,000: equal intervals have equal spans. */
export function intervalSpan({ months, days, ms }: Interval): { days: number; ms: number } {
  const carried = Math.floor(ms / dayMs);
  return { days: months * daysPerMonth + days + carried, ms: ms - carried * dayMs };
}

/** An interval in milliseconds, months of 30 days and days of 24 hours: equal for equal intervals, in their order, exact. */
export const intervalLengthMs = ({ months, days, ms }: Interval): bigint =>
  (BigInt(months) * BigInt(daysPerMonth) + BigInt(days)) * BigInt(dayMs) + BigInt(ms);

/** Negative, 0 or positive: `1 month` equals `30 days`, `1 day` equals `24:00:00`. */
export function compareIntervals(a: Interval, b: Interval): number {
  const [left, right] = [intervalSpan(a), intervalSpan(b)];
  return left.days - right.days || left.ms - right.ms;
}

/** The start of the stride, counted from `originMs`, that holds `ms`; `stride` without months, positive. */
export function binTimestamp(stride: Interval, ms: number, originMs: number): number {
  if (stride.months !== 0)
    throw fault('INVALID_PARAMETER', 'timestamps cannot be binned into intervals containing months or years', {
      hint: "use date_trunc('month', …)",
    });
  const strideMs = stride.days * dayMs + stride.ms;
  if (strideMs <= 0) throw fault('INVALID_PARAMETER', 'stride must be greater than zero');
  return checkTimestamp(originMs + floorTo(ms - originMs, strideMs));
}
