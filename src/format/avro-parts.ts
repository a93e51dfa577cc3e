/** Avro's types with parts: unions, and what is nested and becomes JSON. */
import { JSON_TYPE, sameType, type Type } from '../column/type.ts';
import type { AvroCursor } from './avro-cursor.ts';
import { AvroReader, NullReader } from './avro-readers.ts';
import type { JsonText } from './json-text.ts';
import { Malformed } from './malformed.ts';
import type { Field, RowSink } from './row-sink.ts';
import type { Reason, Sink } from './sink.ts';

/** What of a union says which of its types follows. */
export function branchOf<Branch>(cursor: AvroCursor, branches: readonly Branch[]): Branch {
  const index = cursor.long();
  const branch = branches[index];
  if (branch === undefined) throw new Malformed(`branch ${index} of a union of ${branches.length}`);
  return branch;
}

export class UnionReader extends AvroReader {
  /** Set once, after they are made: a type may have itself among its parts. */
  branches: readonly AvroReader[] = [];

  get #present(): readonly AvroReader[] {
    return this.branches.filter(branch => !(branch instanceof NullReader));
  }

  override get type(): Type {
    const [first, ...others] = this.#present;
    if (first === undefined) return new NullReader().type;
    return others.every(other => sameType(other.type, first.type)) ? first.type : JSON_TYPE;
  }

  override skip(cursor: AvroCursor): void {
    branchOf(cursor, this.branches).skip(cursor);
  }

  override json(cursor: AvroCursor, text: JsonText): void {
    branchOf(cursor, this.branches).json(cursor, text);
  }

  override read(cursor: AvroCursor, rows: RowSink, field: Field, text: JsonText): void {
    const branch = branchOf(cursor, this.branches);
    // Among other types text is text: whether it is JSON would depend on what it says.
    if (field.sink.takesJson && this.branches.length > 2 && !(branch instanceof NullReader))
      this.#branchAsJson(branch, cursor, rows, field, text);
    else branch.read(cursor, rows, field, text);
  }

  #branchAsJson(branch: AvroReader, cursor: AvroCursor, rows: RowSink, field: Field, text: JsonText): void {
    text.reset();
    branch.json(cursor, text);
    const reason = field.sink.json(text.bytes, 0, text.size, rows.row);
    if (reason !== null) rows.fail(field, reason);
  }

  protected override scalar(): Reason {
    throw new Malformed('a union is read by its branches');
  }
}

abstract class NestedReader extends AvroReader {
  override readonly type = JSON_TYPE;
  readonly #kind: string;

  constructor(kind: string) {
    super();
    this.#kind = kind;
  }

  protected override scalar(cursor: AvroCursor, sink: Sink): Reason {
    this.skip(cursor);
    return `${this.#kind} where ${sink.type.name} is expected (declare the column JSON to keep it)`;
  }
}

export interface AvroField {
  readonly name: string;
  readonly reader: AvroReader;
}

export class RecordReader extends NestedReader {
  /** Set once, after they are made. */
  fields: readonly AvroField[] = [];

  constructor() {
    super('a record');
  }

  override skip(cursor: AvroCursor): void {
    cursor.enter();
    for (const { reader } of this.fields) reader.skip(cursor);
    cursor.leave();
  }

  override json(cursor: AvroCursor, text: JsonText): void {
    cursor.enter();
    let mark = '{';
    for (const { name, reader } of this.fields) {
      text.raw(`${mark}"${name}":`);
      reader.json(cursor, text);
      mark = ',';
    }
    text.raw(mark === '{' ? '{}' : '}');
    cursor.leave();
  }
}

export class ArrayReader extends NestedReader {
  readonly #items: AvroReader;

  constructor(items: AvroReader) {
    super('an array');
    this.#items = items;
  }

  override skip(cursor: AvroCursor): void {
    cursor.enter();
    for (let count = cursor.block(); count > 0; count = cursor.block())
      for (let index = 0; index < count; index++) this.#items.skip(cursor);
    cursor.leave();
  }

  override json(cursor: AvroCursor, text: JsonText): void {
    cursor.enter();
    let mark = '[';
    for (let count = cursor.block(); count > 0; count = cursor.block())
      for (let index = 0; index < count; index++) {
        text.raw(mark);
        this.#items.json(cursor, text);
        mark = ',';
      }
    text.raw(mark === '[' ? '[]' : ']');
    cursor.leave();
  }
}

export class MapReader extends NestedReader {
  readonly #values: AvroReader;

  constructor(values: AvroReader) {
    super('a map');
    this.#values = values;
  }

  override skip(cursor: AvroCursor): void {
    cursor.enter();
    for (let count = cursor.block(); count > 0; count = cursor.block())
      for (let index = 0; index < count; index++) {
        cursor.take(cursor.size());
        this.#values.skip(cursor);
      }
    cursor.leave();
  }

  override json(cursor: AvroCursor, text: JsonText): void {
    cursor.enter();
    let mark = '{';
    for (let count = cursor.block(); count > 0; count = cursor.block())
      for (let index = 0; index < count; index++) {
        text.raw(mark);
        text.utf8(cursor.bytes, cursor.text(), cursor.at);
        text.raw(':');
        this.#values.json(cursor, text);
        mark = ',';
      }
    text.raw(mark === '{' ? '{}' : '}');
    cursor.leave();
  }
}
