/** A process that holds committed segments in shards, and answers other processes' queries over them. */
import { createStatusServer } from '../../http/status-server.ts';
import { CacheFolder } from '../../server/cache-folder.ts';
import { Holdings } from '../../server/holdings.ts';
import { createLeaf } from '../../server/leaf.ts';
import { createLoader } from '../../server/loader.ts';
import { createServer } from '../../server/server.ts';
import { local } from '../../wire/local.ts';
import { remote } from '../../wire/remote.ts';
import type { ServerCalls } from '../../wire/server-calls.ts';
import { addressText, listenTcp } from '../../wire/tcp.ts';
import { type Boot, diedOf, httpSettings, ownMemory, type Started } from '../boot.ts';
import { ownerClients, serveLeaf } from '../cluster/channels.ts';
import { joinCluster, refusedBy, registrationOf } from '../cluster/join-cluster.ts';
import { serverId } from '../cluster/member-id.ts';
import { ownAddress, tryController, wireSettings } from '../cluster/wire-settings.ts';
import { folders } from '../folders.ts';
import { ownFolder } from '../own-folder.ts';
import { startShards } from '../shard-threads.ts';

/** Between leaving and closing: brokers learn of it, and send their next queries elsewhere. */
const leaveMs = 300;

export async function startServer(boot: Boot): Promise<Started> {
  const { settings, world, onStop } = boot;
  const wire = await wireSettings(boot);
  const address = ownAddress(settings);
  await tryController(settings.join!, wire);
  await ownFolder(boot);
  const id = await serverId(settings.dataFolder, world.disk, world.random);
  const filesFolder = folders(settings.dataFolder).cache;
  const memory = await ownMemory(boot);
  const { accounts, shares } = memory;
  const { threads, shards } = startShards(
    { ...settings, arenaBytes: shares.arenaBytes, accounts: accounts.buffer, filesFolder, callerCount: 0 },
    null,
  );
  for (const thread of threads) onStop(() => thread.stop());
  await Promise.all(threads.map(thread => thread.ready));
  const own = local<ServerCalls>(createServer(shards));

  const controller = remote(settings.join!, wire);
  onStop(async () => controller.close());
  const { members, store } = ownerClients(controller);
  const holdings = new Holdings();
  const leaf = createLeaf({ clock: world.clock, shards, holdings, onDamaged: ids => loader.damaged(ids) });
  const listener = await listenTcp(address, wire, port => serveLeaf(port, leaf));
  // Running queries end first: a port closes only when nobody sends on it any more.
  onStop(() => listener.close());
  const registration = registrationOf(boot, 'server', id, listener.address);
  const loader = createLoader(registration, {
    ...{ ...world, members, store, holdings, cache: new CacheFolder(world.disk, filesFolder) },
    evict: async segmentIds => void (await own.call('evict', { segmentIds })),
  });
  const stopping = new AbortController();
  const loading = loader.run(stopping.signal);
  onStop(async () => {
    stopping.abort();
    await loading;
  });
  const joined = await joinCluster(boot, registration, members, () => loader.registered());
  onStop(async () => {
    await joined.leave();
    await world.clock.sleep(leaveMs);
    await leaf.idle();
  });

  const http = await createStatusServer(httpSettings(settings, memory), {
    memory: memory.states,
    ...{ ...world, members, shards: () => own.call('status', null) },
    causes: () => (joined.trouble === null ? [] : [joined.trouble]),
  });
  const { url } = await http.listen();
  onStop(() => http.close());
  return {
    url,
    died: diedOf(threads, refusedBy(joined)),
    banner: `Weir is ready: ${url}/health/ready (server ${id} at ${addressText(listener.address)})\n`,
  };
}
