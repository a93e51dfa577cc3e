/**
 * The process that owns a data folder: controller and ingestion, and in `all` every other role too. Controller, broker,
 * server and the HTTP door share the main thread, which touches bounded output only; shards, ingestion and the builder
 * have threads of their own. With a port for other processes, their servers take part in this one's queries as well.
 */

import { nodeFileTree } from '../../base/node-file-tree.ts';
import { createBroker } from '../../broker/broker.ts';
import { ownSnapshots, snapshotDoor } from '../../broker/snapshot-source.ts';
import { type Controller, createController } from '../../controller/controller.ts';
import { storeDoor } from '../../controller/store-door.ts';
import { createHttpServer } from '../../http/server.ts';
import { createStatusServer } from '../../http/status-server.ts';
import { createLoadRole, type LoadRole } from '../../load/load.ts';
import { openSqliteMeta } from '../../meta/sqlite.ts';
import { reportDamage } from '../../server/damage.ts';
import { createLeaf } from '../../server/leaf.ts';
import { createServer } from '../../server/server.ts';
import { parseStatement } from '../../sql/parse.ts';
import { DiskStore } from '../../store/disk-store.ts';
import type { BrokerCalls } from '../../wire/broker-calls.ts';
import type { Client } from '../../wire/call.ts';
import type { MemberCalls, RemoteTaskCalls } from '../../wire/cluster-calls.ts';
import type { ControllerCalls } from '../../wire/controller-calls.ts';
import type { IngestCalls } from '../../wire/ingest-calls.ts';
import type { LoadCalls } from '../../wire/load-calls.ts';
import { local } from '../../wire/local.ts';
import { messagePortPort } from '../../wire/port.ts';
import { serve } from '../../wire/serve.ts';
import type { ServerCalls } from '../../wire/server-calls.ts';
import type { TaskCalls } from '../../wire/task-calls.ts';
import { addressText, listenTcp, type TcpAddress } from '../../wire/tcp.ts';
import { type Boot, diedOf, httpSettings, ownMemory, type Started } from '../boot.ts';
import { type OwnerRoles, relay, serveOwner } from '../cluster/channels.ts';
import { openScatter } from '../cluster/open-scatter.ts';
import { type WireSettings, wireSettings } from '../cluster/wire-settings.ts';
import { demoIsWelcome, startDemo } from '../demo.ts';
import { folders } from '../folders.ts';
import type { Memory } from '../memory.ts';
import { ownFolder } from '../own-folder.ts';
import { startOwnerThreads } from '../owner-threads.ts';
import { controllerSettings, release } from '../settings.ts';
import { taskThread } from '../task-thread.ts';

export async function startOwner(boot: Boot): Promise<Started> {
  const { settings, world, onStop } = boot;
  const paths = folders(settings.dataFolder);
  const wire = settings.wire && (await wireSettings(boot));
  await ownFolder(boot);
  const memory = await ownMemory(boot);
  const { accounts, shares, answerBytes } = memory;
  const store = new DiskStore(world.disk, paths.store);
  const listening: { at: TcpAddress | null } = { at: null };
  const roles: { ingest?: Client<IngestCalls>; server?: Client<ServerCalls> } = {};
  const { controller: controllerRole, tasks } = await openController(boot, memory, store, roles, () => listening.at);
  const controller = local<ControllerCalls>(controllerRole);
  const members = local<MemberCalls>(controllerRole.membership);

  const threads = startOwnerThreads(
    settings,
    memory,
    port => serve<ControllerCalls>(messagePortPort(port), controllerRole),
    wire &&
      (port => serve<RemoteTaskCalls>(messagePortPort(port), { task: (...args) => scatter!.tasks.task(...args) })),
  );
  const { shards, ingest } = threads;
  const own = createServer(shards);
  const ownServer = local<ServerCalls>(own);
  const scatter = wire && openScatter(boot, wire, { members, shards, own: ownServer, owner: null });
  for (const thread of threads.all) onStop(() => thread.stop());
  // The parser's tables are built when first used: now, while the threads start, and not by the first query.
  parseStatement('SELECT 1');
  await Promise.all(threads.all.map(thread => thread.ready));
  roles.ingest = ingest;
  roles.server = ownServer;
  const sweeping = controllerRole.run();
  onStop(async () => {
    await controllerRole.stop();
    await sweeping;
  });
  reportAlways(boot, { shards, controller });
  const server = scatter ? local<ServerCalls>(scatter.server) : ownServer;
  const broker = local<BrokerCalls>(
    createBroker(
      { queryMemoryBytes: shares.queryMemoryBytes, answerBytes },
      { ...world, controller, ingest, server, members, accounts, memory: memory.states },
    ),
  );
  const loadRole = openLoads(boot, { broker, controller, ingest, tasks });
  if (wire)
    listening.at = await listenForOthers(boot, wire, {
      ...{ controller: controllerRole, members: controllerRole.membership, store: storeDoor(store) },
      ...{ ingest: relay<IngestCalls>(ingest), loads: loadRole, server: own },
      snapshots: snapshotDoor(ownSnapshots(controller, ownServer), world),
      leaf: createLeaf({ clock: world.clock, shards, holdings: null, onDamaged() {} }),
    });

  const died = diedOf(threads.all);
  const joining = listening.at ? `Other processes join with --join ${addressText(listening.at)}\n` : '';
  const status = { ...world, members, memory: memory.states, shards: () => ownServer.call('status', null) };
  if (settings.roles === 'owner') {
    const http = await createStatusServer(httpSettings(settings, memory), { ...status, causes: () => [] });
    const { url } = await http.listen();
    onStop(() => http.close());
    return { url, died, banner: `Weir is ready: ${url}/health/ready (controller, ingest)\n${joining}` };
  }
  const loads = local<LoadCalls>(loadRole);
  const http = await createHttpServer(httpSettings(settings, memory), {
    ...{ ...status, broker, controller, ingest, loads, accounts },
  });
  const { url } = await http.listen();
  onStop(() => http.close());
  const demo = settings.demo && (await demoIsWelcome(controller));
  if (demo) onStop(await startDemo(url, settings, world));
  return { url, died, banner: bannerOf(url, demo ? settings.demoRatePerSecond : null) + joining };
}

