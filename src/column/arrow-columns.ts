/** Arrow's vectors → columns. Nothing is believed of a vector: its buffers may be shorter than its length asks for. */
import { isUtf8 } from 'node:buffer';
import { type Data, DataType, type FixedSizeBinary, type Struct, type Time, type Timestamp } from 'apache-arrow';
import { ColumnBuilder, columnOf } from './builder.ts';
import type { Column, FixedValues } from './column.ts';
import { isPresent } from './column.ts';
import { jsonOf } from './json-value.ts';
import { dayMs, formatTimeOfDay } from './text.ts';
import {
  BOOLEAN,
  BYTES,
  DATE,
  DOUBLE,
  decimal,
  FLOAT,
  INT,
  JSON_TYPE,
  LONG,
  STRING,
  TIMESTAMP,
  type Type,
} from './type.ts';
import { valueAt } from './value.ts';

/** Bytes of text that may yet be made: a few bytes can name a large entry of a dictionary again and again. */
export interface TextBudget {
  left: number;
}

const unitsPerSecond = [1, 1e3, 1e6, 1e9];

/** @throws Error where its buffers do not hold `length` rows, or for a type that cannot be read */
export function columnOfArrow(data: Data, length: number, budget: TextBudget): Column {
  if (data.length !== length || data.offset !== 0) throw new Error('columns of different lengths');
  const type: DataType = data.type;
  const validity = validityOf(data, length);
  const fixed = (own: Type, values: FixedValues): Column => ({ form: 'fixed', type: own, length, validity, values });
  if (DataType.isNull(type)) return columnOf(STRING, new Array(length).fill(null));
  if (DataType.isDictionary(type)) return dictionaryOf(data, length, validity, budget);
  if (DataType.isBool(type)) {
    const bits = need(data.values as Uint8Array, (length + 7) >> 3);
    return fixed(
      BOOLEAN,
      Uint8Array.from({ length }, (_, row) => (bits[row >> 3]! >> (row & 7)) & 1),
    );
  }
  if (DataType.isInt(type)) {
    const values = need(data.values as Int32Array | BigInt64Array | BigUint64Array, length);
    if (values instanceof BigUint64Array)
      return columnOf(
        decimal(20, 0),
        cells(length, validity, row => values[row]!),
      );
    if (values instanceof BigInt64Array) return fixed(LONG, values.subarray(0, length));
    if (type.bitWidth === 32 && !type.isSigned)
      return fixed(LONG, BigInt64Array.from(values.subarray(0, length), BigInt));
    return fixed(INT, Int32Array.from(values.subarray(0, length)));
  }
  if (DataType.isFloat(type)) {
    const values = need(data.values as Uint16Array | Float32Array | Float64Array, length).subarray(0, length);
    if (values instanceof Float64Array) return fixed(DOUBLE, values);
    return fixed(FLOAT, values instanceof Float32Array ? values : Float32Array.from(values, halfToNumber));
  }
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type)) return textOf(data, length, validity);
  if (DataType.isBinary(type) || DataType.isLargeBinary(type)) return rawOf(BYTES, data, length, validity);
  if (DataType.isFixedSizeBinary(type)) return fixedSizeOf(data as Data<FixedSizeBinary>, length, validity);
  if (DataType.isDecimal(type)) {
    if (type.bitWidth !== 128 || type.precision > 38 || type.scale < 0 || type.scale > type.precision)
      throw new Error(`${type} cannot be read`);
    const words = need(data.values as Uint32Array, length * 4).slice(0, length * 4);
    return fixed(decimal(type.precision, type.scale), new BigInt64Array(words.buffer, 0, length * 2));
  }
  if (DataType.isDate(type)) {
    const values = need(data.values as Int32Array | BigInt64Array, length).subarray(0, length);
    if (values instanceof Int32Array) return fixed(DATE, values);
    return fixed(
      DATE,
      Int32Array.from(values as BigInt64Array, ms => Number(ms / BigInt(dayMs))),
    );
  }
  if (DataType.isTimestamp(type)) {
    const values = need(data.values as BigInt64Array, length).subarray(0, length);
    return fixed(TIMESTAMP, BigInt64Array.from(values, msOf((type as Timestamp).unit)));
  }
  if (DataType.isTime(type)) {
    const values = need(data.values as Int32Array | BigInt64Array, length);
    const { unit } = type as Time;
    return columnOf(
      STRING,
      cells(length, validity, row => timeText(Number(values[row]!), unit)),
    );
  }
  if (length === 0 && type.children?.length > 0) return columnOf(JSON_TYPE, []);
  if (DataType.isList(type) || DataType.isMap(type)) return listOf(data, length, validity, budget);
  if (DataType.isFixedSizeList(type)) {
    const { listSize } = type;
    if (!(listSize >= 0)) throw new Error('lists of a negative size');
    const items = columnOfArrow(data.children[0]!, length * listSize, budget);
    return jsonColumn(length, validity, budget, row => listText(items, row * listSize, (row + 1) * listSize));
  }
  if (DataType.isStruct(type)) {
    const names = (type as Struct).children.map(({ name }) => JSON.stringify(name));
    const parts = data.children.map(child => columnOfArrow(child, length, budget));
    return jsonColumn(
      length,
      validity,
      budget,
      row => `{${parts.map((part, index) => `${names[index]}:${jsonOf(part, row)}`)}}`,
    );
  }
  throw new Error(`Arrow's type ${type} cannot be read`);
}

