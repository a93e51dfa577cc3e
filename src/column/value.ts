/** Single values out of columns: doors and tests; not for loops over many rows. */
import { type Batch, type Column, isPresent } from './column.ts';
import { formatUuid } from './text.ts';
import type { Interval, Type, Value } from './type.ts';

const decoder = new TextDecoder();

export const decimalOf = (low: bigint, high: bigint): bigint => (high << 64n) | BigInt.asUintN(64, low);

export const intervalOf = (first: bigint, second: bigint): Interval => ({
  months: Number(first >> 32n),
  days: Number(BigInt.asIntN(32, first)),
  ms: Number(second),
});

/** Bytes of a pooled type as its Value. */
export function pooledValue(type: Type, bytes: Uint8Array, start: number, end: number): Value {
  if (type.name === 'UUID') return formatUuid(bytes, start);
  if (type.name === 'BYTES') return bytes.slice(start, end);
  return decoder.decode(bytes.subarray(start, end));
}

export function valueAt(column: Column, row: number): Value {
  if (!isPresent(column.validity, row)) return null;
  if (column.form === 'raw')
    return pooledValue(column.type, column.bytes, column.offsets[row]!, column.offsets[row + 1]!);
  if (column.form === 'dictionary') {
    const code = column.codes[row]!;
    return pooledValue(column.type, column.bytes, column.offsets[code]!, column.offsets[code + 1]!);
  }
  const values = column.values;
  switch (column.type.name) {
    case 'BOOLEAN':
      return values[row] !== 0;
    case 'TIMESTAMP':
      return Number(values[row]!);
    case 'DECIMAL':
      return decimalOf(values[row * 2] as bigint, values[row * 2 + 1] as bigint);
    case 'INTERVAL':
      return intervalOf(values[row * 2] as bigint, values[row * 2 + 1] as bigint);
    default:
      return values[row]!;
  }
}

export const rowAt = (batch: Batch, row: number): Value[] => batch.columns.map(column => valueAt(column, row));

export const rowsOf = (batch: Batch): Value[][] =>
  Array.from({ length: batch.rowCount }, (_, row) => rowAt(batch, row));
