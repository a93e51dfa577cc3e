import { unreachable } from '../base/assert.ts';
import { fault } from '../base/fault.ts';
import type { SchemaSource } from '../catalog/schema-source.ts';
import type { MessageFormat } from '../catalog/table.ts';
import { decodeArrowMessages } from './arrow-messages.ts';
import { avroValueReader } from './avro-messages.ts';
import { compileAvro } from './avro-schema.ts';
import { decodeCsvMessages } from './csv-messages.ts';
import { FramedDecoder } from './framed-messages.ts';
import { decodeJsonMessages } from './json-messages.ts';
import type { DecodedMessages, MessageDecoder, Messages } from './messages.ts';
import { compileProtobuf, protobufValueReader } from './protobuf-messages.ts';
import { Schemas } from './schemas.ts';
import type { DecodeTarget } from './target.ts';

export interface MessageDecoderOptions {
  readonly format: MessageFormat;
  readonly target: DecodeTarget;
  /** Where the source has a registry: values are framed with the ids of its schemas. Avro and Protobuf need one. */
  readonly schemas: SchemaSource | null;
}

/**
 * The decoder of one partition's messages. Keys, types and missing values are as `decodeRows` has them; a typed value
 * (Avro's, Protobuf's, Arrow's) fits where its text would. Synchronous inside, but for schemas not met before.
 * @throws FaultError INVALID_DEFINITION where the format needs a registry and there is none
 */
export function createMessageDecoder({ format, target, schemas }: MessageDecoderOptions): MessageDecoder {
  switch (format) {
    case 'json':
      return immediate(messages => decodeJsonMessages(messages, target, schemas !== null));
    case 'csv':
      return immediate(messages => decodeCsvMessages(messages, target));
    case 'avro':
      return new FramedDecoder(target, new Schemas(registryOf(format, schemas), compileAvro), avroValueReader);
    case 'protobuf':
      return new FramedDecoder(target, new Schemas(registryOf(format, schemas), compileProtobuf), protobufValueReader);
    case 'arrow':
      return immediate(messages => decodeArrowMessages(messages, target));
    default:
      return unreachable(format);
  }
}

function registryOf(format: MessageFormat, schemas: SchemaSource | null): SchemaSource {
  if (schemas !== null) return schemas;
  throw fault('INVALID_DEFINITION', `messages of the format ${format} need a schema registry`);
}

const immediate = (decode: (messages: Messages) => DecodedMessages): MessageDecoder => ({
  decode: async messages => decode(messages),
});
