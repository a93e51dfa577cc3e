/** Reading INTERVALs: PostgreSQL's words and clock, and ISO 8601 durations. */
import { dayMs } from '../column/text.ts';
import type { Interval } from '../column/type.ts';
import { daysPerMonth, makeInterval, type Unit, unitOf } from './datetime.ts';

/** Longer texts are refused: no interval needs them. */
const textLengthMax = 400;

interface Sum {
  months: number;
  days: number;
  ms: number;
}

const monthsPer: Partial<Record<Unit, number>> = {
  month: 1,
  year: 12,
  decade: 120,
  century: 1200,
  millennium: 12_000,
};
const daysPer: Partial<Record<Unit, number>> = { day: 1, week: 7 };
const msPer: Partial<Record<Unit, number>> = {
  microsecond: 0.001,
  millisecond: 1,
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
};

function addDays(sum: Sum, days: number): void {
  const whole = Math.trunc(days);
  sum.days += whole;
  sum.ms += (days - whole) * dayMs;
}

/** Adds `amount` of a unit; a fraction of years goes to months, of months to days, of days to time. */
function addUnit(sum: Sum, unit: Unit, amount: number): boolean {
  const months = monthsPer[unit];
  const days = daysPer[unit];
  const ms = msPer[unit];
  if (ms !== undefined) sum.ms += amount * ms;
  else if (days !== undefined) addDays(sum, amount * days);
  else if (unit === 'month') {
    const whole = Math.trunc(amount);
    sum.months += whole;
    addDays(sum, Math.round((amount - whole) * daysPerMonth * 1e6) / 1e6);
  } else if (months !== undefined) sum.months += Math.round(amount * months);
  else return false;
  return true;
}

const clockPattern = /^([+-]?)(\d+):(\d{1,2})(?::(\d{1,2}(?:\.\d*)?))?$/;

function addClock(sum: Sum, match: RegExpExecArray): boolean {
  const [minutes, seconds] = [Number(match[3]), Number(match[4] ?? 0)];
  if (minutes > 59 || seconds >= 61) return false;
  sum.ms += (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 3_600_000 + minutes * 60_000 + seconds * 1000);
  return true;
}

/** Whole milliseconds, in range; null where a 32-bit part overflows. */
function settle({ months, days, ms }: Sum, sign: 1 | -1): Interval | null {
  try {
    return makeInterval(sign * months, sign * days, sign * Math.round(ms));
  } catch {
    return null;
  }
}

const wordPattern = /([+-]?(?:\d+(?:\.\d*)?|\.\d+))\s*([a-z]+)?/y;

function parseWords(text: string): Interval | null {
  const sum: Sum = { months: 0, days: 0, ms: 0 };
  let sign: 1 | -1 = 1;
  let rest = text.toLowerCase().replace(/^@\s*/, '');
  if (/\sago$/.test(rest)) {
    sign = -1;
    rest = rest.slice(0, -4).trimEnd();
  }
  const tokens = rest.match(/\S+/g);
  if (!tokens) return null;
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index]!;
    const clock = clockPattern.exec(token);
    if (clock) {
      if (!addClock(sum, clock)) return null;
      continue;
    }
    const yearMonth = /^([+-]?)(\d+)-(\d{1,2})$/.exec(token);
    if (yearMonth) {
      if (Number(yearMonth[3]) > 11) return null;
      sum.months += (yearMonth[1] === '-' ? -1 : 1) * (Number(yearMonth[2]) * 12 + Number(yearMonth[3]));
      continue;
    }
    let at = 0;
    while (at < token.length) {
      wordPattern.lastIndex = at;
      const match = wordPattern.exec(token);
      if (!match) return null;
      at = wordPattern.lastIndex;
      let word = match[2];
      const next = tokens[index + 1];
      if (word === undefined && at === token.length && next !== undefined && /^[a-z]+$/.test(next)) {
        word = next;
        index++;
      }
      const bareDays = word === undefined && next !== undefined && clockPattern.test(next);
      const unit = word === undefined ? (bareDays ? 'day' : 'second') : unitOf(word);
      if (unit === null || unit === 'quarter' || !addUnit(sum, unit, Number(match[1]))) return null;
    }
  }
  return settle(sum, sign);
}

const isoPattern = /^P(?=.)((?:[+-]?\d+(?:\.\d+)?[YMWD])*)(?:T((?:[+-]?\d+(?:\.\d+)?[HMS])+))?$/i;
const isoDateUnits: Readonly<Record<string, Unit>> = { Y: 'year', M: 'month', W: 'week', D: 'day' };
const isoTimeUnits: Readonly<Record<string, Unit>> = { H: 'hour', M: 'minute', S: 'second' };

function parseIso(text: string): Interval | null {
  const match = isoPattern.exec(text);
  if (!match) return null;
  const sum: Sum = { months: 0, days: 0, ms: 0 };
  for (const [part, names] of [
    [match[1] ?? '', isoDateUnits],
    [match[2] ?? '', isoTimeUnits],
  ] as const)
    for (const [, amount, letter] of part.matchAll(/([+-]?\d+(?:\.\d+)?)([A-Z])/gi))
      addUnit(sum, names[letter!.toUpperCase()]!, Number(amount));
  return settle(sum, 1);
}

/**
 * `1 day 02:00:00`, `2 days 3 hours`, `1 year 2 mons`, `-1.5h`, `3 days ago`, `1-2`, `P1DT2H`; a bare number is seconds.
 * Null for what is none, or out of range.
 */
export function parseInterval(text: string): Interval | null {
  const trimmed = text.trim();
  if (trimmed === '' || trimmed.length > textLengthMax) return null;
  return /^P/i.test(trimmed) ? parseIso(trimmed) : parseWords(trimmed);
}
