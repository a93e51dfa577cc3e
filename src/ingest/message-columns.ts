/** What a message has besides its value, as columns by decoded row. */
import { ColumnBuilder } from '../column/builder.ts';
import type { Column, FixedColumn } from '../column/column.ts';
import { integersOf } from '../column/integers.ts';
import { BYTES, INT, JSON_TYPE, LONG, STRING, type Type, type Value } from '../column/type.ts';
import { messageColumns } from '../plan/transform.ts';
import { readHeaders } from '../stream/kafka/headers.ts';
import type { MessageBatch } from '../stream/kafka/types.ts';

const decoder = new TextDecoder();

/** @param messageOf By row, its message; ascending, so that what rows of one message share is made once. */
export function messageColumn(name: string, messages: MessageBatch, messageOf: Uint32Array): Column {
  const rowCount = messageOf.length;
  switch (name) {
    case messageColumns.offset:
      return integersOf(LONG, rowCount, row => messages.offsets[messageOf[row]!]!);
    case messageColumns.partition:
      return ints(rowCount, () => messages.partition);
    case messageColumns.timestamp:
      return built({ name: 'TIMESTAMP' }, messageOf, message => {
        const ms = messages.timestampsMs[message]!;
        return ms < 0 ? null : ms;
      });
    case messageColumns.key:
      return built(STRING, messageOf, message => {
        const key = keyOf(messages, message);
        return key && decoder.decode(key);
      });
    case messageColumns.keyBytes:
      return built(BYTES, messageOf, message => keyOf(messages, message));
    case messageColumns.headers:
      return built(JSON_TYPE, messageOf, message => headersText(messages, message));
    default:
      throw new Error(`messages have no ${name}`);
  }
}

/** Of several headers of one name the last; one without a value is null. */
const headersText = (messages: MessageBatch, message: number): string =>
  JSON.stringify(
    Object.fromEntries(readHeaders(messages, message).map(([name, value]) => [name, value && decoder.decode(value)])),
  );

const keyOf = ({ bytes, keyStarts, keyEnds }: MessageBatch, message: number): Uint8Array | null =>
  keyStarts[message]! < 0 ? null : bytes.subarray(keyStarts[message]!, keyEnds[message]!);

function built(type: Type, messageOf: Uint32Array, ofMessage: (message: number) => Value): Column {
  const builder = new ColumnBuilder(type, messageOf.length);
  let last = -1;
  let value: Value = null;
  for (const message of messageOf) {
    if (message !== last) value = ofMessage(message);
    last = message;
    builder.append(value);
  }
  return builder.build();
}

/** 0, 1, 2, …: which of the batch's rows each is. */
export const rowNumbers = (rowCount: number): FixedColumn => ints(rowCount, row => row);

function ints(rowCount: number, numberOf: (row: number) => number): FixedColumn {
  const values = new Int32Array(rowCount);
  for (let row = 0; row < rowCount; row++) values[row] = numberOf(row);
  return { form: 'fixed', type: INT, length: rowCount, validity: null, values };
}
