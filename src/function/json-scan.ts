/**
 * JSON text read where it lies, as UTF-8: the place of a member or an element, without parsing the rest. Linear in the
 * text, without recursion. Text that is no JSON gives some place or none, and never one outside it.
 */

/** A value's bytes: `[start, end)`; null: there is none. */
export type Span = readonly [start: number, end: number] | null;

/** A step of a path: a member's key, or an element's index (negative: from the end). */
export type Step = string | number;

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

function skipSpace(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && isSpace(bytes[at]!)) at++;
  return at;
}

/** @param from At the opening quote. @returns Behind the closing one. */
function skipString(bytes: Uint8Array, from: number, end: number): number {
  let at = from + 1;
  while (at < end && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1;
  return Math.min(at + 1, end);
}

/** Behind the value that begins at `from`. */
function skipValue(bytes: Uint8Array, from: number, end: number): number {
  const first = bytes[from];
  if (first === quote) return skipString(bytes, from, end);
  let at = from;
  if (first !== openBrace && first !== openBracket) {
    for (; at < end; at++) {
      const byte = bytes[at]!;
      if (byte === comma || byte === closeBrace || byte === closeBracket || isSpace(byte)) break;
    }
    return at;
  }
  let depth = 0;
  while (at < end) {
    const byte = bytes[at]!;
    if (byte === quote) {
      at = skipString(bytes, at, end);
      continue;
    }
    at++;
    if (byte === openBrace || byte === openBracket) depth++;
    else if ((byte === closeBrace || byte === closeBracket) && --depth === 0) break;
  }
  return at;
}

/** The value that the text is, without the space around it. */
export function rootOf(bytes: Uint8Array, start: number, end: number): Span {
  const from = skipSpace(bytes, start, end);
  return from === end ? null : [from, skipValue(bytes, from, end)];
}

const encoder = new TextEncoder();

/** Keys of paths as bytes; queries have few. */
const keyBytes = new Map<string, Uint8Array>();
const keyCountMax = 1_000;
function bytesOf(key: string): Uint8Array {
  let bytes = keyBytes.get(key);
  if (bytes === undefined) {
    if (keyBytes.size >= keyCountMax) keyBytes.clear();
    keyBytes.set(key, (bytes = encoder.encode(key)));
  }
  return bytes;
}

/** @param from,to Of a key's token, its quotes among it. */
function isKey(bytes: Uint8Array, from: number, to: number, key: string): boolean {
  for (let at = from + 1; at < to; at++) if (bytes[at] === backslash) return textOf(bytes, from, to) === key;
  const wanted = bytesOf(key);
  if (to - from - 2 !== wanted.length) return false;
  for (let at = 0; at < wanted.length; at++) if (bytes[from + 1 + at] !== wanted[at]) return false;
  return true;
}

/** The member of that key: the last, where there are several, as `JSON.parse` has it. */
function memberOf(bytes: Uint8Array, [start, end]: NonNullable<Span>, key: string): Span {
  if (bytes[start] !== openBrace) return null;
  let found: Span = null;
  let at = skipSpace(bytes, start + 1, end);
  while (at < end && bytes[at] === quote) {
    const keyAt = at;
    const keyEnd = skipString(bytes, at, end);
    at = skipSpace(bytes, keyEnd, end);
    if (bytes[at] !== colon) return found;
    const valueAt = skipSpace(bytes, at + 1, end);
    const valueEnd = skipValue(bytes, valueAt, end);
    if (isKey(bytes, keyAt, keyEnd, key)) found = [valueAt, valueEnd];
    at = skipSpace(bytes, valueEnd, end);
    if (at >= end || bytes[at] !== comma) return found;
    at = skipSpace(bytes, at + 1, end);
  }
  return found;
}

/** Calls `visit` for each element, in order, until it returns false. Nothing for what is no array. */
export function forEachElement(
  bytes: Uint8Array,
  [start, end]: NonNullable<Span>,
  visit: (start: number, end: number) => boolean,
): void {
  if (bytes[start] !== openBracket) return;
  let at = skipSpace(bytes, start + 1, end);
  while (at < end && bytes[at] !== closeBracket) {
    const valueEnd = skipValue(bytes, at, end);
    if (valueEnd === at || visit(at, valueEnd) === false) return;
    at = skipSpace(bytes, valueEnd, end);
    if (bytes[at] !== comma) return;
    at = skipSpace(bytes, at + 1, end);
  }
}

function elementOf(bytes: Uint8Array, array: NonNullable<Span>, index: number): Span {
  let wanted = index;
  if (index < 0) {
    let count = 0;
    forEachElement(bytes, array, () => ++count > 0);
    wanted = count + index;
    if (wanted < 0) return null;
  }
  let found: Span = null;
  let position = 0;
  forEachElement(bytes, array, (start, end) => {
    if (position++ < wanted) return true;
    found = [start, end];
    return false;
  });
  return found;
}

/** What the steps lead to from the value at `span`; null: nothing is there. */
export function follow(bytes: Uint8Array, span: Span, steps: readonly Step[]): Span {
  let at = span;
  for (const step of steps) {
    if (at === null) return null;
    at = typeof step === 'string' ? memberOf(bytes, at, step) : elementOf(bytes, at, step);
  }
  return at;
}

export type JsonKind = 'string' | 'object' | 'array' | 'null' | 'scalar';

export function kindOf(bytes: Uint8Array, start: number): JsonKind {
  switch (bytes[start]) {
    case quote:
      return 'string';
    case openBrace:
      return 'object';
    case openBracket:
      return 'array';
    case 0x6e:
      return 'null';
    default:
      return 'scalar';
  }
}

/** Has the string's token no escape? Then its text is what stands between the quotes. */
export function isPlainString(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] === backslash) return false;
  return true;
}

const decoder = new TextDecoder();

/** The text that a string's token means; null for a token that is none. */
export function textOf(bytes: Uint8Array, start: number, end: number): string | null {
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes.subarray(start, end)));
    return typeof value === 'string' ? value : null;
  } catch {
    return null;
  }
}
