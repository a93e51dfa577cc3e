/** `POST /v1/sql`, and the queries that run. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Fault, fault, toFault } from '../base/fault.ts';
import { decodeBatch } from '../column/frame.ts';
import type { QueryRequest, ResultColumn } from '../wire/broker-calls.ts';
import { answerTypes, chooseFormat, createAnswerWriter } from './answer.ts';
import { readJsonBody } from './body.ts';
import { type Door, queryIdOf, sendJson } from './door.ts';
import { chunkSizeBytes, deadlineGraceMs, slowReaderTimeoutMs, sqlBodySizeBytesMax } from './limits.ts';
import { ResponseBody } from './response.ts';
import { check, sqlRequest } from './schemas.ts';
import { ByteSink } from './sink.ts';

export function addSqlRoutes(app: FastifyInstance, door: Door): void {
  const { broker } = door.components;

  app.post('/v1/sql', (request, reply) => answerSql(request, reply, door));

  app.get('/v1/queries', async (_, reply) => sendJson(reply, { queries: await broker.call('queries', null) }));

  app.delete<{ Params: { id: string } }>('/v1/queries/:id', async (request, reply) => {
    const queryId = request.params.id;
    const { cancelled } = await broker.call('cancel', { queryId });
    if (!cancelled)
      throw fault('UNKNOWN_QUERY', `no query ${queryId.slice(0, 64)} runs here`, {
        hint: 'it may have ended; GET /v1/queries lists those that run',
      });
    return sendJson(reply, { queryId, cancelled });
  });
}

async function answerSql(request: FastifyRequest, reply: FastifyReply, door: Door): Promise<FastifyReply> {
  const { broker, random, clock } = door.components;
  const queryId = queryIdOf(request, random);
  // An error's answer names the query too.
  request.queryId = queryId;
  reply.header('x-request-id', queryId);
  const format = chooseFormat(request.headers.accept);
  const body = check(sqlRequest, await readJsonBody(request.raw, sqlBodySizeBytesMax, door.bodies));
  if (body.allowPartial && format === 'csv')
    throw fault('INVALID_REQUEST', 'CSV has no place to say that an answer is partial', {
      hint: 'ask for application/json or application/x-ndjson, or leave allowPartial out',
    });
  const query: QueryRequest = {
    queryId,
    sql: body.sql,
    parameters: body.parameters ?? [],
    timeoutMs: body.timeoutMs ?? door.settings.queryTimeoutMs,
    allowPartial: body.allowPartial ?? false,
    identity: 'anonymous',
    timeZone: 'UTC',
  };

  const disconnected = new AbortController();
  const onClose = (): void => {
    if (!reply.raw.writableFinished) disconnected.abort(fault('CANCELLED', 'the client closed the connection'));
  };
  reply.raw.once('close', onClose);
  const startedMs = clock.monotonicMs();
  let opened = false;
  let failure: Fault | null = null;
  try {
    const { columns } = await broker.call('open', query, { signal: disconnected.signal });
    opened = true;
    failure = await sendAnswer(reply, door, query, columns, format, disconnected.signal);
  } catch (error) {
    failure = toFault(error);
    throw error;
  } finally {
    reply.raw.off('close', onClose);
    // Whatever went wrong between `open` and the last frame: nothing of the query stays behind.
    if (failure !== null && (opened || disconnected.signal.aborted))
      await broker.call('cancel', { queryId }).catch(() => {});
    door.metrics.observeQuery(failure, clock.monotonicMs() - startedMs);
  }
  return reply;
}

/**
 * Streams the rows. An answer smaller than a chunk is sent whole at its end; until the first piece is out, a failure is
 * thrown, and so answered with its true status.
 * @returns what failed after that
 */
async function sendAnswer(
  reply: FastifyReply,
  door: Door,
  { queryId, timeoutMs }: QueryRequest,
  columns: readonly ResultColumn[],
  format: keyof typeof answerTypes,
  signal: AbortSignal,
): Promise<Fault | null> {
  const sink = new ByteSink(chunkSizeBytes + 1024);
  const writer = createAnswerWriter(format, sink, queryId);
  const response = new ResponseBody(reply.raw, door.components.clock, slowReaderTimeoutMs, timeoutMs + deadlineGraceMs);
  const flush = async (): Promise<void> => {
    if (!response.started) {
      reply.hijack();
      response.start({ ...reply.getHeaders(), 'content-type': answerTypes[format] });
    }
    await response.write(sink.take());
  };
  const frames = door.components.broker.stream('fetch', { queryId }, { signal });
  try {
    writer.begin(columns);
    for (;;) {
      const next = await frames.next();
      if (next.done) {
        writer.end(next.value);
        break;
      }
      const batch = decodeBatch(next.value);
      for (let row = 0; row < batch.rowCount; ) {
        row = writer.writeRows(batch, row, chunkSizeBytes);
        if (sink.length >= chunkSizeBytes) await flush();
      }
      // A stream's reader wants rows as they come.
      if (format === 'ndjson' && sink.length > 0) await flush();
    }
  } catch (error) {
    await frames.return(undefined as never).catch(() => {});
    if (!response.started) throw error;
    const failure = toFault(error);
    if (writer.fail(failure)) response.break(sink.take());
    else response.end(sink.take());
    return failure;
  }
  const rest = sink.take();
  if (response.started) response.end(rest);
  else reply.header('content-type', answerTypes[format]).send(Buffer.from(rest.buffer, 0, rest.length));
  return null;
}
