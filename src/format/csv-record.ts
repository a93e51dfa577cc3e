/** CSV's records, field by field: what files with a header and messages without one share. */
import type { Field, RowSink } from './row-sink.ts';

const newline = 10;
const carriageReturn = 13;
const quote = 34;
const comma = 44;

/** Fields of a record, one after another, as ranges of bytes. */
export class FieldReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  /** Where the last record's line end is. */
  #last: number;
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
    this.#last = bytes.length - 1;
    this.source = bytes;
  }

  get at(): number {
    return this.#at;
  }

  /** Goes on at byte `at`, the start of a record; the last record that may follow ends with the line end at `last`. */
  seek(at: number, last: number): void {
    this.#at = at;
    this.#last = last;
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
      while (at < this.#last && bytes[at] !== quote) at++;
      if (at === this.#last) return this.#broken('a quoted field is not closed');
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

export function skipBlankLines(bytes: Uint8Array, at: number): number {
  while (at < bytes.length && (bytes[at] === newline || (bytes[at] === carriageReturn && bytes[at + 1] === newline)))
    at++;
  return at;
}

/**
 * The record at the reader's place into the row begun, by position: the column, or null for one that the table does not
 * have. False where its quotes are broken: where it ends cannot be known then.
 */
export function readRecord(
  reader: FieldReader,
  rows: RowSink,
  header: readonly (Field | null)[],
  expected: string,
): boolean {
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
  if (count !== header.length) rows.fail(null, `${count} fields where ${expected} ${header.length}`);
  return true;
}
