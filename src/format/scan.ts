/**
 * JSON's lexical grammar (RFC 8259) over bytes. Each function takes the position of a token's first byte and answers the
 * position after it, or `~p` (negative) where byte p does not fit.
 *
 * The bytes must end in a sentinel, a byte that is part of no token (`\n` where a line is a row, else NUL): no function
 * reads past it, so none compares with the length. UTF-8 is checked elsewhere.
 */
import { nestingDepthMax } from './limits.ts';

const quote = 34;
const comma = 44;
const minus = 45;
const point = 46;
const zero = 48;
const colon = 58;
const openBracket = 91;
const backslash = 92;
const closeBracket = 93;
const openBrace = 123;
const closeBrace = 125;

/** JSON's whitespace. Where a line is a row, `newline` is false: a line's end ends the row. */
export function skipSpace(bytes: Uint8Array, at: number, newline: boolean): number {
  for (;;) {
    const byte = bytes[at]!;
    if (byte !== 32 && byte !== 9 && byte !== 13 && !(byte === 10 && newline)) return at;
    at++;
  }
}

const isHex = (byte: number): boolean =>
  (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 70) || (byte >= 97 && byte <= 102);

export function skipString(bytes: Uint8Array, at: number): number {
  for (at++; ; at++) {
    const byte = bytes[at]!;
    if (byte === quote) return at + 1;
    if (byte < 32) return ~at;
    if (byte !== backslash) continue;
    switch (bytes[++at]) {
      case quote:
      case backslash:
      case 47: // /
      case 98: // b
      case 102: // f
      case 110: // n
      case 114: // r
      case 116: // t
        break;
      case 117: // u
        for (let digit = 0; digit < 4; digit++) if (!isHex(bytes[++at]!)) return ~at;
        break;
      default:
        return ~at;
    }
  }
}

export function skipNumber(bytes: Uint8Array, at: number): number {
  if (bytes[at] === minus) at++;
  let byte = bytes[at]!;
  if (byte === zero) byte = bytes[++at]!;
  else {
    if (byte < 49 || byte > 57) return ~at;
    do byte = bytes[++at]!;
    while (byte >= 48 && byte <= 57);
  }
  if (byte === point) {
    byte = bytes[++at]!;
    if (byte < 48 || byte > 57) return ~at;
    do byte = bytes[++at]!;
    while (byte >= 48 && byte <= 57);
  }
  if (byte === 101 || byte === 69) {
    byte = bytes[++at]!;
    if (byte === 43 || byte === minus) byte = bytes[++at]!;
    if (byte < 48 || byte > 57) return ~at;
    do byte = bytes[++at]!;
    while (byte >= 48 && byte <= 57);
  }
  return at;
}

const words = { t: [116, 114, 117, 101], f: [102, 97, 108, 115, 101], n: [110, 117, 108, 108] } as const;

/** `true`, `false` or `null`, by the first byte. */
export function skipWord(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  const word = first === 116 ? words.t : first === 102 ? words.f : first === 110 ? words.n : null;
  if (word === null) return ~at;
  for (let index = 1; index < word.length; index++) if (bytes[++at] !== word[index]) return ~at;
  return at + 1;
}

/** Any value, objects and arrays with all they hold; `~p` also where it is nested deeper than `nestingDepthMax`. */
export function skipValue(bytes: Uint8Array, at: number, newline: boolean): number {
  const first = bytes[at]!;
  if (first === quote) return skipString(bytes, at);
  if (first === minus || (first >= 48 && first <= 57)) return skipNumber(bytes, at);
  if (first === openBrace || first === openBracket) return skipNested(bytes, at, newline);
  return skipWord(bytes, at);
}

