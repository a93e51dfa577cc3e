/**
 * Cells as text, straight from decoded columns into bytes: one closure a column, chosen by its type, so that rows are
 * written without a value object or a string per cell where the type allows.
 *
 * | type            | JSON                            | CSV                  |
 * | --------------- | ------------------------------- | -------------------- |
 * | BOOLEAN         | true, false                     | the same             |
 * | INT, LONG       | all digits                      | the same             |
 * | FLOAT, DOUBLE   | shortest that reads back; NaN and infinities as strings | the same, no quotes |
 * | DECIMAL         | string                          | digits               |
 * | TIMESTAMP       | "2024-01-02T03:04:05.678Z"      | the same, no quotes  |
 * | DATE            | "2024-01-02"                    | the same, no quotes  |
 * | INTERVAL        | PostgreSQL's text, a string     | the same             |
 * | STRING, JSON    | string                          | quoted where needed  |
 * | UUID            | string                          | the same, no quotes  |
 * | BYTES           | base64 string                   | base64               |
 * | NULL            | null                            | nothing (an empty string is `""`) |
 */
import { type Column, type FixedColumn, isPresent } from '../column/column.ts';
import { dayMs, formatDate, formatDecimal, formatInterval, formatUuid } from '../column/text.ts';
import type { Type } from '../column/type.ts';
import { decimalOf, intervalOf } from '../column/value.ts';
import type { ByteSink } from './sink.ts';

export type CellStyle = 'json' | 'csv';
export type CellWriter = (row: number) => void;

/** Writes rows of `column` into `sink`. */
export function cellWriter(column: Column, style: CellStyle, sink: ByteSink): CellWriter {
  const present = column.form === 'fixed' ? fixedWriter(column, style, sink) : pooledWriter(column, style, sink);
  const { validity } = column;
  if (validity === null) return present;
  const nullText = style === 'json' ? 'null' : '';
  return row => (isPresent(validity, row) ? present(row) : sink.ascii(nullText));
}

function fixedWriter(column: FixedColumn, style: CellStyle, sink: ByteSink): CellWriter {
  const { type, values } = column;
  const quote = style === 'json' ? '"' : '';
  switch (type.name) {
    case 'BOOLEAN':
      return row => sink.ascii(values[row] ? 'true' : 'false');
    case 'INT':
      return row => sink.ascii(String(values[row]));
    case 'LONG':
      return longWriter(values as BigInt64Array, sink);
    case 'FLOAT':
      return row => sink.ascii(realText(values[row] as number, floatText, quote));
    case 'DOUBLE':
      return row => sink.ascii(realText(values[row] as number, String, quote));
    case 'DECIMAL': {
      const scale = type.scale!;
      const words = values as BigInt64Array;
      return row =>
        sink.ascii(`${quote}${formatDecimal(decimalOf(words[row * 2]!, words[row * 2 + 1]!), scale)}${quote}`);
    }
    case 'TIMESTAMP':
      return timestampWriter(values as BigInt64Array, quote, sink);
    case 'DATE':
      return row => sink.ascii(`${quote}${formatDate(values[row] as number)}${quote}`);
    case 'INTERVAL': {
      const words = values as BigInt64Array;
      return row => sink.ascii(`${quote}${formatInterval(intervalOf(words[row * 2]!, words[row * 2 + 1]!))}${quote}`);
    }
    default:
      throw new Error(`invariant violated: a fixed column of ${type.name}`);
  }
}

/** Without a BigInt a row where a double holds the value. */
function longWriter(values: BigInt64Array, sink: ByteSink): CellWriter {
  const halves = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  return row => {
    const high = halves[row * 2 + 1]!;
    if (high >= -0x20_0000 && high < 0x20_0000) sink.ascii(String(high * 0x1_0000_0000 + (halves[row * 2]! >>> 0)));
    else sink.ascii(String(values[row]!));
  };
}

/**
 * -0 keeps its sign, as in PostgreSQL. A value beyond 2^53 without an exponent gets `.0`, so that a reader that keeps
 * 64-bit integers does not take it for one.
 */
