/** Values out of typed columns into sinks. */
import type { Column } from '../column/column.ts';
import { jsonOf } from '../column/json-value.ts';
import { decimalOf } from '../column/value.ts';
import type { Reason, Sink } from './sink.ts';

const encoder = new TextEncoder();

const entryOf = (column: Column, row: number): number => (column.form === 'dictionary' ? column.codes[row]! : row);

/** Of its text or bytes; 0 for the other types. */
export function valueSizeBytes(column: Column, row: number): number {
  if (column.form === 'fixed') return 0;
  const entry = entryOf(column, row);
  return column.offsets[entry + 1]! - column.offsets[entry]!;
}

/** A present value of `column` into a sink. */
export function putValue(column: Column, row: number, sink: Sink, into: number): Reason {
  return column.form === 'fixed' ? putFixed(column, row, sink, into) : putPooled(column, row, sink, into);
}

function putPooled(column: Exclude<Column, { form: 'fixed' }>, row: number, sink: Sink, into: number): Reason {
  const entry = entryOf(column, row);
  const { bytes, type } = column;
  const from = column.offsets[entry]!;
  const to = column.offsets[entry + 1]!;
  if (type.name === 'JSON') return sink.json(bytes, from, to, into);
  if (type.name === 'BYTES' && sink.takesJson) {
    const json = encoder.encode(jsonOf(column, row));
    return sink.json(json, 0, json.length, into);
  }
  return type.name === 'BYTES' ? sink.binary(bytes, from, to, into) : sink.text(bytes, from, to, into);
}

function putFixed(column: Column & { form: 'fixed' }, row: number, sink: Sink, into: number): Reason {
  const { type, values } = column;
  if (sink.takesJson) {
    const json = encoder.encode(jsonOf(column, row));
    return sink.json(json, 0, json.length, into);
  }
  switch (type.name) {
    case 'BOOLEAN':
      return sink.boolean(values[row] !== 0, into);
    case 'INT':
      return sink.integer(values[row] as number, into);
    case 'FLOAT':
      return sink.float(values[row] as number, into);
    case 'DOUBLE':
      return sink.double(values[row] as number, into);
    case 'DATE':
      return sink.date(values[row] as number, into);
    case 'TIMESTAMP':
      return sink.timestamp(Number(values[row]), into);
    case 'DECIMAL':
      return sink.decimal(decimalOf(values[row * 2] as bigint, values[row * 2 + 1] as bigint), type.scale!, into);
    default: {
      const value = values[row] as bigint;
      const small = Number(value);
      return Number.isSafeInteger(small) ? sink.integer(small, into) : sink.long(value, into);
    }
  }
}
