/** `/v1/tables…`: definitions as JSON, rows pushed in, segments. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { fault } from '../base/fault.ts';
import { findTable } from '../catalog/name.ts';
import type { TableChange, TableDefinition, TableSnapshot } from '../catalog/table.ts';
import type { IngestState, RowFormat } from '../wire/ingest-calls.ts';
import { mediaTypeOf, readBody, readJsonBody } from './body.ts';
import { type Door, sendJson } from './door.ts';
import { changesOfRequest } from './json-changes.ts';
import { segmentInfo, type TableSize, tableInfo, tableOfRequest } from './json-model.ts';
import { idempotencyKeyLengthMax, sqlBodySizeBytesMax } from './limits.ts';
import { alterRequest, check, indexRequest, tableRequest } from './schemas.ts';

const rowFormats: Readonly<Record<string, RowFormat>> = {
  'application/x-ndjson': 'ndjson',
  'application/ndjson': 'ndjson',
  'application/jsonl': 'ndjson',
  'application/json': 'json',
  'text/csv': 'csv',
  'application/vnd.apache.arrow.stream': 'arrow',
  'application/vnd.apache.arrow.file': 'arrow',
};

export type TableRoute = { Params: { table: string } };

/** The table that a route names. @throws FaultError UNKNOWN_TABLE */
export const tableFinder =
  ({ components: { controller } }: Door) =>
  async (request: { readonly params: TableRoute['Params'] }): Promise<TableDefinition> =>
    findTable((await controller.call('catalog', null)).tables, request.params.table);

export function addTableRoutes(app: FastifyInstance, door: Door): void {
  const { broker, controller, ingest } = door.components;

  const tableOf = tableFinder(door);

  app.get('/v1/tables', async (_, reply) => {
    const { tables } = await controller.call('catalog', null);
    const sizes = await tableSizes(door, tables);
    return sendJson(reply, { tables: tables.map(table => tableInfo(table, sizes.get(table.id)!)) });
  });

  app.get<TableRoute>('/v1/tables/:table', async (request, reply) => {
    const table = await tableOf(request);
    const sizes = await tableSizes(door, [table]);
    return sendJson(reply, tableInfo(table, sizes.get(table.id)!));
  });

  app.post('/v1/tables', async (request, reply) => {
    const body = check(tableRequest, await readJsonBody(request.raw, sqlBodySizeBytesMax, door.bodies));
    const definition = tableOfRequest(body);
    const table = await broker.call('createTable', { definition, ifNotExists: body.ifNotExists ?? false });
    return sendJson(reply.code(201), tableInfo(table, { segments: [], consumingRows: 0 }));
  });

  /** The table after it was changed. */
  const answerTable = async (reply: FastifyReply, table: TableDefinition): Promise<FastifyReply> =>
    sendJson(reply, tableInfo(table, (await tableSizes(door, [table])).get(table.id)!));

  app.patch<TableRoute>('/v1/tables/:table', async (request, reply) => {
    const body = check(alterRequest, await readJsonBody(request.raw, sqlBodySizeBytesMax, door.bodies));
    const table = await tableOf(request);
    const changes = changesOfRequest(table, body.actions);
    return answerTable(reply, await broker.call('alterTable', { table: table.name, changes }));
  });

  app.post<TableRoute>('/v1/tables/:table/indexes', async (request, reply) => {
    const body = check(indexRequest, await readJsonBody(request.raw, sqlBodySizeBytesMax, door.bodies));
    const { column, kind: index = 'inverted', name = null, ifNotExists = false } = body;
    const changes: TableChange[] = [{ kind: 'createIndex', column, index, name, ifNotExists }];
    const table = await broker.call('alterTable', { table: (await tableOf(request)).name, changes });
    return answerTable(reply.code(201), table);
  });

  app.delete<{ Params: { table: string; index: string } }>(
    '/v1/tables/:table/indexes/:index',
    async (request, reply) => {
      const { index: name } = request.params;
      const changes: TableChange[] = [{ kind: 'dropIndex', name, ifExists: false }];
      return answerTable(reply, await broker.call('alterTable', { table: (await tableOf(request)).name, changes }));
    },
  );

  app.delete<TableRoute>('/v1/tables/:table', async (request, reply) => {
    const { name } = await tableOf(request);
    const { dropped } = await controller.call('dropTable', { name, ifExists: false });
    return sendJson(reply, { table: name, dropped });
  });

  app.get<TableRoute>('/v1/tables/:table/segments', async (request, reply) => {
    const table = await tableOf(request);
    const sizes = await tableSizes(door, [table]);
    return sendJson(reply, { table: table.name, segments: sizes.get(table.id)!.segments.map(segmentInfo) });
  });

  app.delete<{ Params: { table: string; segment: string } }>(
    '/v1/tables/:table/segments/:segment',
    async (request, reply) => {
      const { id: tableId, name } = findTable((await controller.call('catalog', null)).tables, request.params.table);
      const { segment: segmentId } = request.params;
      const { rowCount } = await controller.call('dropSegment', { tableId, segmentId });
      return sendJson(reply, { table: name, segment: segmentId, rowsDropped: rowCount });
    },
  );

  app.post<TableRoute & { Querystring: { strict?: string } }>('/v1/tables/:table/rows', async (request, reply) => {
    const format = rowFormatOf(request);
    const strict = flagOf('strict', request.query.strict);
    const idempotencyKey = idempotencyKeyOf(request);
    const table = await tableOf(request);
    const body = await readBody(request.raw, door.settings.bodySizeBytesMax, door.bodies);
    try {
      const answer = await ingest.call(
        'push',
        { tableId: table.id, format, body: body.bytes, strict, idempotencyKey },
        { transfer: [body.bytes.buffer] },
      );
      if (!answer.duplicate) door.metrics.observePush(table.name, answer);
      return sendJson(reply, answer);
    } finally {
      body.release();
    }
  });
}

