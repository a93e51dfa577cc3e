import { fault } from '../base/fault.ts';
import { missingValueOf } from '../catalog/column.ts';
import type { ColumnDefinition } from '../catalog/table.ts';
import { ColumnBuilder } from '../column/builder.ts';
import { type Column, type DictionaryColumn, type FixedColumn, isPresent, type RawColumn } from '../column/column.ts';
import { isPooled, sameType, type Type, typeText, type Value } from '../column/type.ts';
import type { Arena } from '../kernel/allocator.ts';
import type { PhysicalForm } from './block.ts';
import type { ConsumingPool } from './consuming-pool.ts';
import { emptyRange, type ValueRange } from './consuming-zone.ts';

/** A column's values as they lie in a consuming block. */
export function formOf(type: Type): { readonly form: PhysicalForm; readonly widthBytes: number } {
  switch (type.name) {
    case 'BOOLEAN':
      return { form: 'u8', widthBytes: 1 };
    case 'INT':
    case 'DATE':
      return { form: 'i32', widthBytes: 4 };
    case 'LONG':
    case 'TIMESTAMP':
      return { form: 'i64', widthBytes: 8 };
    case 'FLOAT':
      return { form: 'f32', widthBytes: 4 };
    case 'DOUBLE':
      return { form: 'f64', widthBytes: 8 };
    case 'DECIMAL':
    case 'INTERVAL':
      return { form: 'i128', widthBytes: 16 };
    default:
      return { form: 'codes', widthBytes: 4 };
  }
}

/** A batch's column ready to be copied into blocks: nothing about it can fail any more. */
export interface Prepared {
  /** Elements of `formOf`'s width, row after row; codes already of the segment's pool. */
  readonly bytes: Uint8Array;
  /** null where every row is present. */
  readonly validity: Uint8Array | null;
  /** For the zone map; null for pooled types, which have none. */
  readonly fixed: FixedColumn | null;
}

/**
 * @param pool Of a pooled column: takes the batch's strings, which stay if a later column fails (entries without rows).
 * @throws FaultError INVALID_REQUEST for a column of another type or with too few values, CORRUPT_FRAME for codes or
 * offsets that lead outside, MEMORY_BUDGET
 */
