/** Avro records, framed: a row each, fields into columns by name. */
import { AvroCursor } from './avro-cursor.ts';
import { branchOf, RecordReader, UnionReader } from './avro-parts.ts';
import type { AvroReader } from './avro-readers.ts';
import type { ValueReader } from './framed-messages.ts';
import { JsonText } from './json-text.ts';
import { Malformed } from './malformed.ts';
import type { MessageRows } from './message-rows.ts';
import type { Field } from './row-sink.ts';

/** @param schema A record; or a union of records, each message one of them. */
export function avroValueReader(schema: AvroReader, rows: MessageRows): ValueReader {
  const cursor = new AvroCursor(rows.bytes);
  const text = new JsonText();
  const recordOf = (reader: AvroReader): RecordRows | null =>
    reader instanceof RecordReader ? new RecordRows(reader, rows, text) : null;
  const whole = recordOf(schema);
  const branches = schema instanceof UnionReader ? schema.branches.map(recordOf) : [];
  return {
    read(from, to) {
      cursor.open(from, to);
      const record = whole ?? (branches.length > 0 ? branchOf(cursor, branches) : null);
      if (record === null) throw new Malformed('it is not a record');
      rows.begin();
      record.read(cursor);
      if (cursor.at !== to) throw new Malformed(`${to - cursor.at} bytes are left over`);
      rows.end(from, to);
    },
  };
}

interface Step {
  readonly name: string;
  readonly reader: AvroReader;
  /** null: the table has no such column. */
  readonly field: Field | null;
  readonly exactName: boolean;
}

class RecordRows {
  readonly #steps: readonly Step[];
  readonly #rows: MessageRows;
  readonly #text: JsonText;
  #notedIn = 0;

  constructor(record: RecordReader, rows: MessageRows, text: JsonText) {
    this.#rows = rows;
    this.#text = text;
    this.#steps = record.fields.map(({ name, reader }) => {
      const field = rows.find(name);
      return { name, reader, field, exactName: field?.column.name === name };
    });
  }

  read(cursor: AvroCursor): void {
    const rows = this.#rows;
    if (this.#notedIn !== rows.unknownFields.epoch) this.#note();
    for (const { reader, field, exactName } of this.#steps)
      if (field !== null && rows.claim(field, exactName)) reader.read(cursor, rows, field, this.#text);
      else reader.skip(cursor);
  }

  /** All that the schema has beyond the columns, as soon as a message comes of it. */
  #note(): void {
    const { unknownFields } = this.#rows;
    for (const { name, reader, field } of this.#steps) if (field === null) unknownFields.note(name, reader.type);
    this.#notedIn = unknownFields.epoch;
  }
}
