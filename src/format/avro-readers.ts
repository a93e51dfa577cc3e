/** Avro's types without parts, each a reader of its values: passed over, as JSON, or into a column's sink. */
import { formatDecimal, formatUuid } from '../column/text.ts';
import { BOOLEAN, BYTES, DOUBLE, decimal, FLOAT, INT, LONG, STRING, type Type, UUID } from '../column/type.ts';
import type { AvroCursor } from './avro-cursor.ts';
import type { JsonText } from './json-text.ts';
import { decimalSizeBytesMax } from './limits.ts';
import { Malformed } from './malformed.ts';
import type { Field, RowSink } from './row-sink.ts';
import type { Reason, Sink } from './sink.ts';

export abstract class AvroReader {
  /** For a column that is made for such values. */
  abstract readonly type: Type;
  abstract skip(cursor: AvroCursor): void;
  abstract json(cursor: AvroCursor, text: JsonText): void;
  /** Reads one value into a sink that takes no JSON. */
  protected abstract scalar(cursor: AvroCursor, sink: Sink, row: number): Reason;

  /** Reads one value into a column of the row begun. */
  read(cursor: AvroCursor, rows: RowSink, field: Field, text: JsonText): void {
    const { sink } = field;
    const reason = sink.takesJson ? this.asJson(cursor, sink, rows.row, text) : this.scalar(cursor, sink, rows.row);
    if (reason !== null) rows.fail(field, reason);
  }

  protected asJson(cursor: AvroCursor, sink: Sink, row: number, text: JsonText): Reason {
    text.reset();
    this.json(cursor, text);
    return sink.json(text.bytes, 0, text.size, row);
  }
}

export class NullReader extends AvroReader {
  override readonly type = STRING;

  override skip(): void {}

  override json(_cursor: AvroCursor, text: JsonText): void {
    text.raw('null');
  }

  override read(_cursor: AvroCursor, rows: RowSink, field: Field): void {
    rows.null(field);
  }

  protected override scalar(): Reason {
    return null;
  }
}

export class BooleanReader extends AvroReader {
  override readonly type = BOOLEAN;

  override skip(cursor: AvroCursor): void {
    cursor.boolean();
  }

  override json(cursor: AvroCursor, text: JsonText): void {
    text.raw(cursor.boolean() ? 'true' : 'false');
  }

  protected override scalar(cursor: AvroCursor, sink: Sink, row: number): Reason {
    return sink.boolean(cursor.boolean(), row);
  }
}

/** int and long, which are written alike. */
export class LongReader extends AvroReader {
  override readonly type: Type;

  constructor(isInt: boolean) {
    super();
    this.type = isInt ? INT : LONG;
  }

  override skip(cursor: AvroCursor): void {
    cursor.long();
  }

  override json(cursor: AvroCursor, text: JsonText): void {
    const value = cursor.long();
    text.raw(String(Number.isNaN(value) ? cursor.big : value));
  }

  protected override scalar(cursor: AvroCursor, sink: Sink, row: number): Reason {
    const value = cursor.long();
    return Number.isNaN(value) ? sink.long(cursor.big, row) : sink.integer(value, row);
  }
}

export class FloatReader extends AvroReader {
  override readonly type = FLOAT;

  override skip(cursor: AvroCursor): void {
    cursor.take(4);
  }

  override json(cursor: AvroCursor, text: JsonText): void {
    text.float(cursor.float());
  }

  protected override scalar(cursor: AvroCursor, sink: Sink, row: number): Reason {
    return sink.float(cursor.float(), row);
  }
}

export class DoubleReader extends AvroReader {
  override readonly type = DOUBLE;

  override skip(cursor: AvroCursor): void {
    cursor.take(8);
  }

  override json(cursor: AvroCursor, text: JsonText): void {
    text.double(cursor.double());
  }

  protected override scalar(cursor: AvroCursor, sink: Sink, row: number): Reason {
    return sink.double(cursor.double(), row);
  }
}

export class StringReader extends AvroReader {
  override readonly type: Type = STRING;

  override skip(cursor: AvroCursor): void {
    cursor.take(cursor.size());
  }

  override json(cursor: AvroCursor, text: JsonText): void {
    text.utf8(cursor.bytes, cursor.text(), cursor.at);
  }

  /** Into a JSON column, too: text in such a field is JSON's, as change data capture has it. */
  override read(cursor: AvroCursor, rows: RowSink, field: Field): void {
    const reason = this.scalar(cursor, field.sink, rows.row);
    if (reason !== null) rows.fail(field, reason);
  }

