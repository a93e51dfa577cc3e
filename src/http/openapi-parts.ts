/** What the parts of the OpenAPI document are written with. */
import { z } from 'zod';

export type Json = Record<string, unknown>;

export interface Operation {
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Json[];
  readonly requestBody?: Json;
  readonly responses: Readonly<Record<string, Json>>;
}

/** A bigint is an integer with all its digits. */
export const schemaOf = (schema: z.ZodType): unknown =>
  z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema }) {
      if (zodSchema._zod.def.type === 'bigint') jsonSchema.type = 'integer';
    },
  });

export const reference = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
export const json = (schema: unknown): Json => ({ 'application/json': { schema } });
export const object = (properties: Json): Json => ({ type: 'object', properties });
export const array = (items: unknown): Json => ({ type: 'array', items });
export const text = { type: 'string' };
export const integer = { type: 'integer' };
export const inPath = (name: string): Json => ({ name, in: 'path', required: true, schema: text });
export const ok = (description: string, schema: unknown): Json => ({ description, content: json(schema) });
export const failure: Json = {
  description: 'An error with its code, cause and hint',
  content: json(reference('Error')),
};

export const operation = (
  tag: string,
  summary: string,
  good: readonly [status: number, Json],
  rest: Partial<Operation> = {},
): Operation => ({ tags: [tag], summary, ...rest, responses: { [good[0]]: good[1], default: failure } });
