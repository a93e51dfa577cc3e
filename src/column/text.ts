/**
 * Text forms of the types whose text is their own: times, dates, UUIDs, decimals, bytes. Parsers answer null for what is
 * not one; the caller knows where it stood and says so. Calendar: proleptic Gregorian (ISO 8601), as PostgreSQL.
 */
import type { Interval } from './type.ts';

export const dayMs = 86_400_000;
/** What JavaScript dates can hold: ±100 million days; years -271821 to 275760. */
export const timestampMsMax = 8.64e15;

const timestampPattern =
  /^([+-]?\d{4,6})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|z|UTC|[+-]\d{2}(?::?\d{2})?)?)?$/;

/** `2024-01-02[ T]03:04[:05[.678…]][Z|±hh[:mm]]`, a date alone is midnight; fractions beyond milliseconds are cut. UTC. */
export function parseTimestamp(text: string): number | null {
  const match = timestampPattern.exec(text.trim());
  if (!match) return null;
  const days = daysOf(Number(match[1]), Number(match[2]), Number(match[3]));
  if (days === null) return null;
  if (match[4] === undefined) return inRange(days * dayMs);
  const hour = Number(match[4]);
  const minute = Number(match[5]);
  const second = Number(match[6] ?? 0);
  if (minute > 59 || second > 59) return null;
  if (hour > 24 || (hour === 24 && (minute > 0 || second > 0))) return null;
  const ms = match[7] ? Number(match[7].padEnd(3, '0').slice(0, 3)) : 0;
  const offset = zoneOffsetMs(match[8]);
  if (offset === null) return null;
  return inRange(days * dayMs + hour * 3_600_000 + minute * 60_000 + second * 1000 + ms - offset);
}

const inRange = (ms: number): number | null => (Math.abs(ms) <= timestampMsMax ? ms : null);

