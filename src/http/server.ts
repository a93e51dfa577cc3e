/** The HTTP door: Fastify, its limits, guards and routes. */
import { type FastifyInstance, fastify } from 'fastify';
import { unboundAccounts } from '../base/accounts.ts';
import { fault, faultKinds } from '../base/fault.ts';
import { Bodies } from './body.ts';
import { addClusterRoutes } from './cluster-routes.ts';
import type { Door, HttpComponents, HttpSettings } from './door.ts';
import { createGuard, securityHeaders } from './guard.ts';
import { createHealth } from './health.ts';
import { addIngestionRoutes } from './ingestion-routes.ts';
import {
  bodySizeBytesDefault,
  closeGraceMs,
  connectionCountMax,
  keepAliveTimeoutMs,
  pathParameterLengthMax,
  queryTimeoutMsDefault,
  requestTimeoutMs,
} from './limits.ts';
import { addLoadRoutes } from './load-routes.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { addOperateRoutes } from './operate-routes.ts';
import { addPageRoutes } from './page-routes.ts';
import { addSqlRoutes } from './sql-routes.ts';
import { errorAnswer, faultOf, retryAfterSeconds, statusOf } from './status.ts';
import { addTableRoutes } from './table-routes.ts';
import { addTaskRoutes } from './task-routes.ts';

export type { HttpComponents, HttpSettings } from './door.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Of `POST /v1/sql`; answers to it name it, errors too. */
    queryId: string | null;
  }
}

export const httpDefaults: HttpSettings = {
  host: '127.0.0.1',
  port: 8090,
  hostNames: [],
  origins: [],
  bodySizeBytesMax: bodySizeBytesDefault,
  queryTimeoutMs: queryTimeoutMsDefault,
  webFolder: null,
  version: '0.1.0',
};

export interface HttpServer {
  /** @throws FaultError PORT_IN_USE, UNAVAILABLE */
  listen(): Promise<{ readonly url: string; readonly port: number }>;
  /** Takes no more requests; answers under way get `closeGraceMs`. */
  close(): Promise<void>;
}

/** Routes are ready when it resolves; nothing listens yet. */
export async function createHttpServer(settings: HttpSettings, components: HttpComponents): Promise<HttpServer> {
  const metrics = createMetrics(components);
  const bodies = new Bodies(components.accounts ?? unboundAccounts(), components.clock);
  const door: Door = { settings, components, bodies, metrics };
  return openDoor(settings, components, metrics, async app => {
    addSqlRoutes(app, door);
    addTableRoutes(app, door);
    addIngestionRoutes(app, door);
    addLoadRoutes(app, door);
    addTaskRoutes(app, components);
    addClusterRoutes(app, components);
    addOperateRoutes(app, createHealth(components), metrics);
    await addPageRoutes(app, door);
  });
}

/** A door with its limits and guards. */
export async function openDoor(
  settings: HttpSettings,
  { clock, log }: Pick<HttpComponents, 'clock' | 'log'>,
  metrics: Pick<Metrics, 'observeRequest'>,
  addRoutes: (app: FastifyInstance) => Promise<void>,
): Promise<HttpServer> {
  let closing = false;
  const app = fastify({
    bodyLimit: settings.bodySizeBytesMax,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { maxParamLength: pathParameterLengthMax },
    frameworkErrors: (error, request, reply) => sendError(reply, error, request, log),
  });
  app.server.maxConnections = connectionCountMax;

  const guard = createGuard(settings);
  app.decorateRequest('queryId', null);
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(securityHeaders);
    if (closing) throw fault('SHUTTING_DOWN', 'the server is shutting down', { hint: 'try again in a moment' });
    guard(request.headers);
  });
  app.addHook('onResponse', async (request, reply) => {
    // Kept alive it would outlive the server, and `close` would wait for it.
    if (closing) request.raw.socket.destroySoon();
    const route = request.routeOptions.url ?? 'none';
    metrics.observeRequest(route, request.method, reply.statusCode, reply.elapsedTime);
    log.debug('answered', { method: request.method, route, status: reply.statusCode, durationMs: reply.elapsedTime });
  });
  // Routes read their bodies themselves: streams, with limits after decompression.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  app.setErrorHandler((error, request, reply) => sendError(reply, error, request, log));
  await addRoutes(app);
  await app.ready();

  return {
    listen: () => listen(app, settings),
    async close() {
      closing = true;
      const grace = new AbortController();
      const cut = clock.sleep(closeGraceMs, grace.signal).then(
        () => app.server.closeAllConnections(),
        () => {},
      );
      await app.close();
      grace.abort();
      await cut;
    },
  };
}

async function listen(app: FastifyInstance, { host, port }: HttpSettings): Promise<{ url: string; port: number }> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      throw fault('PORT_IN_USE', `port ${port} of ${host} is in use`, {
        hint: 'stop what listens there, or choose another with --http HOST:PORT',
      });
    throw fault('UNAVAILABLE', `cannot listen on ${host}:${port}: ${message}`, {
      hint: 'choose another address with --http HOST:PORT',
    });
  }
  const address = app.server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  const anywhere = host === '0.0.0.0' || host === '::';
  const name = anywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return { url: `http://${name}:${bound}`, port: bound };
}

type Reply = Parameters<Parameters<FastifyInstance['setErrorHandler']>[0]>[2];
type Request = Parameters<Parameters<FastifyInstance['setErrorHandler']>[0]>[1];

function sendError(reply: Reply, error: unknown, request: Request, log: HttpComponents['log']): void {
  const failure = faultOf(error);
  const status = statusOf(failure.code);
  if (failure.kind === 'internal' || failure.kind === 'corrupt')
    log.error('a request failed', { method: request.method, url: request.url, code: failure.code, error });
  const retryAfter = retryAfterSeconds(status, faultKinds[failure.code]);
  if (retryAfter !== null) reply.header('retry-after', retryAfter);
  reply
    .code(status)
    .headers(securityHeaders)
    .header('content-type', 'application/json; charset=utf-8')
    .send(`${JSON.stringify(errorAnswer(failure, request.queryId ?? undefined))}\n`);
}
