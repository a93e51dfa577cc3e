/** Sinks of the types with a fixed size: numbers, booleans, times. */
import { assert } from '../base/assert.ts';
import { decimalWords, intervalWords } from '../column/builder.ts';
import type { Column, FixedValues } from '../column/column.ts';
import { dayMs, parseDate, parseDecimal, parseTimestamp, powerOfTen, timestampMsMax } from '../column/text.ts';
import type { Interval, Type, Value } from '../column/type.ts';
import { asciiText, quoted } from './excerpt.ts';
import { scalarTextSizeMax } from './limits.ts';
import { exactInteger, nearestDouble } from './numeral.ts';
import {
  exactDigits,
  longDouble,
  plainDate,
  plainDouble,
  plainInteger,
  plainTimestamp,
  plainUnscaled,
} from './plain.ts';
import { type Reason, Sink } from './sink.ts';

assert(new Uint8Array(new Uint16Array([1]).buffer)[0] === 1, 'columns are little-endian');

/** Longer text cannot be a scalar; it is not parsed. '' is none either. */
const scalarText = (bytes: Uint8Array, from: number, to: number): string =>
  to - from > scalarTextSizeMax ? '?' : asciiText(bytes, from, to);

abstract class FixedSink<Values extends FixedValues> extends Sink {
  protected values: Values;
  readonly #make: (elements: number) => Values;
  readonly #elementsPerRow: number;

  constructor(type: Type, capacity: number, make: (elements: number) => Values, elementsPerRow = 1) {
    super(type, capacity);
    this.#make = make;
    this.#elementsPerRow = elementsPerRow;
    this.values = make(capacity * elementsPerRow);
  }

  protected override growTo(capacity: number): void {
    const values = this.#make(capacity * this.#elementsPerRow);
    (values as Uint8Array).set(this.values as Uint8Array);
    this.values = values;
  }

  override build(rowCount: number): Column {
    return {
      form: 'fixed',
      type: this.type,
      length: rowCount,
      validity: this.validityOf(rowCount),
      values: this.values.subarray(0, rowCount * this.#elementsPerRow) as FixedValues,
    };
  }

  override boolean(value: boolean, _row: number): Reason {
    return `${value} where ${this.type.name} is expected`;
  }
}

class BooleanSink extends FixedSink<Uint8Array> {
  constructor(type: Type, capacity: number) {
    super(type, capacity, elements => new Uint8Array(elements));
  }

  override boolean(value: boolean, row: number): Reason {
    this.present(row);
    this.values[row] = value ? 1 : 0;
    return null;
  }

  override number(bytes: Uint8Array, from: number, to: number, row: number): Reason {
    const value = plainInteger(bytes, from, to);
    if (value !== 0 && value !== 1) return this.mismatch(bytes, from, to);
    return this.boolean(value === 1, row);
  }

  override text(bytes: Uint8Array, from: number, to: number, row: number): Reason {
    const value = booleanWords[scalarText(bytes, from, to).trim().toLowerCase()];
    return value === undefined ? this.mismatch(bytes, from, to) : this.boolean(value, row);
  }

  protected override setValue(value: Value, row: number): void {
    this.boolean(value as boolean, row);
  }
}

/** As PostgreSQL reads a boolean. */
const booleanWords: Readonly<Record<string, boolean | undefined>> = Object.assign(Object.create(null), {
  ...{ true: true, t: true, yes: true, y: true, on: true, 1: true },
  ...{ false: false, f: false, no: false, n: false, off: false, 0: false },
});

class IntSink extends FixedSink<Int32Array> {
  constructor(type: Type, capacity: number) {
    super(type, capacity, elements => new Int32Array(elements));
  }

  override number(bytes: Uint8Array, from: number, to: number, row: number): Reason {
    let value = plainInteger(bytes, from, to);
    if (value !== (value | 0)) {
      const exact = exactInteger(scalarText(bytes, from, to));
      if (exact === null || exact === 'fraction') return this.mismatch(bytes, from, to);
      value = Number(exact);
      if (value !== (value | 0)) return this.outOfRange(bytes, from, to);
    }
    this.present(row);
    this.values[row] = value;
    return null;
  }

  override integer(value: number, row: number): Reason {
    if (value !== (value | 0)) return super.integer(value, row);
    this.present(row);
    this.values[row] = value;
    return null;
  }

  override text(bytes: Uint8Array, from: number, to: number, row: number): Reason {
    return this.number(bytes, from, to, row);
  }

  protected override setValue(value: Value, row: number): void {
    this.present(row);
    this.values[row] = value as number;
  }
}

class LongSink extends FixedSink<BigInt64Array> {
  /** The same memory as pairs of 32 bits: writing those makes no bigint. */
  protected words: Int32Array;

  constructor(type: Type, capacity: number) {
    super(type, capacity, elements => new BigInt64Array(elements));
    this.words = new Int32Array(this.values.buffer);
  }

