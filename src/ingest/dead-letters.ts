import type { MessageReject } from '../format/messages.ts';
import type { MessageBatch, ProducedMessage } from '../stream/kafka/types.ts';

const slice = (bytes: Uint8Array, start: number, end: number): Uint8Array | null =>
  start < 0 ? null : bytes.subarray(start, end);

/** Rejected messages as they came, with where they came from and why they are here in their headers. */
export const deadLettersOf = (
  messages: MessageBatch,
  rejects: readonly MessageReject[],
  table: string,
  topic: string,
): ProducedMessage[] =>
  rejects.map(({ message, column, reason }) => ({
    key: slice(messages.bytes, messages.keyStarts[message]!, messages.keyEnds[message]!),
    value: slice(messages.bytes, messages.valueStarts[message]!, messages.valueEnds[message]!),
    headers: {
      'weir.table': table,
      'weir.topic': topic,
      'weir.partition': String(messages.partition),
      'weir.offset': String(messages.offsets[message]!),
      'weir.reason': column === null ? reason : `column ${column}: ${reason}`,
    },
  }));
