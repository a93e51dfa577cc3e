/** The body of a load as a zod schema: what is checked is what the OpenAPI document shows. */
import { z } from 'zod';
import { fileFormats } from '../format/file/types.ts';

export const loadRequest = z.strictObject({
  table: z.string(),
  files: z
    .array(
      z.union([
        z.strictObject({
          path: z.string().describe('absolute, in a folder of --load-from; a pattern stands for several files'),
        }),
        z.strictObject({
          upload: z.string().describe('SHA-256 of the content, as it was put to /v1/uploads'),
          name: z.string().max(1_000).describe('for messages, and for what its ending says of the format'),
        }),
      ]),
    )
    .min(1),
  format: z.enum(fileFormats).optional().describe('looked for in the files unless given'),
  delimiter: z.string().max(1).optional(),
  header: z.boolean().optional(),
  quote: z.string().max(1).optional().describe('empty: quotes are text like any other'),
  nullTexts: z.array(z.string()).max(100).optional(),
  nested: z.enum(['json', 'flatten']).optional().describe('json unless given'),
  rejectsMax: z.int().min(0).nullable().optional().describe('one more fails the load; any number unless given'),
  replace: z
    .strictObject({ from: z.string(), to: z.string() })
    .optional()
    .describe('ISO 8601: rows that are there now with their time from the first up to the second are hidden'),
  key: z.string().optional().describe('loads of one table and key are one load; made of the files unless given'),
  create: z.boolean().optional().describe('make the table of what the files hold, where it is not there'),
  timeColumn: z.string().nullable().optional().describe('of a table that is made; guessed unless given'),
  dryRun: z.boolean().optional().describe('only tell the CREATE TABLE'),
});

export type LoadBody = z.infer<typeof loadRequest>;
