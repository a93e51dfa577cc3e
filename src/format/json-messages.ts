/** Messages that are JSON objects, or arrays of them (a row each). */
import { isUtf8 } from 'node:buffer';
import { kindOf } from './json.ts';
import { describeSyntaxError, JsonRowReader } from './json-row.ts';
import { MessageRows } from './message-rows.ts';
import type { DecodedMessages, Messages } from './messages.ts';
import { skipSpace, skipValue } from './scan.ts';
import { frameSizeBytes } from './schema-frame.ts';
import type { DecodeTarget } from './target.ts';

/** Part of no token: no scanner reads past it. */
const sentinel = 0;

/** @param framed Values may begin with a schema's id, which JSON needs no schema for: it is passed over. */
export function decodeJsonMessages(messages: Messages, target: DecodeTarget, framed: boolean): DecodedMessages {
  const { count, bytes, valueStarts, valueEnds } = messages;
  const rows = new MessageRows(target, messages, 'text', isUtf8(bytes));
  const reader = new JsonValueReader(bytes, rows);
  for (let message = 0; message < count; message++) {
    let from = valueStarts[message]!;
    const to = valueEnds[message]!;
    if (from < 0 || to <= from) continue;
    rows.open(message);
    // A neighbour's first byte, or the buffer's last: lent to the sentinel, so that a value cut short ends at its end.
    const lent = bytes[to]!;
    bytes[to] = sentinel;
    if (framed && bytes[from] === 0 && to - from > frameSizeBytes) from += frameSizeBytes;
    reader.read(from, to);
    bytes[to] = lent;
  }
  return rows.finish();
}

class JsonValueReader {
  readonly #bytes: Uint8Array;
  readonly #rows: MessageRows;
  readonly #objects: JsonRowReader;

  constructor(bytes: Uint8Array, rows: MessageRows) {
    this.#bytes = bytes;
    this.#rows = rows;
    this.#objects = new JsonRowReader(bytes, rows, true, rows.unknownFields);
  }

  /** Reads the value bytes[from..to) into rows; bytes[to] is the sentinel. */
  read(from: number, to: number): void {
    const bytes = this.#bytes;
    let at = from;
    if (bytes[at]! <= 32) at = skipSpace(bytes, at, true);
    let end = bytes[at] === 91 ? this.#array(at, to) : this.#row(at);
    if (end === 0) return;
    if (end > 0) {
      if (bytes[end]! <= 32) end = skipSpace(bytes, end, true);
      if (end === to) return;
      end = ~end;
    }
    const rows = this.#rows;
    const reason = describeSyntaxError(bytes, ~end, from, ~end === to).replace(/ of the row\b/, ' of the value');
    // What was wrong before the grammar broke says more.
    if (rows.reason === null) rows.reject(null, reason);
    else rows.reject(rows.column, rows.reason);
  }

  /** The position after the object at `at`; `~p` where byte p is no JSON; 0 where the message is rejected already. */
  #row(at: number): number {
    const bytes = this.#bytes;
    const rows = this.#rows;
    rows.begin();
    if (bytes[at] === 123) {
      const end = this.#objects.read(at);
      return end < 0 || rows.end(at, end) ? end : 0;
    }
    const end = skipValue(bytes, at, true);
    if (end < 0) return end;
    rows.reject(null, `${kindOf(bytes[at]!)} where a JSON object is expected`);
    return 0;
  }

  /** As `#row`, for an array of objects. */
  #array(at: number, to: number): number {
    const bytes = this.#bytes;
    at = skipSpace(bytes, at + 1, true);
    if (bytes[at] === 93) return at + 1;
    for (;;) {
      at = this.#row(at);
      if (at <= 0) return at;
      at = skipSpace(bytes, at, true);
      if (bytes[at] === 93) return at + 1;
      if (bytes[at] !== 44 || at === to) return ~at;
      at = skipSpace(bytes, at + 1, true);
    }
  }
}
