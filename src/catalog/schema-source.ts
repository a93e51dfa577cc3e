/** Schemas by the ids that messages carry: what `format` asks for, and `stream` fetches. */

export interface RegisteredSchema {
  readonly type: 'AVRO' | 'PROTOBUF' | 'JSON';
  readonly text: string;
  /** All that it refers to, directly or not, each once; what one of them refers to stands before it. */
  readonly references: readonly ReferencedSchema[];
}

export interface ReferencedSchema {
  /** As the schema refers to it: a full name (Avro), the path of an import (Protobuf). */
  readonly name: string;
  readonly text: string;
}

export interface SchemaSource {
  /**
   * null where there is no schema of that id. Cheap to ask again: answers are kept.
   * @throws FaultError UNAVAILABLE where it cannot be asked now, FORBIDDEN where it refuses
   */
  schema(id: number): Promise<RegisteredSchema | null>;
}
