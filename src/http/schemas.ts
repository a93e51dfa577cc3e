/** Request bodies as zod schemas: what is checked is what the OpenAPI document shows. */
import { z } from 'zod';
import { fault } from '../base/fault.ts';
import { parameterCountMax, queryTimeoutMsMax, sqlBodySizeBytesMax } from './limits.ts';

const cell = z.union([z.null(), z.boolean(), z.number(), z.bigint(), z.string()]);

export const sqlRequest = z.strictObject({
  sql: z.string().min(1).max(sqlBodySizeBytesMax),
  parameters: z.array(cell).max(parameterCountMax).optional(),
  timeoutMs: z.int().min(1).max(queryTimeoutMsMax).optional(),
  allowPartial: z.boolean().optional(),
});

export const tableRequest = z.strictObject({
  name: z.string(),
  columns: z.array(
    z.strictObject({
      name: z.string(),
      type: z.string().describe('LONG, STRING, TIMESTAMP, DECIMAL(12,2), …'),
      nullable: z.boolean().optional().describe('true unless given'),
      default: cell.optional(),
    }),
  ),
  timeColumn: z.string().nullable().optional(),
  indexes: z.array(z.strictObject({ column: z.string(), kind: z.enum(['inverted', 'range', 'bloom']) })).optional(),
  settings: z
    .strictObject({
      segmentRows: z.int().optional(),
      segmentAgeMs: z.int().optional(),
      retentionMs: z.int().nullable().optional(),
    })
    .optional(),
  ifNotExists: z.boolean().optional(),
});

/** @throws FaultError INVALID_REQUEST naming the member at fault */
export function check<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue!.path.map(part => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  throw fault('INVALID_REQUEST', `the body${path}: ${issue!.message}`);
}
