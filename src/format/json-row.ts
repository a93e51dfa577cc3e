/**
 * JSON objects to rows, without an object in between: each value's bytes go to its column's sink, so that an integer
 * keeps its 64 bits and a string is never a JavaScript string.
 *
 * Events of one source nearly always have their keys in one order. So each key remembers the key that came after it last
 * time, and its bytes are compared in place; only a surprise is unescaped and looked up.
 */
import type { Scope } from './field-names.ts';
import { suggestType } from './infer.ts';
import { keysRememberedMax, nestingDepthMax } from './limits.ts';
import type { Field, RowSink } from './row-sink.ts';
import { skipNumber, skipSpace, skipString, skipValue, skipWord, unescapeString } from './scan.ts';
import type { UnknownFields } from './unknown-fields.ts';

interface Key {
  /** As written, quotes included. */
  readonly bytes: Uint8Array;
  /** null: the table has no such column. */
  readonly field: Field | null;
  readonly exactName: boolean;
  /** Where an object under it has members that are columns. */
  readonly within: Keys | null;
  next: Key | null;
  /** `UnknownFields.epoch` in which it was noted. */
  notedIn: number;
}

/** The keys of one kind of object: of rows, or of what is under one key of them. */
interface Keys {
  /** null: the row itself, whose columns are found by name, too. */
  readonly scope: Scope | null;
  readonly start: Key;
  readonly byText: Map<string, Key>;
}

const keysOf = (scope: Scope | null): Keys => ({
  scope,
  start: { bytes: new Uint8Array(0), field: null, exactName: false, within: null, next: null, notedIn: 0 },
  byText: new Map(),
});

const decoder = new TextDecoder();

export class JsonRowReader {
  readonly #bytes: Uint8Array;
  readonly #rows: RowSink;
  /** Whether a line's end is whitespace inside a row. */
  readonly #newline: boolean;
  readonly #unknown: UnknownFields | null;
  readonly #rowKeys = keysOf(null);
  #unescaped = new Uint8Array(256);

  /**
   * @param bytes End in a sentinel; see `scan`.
   * @param unknown Is told of fields without a column.
   */
  constructor(bytes: Uint8Array, rows: RowSink, newline: boolean, unknown: UnknownFields | null = null) {
    this.#unknown = unknown;
    this.#bytes = bytes;
    this.#rows = rows;
    this.#newline = newline;
  }

  /**
   * Reads the object whose `{` is at `at` into the row begun; answers the position after its `}`, or `~p` where byte p is
   * no JSON. A value that its column does not take is a reason in the row, not an error here.
   */
  read(at: number): number {
    return this.#object(at, this.#rowKeys);
  }

