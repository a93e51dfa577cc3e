/** What runs in the background. */
import type { FastifyInstance } from 'fastify';
import { fault } from '../base/fault.ts';
import { type HttpComponents, sendJson } from './door.ts';

export function addTaskRoutes(app: FastifyInstance, { controller }: Pick<HttpComponents, 'controller'>): void {
  app.get('/v1/tasks', async (_, reply) => sendJson(reply, { tasks: await controller.call('tasks', null) }));

  app.delete<{ Params: { id: string } }>('/v1/tasks/:id', async (request, reply) => {
    const taskId = request.params.id;
    const { cancelled } = await controller.call('cancelTask', { taskId });
    if (!cancelled)
      throw fault('NOT_FOUND', `no task ${taskId.slice(0, 64)} runs`, {
        hint: 'it may have ended; GET /v1/tasks lists those that run',
      });
    return sendJson(reply, { taskId, cancelled });
  });
}
