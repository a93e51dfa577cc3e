/** CSV's records, field by field: what files with a header and messages without one share. */
import type { Field, RowSink } from './row-sink.ts';

const newline = 10;
const carriageReturn = 13;

/** Marks as bytes; `quote` -1 for none. */
export interface CsvMarks {
  readonly delimiter: number;
  readonly quote: number;
}

export const commaMarks: CsvMarks = { delimiter: 44, quote: 34 };

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
  /** The error is that the bytes ended before a quoted field did. */
  cutOff = false;
  #unescaped = new Uint8Array(256);
  readonly #delimiter: number;
  readonly #quote: number;

  constructor(bytes: Uint8Array, { delimiter, quote } = commaMarks) {
    this.#delimiter = delimiter;
    this.#quote = quote;
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
    this.cutOff = false;
  }

  /** Reads one field and the comma or line end after it; false with an `error` where the record is broken. */
  next(): boolean {
    const bytes = this.#bytes;
    const delimiter = this.#delimiter;
    const quote = this.#quote;
    let at = this.#at;
    if (bytes[at] === quote) return this.#quoted();
    this.quoted = false;
    this.source = bytes;
    this.from = at;
    for (;;) {
      const byte = bytes[at]!;
      if (byte === delimiter || byte === newline) break;
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
    const quote = this.#quote;
    this.quoted = true;
    let at = this.#at + 1;
    this.from = at;
    let doubled = false;
    for (;;) {
      while (at < this.#last && bytes[at] !== quote) at++;
      if (at === this.#last) {
        this.cutOff = true;
        return this.#broken('a quoted field is not closed');
      }
      if (bytes[at + 1] !== quote) break;
      doubled = true;
      at += 2;
    }
    this.source = bytes;
    this.to = at;
    if (doubled) this.#unescape();
    at++;
    if (bytes[at] === carriageReturn && bytes[at + 1] === newline) at++;
    if (bytes[at] !== this.#delimiter && bytes[at] !== newline)
      return this.#broken('text after the closing quote of a field');
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
      if (this.source[at] === this.#quote) at++;
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
  nulls: NullTexts | null = null,
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
      const isNull = !reader.quoted && (reader.from === reader.to || nulls?.has(reader, count - 1) === true);
      if (isNull) rows.null(field);
      else {
        const reason = field.sink.text(reader.source, reader.from, reader.to, rows.row);
        if (reason !== null) rows.fail(field, reason);
      }
    }
  } while (!reader.last);
  if (count !== header.length) rows.fail(null, `${count} fields where ${expected} ${header.length}`);
  return true;
}

/** Texts that are NULL where they stand unquoted, by position. */
export class NullTexts {
  readonly #byPosition: readonly (readonly Uint8Array[])[];
  /** Longer text is none of them. */
  readonly #sizeMax: number;

  constructor(byPosition: readonly (readonly string[])[]) {
    this.#byPosition = byPosition.map(texts => texts.map(text => new TextEncoder().encode(text)));
    this.#sizeMax = Math.max(0, ...this.#byPosition.flat().map(({ length }) => length));
  }

  /** Of the field that was read last, which is at `position`. */
  has({ source, from, to }: FieldReader, position: number): boolean {
    const size = to - from;
    if (size > this.#sizeMax) return false;
    for (const text of this.#byPosition[position]!) {
      if (text.length !== size) continue;
      let index = 0;
      while (index < size && text[index] === source[from + index]) index++;
      if (index === size) return true;
    }
    return false;
  }
}