function need<Values extends { readonly length: number }>(values: Values | undefined, length: number): Values {
  if (values === undefined || values.length < length) throw new Error('a buffer is shorter than its rows');
  return values;
}

function validityOf(data: Data, length: number): Uint8Array | null {
  if (data.nullCount === 0 || data.nullBitmap === undefined || data.nullBitmap.length === 0) return null;
  return need(data.nullBitmap, (length + 7) >> 3);
}

const cells = <Value>(length: number, validity: Uint8Array | null, cell: (row: number) => Value): (Value | null)[] =>
  Array.from({ length }, (_, row) => (isPresent(validity, row) ? cell(row) : null));

/** Where each row begins in what `limit` elements there are, and the last one ends. */
function offsetsOf(data: Data, length: number, limit: number): Uint32Array {
  if (length === 0) return new Uint32Array(1);
  const given = need(data.valueOffsets as Int32Array | BigInt64Array, length + 1);
  const offsets = new Uint32Array(length + 1);
  let last = 0;
  for (let row = 0; row <= length; row++) {
    const offset = Number(given[row]!);
    if (!(offset >= last && offset <= limit)) throw new Error('offsets that do not ascend');
    last = offset;
    offsets[row] = offset;
  }
  return offsets;
}

function rawOf(type: Type, data: Data, length: number, validity: Uint8Array | null): Column {
  const bytes = (data.values as Uint8Array | undefined) ?? new Uint8Array(0);
  return { form: 'raw', type, length, validity, offsets: offsetsOf(data, length, bytes.length), bytes };
}

function textOf(data: Data, length: number, validity: Uint8Array | null): Column {
  const column = rawOf(STRING, data, length, validity) as Column & { form: 'raw' };
  const { offsets, bytes } = column;
  let fits = isUtf8(bytes.subarray(offsets[0]!, offsets[length]!));
  // The pieces of one character, split over two rows, pass as UTF-8 in the whole.
  for (let row = 1; row < length; row++) {
    const at = offsets[row]!;
    if (at < offsets[length]! && (bytes[at]! & 0xc0) === 0x80) fits = false;
  }
  if (!fits) throw new Error('text that is not valid UTF-8');
  return column;
}

function fixedSizeOf(data: Data<FixedSizeBinary>, length: number, validity: Uint8Array | null): Column {
  const { byteWidth } = data.type;
  if (!(byteWidth >= 0)) throw new Error('bytes of a negative size');
  const bytes = need(data.values, length * byteWidth);
  const offsets = Uint32Array.from({ length: length + 1 }, (_, row) => row * byteWidth);
  return { form: 'raw', type: BYTES, length, validity, offsets, bytes };
}

