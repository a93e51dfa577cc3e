/** Loads and uploads in the OpenAPI document. */
import { loadRequest } from './load-schema.ts';
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

const range = { ...object({ from: text, to: text }), type: ['object', 'null'] };

export const loadSchemas: Json = {
  Load: object({
    id: text,
    table: text,
    key: text,
    state: {
      enum: ['running', 'interrupted', 'finished', 'failed', 'cancelled'],
      description: 'interrupted: nobody works on it; asking for it again goes on with it',
    },
    files: array(object({ name: text, sizeBytes: integer })),
    replace: range,
    bytesRead: integer,
    bytesTotal: integer,
    rowsRead: integer,
    rowsLoaded: integer,
    rowsRejected: integer,
    rejects: array(object({ file: text, line: integer, column: { type: ['string', 'null'] }, reason: text })),
    createdAtMs: integer,
    finishedAtMs: { type: ['integer', 'null'] },
    error: { type: ['string', 'null'] },
  }),
  Upload: object({
    receivedBytes: integer,
    isWhole: { type: 'boolean', description: 'a load may name it' },
  }),
};

const started = object({
  load: reference('Load'),
  created: { type: ['string', 'null'], description: 'CREATE TABLE of the table that was made' },
  notes: array(text),
});

export const loadPaths: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {
  '/v1/loads': {
    get: operation('Loads', 'Loads under way, and the latest that ended', [
      200,
      ok('The loads', object({ loads: array(reference('Load')) })),
    ]),
    post: operation('Loads', 'Load files into a table', [202, ok('It is under way: poll it', started)], {
      description:
        'Rows show all at once, when the last is there. Asked for again, a load that finished adds nothing (200), and one ' +
        'that was interrupted goes on. Paths are read only below the folders of --load-from. With dryRun the answer (200) ' +
        'is the CREATE TABLE of what the files hold, and nothing changes.',
      requestBody: { required: true, content: json(schemaOf(loadRequest)) },
    }),
  },
  '/v1/loads/{load}': {
    get: operation('Loads', 'How a load stands', [200, ok('The load', reference('Load'))], {
      parameters: [inPath('load')],
    }),
    delete: operation(
      'Loads',
      'Cancel a load: nothing of it becomes visible',
      [200, ok('The load', reference('Load'))],
      {
        parameters: [inPath('load')],
      },
    ),
  },
  '/v1/uploads/{upload}': {
    get: operation('Loads', 'How much of an upload is there', [200, ok('The upload', reference('Upload'))], {
      parameters: [inPath('upload')],
    }),
    put: operation('Loads', 'The next part of an upload', [200, ok('The upload', reference('Upload'))], {
      description:
        'An upload is named by the SHA-256 of its content, in hexadecimal digits. Parts are of 64 MiB at most and come in order: ' +
        '`offset` is where it ends so far. It goes when the loads that name it have ended, or after a day.',
      parameters: [
        inPath('upload'),
        { name: 'offset', in: 'query', schema: integer, description: '0 unless given' },
        { name: 'size', in: 'query', schema: integer, description: 'of the whole; where this part ends unless given' },
      ],
      requestBody: {
        required: true,
        content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
      },
    }),
  },
};
