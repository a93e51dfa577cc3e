/**
 * Rows kept: for a sort, for the next batch out. Appends vectors, gives columns back in any order.
 * Amortised O(1) a value; strings are copied once.
 */
import { decimalWords, intervalWords } from '../column/builder.ts';
import type { Batch, Column, FixedValues } from '../column/column.ts';
import { type Interval, isPooled, type Type } from '../column/type.ts';
import type { StringPool, Vector } from '../column/vector.ts';
import type { Input } from './input.ts';

const capacityMin = 256;

/** One column of a RowBuffer, in the vector forms of its type (LONG: as numbers until one does not fit). */
export class ValueBuffer {
  readonly type: Type;
  length = 0;
  #numbers: Float64Array | null = null;
  #bigints: BigInt64Array | null = null;
  #objects: (bigint | Interval)[] | null = null;
  #offsets: Uint32Array | null = null;
  #bytes = new Uint8Array(0);
  #nulls: Uint8Array | null = null;
  #capacity = 0;
  readonly #key = {};

  constructor(type: Type) {
    this.type = type;
    if (isPooled(type)) this.#offsets = new Uint32Array(1);
    else if (type.name === 'DECIMAL' || type.name === 'INTERVAL') this.#objects = [];
    else this.#numbers = new Float64Array(0);
  }

  get sizeBytes(): number {
    const each = this.#objects ? 32 : this.#offsets ? 4 : 8;
    return this.#capacity * each + this.#bytes.length + (this.#nulls ? this.#capacity : 0);
  }

