/** Messages of a stream → rows: what every message format answers, and how one is chosen. */
import type { Batch } from '../column/column.ts';
import type { Type } from '../column/type.ts';

/** Values of messages within one buffer; see `MessageBatch` of `stream`, which is one. */
export interface Messages {
  readonly count: number;
  /** The last byte belongs to no value: a scanner may overwrite it. */
  readonly bytes: Uint8Array;
  /** By message; -1: a null value (a tombstone). */
  readonly valueStarts: Int32Array;
  readonly valueEnds: Int32Array;
}

export interface MessageReject {
  /** Index among the messages. */
  readonly message: number;
  readonly column: string | null;
  readonly reason: string;
  /** The start of the value, as text; of a binary one in hexadecimal digits. */
  readonly text: string;
}

export interface DecodedMessages {
  /** Column i is `target.columns[i]`. */
  readonly batch: Batch;
  /** By row, ascending: the message that it came of. */
  readonly messageOf: Uint32Array;
  /** By message, ascending: each message is here, or has rows, or is a tombstone or empty. At most one each. */
  readonly rejects: readonly MessageReject[];
  /** Fields that the target does not have, with the type that the first value suggests; at most `unknownFieldsMax`. */
  readonly unknownFields: ReadonlyMap<string, Type>;
}

/** Decodes the messages of one partition, batch after batch. A bad message is a reject, never an error. */
export interface MessageDecoder {
  /** @throws FaultError UNAVAILABLE where a schema registry cannot be asked: try the same messages again later */
  decode(messages: Messages): Promise<DecodedMessages>;
}
