/**
 * The spellings that nearly all numbers and times have, from bytes straight to a double: no text is made. Each answers
 * NaN for any other spelling, which is then read the thorough way.
 */
import { dayMs, daysFromCivil, daysInMonth } from '../column/text.ts';

/** Digits whose value a double holds exactly, whatever they are. */
export const exactDigits = 15;

/** Value of -?[0-9]{1,15}; NaN for anything else. */
export function plainInteger(bytes: Uint8Array, from: number, to: number): number {
  const negative = bytes[from] === 45;
  let at = negative ? from + 1 : from;
  if (to - at > exactDigits || at === to) return Number.NaN;
  let value = 0;
  for (; at < to; at++) {
    const digit = bytes[at]! - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}

const digitAt = (bytes: Uint8Array, at: number): number => bytes[at]! - 48;
const isDigit = (digit: number): boolean => digit >= 0 && digit <= 9;

/** Two digits at `at`; at least 100, or NaN, where they are none. */
const pairAt = (bytes: Uint8Array, at: number): number => {
  const high = digitAt(bytes, at);
  const low = digitAt(bytes, at + 1);
  return isDigit(high) && isDigit(low) ? high * 10 + low : 100;
};

/** Days since 1970 of `yyyy-mm-dd` at `at`; NaN where it is not exactly that. */
export function plainDate(bytes: Uint8Array, at: number): number {
  const month = pairAt(bytes, at + 5);
  const day = pairAt(bytes, at + 8);
  const century = pairAt(bytes, at);
  const year = pairAt(bytes, at + 2);
  if (bytes[at + 4] !== 45 || bytes[at + 7] !== 45 || century > 99 || year > 99) return Number.NaN;
  if (month < 1 || month > 12 || day < 1 || (day > 28 && day > daysInMonth(century * 100 + year, month)))
    return Number.NaN;
  return daysFromCivil(century * 100 + year, month, day);
}

/** Milliseconds since 1970 of `yyyy-mm-dd[T ]hh:mm:ss[.fff][Z]`, a day's last second 23:59:59; NaN for other spellings. */
export function plainTimestamp(bytes: Uint8Array, from: number, to: number): number {
  let end = to;
  if (bytes[end - 1] === 90) end--;
  const size = end - from;
  if (size !== 19 && size !== 23) return Number.NaN;
  const hour = pairAt(bytes, from + 11);
  const minute = pairAt(bytes, from + 14);
  const second = pairAt(bytes, from + 17);
  const between = bytes[from + 10];
  if ((between !== 84 && between !== 32) || bytes[from + 13] !== 58 || bytes[from + 16] !== 58) return Number.NaN;
  if (hour > 23 || minute > 59 || second > 59) return Number.NaN;
  let ms = 0;
  if (size === 23) {
    const tens = pairAt(bytes, from + 20);
    const last = digitAt(bytes, from + 22);
    if (bytes[from + 19] !== 46 || tens > 99 || !isDigit(last)) return Number.NaN;
    ms = tens * 10 + last;
  }
  return plainDate(bytes, from) * dayMs + hour * 3_600_000 + minute * 60_000 + second * 1000 + ms;
}

/** Powers of ten that a double holds exactly: with at most 15 digits, one division rounds correctly (Clinger 1990). */
const powersOfTen = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/** Value of -?digits[.digits] with at most 15 digits; NaN for anything else. */
export function plainDouble(bytes: Uint8Array, from: number, to: number): number {
  const negative = bytes[from] === 45;
  let at = negative ? from + 1 : from;
  if (to - at > exactDigits + 1 || at === to) return Number.NaN;
  let value = 0;
  let point = -1;
  const start = at;
  for (; at < to; at++) {
    const byte = bytes[at]!;
    if (byte === 46 && point < 0) {
      point = at;
      continue;
    }
    const digit = byte - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  if (point >= 0) {
    if (to - start === 1) return Number.NaN;
    value /= powersOfTen[to - point - 1]!;
  } else if (to - start > exactDigits) return Number.NaN;
  return negative ? -value : value;
}

/** Value of digits, signs, points and exponents in any order that makes a finite number; NaN for anything else. */
export function longDouble(bytes: Uint8Array, from: number, to: number): number {
  if (to - from > longDoubleSizeMax || from === to) return Number.NaN;
  let text = '';
  for (let at = from; at < to; at++) {
    const byte = bytes[at]!;
    // 0-9, + and -, the point, e and E.
    if ((byte < 48 || byte > 57) && byte !== 46 && byte !== 45 && byte !== 43 && (byte | 32) !== 101) return Number.NaN;
    text += asciiLetters[byte]!;
  }
  const value = Number(text);
  return Number.isFinite(value) ? value : Number.NaN;
}

/** A double as it is usually printed has up to 24 characters. */
const longDoubleSizeMax = 32;
const asciiLetters: readonly string[] = Array.from({ length: 128 }, (_, byte) => String.fromCharCode(byte));

/** The unscaled value at `scale` digits after the point, where plain digits give it exactly; NaN otherwise. */
export function plainUnscaled(bytes: Uint8Array, from: number, to: number, scale: number): number {
  const negative = bytes[from] === 45;
  let at = negative ? from + 1 : from;
  if (to - at > exactDigits || at === to) return Number.NaN;
  let value = 0;
  let fraction = -1;
  for (; at < to; at++) {
    const byte = bytes[at]!;
    if (byte === 46 && fraction < 0) {
      fraction = 0;
      continue;
    }
    const digit = byte - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
    if (fraction >= 0) fraction++;
  }
  const shift = scale - Math.max(fraction, 0);
  if (fraction === 0 || shift < 0 || shift > exactDigits) return Number.NaN;
  value *= powersOfTen[shift]!;
  return negative ? -value : value;
}