function zoneOffsetMs(zone: string | undefined): number | null {
  if (zone === undefined || zone === 'Z' || zone === 'z' || zone === 'UTC') return 0;
  const digits = zone.slice(1).replace(':', '');
  const hours = Number(digits.slice(0, 2));
  const minutes = Number(digits.slice(2) || 0);
  if (hours > 15 || minutes > 59) return null;
  return (zone[0] === '-' ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

/** Days since 1970 of `yyyy-mm-dd`; null for what is no date. */
export function parseDate(text: string): number | null {
  const match = /^([+-]?\d{4,6})-(\d{1,2})-(\d{1,2})$/.exec(text.trim());
  return match ? daysOf(Number(match[1]), Number(match[2]), Number(match[3])) : null;
}

/** Days since 1970 of a civil date, month and day from 1; null where there is no such day. */
function daysOf(year: number, month: number, day: number): number | null {
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return null;
  return daysFromCivil(year, month, day);
}

const isLeapYear = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;

export const daysInMonth = (year: number, month: number): number =>
  month === 2 ? (isLeapYear(year) ? 29 : 28) : month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;

/** Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": eras of 400 years from 1 March. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

export function civilFromDays(days: number): { year: number; month: number; day: number } {
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const dayOfEra = z - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1,
  };
}

const pad = (value: number, digits: number): string => String(value).padStart(digits, '0');

/** `2024-01-02`; years beyond four digits as ISO 8601 has them, with a sign. */
export function formatDate(days: number): string {
  const { year, month, day } = civilFromDays(days);
  const yearText = year >= 0 && year <= 9999 ? pad(year, 4) : `${year < 0 ? '-' : '+'}${pad(Math.abs(year), 6)}`;
  return `${yearText}-${pad(month, 2)}-${pad(day, 2)}`;
}

/** `2024-01-02T03:04:05.678Z`: the native API's. */
export const formatTimestampIso = (ms: number): string =>
  `${formatDate(Math.floor(ms / dayMs))}T${timeOfDay(ms, true)}Z`;

/** `2024-01-02 03:04:05.678`, trailing zeros of the fraction cut: PostgreSQL's. */
export const formatTimestampText = (ms: number): string =>
  `${formatDate(Math.floor(ms / dayMs))} ${timeOfDay(ms, false)}`;

function timeOfDay(ms: number, fixedFraction: boolean): string {
  const inDay = ((ms % dayMs) + dayMs) % dayMs;
  const fraction = inDay % 1000;
  const seconds = Math.floor(inDay / 1000);
  const clock = `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}`;
  if (fixedFraction) return `${clock}.${pad(fraction, 3)}`;
  return fraction === 0 ? clock : `${clock}.${pad(fraction, 3).replace(/0+$/, '')}`;
}

/** `03:04:05.678`, of seconds since midnight and `fraction` in units of the given number of digits; zeros cut. */
export function formatTimeOfDay(seconds: number, fraction: number, digits: number): string {
  const clock = `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}`;
  return fraction === 0 ? clock : `${clock}.${pad(fraction, digits).replace(/0+$/, '')}`;
}

/** The 16 bytes of a UUID in any of PostgreSQL's spellings (hyphens anywhere between pairs, braces, any case). */
export function parseUuid(text: string): Uint8Array | null {
  const inner = /^\{.*\}$/.test(text.trim()) ? text.trim().slice(1, -1) : text.trim();
  if (!/^[0-9a-fA-F]{2}(?:-?[0-9a-fA-F]{2}){15}$/.test(inner)) return null;
  const digits = inner.replaceAll('-', '');
  const bytes = new Uint8Array(16);
  for (let index = 0; index < 16; index++) bytes[index] = Number.parseInt(digits.slice(index * 2, index * 2 + 2), 16);
  return bytes;
}

const hexPairs: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function formatUuid(bytes: Uint8Array, start = 0): string {
  let text = '';
  for (let index = 0; index < 16; index++) {
    if (index === 4 || index === 6 || index === 8 || index === 10) text += '-';
    text += hexPairs[bytes[start + index]!];
  }
  return text;
}

export function formatHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += hexPairs[byte];
  return text;
}

export const powerOfTen = (exponent: number): bigint => 10n ** BigInt(exponent);

/**
 * Unscaled value of a decimal numeral (`-12.345`, `1e3`), rounded half away from zero to `scale` digits;
 * null for what is no number, 'overflow' for more than `precision` digits.
 */
export function parseDecimal(text: string, precision: number, scale: number): bigint | null | 'overflow' {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/.exec(text.trim());
  if (!match || (match[2] === '' && (match[3] ?? '') === '')) return null;
  const fraction = match[3] ?? '';
  const shift = Number(match[4] ?? 0) - fraction.length + scale;
  const digits = BigInt(`0${match[2]}${fraction}`);
  if (shift > 80 && digits !== 0n) return 'overflow';
  const unscaled = shift >= 0 ? digits * powerOfTen(Math.min(shift, 80)) : divideHalfAway(digits, powerOfTen(-shift));
  if (unscaled >= powerOfTen(precision)) return 'overflow';
  return match[1] === '-' ? -unscaled : unscaled;
}

/** value / by, rounded half away from zero; `by` positive. */
export function divideHalfAway(value: bigint, by: bigint): bigint {
  const half = by / 2n;
  return value >= 0n ? (value + half) / by : -((-value + half) / by);
}

export function formatDecimal(unscaled: bigint, scale: number): string {
  if (scale === 0) return String(unscaled);
  const negative = unscaled < 0n;
  const digits = String(negative ? -unscaled : unscaled).padStart(scale + 1, '0');
  return `${negative ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/**
 * PostgreSQL's style: `1 year 2 mons 3 days 04:05:06.789`; `00:00:00` for nothing. A positive part after a negative one
 * carries its sign: `-1 days +02:00:00`.
 */
export function formatInterval({ months, days, ms }: Interval): string {
  const parts: string[] = [];
  let negative = false;
  const add = (count: number, unit: string): void => {
    if (count === 0) return;
    parts.push(`${negative && count > 0 ? '+' : ''}${count} ${unit}${count === 1 ? '' : 's'}`);
    negative = count < 0;
  };
  add(Math.trunc(months / 12), 'year');
  add(months % 12, 'mon');
  add(days, 'day');
  if (ms !== 0 || parts.length === 0) {
    const size = Math.abs(ms);
    const seconds = Math.floor(size / 1000);
    const fraction = size % 1000;
    const clock = `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}`;
    const sign = ms < 0 ? '-' : negative ? '+' : '';
    parts.push(`${sign}${clock}${fraction === 0 ? '' : `.${pad(fraction, 3).replace(/0+$/, '')}`}`);
  }
  return parts.join(' ');
}
