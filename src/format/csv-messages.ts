/** Messages that are CSV records: the target's columns in their order, without a header. */
import { isUtf8 } from 'node:buffer';
import { FieldReader, readRecord, skipBlankLines } from './csv-record.ts';
import { MessageRows } from './message-rows.ts';
import type { DecodedMessages, Messages } from './messages.ts';
import type { DecodeTarget } from './target.ts';

const newline = 10;

/** Inside a character: where a value begins or ends there, its neighbours have the rest. */
const isContinuation = (byte: number): boolean => (byte & 0xc0) === 0x80;

/** Several lines of one message are several rows; the last needs no line end. */
export function decodeCsvMessages(messages: Messages, target: DecodeTarget): DecodedMessages {
  const { count, bytes, valueStarts, valueEnds } = messages;
  const wholeIsUtf8 = isUtf8(bytes);
  const rows = new MessageRows(target, messages, 'text', wholeIsUtf8);
  const reader = new FieldReader(bytes);
  for (let message = 0; message < count; message++) {
    const from = valueStarts[message]!;
    const to = valueEnds[message]!;
    if (from < 0 || to <= from) continue;
    rows.open(message);
    if (wholeIsUtf8 && (isContinuation(bytes[from]!) || isContinuation(bytes[to]!))) {
      rows.reject(null, 'the value is not valid UTF-8');
      continue;
    }
    // A neighbour's first byte, or the buffer's last: lent to the line end that closes the value.
    const lent = bytes[to]!;
    bytes[to] = newline;
    readLines(reader, rows, bytes, from, to);
    bytes[to] = lent;
  }
  return rows.finish();
}

function readLines(reader: FieldReader, rows: MessageRows, bytes: Uint8Array, from: number, to: number): void {
  for (let at = skipBlankLines(bytes, from); at < to; at = skipBlankLines(bytes, at)) {
    rows.begin();
    reader.seek(at, to);
    const whole = readRecord(reader, rows, rows.fields, 'the table has');
    const end = whole ? reader.at - 1 : to;
    if (!rows.end(at, end)) return;
    at = end + 1;
  }
}
