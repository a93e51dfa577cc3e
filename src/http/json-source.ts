/** A table's source as JSON: the model of FROM KAFKA (…), spelled for HTTP. */
import { kafkaSource } from '../catalog/kafka-source.ts';
import type { KafkaSource, Source } from '../catalog/table.ts';
import type * as Json from '../client/types.ts';
import { typeText } from '../column/type.ts';
import { parseType } from './json-type.ts';

/** What is left out is as DDL has it. @throws FaultError INVALID_DEFINITION for a field's type; the rest is the broker's to check */
export function sourceOfRequest(request: NonNullable<Json.CreateTable['source']>): Source {
  if (request.kind === 'log') return { kind: 'log', partitionCount: request.partitionCount ?? 1 };
  const { kind: _, tls, sasl, schemaRegistry, transform, ...rest } = request;
  return kafkaSource({
    ...rest,
    tls: tls ? { ca: tls.ca ?? null, certificate: tls.certificate ?? null, key: tls.key ?? null } : null,
    sasl: sasl ?? null,
    schemaRegistry: schemaRegistry
      ? {
          url: schemaRegistry.url,
          username: schemaRegistry.username ?? null,
          password: schemaRegistry.password ?? null,
        }
      : null,
    transform: transform
      ? {
          sql: transform.sql,
          fields: (transform.fields ?? []).map(({ name, type }) => ({ name, type: parseType(type) })),
        }
      : null,
  });
}

export const sourceInfo = (source: Source): Json.TableInfo['source'] =>
  source.kind === 'log' ? source : { ...source, transform: transformInfo(source.transform) };

const transformInfo = (transform: KafkaSource['transform']): Json.Transform | null =>
  transform && {
    sql: transform.sql,
    fields: transform.fields.map(({ name, type }) => ({ name, type: typeText(type) })),
  };
