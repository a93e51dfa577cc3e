/** `/v1/loads…` and `/v1/uploads…`: batch loads, and the files that they read. */
import type { FastifyInstance } from 'fastify';
import { fault } from '../base/fault.ts';
import type * as Json from '../client/types.ts';
import { formatTimestampIso, parseTimestamp } from '../column/text.ts';
import type { LoadRequest, LoadStatus } from '../wire/load-calls.ts';
import { readBody, readJsonBody } from './body.ts';
import { type Door, sendJson } from './door.ts';
import { loadBodySizeBytesMax } from './limits.ts';
import { type LoadBody, loadRequest } from './load-schema.ts';
import { check } from './schemas.ts';

type LoadRoute = { Params: { load: string } };
type UploadRoute = { Params: { upload: string }; Querystring: { offset?: string; size?: string } };

export function addLoadRoutes(app: FastifyInstance, door: Door): void {
  const { loads } = door.components;

  app.post('/v1/loads', async (request, reply) => {
    const body = check(loadRequest, await readJsonBody(request.raw, loadBodySizeBytesMax, door.bodies));
    const asked = requestOf(body);
    if (body.dryRun) return sendJson(reply, await loads.call('propose', asked));
    const { load, created, notes } = await loads.call('start', asked);
    const isUnderWay = load.state === 'running';
    return sendJson(reply.code(isUnderWay ? 202 : 200), { load: loadInfo(load), created, notes });
  });

  app.get('/v1/loads', async (_, reply) => sendJson(reply, { loads: (await loads.call('list', null)).map(loadInfo) }));

  app.get<LoadRoute>('/v1/loads/:load', async (request, reply) =>
    sendJson(reply, loadInfo(await loads.call('get', { loadId: request.params.load }))),
  );

  app.delete<LoadRoute>('/v1/loads/:load', async (request, reply) =>
    sendJson(reply, loadInfo(await loads.call('cancel', { loadId: request.params.load }))),
  );

  app.get<UploadRoute>('/v1/uploads/:upload', async (request, reply) =>
    sendJson(reply, await loads.call('uploadState', { uploadId: request.params.upload })),
  );

  app.put<UploadRoute>('/v1/uploads/:upload', async (request, reply) => {
    const { upload: uploadId } = request.params;
    const offset = countOf('offset', request.query.offset ?? '0');
    const body = await readBody(request.raw, door.settings.bodySizeBytesMax, door.bodies);
    try {
      const totalBytes = countOf('size', request.query.size ?? String(offset + body.bytes.length));
      return sendJson(reply, await loads.call('putUpload', { uploadId, offset, totalBytes, bytes: body.bytes }));
    } finally {
      body.release();
    }
  });
}

function requestOf({
  table,
  files,
  rejectsMax,
  replace,
  key,
  create,
  timeColumn,
  dryRun: _,
  ...options
}: LoadBody): LoadRequest {
  return {
    ...{ table, files, options, rejectsMax: rejectsMax ?? null, key: key ?? null, create: create ?? false },
    ...(timeColumn !== undefined && { timeColumn }),
    replace: replace ? rangeOf(replace) : null,
  };
}

function rangeOf({ from, to }: { from: string; to: string }): { fromMs: number; toMs: number } {
  const fromMs = timeOf('from', from);
  const toMs = timeOf('to', to);
  if (fromMs < toMs) return { fromMs, toMs };
  throw fault('INVALID_REQUEST', `the body.replace: ${from} is not before ${to}`, {
    hint: 'rows from the first moment on, up to but not including the second, are replaced',
  });
}

function timeOf(name: string, text: string): number {
  const timeMs = parseTimestamp(text);
  if (timeMs !== null) return timeMs;
  throw fault('INVALID_REQUEST', `the body.replace.${name}: ${text.slice(0, 100)} is no time`, {
    hint: 'write ISO 8601, as 2024-05-01 or 2024-05-01T00:00:00Z',
  });
}

function countOf(name: string, text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(count)) return count;
  throw fault('INVALID_PARAMETER', `${name} is a number of bytes, not ${text.slice(0, 50)}`);
}

const loadInfo = ({ inputs, replace, sequence: _, loadsBelow: __, ...load }: LoadStatus): Json.LoadInfo => ({
  ...load,
  files: inputs.map(({ name, sizeBytes }) => ({ name, sizeBytes })),
  replace: replace && { from: formatTimestampIso(replace.fromMs), to: formatTimestampIso(replace.toMs) },
});
