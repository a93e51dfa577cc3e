/** Ingestion over HTTP: its state, and what steers it. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { fault } from '../base/fault.ts';
import type { SeekTarget } from '../catalog/table.ts';
import type * as Json from '../client/types.ts';
import { parseTimestamp } from '../column/text.ts';
import { readJsonBody } from './body.ts';
import { type Door, sendJson } from './door.ts';
import { sqlBodySizeBytesMax } from './limits.ts';
import { check, ingestionRequest, seekRequest } from './schemas.ts';
import { type TableRoute, tableFinder } from './table-routes.ts';

export function addIngestionRoutes(app: FastifyInstance, door: Door): void {
  const { ingest } = door.components;
  const tableOf = tableFinder(door);

  /** An empty body is `{}`. */
  const bodyOf = async (request: FastifyRequest): Promise<unknown> =>
    request.headers['content-length'] === '0' || request.headers['content-type'] === undefined
      ? {}
      : readJsonBody(request.raw, sqlBodySizeBytesMax, door.bodies);

  app.get('/v1/ingestion', async (_, reply) => sendJson(reply, { partitions: await ingest.call('state', null) }));

  app.get<TableRoute>('/v1/tables/:table/ingestion', async (request, reply) => {
    const { id, name } = await tableOf(request);
    const states = await ingest.call('state', null);
    return sendJson(reply, { table: name, partitions: states.filter(({ tableId }) => tableId === id) });
  });

  const steer = async (request: FastifyRequest<TableRoute>, action: 'pause' | 'resume') => {
    const { partition = null } = check(ingestionRequest, await bodyOf(request));
    const { id: tableId, name } = await tableOf(request);
    await ingest.call(action, { tableId, partition });
    return { table: name, partition, state: action === 'pause' ? 'paused' : 'resumed' };
  };
  app.post<TableRoute>('/v1/tables/:table/ingestion/pause', async (request, reply) =>
    sendJson(reply, await steer(request, 'pause')),
  );
  app.post<TableRoute>('/v1/tables/:table/ingestion/resume', async (request, reply) =>
    sendJson(reply, await steer(request, 'resume')),
  );

  const commit = async (request: FastifyRequest<TableRoute>) => {
    const { partition } = check(ingestionRequest, await bodyOf(request));
    const { id: tableId } = await tableOf(request);
    return ingest.call('commit', partition === undefined ? { tableId } : { tableId, partition });
  };
  app.post<TableRoute>('/v1/tables/:table/commit', async (request, reply) => sendJson(reply, await commit(request)));
  app.post<TableRoute>('/v1/tables/:table/ingestion/commit', async (request, reply) =>
    sendJson(reply, await commit(request)),
  );

  app.post<TableRoute>('/v1/tables/:table/ingestion/seek', async (request, reply) => {
    const { partition = null, to } = check(seekRequest, await bodyOf(request));
    const target = targetOf(to);
    if (target.kind === 'offset' && partition === null)
      throw fault('INVALID_REQUEST', 'an offset is of one partition', { hint: 'name the partition' });
    const { id: tableId } = await tableOf(request);
    return sendJson(reply, await ingest.call('seek', { tableId, partition, to: target }));
  });
}

function targetOf(to: Json.SeekTarget): SeekTarget {
  if (typeof to === 'string') return { kind: to };
  if ('offset' in to) return { kind: 'offset', offset: to.offset };
  const timeMs = parseTimestamp(to.time);
  if (timeMs === null)
    throw fault('INVALID_REQUEST', `the body.to.time: ${to.time.slice(0, 100)} is no time`, {
      hint: 'write ISO 8601, as 2024-05-01T00:00:00Z',
    });
  return { kind: 'time', timeMs };
}
