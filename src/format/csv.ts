/**
 * CSV (RFC 4180) to batches. The first record names the columns. An empty unquoted field is NULL, `""` an empty text.
 *
 * A tokenizer of our own rather than a library's: quoted and unquoted empty fields must differ, line numbers must be exact
 * inside quoted line breaks, too, a broken row must not take the next ones with it, and fields go to the sinks as bytes.
 */
import { capacityFor, withSentinel } from './json.ts';
import { type Field, RowSink } from './row-sink.ts';
import type { Decoded, DecodeTarget } from './target.ts';

const newline = 10;
const carriageReturn = 13;
const quote = 34;
const comma = 44;

/** Fields of a record, one after another, as ranges of bytes. */
class FieldReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  /** The field read last: bytes[from..to) of `source`. */
  source: Uint8Array;
  from = 0;
  to = 0;
  quoted = false;
  /** It was the last of its record. */
  last = false;
  error: string | null = null;
  #unescaped = new Uint8Array(256);

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.source = bytes;
  }

  get at(): number {
    return this.#at;
  }

  /** Goes on at byte `at`, the start of a record. */
  seek(at: number): void {
    this.#at = at;
    this.error = null;
  }

  /** Reads one field and the comma or line end after it; false with an `error` where the record is broken. */
  next(): boolean {
    const bytes = this.#bytes;
    let at = this.#at;
    if (bytes[at] === quote) return this.#quoted();
    this.quoted = false;
    this.source = bytes;
    this.from = at;
    for (;;) {
      const byte = bytes[at]!;
      if (byte === comma || byte === newline) break;
      if (byte === quote)
        return this.#broken('a quote inside an unquoted field; quote the whole field and double the quote');
      at++;
    }
    this.last = bytes[at] === newline;
    this.to = this.last && at > this.from && bytes[at - 1] === carriageReturn ? at - 1 : at;
    this.#at = at + 1;
    return true;
  }

  #quoted(): boolean {
    const bytes = this.#bytes;
    this.quoted = true;
    let at = this.#at + 1;
    this.from = at;
    let doubled = false;
    for (;;) {
      at = bytes.indexOf(quote, at);
      if (at < 0) return this.#broken('a quoted field is not closed');
      if (bytes[at + 1] !== quote) break;
      doubled = true;
      at += 2;
    }
    this.source = bytes;
    this.to = at;
    if (doubled) this.#unescape();
    at++;
    if (bytes[at] === carriageReturn && bytes[at + 1] === newline) at++;
    if (bytes[at] !== comma && bytes[at] !== newline) return this.#broken('text after the closing quote of a field');
    this.last = bytes[at] === newline;
    this.#at = at + 1;
    return true;
  }

  #unescape(): void {
    const size = this.to - this.from;
    if (size > this.#unescaped.length) this.#unescaped = new Uint8Array(size * 2);
    let length = 0;
    for (let at = this.from; at < this.to; at++) {
      this.#unescaped[length++] = this.source[at]!;
      if (this.source[at] === quote) at++;
    }
    this.source = this.#unescaped;
    this.from = 0;
    this.to = length;
  }

  #broken(error: string): boolean {
    this.error = error;
    return false;
  }
}

const decoder = new TextDecoder();

/** Rows with too few or too many fields, broken quotes or values that do not fit are rejected, one by one. */
export function decodeCsv(input: Uint8Array, target: DecodeTarget): Decoded {
  const bytes = withSentinel(input, newline);
  const size = bytes.length;
  const headerEnd = bytes.indexOf(newline) + 1;
  const rows = new RowSink(target, bytes, capacityFor(size, bytes.indexOf(newline, headerEnd) - headerEnd));
  const reader = new FieldReader(bytes);
  let at = skipBlankLines(bytes, 0);
  if (at === size) return rows.finish();
  reader.seek(at);
  const header = readHeader(reader, rows);
  if (typeof header === 'string') {
    rows.begin();
    rows.rejectAt(at, null, header, at, bytes.indexOf(newline, at));
    return rows.finish();
  }
  for (at = skipBlankLines(bytes, reader.at); at < size; at = skipBlankLines(bytes, at)) {
    rows.begin();
    reader.seek(at);
    if (readRecord(reader, rows, header)) {
      rows.end(at, reader.at - 1);
      at = reader.at;
    } else {
      // Whatever the quotes claim, the next line may be a good row.
      const end = bytes.indexOf(newline, at);
      rows.end(at, end);
      at = end + 1;
    }
  }
  return rows.finish();
}

function skipBlankLines(bytes: Uint8Array, at: number): number {
  while (at < bytes.length && (bytes[at] === newline || (bytes[at] === carriageReturn && bytes[at + 1] === newline)))
    at++;
  return at;
}

/** By position: the column, or null for one that the table does not have. Text: why the header cannot be used. */
function readHeader(reader: FieldReader, rows: RowSink): readonly (Field | null)[] | string {
  const header: (Field | null)[] = [];
  const names: string[] = [];
  do {
    if (!reader.next()) return `the header is broken: ${reader.error}`;
    const name = decoder.decode(reader.source.subarray(reader.from, reader.to)).trim();
    const field = rows.find(name);
    if (field !== null && header.includes(field)) return `the header names column ${field.column.name} twice`;
    header.push(field);
    names.push(name);
  } while (!reader.last);
  if (header.some(field => field !== null)) return header;
  const columns = rows.fields.map(field => field.column.name).join(', ');
  return `the first line must name columns of the table (${columns}), but is: ${names.join(', ').slice(0, 200)}`;
}

function readRecord(reader: FieldReader, rows: RowSink, header: readonly (Field | null)[]): boolean {
  let count = 0;
  do {
    if (!reader.next()) {
      rows.fail(null, reader.error!);
      return false;
    }
    const field = count < header.length ? header[count]! : null;
    count++;
    if (field === null) rows.ignoredValues++;
    else {
      rows.claim(field, true);
      if (reader.from === reader.to && !reader.quoted) rows.null(field);
      else {
        const reason = field.sink.text(reader.source, reader.from, reader.to, rows.row);
        if (reason !== null) rows.fail(field, reason);
      }
    }
  } while (!reader.last);
  if (count !== header.length) rows.fail(null, `${count} fields where the header has ${header.length}`);
  return true;
}
