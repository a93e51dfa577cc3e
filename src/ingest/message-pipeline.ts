import type { Clock } from '../base/seams.ts';
import type { SchemaSource } from '../catalog/schema-source.ts';
import type { ColumnDefinition, KafkaSource, MessageField, TableDefinition } from '../catalog/table.ts';
import { createMessageDecoder } from '../format/message-decoder.ts';
import { bindTransform } from '../sql/bind-transform.ts';
import { createPipeline, type Pipeline } from './pipeline.ts';
import { createTransformer } from './transformer.ts';

/**
 * From what a source declares to what its messages go through.
 * @throws FaultError of the transform, which was bound when the table was made: only where a newer definition breaks it
 */
export function buildPipeline(
  definition: TableDefinition,
  { format, transform }: KafkaSource,
  schemas: SchemaSource | null,
  clock: Clock,
): Pipeline {
  const columns = transform === null ? definition.columns : transform.fields.map(fieldColumn);
  const decoder = createMessageDecoder({ format, target: { columns }, schemas });
  const transformer =
    transform === null ? null : createTransformer(bindTransform(transform, definition.columns), { clock });
  return createPipeline(definition, decoder, transformer);
}

/** A declared field as a decoder's column: absent and NULL are the same to a transform. */
const fieldColumn = ({ name, type }: MessageField, index: number): ColumnDefinition => ({
  ...{ id: index + 1, name, type, nullable: true, defaultValue: null },
});