  /** Of its rows, without the room for more. */
  get usedBytes(): number {
    const each = this.#objects ? 32 : this.#offsets ? 4 : 8;
    return this.length * each + (this.#offsets?.[this.length] ?? 0) + (this.#nulls ? this.length : 0);
  }

  #reserve(rows: number): void {
    if (rows <= this.#capacity) return;
    this.#capacity = Math.max(rows, this.#capacity * 2, capacityMin);
    if (this.#numbers) this.#numbers = grown(this.#numbers, this.#capacity);
    if (this.#bigints) this.#bigints = grown(this.#bigints, this.#capacity);
    if (this.#offsets) this.#offsets = grown(this.#offsets, this.#capacity + 1);
    if (this.#nulls) this.#nulls = grown(this.#nulls, this.#capacity);
  }

  append(vector: Vector): void {
    const start = this.length;
    const count = vector.length;
    this.#reserve(start + count);
    if (vector.nulls && !this.#nulls) this.#nulls = new Uint8Array(this.#capacity);
    if (this.#nulls) {
      if (vector.nulls) this.#nulls.set(vector.nulls.subarray(0, count), start);
      else this.#nulls.fill(0, start, start + count);
    }
    switch (vector.form) {
      case 'bool':
        for (let row = 0; row < count; row++) this.#numbers![start + row] = vector.values[row]!;
        break;
      case 'number':
        if (this.#bigints) {
          for (let row = 0; row < count; row++) this.#bigints[start + row] = BigInt(vector.values[row]!);
        } else this.#numbers!.set(vector.values.subarray(0, count), start);
        break;
      case 'bigint':
        if (!this.#bigints) {
          this.#bigints = new BigInt64Array(this.#capacity);
          for (let row = 0; row < start; row++) this.#bigints[row] = BigInt(this.#numbers![row]!);
          this.#numbers = null;
        }
        this.#bigints.set(vector.values.subarray(0, count), start);
        break;
      case 'wide':
      case 'interval':
        for (let row = 0; row < count; row++) this.#objects!.push(vector.values[row]!);
        break;
      case 'string':
        this.#appendStrings(vector.ids, vector.pool, vector.nulls, start, count);
        break;
    }
    this.length += count;
  }

  #appendStrings(ids: Uint32Array, pool: StringPool, nulls: Uint8Array | null, start: number, count: number): void {
    const offsets = this.#offsets!;
    let size = offsets[start]!;
    for (let row = 0; row < count; row++) {
      if (!nulls || nulls[row] === 0) {
        const from = pool.bytesBase + pool.offsets[pool.offsetsBase + ids[row]!]!;
        const to = pool.bytesBase + pool.offsets[pool.offsetsBase + ids[row]! + 1]!;
        if (size + to - from > this.#bytes.length)
          this.#bytes = grown(this.#bytes, Math.max(this.#bytes.length * 2, size + to - from, 4096));
        // A call to copyWithin costs more than a short loop.
        if (to - from < 48) for (let at = from, into = size; at < to; at++, into++) this.#bytes[into] = pool.bytes[at]!;
        else this.#bytes.set(pool.bytes.subarray(from, to), size);
        size += to - from;
      }
      offsets[start + row + 1] = size;
    }
  }

  /** One byte a row, 1 = NULL; null where none is known to be. */
  get nulls(): Uint8Array | null {
    return this.#nulls;
  }

  /** All rows; shares memory with the buffer, valid until the next append. */
  vector(): Vector {
    const { length } = this;
    const nulls = this.#nulls;
    if (this.#objects)
      return this.type.name === 'DECIMAL'
        ? { form: 'wide', length, nulls, values: this.#objects as bigint[] }
        : { form: 'interval', length, nulls, values: this.#objects as Interval[] };
    if (this.#bigints) return { form: 'bigint', length, nulls, values: this.#bigints };
    if (this.#offsets) {
      const ids = new Uint32Array(length);
      for (let row = 0; row < length; row++) ids[row] = row;
      return { form: 'string', length, nulls, ids, pool: this.pool() };
    }
    if (this.type.name === 'BOOLEAN')
      return { form: 'bool', length, nulls, values: Uint8Array.from(this.#numbers!.subarray(0, length)) };
    return { form: 'number', length, nulls, values: this.#numbers! };
  }

  pool(): StringPool {
    return {
      bytes: this.#bytes,
      bytesBase: 0,
      offsets: this.#offsets!,
      offsetsBase: 0,
      count: this.length,
      sorted: false,
      distinct: false,
      key: this.#key,
    };
  }

  /** Rows `order[from .. to)` (null: `[from, to)`) as a column of its own memory. */
  column(order: Uint32Array | null, from: number, to: number): Column {
    const { type } = this;
    const length = to - from;
    const rowOf = (index: number): number => (order ? order[from + index]! : from + index);
    let validity: Uint8Array | null = null;
    if (this.#nulls)
      for (let index = 0; index < length; index++)
        if (this.#nulls[rowOf(index)]) {
          validity ??= new Uint8Array((length + 7) >> 3).fill(0xff);
          validity[index >> 3]! &= ~(1 << (index & 7));
        }
    if (this.#offsets) {
      const source = this.#offsets;
      const offsets = new Uint32Array(length + 1);
      for (let index = 0; index < length; index++) {
        const row = rowOf(index);
        offsets[index + 1] = offsets[index]! + source[row + 1]! - source[row]!;
      }
      const bytes = new Uint8Array(offsets[length]!);
      for (let index = 0; index < length; index++) {
        const row = rowOf(index);
        bytes.set(this.#bytes.subarray(source[row]!, source[row + 1]!), offsets[index]!);
      }
      return { form: 'raw', type, length, validity, offsets, bytes };
    }
    return { form: 'fixed', type, length, validity, values: this.#fixed(rowOf, length) };
  }

  #fixed(rowOf: (index: number) => number, length: number): FixedValues {
    if (this.#objects) {
      const pairs = new BigInt64Array(length * 2);
      for (let index = 0; index < length; index++) {
        const value = this.#objects[rowOf(index)]!;
        if (value === 0n) continue;
        const [first, second] = typeof value === 'bigint' ? decimalWords(value) : intervalWords(value);
        pairs[index * 2] = first;
        pairs[index * 2 + 1] = second;
      }
      return pairs;
    }
    if (this.#bigints) {
      const values = new BigInt64Array(length);
      for (let index = 0; index < length; index++) values[index] = this.#bigints[rowOf(index)]!;
      return values;
    }
    const numbers = this.#numbers!;
    switch (this.type.name) {
      case 'LONG':
      case 'TIMESTAMP': {
        // Two 32-bit halves: a BigInt a row would cost ten times as much.
        const words = new Int32Array(length * 2);
        for (let index = 0; index < length; index++) {
          const value = numbers[rowOf(index)]!;
          words[2 * index] = value | 0;
          words[2 * index + 1] = Math.floor(value / 4_294_967_296);
        }
        return new BigInt64Array(words.buffer);
      }
      case 'BOOLEAN':
        return fill(new Uint8Array(length), numbers, rowOf);
      case 'INT':
      case 'DATE':
        return fill(new Int32Array(length), numbers, rowOf);
      case 'FLOAT':
        return fill(new Float32Array(length), numbers, rowOf);
      default:
        return fill(new Float64Array(length), numbers, rowOf);
    }
  }
}

function fill<T extends Uint8Array | Int32Array | Float32Array | Float64Array>(
  out: T,
  numbers: Float64Array,
  rowOf: (index: number) => number,
): T {
  for (let index = 0; index < out.length; index++) out[index] = numbers[rowOf(index)]!;
  return out;
}

function grown<T extends Uint8Array | Uint32Array | Float64Array | BigInt64Array>(array: T, length: number): T {
  const bigger = new (array.constructor as new (length: number) => T)(length);
  (bigger as Uint8Array).set(array as Uint8Array);
  return bigger;
}

export class RowBuffer {
  readonly types: readonly Type[];
  readonly columns: readonly ValueBuffer[];
  length = 0;

  constructor(types: readonly Type[]) {
    this.types = types;
    this.columns = types.map(type => new ValueBuffer(type));
  }

  append(input: Input): void {
    this.columns.forEach((column, index) => {
      column.append(input.column(index));
    });
    this.length += input.length;
  }

  batch(order: Uint32Array | null, from: number, to: number): Batch {
    return { rowCount: to - from, columns: this.columns.map(column => column.column(order, from, to)) };
  }

  get sizeBytes(): number {
    return this.columns.reduce((sum, column) => sum + column.sizeBytes, 0);
  }

  get usedBytes(): number {
    return this.columns.reduce((sum, column) => sum + column.usedBytes, 0);
  }
}