/** Sizes of several tables in one consistent state of the metadata. */
export async function tableSizes(
  { components: { controller, ingest, random } }: Pick<Door, 'components'>,
  tables: readonly TableDefinition[],
): Promise<ReadonlyMap<string, TableSize>> {
  const leaseId = `http-${random.hex(16)}`;
  const tableIds = tables.map(table => table.id);
  // First, so that the metadata is never older: what was published in between is seen, and not counted twice.
  const states = await ingest.call('state', null);
  const snapshot = await controller
    .call('snapshot', { leaseId, tableIds })
    .finally(() => controller.call('release', { leaseId }));
  const byId = new Map(snapshot.tables.map(table => [table.definition.id, table]));
  return new Map(
    tableIds.map(id => [
      id,
      tableSize(
        byId.get(id),
        states.filter(state => state.tableId === id),
      ),
    ]),
  );
}

/** A table dropped since is empty. Rows that were published after the state was asked for are its segments' by now. */
const tableSize = (table: TableSnapshot | undefined, states: readonly IngestState[]): TableSize => {
  const segments = table?.segments ?? [];
  const consumingRows = states.reduce((sum, state) => {
    const published = segments.filter(
      ({ partition, startOffset }) => partition === state.partition && startOffset >= state.committedEnd,
    );
    return sum + Math.max(0, state.consumingRows - published.reduce((rows, { rowCount }) => rows + rowCount, 0));
  }, 0);
  return { segments, consumingRows: table ? consumingRows : 0 };
};

function rowFormatOf(request: FastifyRequest): RowFormat {
  const type = mediaTypeOf(request.raw);
  const format = rowFormats[type];
  if (format !== undefined) return format;
  throw fault('INVALID_REQUEST', `rows of Content-Type ${type.slice(0, 100) || '(none)'} are not read`, {
    hint:
      'send application/x-ndjson, application/json (an array of objects), text/csv (with a header) or ' +
      'application/vnd.apache.arrow.stream',
  });
}

function flagOf(name: string, text: unknown): boolean {
  if (text === undefined || text === 'false') return false;
  if (text === 'true' || text === '') return true;
  throw fault('INVALID_PARAMETER', `${name} is true or false, not ${String(text).slice(0, 50)}`);
}

function idempotencyKeyOf(request: FastifyRequest): string | null {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key === 'string' && key.length <= idempotencyKeyLengthMax && /^[\x21-\x7e]+$/.test(key)) return key;
  throw fault('INVALID_REQUEST', 'the Idempotency-Key is not well formed', {
    hint: `send 1 to ${idempotencyKeyLengthMax} printable ASCII characters, without spaces`,
  });
}
