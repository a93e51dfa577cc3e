/** The native API as an OpenAPI 3.1 document. Request bodies come from the schemas that check them. */
import type { z } from 'zod';
import { wellFormedId } from './door.ts';
import { loadPaths, loadSchemas } from './openapi-loads.ts';
import {
  array,
  inPath,
  integer,
  type Json,
  json,
  type Operation,
  object,
  ok,
  operation,
  reference,
  schemaOf,
  text,
} from './openapi-parts.ts';
import { alterRequest, indexRequest, ingestionRequest, seekRequest, sqlRequest, tableRequest } from './schemas.ts';

export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Json;
}

const steered = object({ table: text, partition: { type: ['integer', 'null'] }, state: text });

const steering = (summary: string, answer: Json, description?: string, body: z.ZodType = ingestionRequest): Operation =>
  operation('Ingestion', summary, [200, ok('It is done', answer)], {
    ...(description === undefined ? {} : { description }),
    parameters: [inPath('table')],
    requestBody: { required: body !== ingestionRequest, content: json(schemaOf(body)) },
  });

export const openApiDocument = (version: string): OpenApiDocument => ({
  openapi: '3.1.0',
  info: {
    title: 'Weir',
    version,
    description:
      'SQL over events that are seconds old. Integers have all their digits: read them with a parser that keeps 64 bits.',
  },
  paths: {
    '/v1/sql': {
      post: operation(
        'SQL',
        'Run a statement',
        [
          200,
          {
            description:
              'JSON by default; application/x-ndjson streams a header, an array a row, and a trailer; text/csv has a header. ' +
              'An answer that fails midway ends with an error, a broken connection, or both: never as if it were complete.',
            content: {
              ...json(reference('Answer')),
              'application/x-ndjson': { schema: text },
              'text/csv': { schema: text },
            },
          },
        ],
        {
          description:
            'X-Request-Id names the query (1 to 64 of A-Z a-z 0-9 . _ : -), so that it can be cancelled by that name; closing ' +
            'the connection cancels it too. ' +
            'LONG is a number with all its digits, DECIMAL a string, TIMESTAMP ISO 8601 in UTC with milliseconds, ' +
            'DATE YYYY-MM-DD, BYTES base64, NULL null, NaN and infinities strings.',
          parameters: [
            { name: 'X-Request-Id', in: 'header', schema: { type: 'string', pattern: wellFormedId.source } },
          ],
          requestBody: { required: true, content: json(schemaOf(sqlRequest)) },
        },
      ),
    },
    '/v1/queries': {
      get: operation('SQL', 'Queries that run, after the last that ended', [
        200,
        ok('The queries', object({ queries: array({ type: 'object' }) })),
      ]),
    },
    '/v1/queries/{id}': {
      delete: operation(
        'SQL',
        'Cancel a query',
        [200, ok('It was cancelled', object({ queryId: text, cancelled: { type: 'boolean' } }))],
        { parameters: [inPath('id')] },
      ),
    },
    '/v1/servers': {
      get: operation('Cluster', 'The processes of the cluster', [
        200,
        ok('The processes', object({ servers: array({ type: 'object' }) })),
      ]),
    },
    '/v1/servers/{server}/drain': {
      post: operation(
        'Cluster',
        'Let a server leave',
        [200, ok('Its segments move', object({ server: text, state: text }))],
        {
          description: 'Its segments are placed on the others, and it leaves when those hold them.',
          parameters: [inPath('server')],
        },
      ),
    },
    '/v1/tables': {
      get: operation('Tables', 'All tables', [
        200,
        ok('Definitions and sizes', object({ tables: array(reference('Table')) })),
      ]),
      post: operation('Tables', 'Create a table', [201, ok('The table', reference('Table'))], {
        requestBody: { required: true, content: json(schemaOf(tableRequest)) },
      }),
    },
    '/v1/tables/{table}': {
      get: operation('Tables', 'A table', [200, ok('Definition and size', reference('Table'))], {
        parameters: [inPath('table')],
      }),
      patch: operation('Tables', 'Change a table', [200, ok('The table as it is now', reference('Table'))], {
        description:
          'All of the actions, or none. Rows that are there stay as they are: those written before a column have its default ' +
          'of the time it was added. A type can be widened: INT to LONG, DOUBLE or DECIMAL, LONG to DECIMAL, FLOAT to DOUBLE, ' +
          'DATE to TIMESTAMP, DECIMAL to one of more digits.',
        parameters: [inPath('table')],
        requestBody: { required: true, content: json(schemaOf(alterRequest)) },
      }),
      delete: operation(
        'Tables',
        'Drop a table',
        [200, ok('It was dropped', object({ table: text, dropped: { type: 'boolean' } }))],
        { parameters: [inPath('table')] },
      ),
    },
    '/v1/tables/{table}/indexes': {
      post: operation('Tables', 'Create an index', [201, ok('The table as it is now', reference('Table'))], {
        description: 'New segments have it at once; a task in the background builds it for those that are there.',
        parameters: [inPath('table')],
        requestBody: { required: true, content: json(schemaOf(indexRequest)) },
      }),
    },
    '/v1/tables/{table}/indexes/{index}': {
      delete: operation('Tables', 'Drop an index', [200, ok('The table as it is now', reference('Table'))], {
        parameters: [inPath('table'), inPath('index')],
      }),
    },
    '/v1/tables/{table}/segments': {
      get: operation(
        'Tables',
        'Committed segments of a table',
        [200, ok('The segments', object({ table: text, segments: array({ type: 'object' }) }))],
        { parameters: [inPath('table')] },
      ),
    },
    '/v1/tables/{table}/rows': {
      post: operation(
        'Ingestion',
        'Push rows',
        [200, ok('The rows are durable, and the next query sees them', reference('PushAnswer'))],
        {
          description:
            'Content-Encoding gzip is read. Good rows stand, bad ones are counted and named; strict refuses all for one. ' +
            'The same Idempotency-Key twice adds the rows once. Columns of Arrow are found by name, and cast; a reject names ' +
            'the number of its row as its line.',
          parameters: [
            inPath('table'),
            { name: 'strict', in: 'query', schema: { type: 'boolean' } },
            { name: 'Idempotency-Key', in: 'header', schema: text },
          ],
          requestBody: {
            required: true,
            content: {
              'application/x-ndjson': { schema: text },
              'application/json': { schema: array({ type: 'object' }) },
              'text/csv': { schema: text },
              'application/vnd.apache.arrow.stream': { schema: { type: 'string', format: 'binary' } },
            },
          },
        },
      ),
    },
    '/v1/tables/{table}/segments/{segment}': {
      delete: operation(
        'Tables',
        'Give up a segment: its rows are in no answer any more. For one that is damaged and cannot be restored',
        [200, ok('What was given up', object({ table: text, segment: text, rowsDropped: integer }))],
        { parameters: [inPath('table'), inPath('segment')] },
      ),
    },
    '/v1/tables/{table}/commit': {
      post: operation(
        'Ingestion',
        'Seal and publish the consuming rows now',
        [200, ok('Segments published', object({ segments: integer }))],
        { parameters: [inPath('table')] },
      ),
    },
    '/v1/tables/{table}/ingestion': {
      get: operation(
        'Ingestion',
        'State of every partition of a table, with causes',
        [200, ok('The partitions', object({ table: text, partitions: array({ type: 'object' }) }))],
        { parameters: [inPath('table')] },
      ),
    },
    '/v1/tables/{table}/ingestion/pause': {
      post: steering('Stop reading the topic, durably; what is there stays and answers queries', steered),
    },
    '/v1/tables/{table}/ingestion/resume': { post: steering('Go on reading the topic', steered) },
    '/v1/tables/{table}/ingestion/commit': {
      post: steering('Seal and publish the consuming rows now', object({ segments: integer })),
    },
    '/v1/tables/{table}/ingestion/seek': {
      post: steering(
        'Go on reading elsewhere',
        object({ partitions: array(object({ partition: integer, offset: integer })) }),
        'Backward, segments from there on are dropped, so that no row is there twice, and an offset inside a segment is rounded ' +
          'down to its start. Forward, what is between is accounted as skipped. An offset needs a partition.',
        seekRequest,
      ),
    },
    '/v1/ingestion': {
      get: operation('Ingestion', 'State of every partition, with causes', [
        200,
        ok('The partitions', object({ partitions: array({ type: 'object' }) })),
      ]),
    },
    ...loadPaths,
    '/v1/tasks': {
      get: operation('Operation', 'Tasks in the background, after the last that ended', [
        200,
        ok('The tasks', object({ tasks: array({ type: 'object' }) })),
      ]),
    },
    '/v1/tasks/{id}': {
      delete: operation(
        'Operation',
        'Cancel a task',
        [200, ok('It ends; what it has done stays', object({ taskId: text, cancelled: { type: 'boolean' } }))],
        { parameters: [inPath('id')] },
      ),
    },
    '/health/live': { get: operation('Operation', 'The process runs', [200, ok('It does', object({ status: text }))]) },
    '/health/ready': {
      get: operation(
        'Operation',
        'Queries are answered',
        [200, ok('Ready or degraded, with causes per check', reference('Health'))],
        { description: '503 where they are not.' },
      ),
    },
    '/metrics': {
      get: operation('Operation', 'Prometheus metrics', [
        200,
        { description: 'Text format', content: { 'text/plain': { schema: text } } },
      ]),
    },
  },
  components: {
    schemas: {
      Answer: object({
        columns: array(object({ name: text, type: text })),
        rows: array(array({})),
        complete: { type: 'boolean' },
        missing: array(text),
        freshness: { type: 'object' },
        stats: { type: 'object' },
        queryId: text,
      }),
      Error: object({
        error: {
          ...object({
            code: text,
            message: text,
            position: object({ line: integer, column: integer, offset: integer }),
            hint: text,
            details: { type: 'object' },
          }),
          required: ['code', 'message'],
        },
        queryId: text,
      }),
      Table: object({
        id: text,
        name: text,
        version: integer,
        createdAtMs: integer,
        columns: array(object({ id: integer, name: text, type: text, nullable: { type: 'boolean' }, default: {} })),
        timeColumn: { type: ['string', 'null'] },
        indexes: array(object({ column: text, kind: text })),
        source: { type: 'object' },
        settings: { type: 'object' },
        segments: integer,
        rows: integer,
        consumingRows: integer,
        sizeBytes: integer,
      }),
      PushAnswer: object({
        accepted: integer,
        rejected: integer,
        rejects: array(object({ line: integer, column: { type: ['string', 'null'] }, reason: text })),
        duplicate: { type: 'boolean' },
      }),
      ...loadSchemas,
      Health: object({
        status: { enum: ['ready', 'degraded', 'unavailable'] },
        checks: {
          type: 'object',
          additionalProperties: object({ ok: { type: 'boolean' }, causes: array(text) }),
        },
      }),
    },
  },
});
