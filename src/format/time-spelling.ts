/** Spellings of times that PostgreSQL's text does not have, or reads in two ways. */
import { dayMs, daysFromCivil, daysInMonth } from '../column/text.ts';

export const timeSpellings = [
  'yyyy/mm/dd',
  'mm/dd/yyyy',
  'dd/mm/yyyy',
  'rfc2822',
  'epoch seconds',
  'epoch microseconds',
  'epoch nanoseconds',
] as const;

/** The first three may have a time of day behind them: `10:15`, `10:15:30.5`, `10:15 PM`. */
export type TimeSpelling = (typeof timeSpellings)[number];

const clock = String.raw`(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:\s*([AaPp])[Mm])?)?\s*(?:Z|UTC)?`;
const yearFirst = new RegExp(String.raw`^(\d{4})/(\d{1,2})/(\d{1,2})${clock}$`);
const yearLast = new RegExp(String.raw`^(\d{1,2})([/.-])(\d{1,2})\2(\d{4})${clock}$`);
const rfc2822 =
  /^(?:[A-Za-z]{3},\s*)?(\d{1,2})\s+([A-Za-z]{3})\s+(\d{4})\s+(\d{2}):(\d{2})(?::(\d{2}))?\s*(?:([+-])(\d{2})(\d{2})|GMT|UTC|UT|Z)(?:\s*\([^)]*\))?$/;
const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** Milliseconds since 1970 (UTC), what is finer cut; null for what is not spelt so. */
export function parseSpelledTime(spelling: TimeSpelling, text: string): number | null {
  text = text.trim();
  switch (spelling) {
    case 'yyyy/mm/dd': {
      const match = yearFirst.exec(text);
      return match ? momentOf(match[1]!, match[2]!, match[3]!, match.slice(4)) : null;
    }
    case 'mm/dd/yyyy': {
      const match = yearLast.exec(text);
      return match ? momentOf(match[4]!, match[1]!, match[3]!, match.slice(5)) : null;
    }
    case 'dd/mm/yyyy': {
      const match = yearLast.exec(text);
      return match ? momentOf(match[4]!, match[3]!, match[1]!, match.slice(5)) : null;
    }
    case 'rfc2822':
      return parseRfc2822(text);
    default:
      return parseEpoch(spelling, text);
  }
}

/** True where the text names a day and no time of it. */
export const isDayAlone = (text: string): boolean => !text.includes(':') && /^\s*\d+\D\d+\D\d+\s*$/.test(text);

function parseRfc2822(text: string): number | null {
  const match = rfc2822.exec(text);
  if (!match) return null;
  const [, day, name, year, hour, minute, second, sign, zoneHours, zoneMinutes] = match;
  const month = months.indexOf(name!.toLowerCase()) + 1;
  const ms = momentOf(year!, String(month), day!, [hour!, minute!, second]);
  const offset = (Number(zoneHours ?? 0) * 60 + Number(zoneMinutes ?? 0)) * 60_000;
  return ms === null ? null : ms - (sign === '-' ? -offset : offset);
}

function parseEpoch(spelling: TimeSpelling, text: string): number | null {
  if (!/^-?\d{1,19}(?:\.\d{1,9})?$/.test(text)) return null;
  const value = Number(text);
  switch (spelling) {
    case 'epoch seconds':
      // Through microseconds: 1.001 s times 1000 is a little less than 1001 in doubles.
      return Math.floor(Math.round(value * 1e6) / 1e3);
    case 'epoch microseconds':
      return Math.floor(value / 1e3);
    default:
      return Math.floor(value / 1e6);
  }
}

function momentOf(
  yearText: string,
  monthText: string,
  dayText: string,
  [hourText, minute, second, fraction, half]: readonly (string | undefined)[],
): number | null {
  const year = Number(yearText);
  const month = Number(monthText);
  const day = Number(dayText);
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return null;
  const days = daysFromCivil(year, month, day) * dayMs;
  if (hourText === undefined) return days;
  let hour = Number(hourText);
  if (half !== undefined) {
    if (hour < 1 || hour > 12) return null;
    hour = (hour % 12) + (half.toLowerCase() === 'p' ? 12 : 0);
  }
  if (hour > 23 || Number(minute) > 59 || Number(second ?? 0) > 59) return null;
  const ms = fraction === undefined ? 0 : Number(fraction.padEnd(3, '0').slice(0, 3));
  return days + hour * 3_600_000 + Number(minute) * 60_000 + Number(second ?? 0) * 1000 + ms;
}
