/** NDJSON and JSON arrays to batches. */
import { describeSyntaxError, JsonRowReader } from './json-row.ts';
import { LineRows } from './line-rows.ts';
import { skipSpace, skipValue } from './scan.ts';
import type { Decoded, DecodeTarget } from './target.ts';

const newline = 10;

/** Rows that a first guess makes room for; a wrong one costs a copy, not a failure. */
export const capacityFor = (sizeBytes: number, rowSizeBytes: number): number =>
  Math.min(1 << 20, Math.max(8, Math.ceil((sizeBytes / Math.max(rowSizeBytes, 8)) * 1.1)));

/** Without a byte order mark, with `sentinel` as the last byte. Copies only where that is missing. */
export function withSentinel(bytes: Uint8Array, sentinel: number): Uint8Array {
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  if (sentinel === newline && bytes[bytes.length - 1] === newline) return bytes.subarray(start);
  const ended = new Uint8Array(bytes.length - start + 1);
  ended.set(bytes.subarray(start));
  ended[ended.length - 1] = sentinel;
  return ended;
}

export const kindOf = (byte: number): string =>
  byte === 91
    ? 'an array'
    : byte === 34
      ? 'a string'
      : byte === 123
        ? 'an object'
        : byte === 116 || byte === 102
          ? 'a boolean'
          : byte === 110
            ? 'null'
            : 'a number';

/** One JSON object a line; blank lines are none. A broken line never takes the next ones with it. */
export function decodeNdjson(input: Uint8Array, target: DecodeTarget): Decoded {
  const bytes = withSentinel(input, newline);
  const rows = new LineRows(target, bytes, capacityFor(bytes.length, bytes.indexOf(newline) + 1));
  readNdjsonLines(bytes, 0, rows, Number.POSITIVE_INFINITY);
  return rows.finish();
}

/**
 * Lines from byte `at` on, until `rowsMax` rows were begun; answers where it stopped.
 * @param bytes End in a line end.
 */
export function readNdjsonLines(bytes: Uint8Array, at: number, rows: LineRows, rowsMax: number): number {
  const size = bytes.length;
  const reader = new JsonRowReader(bytes, rows, false);
  while (at < size) {
    if (bytes[at]! <= 32) at = skipSpace(bytes, at, true);
    if (at >= size) return size;
    if (rows.attempt >= rowsMax) return at;
    const from = at;
    rows.begin();
    let end: number;
    if (bytes[at] === 123) {
      end = reader.read(at);
      if (end >= 0 && bytes[end] !== newline) {
        end = skipSpace(bytes, end, false);
        if (bytes[end] !== newline) end = ~end;
      }
      if (end < 0) rows.fail(null, describeSyntaxError(bytes, ~end, from, bytes[~end] === newline));
    } else {
      end = skipValue(bytes, at, false);
      rows.fail(
        null,
        end < 0
          ? describeSyntaxError(bytes, ~end, from, bytes[~end] === newline)
          : `${kindOf(bytes[at]!)} where a JSON object is expected`,
      );
      end = ~from;
    }
    if (end < 0) end = bytes.indexOf(newline, from);
    rows.end(from, end);
    at = end + 1;
  }
  return at;
}

/** A JSON array of objects, or one object. What breaks JSON's grammar ends the input: the rows before it stand. */
export function decodeJsonArray(input: Uint8Array, target: DecodeTarget): Decoded {
  const bytes = withSentinel(input, 0);
  const last = bytes.length - 1;
  const rows = new LineRows(target, bytes, capacityFor(bytes.length, 100));
  const reader = new JsonRowReader(bytes, rows, true);
  const syntaxError = (at: number, from: number): Decoded => {
    const reason = `${describeSyntaxError(bytes, at, from, at === last)}; nothing after it was read`;
    rows.rejectAt(at, null, reason, from, last);
    return rows.finish();
  };
  /** Reads the value at `at` as a row; `~p` where byte p is no JSON. */
  const readRow = (at: number): number => {
    rows.begin();
    const isObject = bytes[at] === 123;
    const end = isObject ? reader.read(at) : skipValue(bytes, at, true);
    if (end < 0) return end;
    if (!isObject) rows.fail(null, `${kindOf(bytes[at]!)} where a JSON object is expected`);
    rows.end(at, end);
    return end;
  };

  let at = skipSpace(bytes, 0, true);
  if (at === last) return rows.finish();
  if (bytes[at] !== 91) {
    const end = readRow(at);
    if (end < 0) return syntaxError(~end, at);
    const after = skipSpace(bytes, end, true);
    return after === last ? rows.finish() : syntaxError(after, at);
  }
  at = skipSpace(bytes, at + 1, true);
  if (bytes[at] !== 93) {
    for (;;) {
      const from = at;
      const end = readRow(at);
      if (end < 0) return syntaxError(~end, from);
      at = skipSpace(bytes, end, true);
      if (bytes[at] === 93) break;
      if (bytes[at] !== 44) return syntaxError(at, from);
      at = skipSpace(bytes, at + 1, true);
    }
  }
  at = skipSpace(bytes, at + 1, true);
  return at === last ? rows.finish() : syntaxError(at, at);
}