  #object(at: number, keys: Keys): number {
    const bytes = this.#bytes;
    const newline = this.#newline;
    const rows = this.#rows;
    const unknown = this.#unknown;
    at++;
    if (bytes[at]! <= 32) at = skipSpace(bytes, at, newline);
    if (bytes[at] === 125) return at + 1;
    let previous = keys.start;
    for (;;) {
      let key = previous.next;
      let end = key === null ? -1 : this.#matches(key, at);
      if (end < 0) {
        end = bytes[at] === 34 ? skipString(bytes, at) : ~at;
        if (end < 0) return end;
        key = this.#keyOf(keys, at, end);
        previous.next = key;
      }
      previous = key!;
      at = end;
      if (bytes[at] !== 58) {
        at = skipSpace(bytes, at, newline);
        if (bytes[at] !== 58) return ~at;
      }
      at++;
      if (bytes[at]! <= 32) at = skipSpace(bytes, at, newline);
      const field = key!.field;
      if (key!.within !== null && bytes[at] === 123) at = this.#object(at, key!.within);
      else if (field !== null && rows.claim(field, key!.exactName)) at = this.#value(field, at);
      else {
        const from = at;
        at = skipValue(bytes, at, newline);
        if (field === null) {
          rows.ignoredValues++;
          if (unknown !== null && at > 0 && key!.notedIn !== unknown.epoch) this.#note(unknown, key!, from, at);
        }
      }
      if (at < 0) return at;
      if (bytes[at]! <= 32) at = skipSpace(bytes, at, newline);
      const byte = bytes[at];
      if (byte === 125) return at + 1;
      if (byte !== 44) return ~at;
      at++;
      if (bytes[at]! <= 32) at = skipSpace(bytes, at, newline);
    }
  }

  /** Position after the key if it stands at `at`, else -1. */
  #matches(key: Key, at: number): number {
    const bytes = this.#bytes;
    const expected = key.bytes;
    const size = expected.length;
    for (let index = 0; index < size; index++) if (bytes[at + index] !== expected[index]) return -1;
    return at + size;
  }

  #keyOf({ scope, byText }: Keys, from: number, to: number): Key {
    const bytes = this.#bytes;
    const written = bytes.subarray(from, to);
    const text = decoder.decode(written);
    const known = byText.get(text);
    if (known) return known;
    const name = this.#nameOf(bytes, from, to);
    const field = scope === null ? this.#rows.find(name) : (this.#rows.fields[scope.columns.get(name) ?? -1] ?? null);
    const exactName = field !== null && (scope !== null || field.column.name === name);
    const within = (scope ?? this.#rows.names.scope).within.get(name);
    const key: Key = {
      ...{ bytes: written, field, exactName, next: null, notedIn: 0 },
      within: within === undefined ? null : keysOf(within),
    };
    if (byText.size < keysRememberedMax) byText.set(text, key);
    return key;
  }

  #note(unknown: UnknownFields, key: Key, from: number, to: number): void {
    const name = this.#nameOf(key.bytes, 0, key.bytes.length);
    const type = suggestType(name, this.#bytes, from, to);
    if (type === null) return;
    unknown.note(name, type);
    key.notedIn = unknown.epoch;
  }

  /** Unescaped, of a key as it is written. */
  #nameOf(bytes: Uint8Array, from: number, to: number): string {
    const size = unescapeString(bytes, from + 1, to - 1, this.#roomFor(to - from));
    return decoder.decode(this.#unescaped.subarray(0, size));
  }

  #roomFor(size: number): Uint8Array {
    if (size > this.#unescaped.length) this.#unescaped = new Uint8Array(size * 2);
    return this.#unescaped;
  }

  #value(field: Field, at: number): number {
    const bytes = this.#bytes;
    const rows = this.#rows;
    const first = bytes[at]!;
    const sink = field.sink;
    let end: number;
    let reason: string | null;
    if (first === 110) {
      end = skipWord(bytes, at);
      if (end > 0) rows.null(field);
      return end;
    }
    if (sink.takesJson) {
      end = skipValue(bytes, at, this.#newline);
      if (end < 0) return end;
      reason = sink.json(bytes, at, end, rows.row);
    } else if (first === 34) {
      end = at + 1;
      let byte = bytes[end]!;
      while (byte !== 34 && byte !== 92 && byte >= 32) byte = bytes[++end]!;
      if (byte === 34) {
        reason = sink.text(bytes, at + 1, end, rows.row);
        end++;
      } else {
        end = skipString(bytes, at);
        if (end < 0) return end;
        const size = unescapeString(bytes, at + 1, end - 1, this.#roomFor(end - at));
        reason = sink.text(this.#unescaped, 0, size, rows.row);
      }
    } else if (first === 45 || (first >= 48 && first <= 57)) {
      end = skipNumber(bytes, at);
      if (end < 0) return end;
      reason = sink.number(bytes, at, end, rows.row);
    } else if (first === 123 || first === 91) {
      end = skipValue(bytes, at, this.#newline);
      if (end < 0) return end;
      reason = sink.json(bytes, at, end, rows.row);
    } else {
      end = skipWord(bytes, at);
      if (end < 0) return end;
      reason = sink.boolean(first === 116, rows.row);
    }
    if (reason !== null) rows.fail(field, reason);
    return end;
  }
}

/** What is wrong with byte `at` of a row that starts at `from`, in words. `ended`: the byte is the sentinel. */
export function describeSyntaxError(bytes: Uint8Array, at: number, from: number, ended: boolean): string {
  const byte = bytes[at]!;
  const where = `at byte ${at - from + 1} of the row`;
  if (ended) return `the JSON ends too early, ${where}`;
  if ((byte === 123 || byte === 91) && startsValue(bytes, at, from))
    return `objects and arrays nested more than ${nestingDepthMax} deep, ${where}`;
  if (byte < 32)
    return `a control character (0x${byte.toString(16).padStart(2, '0')}) ${where}; in a string it must be escaped`;
  return `unexpected ${JSON.stringify(byte < 127 ? String.fromCharCode(byte) : '\ufffd')} ${where}`;
}

/** True if JSON's grammar wants a value at `at`, which holds an opening bracket. */
function startsValue(bytes: Uint8Array, at: number, from: number): boolean {
  do at--;
  while (at > from && bytes[at]! <= 32);
  return at >= from && (bytes[at] === 58 || bytes[at] === 44 || bytes[at] === 91);
}
