/**
 * A sink takes one column's values out of input bytes, row by row, straight into the column's own form.
 *
 * `row` is the one being read: it stays while a row is read (a later value of the same row replaces the earlier), goes up
 * by one when the row stands, and stays for the next one when it does not. So a rejected row costs nothing to take back.
 * Methods answer null for "taken", or the reason why not.
 */
import type { Column } from '../column/column.ts';
import { formatDate, formatDecimal, formatTimestampIso, timestampMsMax } from '../column/text.ts';
import type { Type, Value } from '../column/type.ts';
import { quoted } from './excerpt.ts';
import { floatText } from './numeral.ts';

export type Reason = string | null;

export abstract class Sink {
  readonly type: Type;
  /** JSON values go to `json` as they stand, also strings and numbers. */
  readonly takesJson: boolean = false;
  protected validity: Uint8Array | null = null;
  protected capacity: number;

  constructor(type: Type, capacity: number) {
    this.type = type;
    this.capacity = capacity;
  }

  /** Text: the inside of a JSON string (unescaped), or a CSV field. Valid UTF-8. */
  abstract text(bytes: Uint8Array, from: number, to: number, row: number): Reason;
  /** A JSON numeral, as JSON's grammar has it. */
  abstract number(bytes: Uint8Array, from: number, to: number, row: number): Reason;
  abstract boolean(value: boolean, row: number): Reason;
  /** A value of the column's type, in the form that `Type` documents. */
  protected abstract setValue(value: Exclude<Value, null>, row: number): void;
  /** Forgets values of rows from `row` on, as far as they left anything behind. */
  rewind(_row: number): void {}
  protected abstract growTo(capacity: number): void;
  /** The first `rowCount` rows. Shares memory with the sink, which must not be used again. */
  abstract build(rowCount: number): Column;

  /** A JSON object or array; for a sink that `takesJson`, any JSON value. */
  json(bytes: Uint8Array, from: number, _to: number, _row: number): Reason {
    return `${bytes[from] === 123 ? 'an object' : 'an array'} where ${this.type.name} is expected (declare the column JSON to keep it)`;
  }

  /** Before row `capacity` is read. */
  reserve(capacity: number): void {
    if (capacity <= this.capacity) return;
    if (this.validity) {
      const validity = new Uint8Array((capacity + 7) >> 3).fill(0xff);
      validity.set(this.validity);
      this.validity = validity;
    }
    this.growTo(capacity);
    this.capacity = capacity;
  }

  /*
   * Values of formats that have types. Each fits where its text would: what a sink does not take as it is, it is given
   * as text. Sinks that `takesJson` are given JSON instead, and none of these.
   */

  /** An integer within ±2^53. */
  integer(value: number, row: number): Reason {
    return this.#numeral(String(value), row);
  }

  long(value: bigint, row: number): Reason {
    return this.#numeral(String(value), row);
  }

  double(value: number, row: number): Reason {
    return Number.isFinite(value) ? this.#numeral(String(value), row) : this.#spelled(String(value), row);
  }

  /** A number of 32 bits, which `value` is exactly. */
  float(value: number, row: number): Reason {
    return Number.isFinite(value) ? this.#numeral(floatText(value), row) : this.#spelled(String(value), row);
  }

  /** Milliseconds since 1970, integral. */
  timestamp(ms: number, row: number): Reason {
    if (Math.abs(ms) > timestampMsMax) return `${ms} ms since 1970 is outside the range of TIMESTAMP`;
    return this.#spelled(formatTimestampIso(ms), row);
  }

  /** Days since 1970. */
  date(days: number, row: number): Reason {
    return this.#spelled(formatDate(days), row);
  }

  decimal(unscaled: bigint, scale: number, row: number): Reason {
    return this.#numeral(formatDecimal(unscaled, scale), row);
  }

  /** Text that is a JavaScript string already. */
  string(value: string, row: number): Reason {
    return this.#spelled(value, row);
  }

  /** Bytes that are no text. */
  binary(_bytes: Uint8Array, _from: number, _to: number, _row: number): Reason {
    return `bytes where ${this.type.name} is expected`;
  }

  #numeral(text: string, row: number): Reason {
    return this.number(scratch, 0, asciiInto(text), row);
  }

  #spelled(text: string, row: number): Reason {
    return this.text(scratch, 0, utf8Into(text), row);
  }

  null(row: number): void {
    this.validity ??= new Uint8Array((this.capacity + 7) >> 3).fill(0xff);
    this.validity[row >> 3]! &= ~(1 << (row & 7));
  }

  value(value: Value, row: number): void {
    if (value === null) this.null(row);
    else this.setValue(value, row);
  }

  protected present(row: number): void {
    if (this.validity !== null) this.validity[row >> 3]! |= 1 << (row & 7);
  }

  protected validityOf(rowCount: number): Uint8Array | null {
    if (this.validity === null) return null;
    for (let row = 0; row < rowCount; row++)
      if ((this.validity[row >> 3]! & (1 << (row & 7))) === 0) return this.validity.subarray(0, (rowCount + 7) >> 3);
    return null;
  }

  protected mismatch(bytes: Uint8Array, from: number, to: number): string {
    return `${quoted(bytes, from, to)} is not ${article(this.type.name)} ${this.type.name}`;
  }

  protected outOfRange(bytes: Uint8Array, from: number, to: number): string {
    return `${quoted(bytes, from, to)} is outside the range of ${this.type.name}`;
  }
}

/** Text on its way into a sink; overwritten by the next. */
let scratch = new Uint8Array(1024);
const encoder = new TextEncoder();

function utf8Into(text: string): number {
  if (text.length * 3 > scratch.length) scratch = new Uint8Array(text.length * 6);
  return encoder.encodeInto(text, scratch).written;
}

/** Numerals are short: a loop is faster than a call into the runtime. */
function asciiInto(text: string): number {
  for (let index = 0; index < text.length; index++) scratch[index] = text.charCodeAt(index);
  return text.length;
}

const article = (name: string): string => (name === 'INT' || name === 'INTERVAL' ? 'an' : 'a');