  protected override growTo(capacity: number): void {
    super.growTo(capacity);
    this.words = new Int32Array(this.values.buffer);
  }

  override integer(value: number, row: number): Reason {
    return this.setSafe(value, row);
  }

  override long(value: bigint, row: number): Reason {
    if (BigInt.asIntN(64, value) !== value) return super.long(value, row);
    this.present(row);
    this.values[row] = value;
    return null;
  }

  /** An integer within ±2^53. */
  protected setSafe(value: number, row: number): null {
    this.present(row);
    this.words[row * 2] = value | 0;
    this.words[row * 2 + 1] = Math.floor(value / 4_294_967_296);
    return null;
  }

  override number(bytes: Uint8Array, from: number, to: number, row: number): Reason {
    const value = plainInteger(bytes, from, to);
    if (!Number.isNaN(value)) return this.setSafe(value, row);
    const exact = exactInteger(scalarText(bytes, from, to));
    if (exact === null || exact === 'fraction') return this.mismatch(bytes, from, to);
    if (exact === 'range') return this.outOfRange(bytes, from, to);
    this.present(row);
    this.values[row] = exact;
    return null;
  }

  override text(bytes: Uint8Array, from: number, to: number, row: number): Reason {
    return this.number(bytes, from, to, row);
  }

  protected override setValue(value: Value, row: number): void {
    this.present(row);
    this.values[row] = BigInt(value as bigint | number);
  }
}

/** Shorter digit text may be a year, a compact date or seconds: only text of at least so many digits is milliseconds. */
const epochTextDigitsMin = 11;

export class TimestampSink extends LongSink {
  override text(bytes: Uint8Array, from: number, to: number, row: number): Reason {
    let ms = plainTimestamp(bytes, from, to);
    if (Number.isNaN(ms)) {
      const text = scalarText(bytes, from, to);
      if (new RegExp(`^-?\\d{${epochTextDigitsMin},}$`).test(text)) return this.number(bytes, from, to, row);
      const parsed = parseTimestamp(text);
      if (parsed === null) return this.mismatch(bytes, from, to);
      ms = parsed;
    }
    return this.setSafe(ms, row);
  }

  override timestamp(ms: number, row: number): Reason {
    return Math.abs(ms) <= timestampMsMax ? this.setSafe(ms, row) : super.timestamp(ms, row);
  }

  /** As all numbers here: milliseconds since 1970. */
  override integer(value: number, row: number): Reason {
    return this.timestamp(value, row);
  }

  override long(value: bigint, row: number): Reason {
    return this.timestamp(Number(value), row);
  }

  /** Milliseconds since 1970. */
  override number(bytes: Uint8Array, from: number, to: number, row: number): Reason {
    let ms = plainInteger(bytes, from, to);
    if (Number.isNaN(ms)) {
      const exact = exactInteger(scalarText(bytes, from, to));
      if (exact === null) return this.mismatch(bytes, from, to);
      if (exact === 'fraction') return `${quoted(bytes, from, to)} is no whole number of milliseconds since 1970`;
      ms = exact === 'range' ? Number.POSITIVE_INFINITY : Number(exact);
    }
    return Math.abs(ms) <= timestampMsMax ? this.setSafe(ms, row) : this.outOfRange(bytes, from, to);
  }
}

const daysMax = timestampMsMax / dayMs;

export class DateSink extends IntSink {
  /** A date, or a timestamp, of which the day (in UTC) counts. */
  override text(bytes: Uint8Array, from: number, to: number, row: number): Reason {
    let days = to - from === 10 ? plainDate(bytes, from) : Number.NaN;
    if (Number.isNaN(days)) {
      const text = scalarText(bytes, from, to);
      const ms = parseDate(text) === null ? parseTimestamp(text) : null;
      const parsed = ms === null ? parseDate(text) : Math.floor(ms / dayMs);
      if (parsed === null) return this.mismatch(bytes, from, to);
      days = parsed;
    }
    this.setValue(days, row);
    return null;
  }

  override date(days: number, row: number): Reason {
    if (Math.abs(days) > daysMax) return `${days} days since 1970 is outside the range of DATE`;
    this.setValue(days, row);
    return null;
  }

  override integer(value: number): Reason {
    return `${value} is not a DATE: days since 1970 must be declared as a date in the schema`;
  }

  override number(bytes: Uint8Array, from: number, to: number): Reason {
    return `${this.mismatch(bytes, from, to)}: write it as "2024-01-31"`;
  }
}

class DoubleSink extends FixedSink<Float64Array | Float32Array> {
  readonly #single: boolean;

  constructor(type: Type, capacity: number) {
    const single = type.name === 'FLOAT';
    super(type, capacity, elements => (single ? new Float32Array(elements) : new Float64Array(elements)));
    this.#single = single;
  }

