/** Protobuf messages, framed: a row each, fields into columns by name. */
import protobuf from 'protobufjs';
import type { RegisteredSchema } from '../catalog/schema-source.ts';
import type { ValueReader } from './framed-messages.ts';
import { JsonText } from './json-text.ts';
import type { MessageRows } from './message-rows.ts';
import { ProtobufSchema, readMessagePath } from './protobuf-schema.ts';
import { type ProtobufField, ProtobufKinds } from './protobuf-values.ts';
import type { Field } from './row-sink.ts';

/** A schema, and its types as far as they were met. */
export interface CompiledProtobuf {
  readonly schema: ProtobufSchema;
  readonly kinds: ProtobufKinds;
}

export const compileProtobuf = (schema: RegisteredSchema): CompiledProtobuf => ({
  schema: new ProtobufSchema(schema),
  kinds: new ProtobufKinds(),
});

export function protobufValueReader({ schema, kinds }: CompiledProtobuf, rows: MessageRows): ValueReader {
  const { bytes } = rows;
  const reader = protobuf.Reader.create(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  reader.discardUnknown = true;
  const text = new JsonText();
  const types = new Map<string, MessageTypeRows>();
  return {
    read(from, to) {
      reader.pos = from;
      reader.len = to;
      const path = readMessagePath(reader);
      const key = path.join('.');
      let type = types.get(key);
      if (type === undefined) {
        type = new MessageTypeRows(schema.messageAt(path), kinds, rows, text);
        types.set(key, type);
      }
      rows.begin();
      type.read(reader);
      rows.end(from, to);
    },
  };
}

interface Step {
  readonly of: ProtobufField;
  /** null: the table has no such column. */
  readonly field: Field | null;
  readonly exactName: boolean;
}

/** Messages of one type. */
class MessageTypeRows {
  readonly #type: protobuf.Type;
  readonly #steps: readonly Step[];
  readonly #rows: MessageRows;
  readonly #text: JsonText;
  #notedIn = 0;

  constructor(type: protobuf.Type, kinds: ProtobufKinds, rows: MessageRows, text: JsonText) {
    this.#type = type;
    this.#rows = rows;
    this.#text = text;
    this.#steps = kinds.fieldsOf(type).map(of => {
      const field = rows.find(of.name);
      return { of, field, exactName: field?.column.name === of.name };
    });
  }

  /** Reads what is left of `reader`, up to its `len`. */
  read(reader: protobuf.Reader): void {
    const rows = this.#rows;
    const message = this.#type.decode(reader) as unknown as Readonly<Record<string, unknown>>;
    if (this.#notedIn !== rows.unknownFields.epoch) this.#note();
    for (const { of, field, exactName } of this.#steps) {
      if (field === null || !rows.claim(field, exactName)) continue;
      const value = Object.hasOwn(message, of.name) ? message[of.name] : of.absent;
      if (value === undefined || value === null) rows.null(field);
      else this.#put(of, value, field);
    }
  }

  #put({ kind }: ProtobufField, value: unknown, field: Field): void {
    const { sink } = field;
    const { row } = this.#rows;
    let reason: string | null;
    // Text in such a field is JSON's, as in Avro and CSV.
    if (sink.takesJson && typeof value !== 'string') {
      this.#text.reset();
      kind.json(value, this.#text);
      reason = sink.json(this.#text.bytes, 0, this.#text.size, row);
    } else reason = kind.put(value, sink, row);
    if (reason !== null) this.#rows.fail(field, reason);
  }

  #note(): void {
    const { unknownFields } = this.#rows;
    for (const { of, field } of this.#steps) if (field === null) unknownFields.note(of.name, of.kind.type);
    this.#notedIn = unknownFields.epoch;
  }
}
