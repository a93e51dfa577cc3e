/** The processes of the cluster: which there are, and how one of them leaves. */
import type { FastifyInstance } from 'fastify';
import type { Client } from '../wire/call.ts';
import type { MemberCalls } from '../wire/cluster-calls.ts';
import { sendJson } from './door.ts';

export function addClusterRoutes(app: FastifyInstance, { members }: { readonly members: Client<MemberCalls> }): void {
  app.get('/v1/servers', async (_, reply) => sendJson(reply, { servers: await members.call('members', null) }));

  app.post<{ Params: { server: string } }>('/v1/servers/:server/drain', async (request, reply) => {
    const { server } = request.params;
    await members.call('drain', { serverId: server });
    return sendJson(reply, { server, state: 'draining' });
  });
}
