/** Rows of several columns, one column after another, as one: what a merge of segments is made of. */
import { assert } from '../base/assert.ts';
import { equalBytes, hashBytes } from '../kernel/hash.ts';
import { type Column, type DictionaryColumn, type FixedColumn, type FixedValues, isPresent } from './column.ts';
import { sameType, type Type } from './type.ts';

/** A column and which of its rows are wanted, ascending; null: all of them. */
export interface ColumnPart {
  readonly column: Column;
  readonly rows: Uint32Array | null;
}

type PooledColumn = Exclude<Column, FixedColumn>;

const countOf = ({ column, rows }: ColumnPart): number => rows?.length ?? column.length;

/**
 * The rows of all parts, in order. Byte strings come as one dictionary if all parts have one, else raw. Owns its memory.
 * @param parts At least one, all of `type`.
 */
export function concatColumns(type: Type, parts: readonly ColumnPart[]): Column {
  assert(parts.length > 0 && parts.every(({ column }) => sameType(column.type, type)), 'parts are of one type');
  const length = parts.reduce((sum, part) => sum + countOf(part), 0);
  const validity = concatValidity(parts, length);
  if (parts[0]!.column.form === 'fixed') return { ...{ form: 'fixed', type, length, validity }, values: values(parts) };
  return parts.every(({ column }) => column.form === 'dictionary')
    ? { ...{ form: 'dictionary', type, length, validity }, ...concatDictionaries(parts, length) }
    : { ...{ form: 'raw', type, length, validity }, ...concatRaw(parts, length) };
}

/** null where every row is present. */
function concatValidity(parts: readonly ColumnPart[], length: number): Uint8Array | null {
  if (parts.every(({ column }) => column.validity === null)) return null;
  const validity = new Uint8Array((length + 7) >> 3);
  let at = 0;
  let presentCount = 0;
  for (const part of parts) {
    const { column, rows } = part;
    for (let index = 0, count = countOf(part); index < count; index++, at++) {
      if (!isPresent(column.validity, rows ? rows[index]! : index)) continue;
      validity[at >> 3]! |= 1 << (at & 7);
      presentCount++;
    }
  }
  return presentCount === length ? null : validity;
}

/** Copied as 64-bit or smaller integers of their own kind: a bit pattern that is a NaN stays what it is. */
function values(parts: readonly ColumnPart[]): FixedValues {
  const sources = parts.map(({ column }) => (column as FixedColumn).values);
  const perRow = parts[0]!.column.type.name === 'DECIMAL' || parts[0]!.column.type.name === 'INTERVAL' ? 2 : 1;
  const length = parts.reduce((sum, part) => sum + countOf(part) * perRow, 0);
  const joined = new (sources[0]!.constructor as new (length: number) => FixedValues)(length);
  const into = asIntegers(joined);
  let at = 0;
  for (const [index, part] of parts.entries()) {
    const from = asIntegers(sources[index]!);
    const { column, rows } = part;
    if (rows === null) {
      into.set(from.subarray(0, column.length * perRow) as never, at);
      at += column.length * perRow;
    } else
      for (const row of rows)
        for (let element = row * perRow; element < (row + 1) * perRow; element++) into[at++] = from[element]!;
  }
  return joined;
}

function asIntegers(array: FixedValues): Uint8Array | Int32Array | BigInt64Array {
  const { buffer, byteOffset, length } = array;
  if (array instanceof Float32Array) return new Int32Array(buffer, byteOffset, length);
  if (array instanceof Float64Array) return new BigInt64Array(buffer, byteOffset, length);
  return array;
}

/** Entry of row `row` in its column's pool. */
const entryOf = (column: PooledColumn, row: number): number =>
  column.form === 'dictionary' ? column.codes[row]! : row;

function concatRaw(parts: readonly ColumnPart[], length: number): { offsets: Uint32Array; bytes: Uint8Array } {
  const offsets = new Uint32Array(length + 1);
  let at = 0;
  let sizeBytes = 0;
  const eachRow = (visit: (column: PooledColumn, entry: number) => void): void => {
    for (const part of parts) {
      const column = part.column as PooledColumn;
      for (let index = 0, count = countOf(part); index < count; index++) {
        const row = part.rows ? part.rows[index]! : index;
        visit(column, isPresent(column.validity, row) ? entryOf(column, row) : -1);
      }
    }
  };
  eachRow((column, entry) => {
    if (entry >= 0) sizeBytes += column.offsets[entry + 1]! - column.offsets[entry]!;
    offsets[++at] = sizeBytes;
  });
  const bytes = new Uint8Array(sizeBytes);
  at = 0;
  eachRow((column, entry) => {
    if (entry >= 0) bytes.set(column.bytes.subarray(column.offsets[entry]!, column.offsets[entry + 1]!), offsets[at]!);
    at++;
  });
  return { offsets, bytes };
}

/** One dictionary of the entries of all, numbered as they come: O(rows + entries). */
function concatDictionaries(
  parts: readonly ColumnPart[],
  length: number,
): Pick<DictionaryColumn, 'codes' | 'offsets' | 'bytes'> {
  const columns = parts.map(({ column }) => column as DictionaryColumn);
  const entryCountMax = columns.reduce((sum, { offsets }) => sum + offsets.length - 1, 0);
  const entries = new EntryTable(
    entryCountMax,
    columns.reduce((sum, { bytes }) => sum + bytes.length, 0),
  );
  const codes = new Uint32Array(length);
  let at = 0;
  for (const [index, column] of columns.entries()) {
    const { offsets, bytes } = column;
    const numbers = new Uint32Array(offsets.length - 1);
    for (let entry = 0; entry < numbers.length; entry++)
      numbers[entry] = entries.numberOf(bytes, offsets[entry]!, offsets[entry + 1]!);
    const part = parts[index]!;
    for (let row = 0, count = countOf(part); row < count; row++)
      codes[at++] = numbers[column.codes[part.rows ? part.rows[row]! : row]!]!;
  }
  return { codes, ...entries.pool() };
}

/** Byte strings, each once. */
class EntryTable {
  readonly #slots: Int32Array;
  readonly #offsets: Uint32Array;
  readonly #bytes: Uint8Array;
  #count = 0;

  constructor(countMax: number, sizeBytesMax: number) {
    let slotCount = 16;
    while (slotCount < countMax * 2) slotCount *= 2;
    this.#slots = new Int32Array(slotCount).fill(-1);
    this.#offsets = new Uint32Array(countMax + 1);
    this.#bytes = new Uint8Array(sizeBytesMax);
  }

  numberOf(bytes: Uint8Array, start: number, end: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hashBytes(bytes, start, end) & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#slots[slot]!;
      if (entry < 0) {
        this.#slots[slot] = this.#count;
        const from = this.#offsets[this.#count]!;
        this.#bytes.set(bytes.subarray(start, end), from);
        this.#offsets[this.#count + 1] = from + end - start;
        return this.#count++;
      }
      if (equalBytes(bytes, start, end, this.#bytes, this.#offsets[entry]!, this.#offsets[entry + 1]!)) return entry;
    }
  }

  pool(): { offsets: Uint32Array; bytes: Uint8Array } {
    const offsets = this.#offsets.slice(0, this.#count + 1);
    return { offsets, bytes: this.#bytes.slice(0, offsets.at(-1)) };
  }
}
