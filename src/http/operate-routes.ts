/** Health and metrics. */
import type { FastifyInstance } from 'fastify';
import type { Health } from '../client/types.ts';
import { sendJson } from './door.ts';
import type { Metrics } from './metrics.ts';

export function addOperateRoutes(
  app: FastifyInstance,
  health: () => Promise<Health>,
  metrics: Pick<Metrics, 'contentType' | 'scrape'>,
): void {
  app.get('/health/live', (_, reply) => sendJson(reply, { status: 'live' }));

  app.get('/health/ready', async (_, reply) => {
    const verdict = await health();
    return sendJson(reply.code(verdict.status === 'unavailable' ? 503 : 200), verdict);
  });

  app.get('/metrics', async (_, reply) =>
    reply.header('content-type', metrics.contentType).send(await metrics.scrape()),
  );
}
