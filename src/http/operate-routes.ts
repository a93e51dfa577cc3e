/** Health and metrics. */
import type { FastifyInstance } from 'fastify';
import { type Door, sendJson } from './door.ts';
import { createHealth } from './health.ts';

export function addOperateRoutes(app: FastifyInstance, door: Door): void {
  const health = createHealth(door.components);

  app.get('/health/live', (_, reply) => sendJson(reply, { status: 'live' }));

  app.get('/health/ready', async (_, reply) => {
    const verdict = await health();
    return sendJson(reply.code(verdict.status === 'unavailable' ? 503 : 200), verdict);
  });

  app.get('/metrics', async (_, reply) =>
    reply.header('content-type', door.metrics.contentType).send(await door.metrics.scrape()),
  );
}
