/** A process that answers queries over other processes' data; it merges, and keeps nothing. */
import { createBroker } from '../../broker/broker.ts';
import { remoteSnapshots } from '../../broker/snapshot-source.ts';
import { createHttpServer } from '../../http/server.ts';
import type { Joined } from '../../server/join.ts';
import { createServer } from '../../server/server.ts';
import { parseStatement } from '../../sql/parse.ts';
import type { BrokerCalls } from '../../wire/broker-calls.ts';
import type { RemoteTaskCalls } from '../../wire/cluster-calls.ts';
import { local } from '../../wire/local.ts';
import { messagePortPort } from '../../wire/port.ts';
import { remote } from '../../wire/remote.ts';
import { serve } from '../../wire/serve.ts';
import type { ServerCalls } from '../../wire/server-calls.ts';
import { type Boot, diedOf, httpSettings, ownMemory, type Started } from '../boot.ts';
import { ownerClients } from '../cluster/channels.ts';
import { joinCluster, refusedBy, registrationOf } from '../cluster/join-cluster.ts';
import { openScatter } from '../cluster/open-scatter.ts';
import { tryController, wireSettings } from '../cluster/wire-settings.ts';
import { startShards } from '../shard-threads.ts';

export async function startBroker(boot: Boot): Promise<Started> {
  const { settings, world, onStop } = boot;
  const wire = await wireSettings(boot);
  await tryController(settings.join!, wire);
  const memory = await ownMemory(boot);
  const { accounts, shares, answerBytes } = memory;
  const { arenaBytes, queryMemoryBytes } = shares;
  const { threads, shards } = startShards(
    { ...settings, arenaBytes, accounts: accounts.buffer, filesFolder: settings.dataFolder, callerCount: 0 },
    port => serve<RemoteTaskCalls>(messagePortPort(port), { task: (...args) => scatter.tasks.task(...args) }),
  );
  for (const thread of threads) onStop(() => thread.stop());
  const controllers = remote(settings.join!, wire);
  onStop(async () => controllers.close());
  const { controller, ingest, loads, members, snapshots, server: ownersServer, leaf } = ownerClients(controllers);
  const own = local<ServerCalls>(createServer(shards));
  const scatter = openScatter(boot, wire, { members, shards, own, owner: { server: ownersServer, leaf } });
  parseStatement('SELECT 1');
  await Promise.all(threads.map(thread => thread.ready));
  let joined: Joined | null = null;
  const memberId = `broker-${world.random.hex(12)}`;
  const server = local<ServerCalls>(scatter.server);
  const broker = local<BrokerCalls>(
    createBroker(
      { queryMemoryBytes, answerBytes },
      {
        ...{ ...world, controller, ingest, server, members, accounts, memory: memory.states },
        snapshots: remoteSnapshots(snapshots, memberId),
      },
    ),
  );
  const http = await createHttpServer(httpSettings(settings, memory), {
    ...{ ...world, broker, controller, ingest, loads, members, accounts, memory: memory.states },
    shards: () => own.call('status', null),
    causes: () => (joined?.trouble ? [joined.trouble] : []),
  });
  const { url, port } = await http.listen();
  onStop(() => http.close());
  // Nobody calls a broker but its users: its address is that of its door.
  const registration = registrationOf(boot, 'broker', memberId, { host: settings.host, port });
  joined = await joinCluster(boot, registration, members, () => {});
  onStop(() => joined!.leave());
  return { url, died: diedOf(threads, refusedBy(joined)), banner: `Weir is ready: ${url}/ui\n` };
}
