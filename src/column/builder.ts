/** Columns from values, one row at a time: decoders, INSERT, system tables, tests. Amortised O(1) a row. */
import { assert } from '../base/assert.ts';
import type { Batch, Column, FixedValues } from './column.ts';
import { parseUuid } from './text.ts';
import { type Interval, isPooled, type Type, type Value } from './type.ts';

const encoder = new TextEncoder();

/** Unscaled DECIMAL as the two elements of its row: low 64 bits, high 64 bits (two's complement). */
export const decimalWords = (unscaled: bigint): readonly [bigint, bigint] => [
  BigInt.asIntN(64, unscaled),
  BigInt.asIntN(64, unscaled >> 64n),
];

/** INTERVAL as the two elements of its row. */
export const intervalWords = ({ months, days, ms }: Interval): readonly [bigint, bigint] => [
  (BigInt(months) << 32n) | BigInt.asUintN(32, BigInt(days)),
  BigInt(ms),
];

function makeValues(type: Type, rows: number): FixedValues {
  switch (type.name) {
    case 'BOOLEAN':
      return new Uint8Array(rows);
    case 'INT':
    case 'DATE':
      return new Int32Array(rows);
    case 'FLOAT':
      return new Float32Array(rows);
    case 'DOUBLE':
      return new Float64Array(rows);
    case 'DECIMAL':
    case 'INTERVAL':
      return new BigInt64Array(rows * 2);
    default:
      return new BigInt64Array(rows);
  }
}

/** Fixed columns come out as `fixed`, the others as `raw`. */
export class ColumnBuilder {
  readonly type: Type;
  length = 0;
  #capacity: number;
  #values: FixedValues | null;
  #offsets: Uint32Array;
  #bytes: Uint8Array;
  #sizeBytes = 0;
  #validity: Uint8Array | null = null;

  constructor(type: Type, capacity = 64) {
    this.type = type;
    this.#capacity = Math.max(capacity, 8);
    const pooled = isPooled(type);
    this.#values = pooled ? null : makeValues(type, this.#capacity);
    this.#offsets = new Uint32Array(pooled ? this.#capacity + 1 : 0);
    this.#bytes = new Uint8Array(pooled ? this.#capacity * 16 : 0);
  }

  /** Of the byte strings so far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  #grow(): void {
    this.#capacity *= 2;
    if (this.#values) {
      const values = makeValues(this.type, this.#capacity);
      (values as Uint8Array).set(this.#values as Uint8Array);
      this.#values = values;
    } else {
      const offsets = new Uint32Array(this.#capacity + 1);
      offsets.set(this.#offsets);
      this.#offsets = offsets;
    }
    if (this.#validity) {
      const validity = new Uint8Array((this.#capacity + 7) >> 3).fill(0xff);
      validity.set(this.#validity.subarray(0, (this.length + 7) >> 3));
      this.#validity = validity;
    }
  }

  appendNull(): void {
    if (this.length === this.#capacity) this.#grow();
    this.#validity ??= new Uint8Array((this.#capacity + 7) >> 3).fill(0xff);
    this.#validity[this.length >> 3]! &= ~(1 << (this.length & 7));
    this.length++;
    if (!this.#values) this.#offsets[this.length] = this.#sizeBytes;
  }

  /** BOOLEAN (0 or 1), INT, DATE, FLOAT, DOUBLE. */
  appendNumber(value: number): void {
    if (this.length === this.#capacity) this.#grow();
    (this.#values as Float64Array)[this.length++] = value;
  }

  /** LONG, TIMESTAMP. */
  appendBigint(value: bigint): void {
    if (this.length === this.#capacity) this.#grow();
    (this.#values as BigInt64Array)[this.length++] = value;
  }

  /** DECIMAL, INTERVAL. */
  appendPair([first, second]: readonly [bigint, bigint]): void {
    if (this.length === this.#capacity) this.#grow();
    (this.#values as BigInt64Array)[this.length * 2] = first;
    (this.#values as BigInt64Array)[this.length * 2 + 1] = second;
    this.length++;
  }

  /** STRING, JSON (UTF-8), UUID (16 bytes), BYTES: a copy of `source[start..end)`. */
  appendBytes(source: Uint8Array, start = 0, end = source.length): void {
    if (this.length === this.#capacity) this.#grow();
    const size = end - start;
    if (this.#sizeBytes + size > this.#bytes.length) {
      const bytes = new Uint8Array(Math.max(this.#bytes.length * 2, this.#sizeBytes + size));
      bytes.set(this.#bytes.subarray(0, this.#sizeBytes));
      this.#bytes = bytes;
    }
    if (size < 32)
      for (let index = 0; index < size; index++) this.#bytes[this.#sizeBytes + index] = source[start + index]!;
    else this.#bytes.set(source.subarray(start, end), this.#sizeBytes);
    this.#sizeBytes += size;
    this.#offsets[++this.length] = this.#sizeBytes;
  }

  /** Any Value of the column's type (see `Type`). */
  append(value: Value): void {
    if (value === null) {
      this.appendNull();
      return;
    }
    switch (this.type.name) {
      case 'BOOLEAN':
        this.appendNumber(value ? 1 : 0);
        break;
      case 'INT':
      case 'DATE':
      case 'FLOAT':
      case 'DOUBLE':
        this.appendNumber(value as number);
        break;
      case 'LONG':
      case 'TIMESTAMP':
        this.appendBigint(BigInt(value as bigint | number));
        break;
      case 'DECIMAL':
        this.appendPair(decimalWords(value as bigint));
        break;
      case 'INTERVAL':
        this.appendPair(intervalWords(value as Interval));
        break;
      case 'UUID': {
        const bytes = value instanceof Uint8Array ? value : parseUuid(value as string);
        assert(bytes !== null && bytes.length === 16, 'a UUID value is canonical text');
        this.appendBytes(bytes);
        break;
      }
      default:
        this.appendBytes(value instanceof Uint8Array ? value : encoder.encode(value as string));
        break;
    }
  }

  /** Forgets the rows from `length` on: a decoder takes a half-read row back. */
  truncate(length: number): void {
    assert(length <= this.length);
    if (this.#validity) for (let row = length; row < this.length; row++) this.#validity[row >> 3]! |= 1 << (row & 7);
    this.length = length;
    if (!this.#values) this.#sizeBytes = this.#offsets[length]!;
  }

  /** The column so far. Shares memory with the builder, which must not be used again. */
  build(): Column {
    const { type, length } = this;
    const validity = this.#validity?.subarray(0, (length + 7) >> 3) ?? null;
    if (this.#values) {
      const elements = type.name === 'DECIMAL' || type.name === 'INTERVAL' ? length * 2 : length;
      return { form: 'fixed', type, length, validity, values: this.#values.subarray(0, elements) as FixedValues };
    }
    return {
      form: 'raw',
      type,
      length,
      validity,
      offsets: this.#offsets.subarray(0, length + 1),
      bytes: this.#bytes.subarray(0, this.#sizeBytes),
    };
  }
}

/** @param values As `Type` says of each type. */
export function columnOf(type: Type, values: readonly Value[]): Column {
  const builder = new ColumnBuilder(type, values.length);
  for (const value of values) builder.append(value);
  return builder.build();
}

/** @param rows One value for each of `types`. */
export function batchOf(types: readonly Type[], rows: readonly (readonly Value[])[]): Batch {
  return {
    rowCount: rows.length,
    columns: types.map((type, index) =>
      columnOf(
        type,
        rows.map(row => row[index]!),
      ),
    ),
  };
}