/** With the metadata and the thread of background tasks, which it alone uses. */
async function openController(
  { settings, world, onStop }: Boot,
  { accounts, shares }: Memory,
  store: DiskStore,
  roles: { readonly ingest?: Client<IngestCalls>; readonly server?: Client<ServerCalls> },
  listeningAt: () => TcpAddress | null,
): Promise<{ controller: Controller; tasks: Client<TaskCalls> }> {
  const meta = await openSqliteMeta(folders(settings.dataFolder).meta);
  onStop(() => meta.close());
  const tasks = taskThread(settings, accounts.buffer, shares.loadBufferSizeBytes, port =>
    serve<ControllerCalls>(messagePortPort(port), controller),
  );
  onStop(() => tasks.stop());
  const startedAtMs = world.clock.nowMs();
  const controller = await createController(controllerSettings(settings), {
    ...{ ...world, meta, store, tasks: tasks.client },
    self: () => {
      const at = listeningAt();
      return {
        roles: settings.roles === 'all' ? ['controller', 'ingest', 'server', 'broker'] : ['controller', 'ingest'],
        address: at && addressText(at),
        ...{ startedAtMs, release },
      };
    },
    listeners: {
      catalogChanged: async () => void (await roles.ingest?.call('refresh', null)),
      segmentsGone: async segmentIds => void (await roles.server?.call('evict', { segmentIds })),
    },
  });
  return { controller, tasks: tasks.client };
}

/** What its shards find damaged, the controller hears. */
function reportAlways(
  { world, onStop }: Boot,
  roles: Pick<Parameters<typeof reportDamage>[0], 'shards' | 'controller'>,
): void {
  const stopping = new AbortController();
  const reported = reportDamage({ ...world, ...roles }, stopping.signal);
  onStop(async () => {
    stopping.abort();
    await reported;
  });
}

function openLoads(
  { settings, world, onStop }: Boot,
  roles: Pick<Parameters<typeof createLoadRole>[1], 'broker' | 'controller' | 'ingest' | 'tasks'>,
): LoadRole {
  const role = createLoadRole(
    { folders: settings.loadFolders, uploadsFolder: folders(settings.dataFolder).uploads },
    { ...world, files: nodeFileTree, ...roles },
  );
  const stopping = new AbortController();
  const sweeping = role.run(stopping.signal);
  onStop(async () => {
    stopping.abort();
    await sweeping;
  });
  return role;
}

async function listenForOthers(
  { settings, world, onStop }: Boot,
  wire: WireSettings,
  roles: OwnerRoles,
): Promise<TcpAddress> {
  const listener = await listenTcp(settings.wire!, wire, port => serveOwner(port, roles));
  onStop(() => listener.close());
  world.log.info('other processes may join', { address: addressText(listener.address) });
  return listener.address;
}

function bannerOf(url: string, demoRatePerSecond: number | null): string {
  const sql = demoRatePerSecond === null ? 'SELECT 1' : 'SELECT COUNT(*) FROM payments';
  return [
    `Weir is ready: ${url}/ui`,
    ...(demoRatePerSecond === null ? [] : [`The demo adds ${demoRatePerSecond} payments a second; this answer grows:`]),
    `  curl -s ${url}/v1/sql -H 'content-type: application/json' -d '{"sql": "${sql}"}'`,
    '',
  ].join('\n');
}