function skipNested(bytes: Uint8Array, at: number, newline: boolean): number {
  const closers = new Uint8Array(nestingDepthMax);
  let depth = 0;
  for (;;) {
    // At a value's first byte.
    const first = bytes[at]!;
    if (first === openBrace || first === openBracket) {
      if (depth === nestingDepthMax) return ~at;
      const closer = first === openBrace ? closeBrace : closeBracket;
      at = skipSpace(bytes, at + 1, newline);
      if (bytes[at] !== closer) {
        closers[depth++] = closer;
        if (first === openBrace) {
          at = skipKey(bytes, at, newline);
          if (at < 0) return at;
        }
        continue;
      }
      at++;
    } else {
      at = skipValue(bytes, at, newline);
      if (at < 0) return at;
    }
    // After a value: close what ends here, then on to the next value.
    for (;;) {
      if (depth === 0) return at;
      at = skipSpace(bytes, at, newline);
      const closer = closers[depth - 1]!;
      if (bytes[at] === closer) {
        at++;
        depth--;
        continue;
      }
      if (bytes[at] !== comma) return ~at;
      at = skipSpace(bytes, at + 1, newline);
      if (closer === closeBrace) {
        at = skipKey(bytes, at, newline);
        if (at < 0) return at;
      }
      break;
    }
  }
}

/** A key, its colon, and the space around: answers the value's first byte. */
function skipKey(bytes: Uint8Array, at: number, newline: boolean): number {
  if (bytes[at] !== quote) return ~at;
  at = skipString(bytes, at);
  if (at < 0) return at;
  at = skipSpace(bytes, at, newline);
  if (bytes[at] !== colon) return ~at;
  return skipSpace(bytes, at + 1, newline);
}

/** True if bytes[from..to) is one JSON value and nothing else. No sentinel needed. */
export function isJsonText(bytes: Uint8Array, from: number, to: number): boolean {
  const text = new Uint8Array(to - from + 1);
  text.set(bytes.subarray(from, to));
  const start = skipSpace(text, 0, true);
  const end = skipValue(text, start, true);
  return end > 0 && skipSpace(text, end, true) === to - from;
}

/**
 * The text of a JSON string's inside, bytes[from..to), which `skipString` has accepted: written to `into` (at least
 * to - from bytes long) as UTF-8; answers its size. A lone surrogate, which UTF-8 cannot say, becomes U+FFFD, as in
 * every encoder of the WHATWG's.
 */
export function unescapeString(bytes: Uint8Array, from: number, to: number, into: Uint8Array): number {
  let size = 0;
  for (let at = from; at < to; at++) {
    const byte = bytes[at]!;
    if (byte !== backslash) {
      into[size++] = byte;
      continue;
    }
    const letter = bytes[++at]!;
    if (letter !== 117) {
      into[size++] = simpleEscapes[letter]!;
      continue;
    }
    let point = hexOf(bytes, at + 1);
    at += 4;
    if (point >= 0xd800 && point < 0xe000) {
      const low =
        point < 0xdc00 && at + 6 < to && bytes[at + 1] === backslash && bytes[at + 2] === 117
          ? hexOf(bytes, at + 3)
          : 0;
      if (low >= 0xdc00 && low < 0xe000) {
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
        at += 6;
      } else point = 0xfffd;
    }
    size = writeUtf8(point, into, size);
  }
  return size;
}

const simpleEscapes = new Uint8Array(128);
for (const [letter, byte] of [
  ['"', 34],
  ['\\', 92],
  ['/', 47],
  ['b', 8],
  ['f', 12],
  ['n', 10],
  ['r', 13],
  ['t', 9],
] as const)
  simpleEscapes[letter.charCodeAt(0)] = byte;

function hexOf(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let digit = 0; digit < 4; digit++) {
    const byte = bytes[at + digit]!;
    value = value * 16 + (byte <= 57 ? byte - 48 : (byte | 32) - 87);
  }
  return value;
}

function writeUtf8(point: number, into: Uint8Array, size: number): number {
  if (point < 0x80) into[size++] = point;
  else {
    if (point < 0x800) into[size++] = 0xc0 | (point >> 6);
    else {
      if (point < 0x10000) into[size++] = 0xe0 | (point >> 12);
      else {
        into[size++] = 0xf0 | (point >> 18);
        into[size++] = 0x80 | ((point >> 12) & 63);
      }
      into[size++] = 0x80 | ((point >> 6) & 63);
    }
    into[size++] = 0x80 | (point & 63);
  }
  return size;
}
