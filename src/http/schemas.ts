/** Request bodies as zod schemas: what is checked is what the OpenAPI document shows. */
import { z } from 'zod';
import { fault } from '../base/fault.ts';
import { kafkaWords } from '../catalog/kafka-source.ts';
import { parameterCountMax, queryTimeoutMsMax, sqlBodySizeBytesMax } from './limits.ts';

const cell = z.union([z.null(), z.boolean(), z.number(), z.bigint(), z.string()]);

export const sqlRequest = z.strictObject({
  sql: z.string().min(1).max(sqlBodySizeBytesMax),
  parameters: z.array(cell).max(parameterCountMax).optional(),
  timeoutMs: z.int().min(1).max(queryTimeoutMsMax).optional(),
  allowPartial: z.boolean().optional(),
});

const secret = z.string().describe('where the secret is, never the secret: env:NAME or file:/absolute/path');

const kafkaSource = z.strictObject({
  kind: z.literal('kafka'),
  brokers: z.array(z.string()).describe('host:port'),
  topic: z.string(),
  format: z.enum(kafkaWords.format).optional().describe('json unless given'),
  tls: z
    .strictObject({
      ca: secret.nullable().optional(),
      certificate: secret.nullable().optional(),
      key: secret.nullable().optional(),
    })
    .nullable()
    .optional(),
  sasl: z
    .strictObject({ mechanism: z.enum(kafkaWords.sasl_mechanism), username: z.string(), password: secret })
    .nullable()
    .optional(),
  schemaRegistry: z
    .strictObject({
      url: z.string(),
      username: z.string().nullable().optional(),
      password: secret.nullable().optional(),
    })
    .nullable()
    .optional(),
  isolation: z.enum(kafkaWords.isolation).optional(),
  startFrom: z
    .union([z.literal('earliest'), z.literal('latest'), z.int()])
    .optional()
    .describe('an end of the topic, or milliseconds since 1970'),
  onLostOffsets: z.enum(kafkaWords.on_lost_offsets).optional(),
  onTopicRecreated: z.enum(kafkaWords.on_topic_recreated).optional(),
  unknownFields: z.enum(kafkaWords.unknown_fields).optional(),
  deadLetterTopic: z.string().nullable().optional(),
  transform: z
    .strictObject({
      sql: z.string().describe('SELECT … FROM message [, UNNEST(…) AS item] [WHERE …] [GROUP BY …]'),
      fields: z.array(z.strictObject({ name: z.string(), type: z.string() })).optional(),
    })
    .nullable()
    .optional(),
});

const logSource = z.strictObject({ kind: z.literal('log'), partitionCount: z.int().optional() });

const columnRequest = z.strictObject({
  name: z.string(),
  type: z.string().describe('LONG, STRING, TIMESTAMP, DECIMAL(12,2), …'),
  nullable: z.boolean().optional().describe('true unless given'),
  default: cell.optional(),
});

const indexKind = z.enum(['inverted', 'range', 'bloom']);

export const tableRequest = z.strictObject({
  name: z.string(),
  columns: z.array(columnRequest),
  timeColumn: z.string().nullable().optional(),
  indexes: z.array(z.strictObject({ column: z.string(), kind: indexKind, name: z.string().optional() })).optional(),
  source: z.discriminatedUnion('kind', [logSource, kafkaSource]).optional().describe('the embedded log unless given'),
  settings: z
    .strictObject({
      segmentRows: z.int().optional(),
      segmentAgeMs: z.int().optional(),
      retentionMs: z.int().nullable().optional(),
    })
    .optional(),
  ifNotExists: z.boolean().optional(),
});

/** Actions of one ALTER TABLE at most: as many as a table may have columns. */
const alterActionsMax = 1_000;

export const alterRequest = z.strictObject({
  actions: z
    .array(
      z.discriminatedUnion('action', [
        z.strictObject({ action: z.literal('addColumn'), ...columnRequest.shape, ifNotExists: z.boolean().optional() }),
        z.strictObject({ action: z.literal('dropColumn'), column: z.string(), ifExists: z.boolean().optional() }),
        z.strictObject({ action: z.literal('renameColumn'), column: z.string(), to: z.string() }),
        z.strictObject({ action: z.literal('setType'), column: z.string(), type: z.string() }),
        z.strictObject({ action: z.literal('setDefault'), column: z.string(), default: cell }),
        z.strictObject({ action: z.literal('dropDefault'), column: z.string() }),
        z.strictObject({ action: z.literal('dropNotNull'), column: z.string() }),
      ]),
    )
    .min(1)
    .max(alterActionsMax),
});

export const indexRequest = z.strictObject({
  column: z.string(),
  kind: indexKind.optional().describe('inverted unless given'),
  name: z.string().optional().describe('<table>_<column>_<kind> unless given'),
  ifNotExists: z.boolean().optional(),
});

const partition = z.int().min(0).optional().describe('all of the table unless given');

export const ingestionRequest = z.strictObject({ partition });

export const seekRequest = z.strictObject({
  partition,
  to: z.union([
    z.literal('beginning'),
    z.literal('end'),
    z.strictObject({ offset: z.int().min(0) }),
    z.strictObject({ time: z.string().describe('ISO 8601') }),
  ]),
});

/** @throws FaultError INVALID_REQUEST naming the member at fault */
export function check<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue!.path.map(part => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  throw fault('INVALID_REQUEST', `the body${path}: ${issue!.message}`);
}
