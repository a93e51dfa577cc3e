import type { RegisteredSchema, SchemaSource } from '../../../src/catalog/schema-source.ts';
import type { MessageFormat } from '../../../src/catalog/table.ts';
import { checkBatch } from '../../../src/column/frame.ts';
import { typeText } from '../../../src/column/type.ts';
import { rowsOf } from '../../../src/column/value.ts';
import { createMessageDecoder } from '../../../src/format/message-decoder.ts';
import type { Messages } from '../../../src/format/messages.ts';
import type { DecodeTarget } from '../../../src/format/target.ts';

const encoder = new TextEncoder();

/** One value right behind the other, as nothing promises that there is anything in between; null: a tombstone. */
export function messagesOf(values: readonly (Uint8Array | string | null)[]): Messages {
  const parts = values.map(value => (typeof value === 'string' ? encoder.encode(value) : value));
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + (part?.length ?? 0), 0) + 1).fill(0x31);
  const valueStarts = new Int32Array(parts.length).fill(-1);
  const valueEnds = new Int32Array(parts.length).fill(-1);
  let at = 0;
  parts.forEach((part, index) => {
    if (part === null) return;
    bytes.set(part, at);
    valueStarts[index] = at;
    at += part.length;
    valueEnds[index] = at;
  });
  return { count: parts.length, bytes, valueStarts, valueEnds };
}

/** A registry of the schemas given; counts how often it is asked. */
export function registryOf(schemas: Readonly<Record<number, RegisteredSchema>>) {
  const asked: number[] = [];
  const source: SchemaSource = {
    async schema(id) {
      asked.push(id);
      return schemas[id] ?? null;
    },
  };
  return { ...source, asked };
}

/** Magic byte and id before a body. */
export const framed = (id: number, ...body: readonly Uint8Array[]): Uint8Array =>
  Buffer.concat([Buffer.from([0, id >>> 24, (id >>> 16) & 255, (id >>> 8) & 255, id & 255]), ...body]);

/** Rows as values with their message; rejects as `message column: reason`; and all that must hold of any answer. */
export async function decodeMessages(
  format: MessageFormat,
  target: DecodeTarget,
  values: readonly (Uint8Array | string | null)[],
  schemas: SchemaSource | null = null,
) {
  const messages = messagesOf(values);
  const before = messages.bytes.slice(0, -1);
  const decoded = await createMessageDecoder({ format, target, schemas }).decode(messages);
  if (Buffer.compare(before, messages.bytes.subarray(0, -1)) !== 0) throw new Error('the messages were changed');
  checkBatch(decoded.batch);
  const { messageOf, rejects } = decoded;
  if (messageOf.length !== decoded.batch.rowCount) throw new Error('rows without a message');
  const withRows = new Set(messageOf);
  for (const { message } of rejects)
    if (withRows.has(message)) throw new Error(`message ${message} has rows and is rejected`);
  const ascending = (numbers: ArrayLike<number>, strictly: boolean): boolean =>
    Array.from(numbers).every((each, index) => index === 0 || each > numbers[index - 1]! - (strictly ? 0 : 1));
  if (
    !ascending(messageOf, false) ||
    !ascending(
      rejects.map(({ message }) => message),
      true,
    )
  )
    throw new Error('order');
  return {
    rows: rowsOf(decoded.batch),
    messageOf: [...messageOf],
    rejects: rejects.map(({ message, column, reason }) => `${message} ${column}: ${reason}`),
    unknown: Object.fromEntries([...decoded.unknownFields].map(([name, type]) => [name, typeText(type)])),
    decoded,
  };
}
