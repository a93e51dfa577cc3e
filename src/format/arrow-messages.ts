/** Messages that are Arrow IPC streams (or files) of record batches: a row of each of their rows, columns by name. */
import { readArrowStream } from '../column/arrow-stream.ts';
import { type Column, isPresent } from '../column/column.ts';
import { jsonOf } from '../column/json-value.ts';
import { decimalOf } from '../column/value.ts';
import { arrowTextSizeMax, messageRowsMax } from './limits.ts';
import { Malformed, reasonOf } from './malformed.ts';
import { MessageRows } from './message-rows.ts';
import type { DecodedMessages, Messages } from './messages.ts';
import type { Field } from './row-sink.ts';
import type { Reason, Sink } from './sink.ts';
import type { DecodeTarget } from './target.ts';

export function decodeArrowMessages(messages: Messages, target: DecodeTarget): DecodedMessages {
  const { count, bytes, valueStarts, valueEnds } = messages;
  const rows = new MessageRows(target, messages, 'binary', true);
  for (let message = 0; message < count; message++) {
    const from = valueStarts[message]!;
    const to = valueEnds[message]!;
    if (from < 0 || to <= from) continue;
    rows.open(message);
    try {
      readValue(rows, bytes.subarray(from, to));
    } catch (error) {
      rows.reject(null, reasonOf(error));
    }
  }
  return rows.finish();
}

const encoder = new TextEncoder();

interface Step {
  readonly column: Column;
  readonly field: Field;
  readonly exactName: boolean;
}

function readValue(rows: MessageRows, value: Uint8Array): void {
  let left = arrowTextSizeMax;
  for (const { rowCount, names, columns } of readArrowStream(value, messageRowsMax, arrowTextSizeMax)) {
    const steps: Step[] = [];
    columns.forEach((column, index) => {
      const name = names[index]!;
      const field = rows.find(name);
      if (field === null) rows.unknownFields.note(name, column.type);
      else steps.push({ column, field, exactName: field.column.name === name });
    });
    for (let row = 0; row < rowCount; row++) {
      rows.begin();
      let sizeBytes = 0;
      for (const { column, field, exactName } of steps) {
        if (!rows.claim(field, exactName)) continue;
        if (!isPresent(column.validity, row)) {
          rows.null(field);
          continue;
        }
        sizeBytes += sizeOf(column, row);
        const reason = put(column, row, field.sink, rows.row);
        if (reason !== null) rows.fail(field, reason);
      }
      left -= sizeBytes;
      if (left < 0) throw new Malformed(`the message has more than ${arrowTextSizeMax} bytes of text`);
      if (!rows.end(0, sizeBytes)) return;
    }
  }
}

const entryOf = (column: Column, row: number): number => (column.form === 'dictionary' ? column.codes[row]! : row);

function sizeOf(column: Column, row: number): number {
  if (column.form === 'fixed') return 0;
  const entry = entryOf(column, row);
  return column.offsets[entry + 1]! - column.offsets[entry]!;
}

/** A present value of `column` into a sink. */
function put(column: Column, row: number, sink: Sink, into: number): Reason {
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