export function prepare(definition: ColumnDefinition, column: Column, pool: ConsumingPool | null): Prepared {
  const { type } = definition;
  if (!sameType(column.type, type))
    throw fault('INVALID_REQUEST', `${definition.name} is ${typeText(type)}; the batch has ${typeText(column.type)}`);
  if (column.form !== 'fixed') {
    const codes = column.form === 'raw' ? internRows(column, pool!) : internDictionary(column, pool!);
    return { bytes: bytesOf(codes), validity: column.validity, fixed: null };
  }
  const bytes = bytesOf(column.values);
  if (bytes.length < column.length * formOf(type).widthBytes)
    throw fault('INVALID_REQUEST', `${definition.name} has ${bytes.length} bytes for ${column.length} rows`);
  return { bytes, validity: column.validity, fixed: column };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** The pool's code of every row; 0 under a null. */
function internRows({ offsets, bytes, validity, length }: RawColumn, pool: ConsumingPool): Uint32Array {
  const codes = new Uint32Array(length);
  pool.intern(bytes, offsets, validity, 0, length, codes);
  return codes;
}

/** As `internRows`, looking each entry up once; entries that no row names stay out of the pool. */
function internDictionary(
  { codes: entries, offsets, bytes, validity, length }: DictionaryColumn,
  pool: ConsumingPool,
): Uint32Array {
  const codes = new Uint32Array(length);
  const unknown = 0xffff_ffff;
  const known = new Uint32Array(offsets.length).fill(unknown);
  for (let row = 0; row < length; row++) {
    if (validity !== null && !isPresent(validity, row)) continue;
    const entry = entries[row]!;
    if (known[entry] === unknown || entry >= known.length) pool.intern(bytes, offsets, null, entry, entry + 1, known);
    codes[row] = known[entry]!;
  }
  return codes;
}

/** Rows that were written without the column. */
export const missingColumn = (column: ColumnDefinition, rowCount: number): Column =>
  constantColumn(column.type, missingValueOf(column), rowCount);

/** `rowCount` rows of one value. */
export function constantColumn(type: Type, value: Value, rowCount: number): Column {
  const validity = value === null ? new Uint8Array((rowCount + 7) >> 3) : null;
  if (isPooled(type)) {
    const one = new ColumnBuilder(type, 1);
    one.append(value);
    const { offsets, bytes } = one.build() as RawColumn;
    return { form: 'dictionary', type, length: rowCount, validity, codes: new Uint32Array(rowCount), offsets, bytes };
  }
  const rows = new ColumnBuilder(type, rowCount);
  for (let row = 0; row < rowCount; row++) rows.append(value);
  return rows.build();
}

/** One column's memory in one block. */
export class ConsumingColumn {
  readonly #arena: Arena;
  readonly #widthBytes: number;
  #capacityRows: number;
  /** Byte addresses, as in `BlockColumn`. */
  address: number;
  validityAddress = 0;
  nullCount = 0;
  range: ValueRange = emptyRange;

  constructor(arena: Arena, type: Type, capacityRows: number) {
    this.#arena = arena;
    this.#widthBytes = formOf(type).widthBytes;
    this.#capacityRows = capacityRows;
    this.address = arena.allocate(capacityRows * this.#widthBytes);
  }

  /** Makes room for so many rows in all. @throws FaultError MEMORY_BUDGET; the column is then as it was. */
  grow(rowCount: number, capacityRows: number): void {
    if (capacityRows <= this.#capacityRows) return;
    const address = this.#arena.allocate(capacityRows * this.#widthBytes);
    try {
      if (this.validityAddress !== 0) this.#moveValidity(capacityRows);
    } catch (error) {
      this.#arena.free(address);
      throw error;
    }
    this.#arena.u8.copyWithin(address, this.address, this.address + rowCount * this.#widthBytes);
    this.#arena.free(this.address);
    this.address = address;
    this.#capacityRows = capacityRows;
  }

  /** Before the first null: a bitmap in which every row is present, those to come too. @throws FaultError MEMORY_BUDGET */
  makeNullable(): void {
    if (this.validityAddress === 0) this.#moveValidity(this.#capacityRows);
  }

  /** Copies rows `[sourceRow, sourceRow + count)` to `row`; room, and a bitmap where there are nulls, were made before. */
  write(source: Prepared, sourceRow: number, row: number, count: number, nullCount: number): void {
    const width = this.#widthBytes;
    this.#arena.u8.set(
      source.bytes.subarray(sourceRow * width, (sourceRow + count) * width),
      this.address + row * width,
    );
    if (nullCount > 0) copyBits(source.validity!, sourceRow, this.#arena.u8, this.validityAddress * 8 + row, count);
    this.nullCount += nullCount;
  }

  free(): void {
    this.#arena.free(this.address);
    if (this.validityAddress !== 0) this.#arena.free(this.validityAddress);
  }

  #moveValidity(capacityRows: number): void {
    const { u8 } = this.#arena;
    const address = this.#arena.allocate(capacityRows / 8);
    u8.fill(0xff, address, address + capacityRows / 8);
    if (this.validityAddress !== 0) {
      u8.copyWithin(address, this.validityAddress, this.validityAddress + this.#capacityRows / 8);
      this.#arena.free(this.validityAddress);
    }
    this.validityAddress = address;
  }
}

const bitCounts = Uint8Array.from({ length: 256 }, (_, byte) => {
  let count = 0;
  for (let bits = byte; bits !== 0; bits &= bits - 1) count++;
  return count;
});

/** Zeros among bits `[start, start + count)`, least significant bit of byte 0 first. */
export function countNulls(validity: Uint8Array | null, start: number, count: number): number {
  if (validity === null) return 0;
  let present = 0;
  let bit = start;
  const end = start + count;
  while (bit < end && (bit & 7) !== 0) present += +isPresent(validity, bit++);
  for (; bit + 8 <= end; bit += 8) present += bitCounts[validity[bit >> 3]!]!;
  while (bit < end) present += +isPresent(validity, bit++);
  return count - present;
}

/** Copies `count` bits; the target's bits around them stay as they are. Target bits are numbered below 2^53, not 2^32. */
export function copyBits(
  source: Uint8Array,
  sourceStart: number,
  target: Uint8Array,
  targetStart: number,
  count: number,
): void {
  let byte = Math.floor(targetStart / 8);
  let shift = targetStart % 8;
  for (let done = 0; done < count; ) {
    const bits = Math.min(8 - shift, count - done);
    const from = sourceStart + done;
    const word = source[from >> 3]! | ((source[(from >> 3) + 1] ?? 0) << 8);
    const mask = ((1 << bits) - 1) << shift;
    target[byte] = (target[byte]! & ~mask) | (((word >> (from & 7)) << shift) & mask);
    done += bits;
    byte++;
    shift = 0;
  }
}
