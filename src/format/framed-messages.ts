/** Messages that name the schema which they were written with. */
import { reasonOf } from './malformed.ts';
import { MessageRows } from './message-rows.ts';
import type { DecodedMessages, MessageDecoder, Messages } from './messages.ts';
import { frameSizeBytes, schemaIdOf } from './schema-frame.ts';
import type { Outcome, Schemas } from './schemas.ts';
import type { DecodeTarget } from './target.ts';

/** Reads the values of one schema into the rows of one batch. */
export interface ValueReader {
  /** Reads the value bytes[from..to), without its frame; may throw for what they are. */
  read(from: number, to: number): void;
}

export class FramedDecoder<Compiled extends object> implements MessageDecoder {
  readonly #target: DecodeTarget;
  readonly #schemas: Schemas<Compiled>;
  readonly #readerOf: (compiled: Compiled, rows: MessageRows) => ValueReader;

  constructor(
    target: DecodeTarget,
    schemas: Schemas<Compiled>,
    readerOf: (compiled: Compiled, rows: MessageRows) => ValueReader,
  ) {
    this.#target = target;
    this.#schemas = schemas;
    this.#readerOf = readerOf;
  }

  async decode(messages: Messages): Promise<DecodedMessages> {
    const schemas = await this.#schemas.of(messages);
    const { count, bytes, valueStarts, valueEnds } = messages;
    const rows = new MessageRows(this.#target, messages, 'binary', true);
    const readers = new Map<number, Outcome<ValueReader>>();
    let lastId = -1;
    let reader: Outcome<ValueReader> = '';
    for (let message = 0; message < count; message++) {
      const from = valueStarts[message]!;
      const to = valueEnds[message]!;
      if (from < 0 || to <= from) continue;
      rows.open(message);
      const id = schemaIdOf(bytes, from, to);
      if (id < 0) {
        rows.reject(null, 'the value does not begin with a zero byte and the id of a schema');
        continue;
      }
      if (id !== lastId) {
        reader = readers.get(id) ?? this.#bind(schemas.get(id)!, rows);
        readers.set(id, reader);
        lastId = id;
      }
      if (typeof reader === 'string') {
        rows.reject(null, reader);
        continue;
      }
      try {
        reader.read(from + frameSizeBytes, to);
      } catch (error) {
        rows.reject(null, `no value of schema ${id}: ${reasonOf(error)}`);
      }
    }
    return rows.finish();
  }

  #bind(schema: Outcome<Compiled>, rows: MessageRows): Outcome<ValueReader> {
    return typeof schema === 'string' ? schema : this.#readerOf(schema, rows);
  }
}