function realText(value: number, finiteText: (value: number) => string, quote: string): string {
  if (!Number.isFinite(value)) return `${quote}${value}${quote}`;
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const text = finiteText(value);
  return Math.abs(value) > Number.MAX_SAFE_INTEGER && !text.includes('e') ? `${text}.0` : text;
}

/** The shortest digits that read back as the same 32-bit float: 0.1, not 0.10000000149011612. */
function floatText(value: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(9)));
}

/** The date's text is kept from row to row: most rows share the day of the one before. */
function timestampWriter(values: BigInt64Array, quote: string, sink: ByteSink): CellWriter {
  let lastDay = Number.NaN;
  let dayText = '';
  const digits = (value: number, places: number): void => {
    if (places === 3) sink.byte(48 + Math.floor(value / 100));
    sink.byte(48 + (Math.floor(value / 10) % 10));
    sink.byte(48 + (value % 10));
  };
  return row => {
    const ms = Number(values[row]!);
    const day = Math.floor(ms / dayMs);
    if (day !== lastDay) {
      lastDay = day;
      dayText = `${quote}${formatDate(day)}T`;
    }
    const inDay = ms - day * dayMs;
    sink.ascii(dayText);
    digits(Math.floor(inDay / 3_600_000), 2);
    sink.byte(58);
    digits(Math.floor(inDay / 60_000) % 60, 2);
    sink.byte(58);
    digits(Math.floor(inDay / 1000) % 60, 2);
    sink.byte(46);
    digits(inDay % 1000, 3);
    sink.ascii(`Z${quote}`);
  };
}

function pooledWriter(column: Exclude<Column, FixedColumn>, style: CellStyle, sink: ByteSink): CellWriter {
  const { offsets, bytes } = column;
  const write = bytesWriter(column.type, style, sink);
  if (column.form === 'raw') return row => write(bytes, offsets[row]!, offsets[row + 1]!);
  const { codes } = column;
  return row => {
    const code = codes[row]!;
    write(bytes, offsets[code]!, offsets[code + 1]!);
  };
}

type BytesWriter = (bytes: Uint8Array, start: number, end: number) => void;

function bytesWriter(type: Type, style: CellStyle, sink: ByteSink): BytesWriter {
  const quote = style === 'json' ? '"' : '';
  switch (type.name) {
    case 'UUID':
      return (bytes, start) => sink.ascii(`${quote}${formatUuid(bytes, start)}${quote}`);
    case 'BYTES':
      return (bytes, start, end) =>
        sink.ascii(
          `${quote}${Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('base64')}${quote}`,
        );
    default:
      return style === 'json'
        ? (bytes, start, end) => writeJsonString(sink, bytes, start, end)
        : (bytes, start, end) => writeCsvField(sink, bytes, start, end);
  }
}

const quoteByte = 0x22;
const backslashByte = 0x5c;

/** UTF-8 bytes as a JSON string: only quotes, backslashes and controls need an escape. */
function writeJsonString(sink: ByteSink, bytes: Uint8Array, start: number, end: number): void {
  sink.byte(quoteByte);
  let from = start;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte >= 0x20 && byte !== quoteByte && byte !== backslashByte) continue;
    sink.copy(bytes, from, at);
    if (byte < 0x20) sink.ascii(`\\u00${byte < 16 ? '0' : ''}${byte.toString(16)}`);
    else {
      sink.byte(backslashByte);
      sink.byte(byte);
    }
    from = at + 1;
  }
  sink.copy(bytes, from, end);
  sink.byte(quoteByte);
}

/** RFC 4180: in quotes where it holds a comma, a quote or a line break, or is empty (nothing at all is NULL). */
export function writeCsvField(sink: ByteSink, bytes: Uint8Array, start: number, end: number): void {
  if (!needsQuotes(bytes, start, end)) {
    sink.copy(bytes, start, end);
    return;
  }
  sink.byte(quoteByte);
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === quoteByte) sink.byte(quoteByte);
    sink.byte(byte);
  }
  sink.byte(quoteByte);
}

function needsQuotes(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === 0x2c || byte === quoteByte || byte === 0x0a || byte === 0x0d) return true;
  }
  return start === end;
}
