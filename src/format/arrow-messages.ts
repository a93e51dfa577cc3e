/** Messages that are Arrow IPC streams (or files) of record batches: a row of each of their rows, columns by name. */
import { readArrowStream } from '../column/arrow-stream.ts';
import { type Column, isPresent } from '../column/column.ts';
import { putValue, valueSizeBytes } from './column-values.ts';
import { arrowTextSizeMax, messageRowsMax } from './limits.ts';
import { Malformed, reasonOf } from './malformed.ts';
import { MessageRows } from './message-rows.ts';
import type { DecodedMessages, Messages } from './messages.ts';
import type { Field } from './row-sink.ts';
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
        sizeBytes += valueSizeBytes(column, row);
        const reason = putValue(column, row, field.sink, rows.row);
        if (reason !== null) rows.fail(field, reason);
      }
      left -= sizeBytes;
      if (left < 0) throw new Malformed(`the message has more than ${arrowTextSizeMax} bytes of text`);
      if (!rows.end(0, sizeBytes)) return;
    }
  }
}