  protected override scalar(cursor: AvroCursor, sink: Sink, row: number): Reason {
    return sink.text(cursor.bytes, cursor.text(), cursor.at, row);
  }
}

export class EnumReader extends AvroReader {
  override readonly type = STRING;
  readonly #symbols: readonly Uint8Array[];

  constructor(symbols: readonly string[]) {
    super();
    this.#symbols = symbols.map(symbol => new TextEncoder().encode(symbol));
  }

  override skip(cursor: AvroCursor): void {
    cursor.long();
  }

  override json(cursor: AvroCursor, text: JsonText): void {
    const symbol = this.#symbol(cursor);
    text.utf8(symbol, 0, symbol.length);
  }

  protected override scalar(cursor: AvroCursor, sink: Sink, row: number): Reason {
    const symbol = this.#symbol(cursor);
    return sink.text(symbol, 0, symbol.length, row);
  }

  #symbol(cursor: AvroCursor): Uint8Array {
    const index = cursor.long();
    const symbol = this.#symbols[index];
    if (symbol === undefined) throw new Malformed(`symbol ${index} of an enum of ${this.#symbols.length}`);
    return symbol;
  }
}

/** bytes and fixed. Where a value begins is what `from` answers; its end is the cursor's. */
export class BytesReader extends AvroReader {
  override readonly type: Type = BYTES;
  /** Of fixed; -1: the value says. */
  readonly #size: number;

  constructor(size: number) {
    super();
    this.#size = size;
  }

  protected from(cursor: AvroCursor): number {
    return cursor.take(this.#size < 0 ? cursor.size() : this.#size);
  }

  override skip(cursor: AvroCursor): void {
    this.from(cursor);
  }

  override json(cursor: AvroCursor, text: JsonText): void {
    text.base64(cursor.bytes, this.from(cursor), cursor.at);
  }

  protected override scalar(cursor: AvroCursor, sink: Sink, row: number): Reason {
    return sink.binary(cursor.bytes, this.from(cursor), cursor.at, row);
  }
}

/** An unscaled integer, two's complement, big-endian. */
export class DecimalReader extends BytesReader {
  override readonly type: Type;
  readonly #scale: number;

  constructor(size: number, precision: number, scale: number) {
    super(size);
    this.#scale = scale;
    this.type = precision > 38 || scale > precision ? STRING : decimal(precision, scale);
  }

  override json(cursor: AvroCursor, text: JsonText): void {
    text.raw(formatDecimal(this.#unscaled(cursor), this.#scale));
  }

  protected override scalar(cursor: AvroCursor, sink: Sink, row: number): Reason {
    return sink.decimal(this.#unscaled(cursor), this.#scale, row);
  }

  #unscaled(cursor: AvroCursor): bigint {
    const from = this.from(cursor);
    const { bytes, at: to } = cursor;
    if (to - from > decimalSizeBytesMax) throw new Malformed(`a decimal of ${to - from} bytes`);
    if (to - from <= 6) {
      let small = 0;
      for (let at = from; at < to; at++) small = small * 256 + bytes[at]!;
      if (to > from && bytes[from]! >= 128) small -= 256 ** (to - from);
      return BigInt(small);
    }
    let unscaled = 0n;
    for (let at = from; at < to; at++) unscaled = (unscaled << 8n) | BigInt(bytes[at]!);
    return BigInt.asIntN((to - from) * 8, unscaled);
  }
}

/** A UUID as text: in a JSON column it is a string. */
export class UuidReader extends AvroReader {
  override readonly type = UUID;

  override skip(cursor: AvroCursor): void {
    cursor.take(cursor.size());
  }

  override json(cursor: AvroCursor, text: JsonText): void {
    text.utf8(cursor.bytes, cursor.text(), cursor.at);
  }

  protected override scalar(cursor: AvroCursor, sink: Sink, row: number): Reason {
    return sink.text(cursor.bytes, cursor.text(), cursor.at, row);
  }
}

export class FixedUuidReader extends BytesReader {
  override readonly type = UUID;

  constructor() {
    super(16);
  }

  override json(cursor: AvroCursor, text: JsonText): void {
    text.raw(`"${formatUuid(cursor.bytes, this.from(cursor))}"`);
  }

  protected override scalar(cursor: AvroCursor, sink: Sink, row: number): Reason {
    if (sink.type.name !== 'STRING') return super.scalar(cursor, sink, row);
    return sink.string(formatUuid(cursor.bytes, this.from(cursor)), row);
  }
}