  override number(bytes: Uint8Array, from: number, to: number, row: number): Reason {
    let value = plainDouble(bytes, from, to);
    if (Number.isNaN(value)) value = longDouble(bytes, from, to);
    if (Number.isNaN(value)) {
      const nearest = nearestDouble(scalarText(bytes, from, to));
      if (nearest === null) return this.mismatch(bytes, from, to);
      if (nearest === 'range') return this.outOfRange(bytes, from, to);
      value = nearest;
    }
    if (this.#single && Number.isFinite(value) && !Number.isFinite(Math.fround(value)))
      return this.outOfRange(bytes, from, to);
    this.present(row);
    this.values[row] = value;
    return null;
  }

  override double(value: number, row: number): Reason {
    if (this.#single && Number.isFinite(value) && !Number.isFinite(Math.fround(value))) return super.double(value, row);
    this.present(row);
    this.values[row] = value;
    return null;
  }

  override float(value: number, row: number): Reason {
    return this.double(value, row);
  }

  override integer(value: number, row: number): Reason {
    return this.double(value, row);
  }

  override text(bytes: Uint8Array, from: number, to: number, row: number): Reason {
    return this.number(bytes, from, to, row);
  }

  protected override setValue(value: Value, row: number): void {
    this.present(row);
    this.values[row] = value as number;
  }
}

class DecimalSink extends FixedSink<BigInt64Array> {
  #words: Int32Array;
  readonly #limit: bigint;

  constructor(type: Type, capacity: number) {
    super(type, capacity, elements => new BigInt64Array(elements), 2);
    this.#limit = powerOfTen(type.precision!);
    this.#words = new Int32Array(this.values.buffer);
  }

  protected override growTo(capacity: number): void {
    super.growTo(capacity);
    this.#words = new Int32Array(this.values.buffer);
  }

  /** Rounded half away from zero to the column's scale, as PostgreSQL does. */
  override number(bytes: Uint8Array, from: number, to: number, row: number): Reason {
    const precision = this.type.precision!;
    const scale = this.type.scale!;
    const unscaled = plainUnscaled(bytes, from, to, scale);
    if (Math.abs(unscaled) < 10 ** Math.min(precision, exactDigits)) {
      this.present(row);
      const sign = unscaled < 0 ? -1 : 0;
      this.#words[row * 4] = unscaled | 0;
      this.#words[row * 4 + 1] = Math.floor(unscaled / 4_294_967_296);
      this.#words[row * 4 + 2] = sign;
      this.#words[row * 4 + 3] = sign;
      return null;
    }
    const exact = parseDecimal(scalarText(bytes, from, to), precision, scale);
    if (exact === null) return this.mismatch(bytes, from, to);
    if (exact === 'overflow')
      return `${quoted(bytes, from, to)} has more digits than DECIMAL(${precision},${scale}) holds`;
    this.setValue(exact, row);
    return null;
  }

  override decimal(unscaled: bigint, scale: number, row: number): Reason {
    if (scale !== this.type.scale || unscaled >= this.#limit || unscaled <= -this.#limit)
      return super.decimal(unscaled, scale, row);
    this.setValue(unscaled, row);
    return null;
  }

  override text(bytes: Uint8Array, from: number, to: number, row: number): Reason {
    return this.number(bytes, from, to, row);
  }

  protected override setValue(value: Value, row: number): void {
    this.present(row);
    const [low, high] = decimalWords(value as bigint);
    this.values[row * 2] = low;
    this.values[row * 2 + 1] = high;
  }
}

/** No input format has a spelling of its own for it yet. */
class IntervalSink extends FixedSink<BigInt64Array> {
  constructor(type: Type, capacity: number) {
    super(type, capacity, elements => new BigInt64Array(elements), 2);
  }

  override number(bytes: Uint8Array, from: number, to: number): Reason {
    return `${quoted(bytes, from, to)} cannot be read into an INTERVAL column from this format; INSERT takes intervals`;
  }

  override text(bytes: Uint8Array, from: number, to: number): Reason {
    return this.number(bytes, from, to);
  }

  protected override setValue(value: Value, row: number): void {
    this.present(row);
    const [first, second] = intervalWords(value as Interval);
    this.values[row * 2] = first;
    this.values[row * 2 + 1] = second;
  }
}

/** The sink of a type that is not pooled. */
export function createFixedSink(type: Type, capacity: number): Sink {
  switch (type.name) {
    case 'BOOLEAN':
      return new BooleanSink(type, capacity);
    case 'INT':
      return new IntSink(type, capacity);
    case 'DATE':
      return new DateSink(type, capacity);
    case 'TIMESTAMP':
      return new TimestampSink(type, capacity);
    case 'FLOAT':
    case 'DOUBLE':
      return new DoubleSink(type, capacity);
    case 'DECIMAL':
      return new DecimalSink(type, capacity);
    case 'INTERVAL':
      return new IntervalSink(type, capacity);
    default:
      return new LongSink(type, capacity);
  }
}