function dictionaryOf(data: Data, length: number, validity: Uint8Array | null, budget: TextBudget): Column {
  const chunks = (data.dictionary?.data ?? []).map((chunk: Data) => columnOfArrow(chunk, chunk.length, budget));
  const first: Column | undefined = chunks[0];
  if (first === undefined)
    return columnOf(
      STRING,
      cells(length, validity, () => missingEntry()),
    );
  const count = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const indexes = need(data.values as Int32Array | BigInt64Array, length);
  const codes = new Uint32Array(length);
  for (let row = 0; row < length; row++) {
    if (!isPresent(validity, row)) continue;
    const code = Number(indexes[row]!);
    if (!(code >= 0 && code < count)) missingEntry();
    codes[row] = code;
  }
  if (first.form === 'raw' && chunks.length === 1 && first.validity === null && count > 0)
    return { ...first, form: 'dictionary', length, validity, codes };
  const builder = new ColumnBuilder(first.type, length);
  let sizeBytes = 0;
  for (let row = 0; row < length; row++) {
    let code = codes[row]!;
    let chunk = 0;
    while (chunk < chunks.length - 1 && code >= chunks[chunk]!.length) code -= chunks[chunk++]!.length;
    builder.append(isPresent(validity, row) ? valueAt(chunks[chunk]!, code) : null);
    spend(budget, builder.sizeBytes - sizeBytes);
    sizeBytes = builder.sizeBytes;
  }
  return builder.build();
}

function spend(budget: TextBudget, sizeBytes: number): void {
  budget.left -= sizeBytes;
  if (budget.left < 0) throw new Error('the Arrow stream has more text than the limit');
}

function missingEntry(): never {
  throw new Error('an entry that its dictionary does not have');
}

function listOf(data: Data, length: number, validity: Uint8Array | null, budget: TextBudget): Column {
  const child = data.children[0];
  if (child === undefined) throw new Error('lists without items');
  const offsets = offsetsOf(data, length, child.length);
  if (!DataType.isMap(data.type)) {
    const items = columnOfArrow(child, child.length, budget);
    return jsonColumn(length, validity, budget, row => listText(items, offsets[row]!, offsets[row + 1]!));
  }
  const [keys, values] = child.children.map((part: Data) => columnOfArrow(part, child.length, budget));
  if (keys === undefined || values === undefined) throw new Error('maps without keys and values');
  return jsonColumn(length, validity, budget, row => {
    const members: string[] = [];
    for (let item = offsets[row]!; item < offsets[row + 1]!; item++) {
      const key = jsonOf(keys, item);
      members.push(`${key.startsWith('"') ? key : JSON.stringify(key)}:${jsonOf(values, item)}`);
    }
    return `{${members}}`;
  });
}

function listText(items: Column, from: number, to: number): string {
  const texts: string[] = [];
  for (let item = from; item < to; item++) texts.push(jsonOf(items, item));
  return `[${texts}]`;
}

function jsonColumn(
  length: number,
  validity: Uint8Array | null,
  budget: TextBudget,
  textOfRow: (row: number) => string,
): Column {
  const builder = new ColumnBuilder(JSON_TYPE, length);
  let sizeBytes = 0;
  for (let row = 0; row < length; row++) {
    builder.append(isPresent(validity, row) ? textOfRow(row) : null);
    spend(budget, builder.sizeBytes - sizeBytes);
    sizeBytes = builder.sizeBytes;
  }
  return builder.build();
}

/** By Arrow's unit of time: a count of it in milliseconds, cut. */
function msOf(unit: number): (count: bigint) => bigint {
  if (unit === 0) return count => BigInt.asIntN(64, count * 1000n);
  const per = BigInt(unitsPerSecond[unit]! / 1000);
  return count => (per === 1n ? count : count >= 0n ? count / per : -((-count + per - 1n) / per));
}

function timeText(count: number, unit: number): string {
  const per = unitsPerSecond[unit]!;
  if (!(count >= 0 && count <= 86_400 * per)) throw new Error('a time of day beyond the day');
  const seconds = Math.floor(count / per);
  return formatTimeOfDay(seconds, count - seconds * per, unit * 3);
}

/** IEEE 754 binary16. */
export function halfToNumber(half: number): number {
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  const size =
    exponent === 0
      ? fraction * 2 ** -24
      : exponent === 31
        ? fraction === 0
          ? Number.POSITIVE_INFINITY
          : Number.NaN
        : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return half & 0x8000 ? -size : size;
}
