/**
 * Several processes' roles in this one: the owner of the data folder, servers with caches of their own, and a broker with
 * one shard for merging. Between them real sockets on loopback, as between processes.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { nodeDisk } from '../../src/base/node-disk.ts';
import { silentLog } from '../../src/base/seams.ts';
import { systemClock, systemRandom } from '../../src/base/system.ts';
import { leafClient, ownerClients, serveLeaf, serveOwner } from '../../src/boot/cluster/channels.ts';
import { createBroker } from '../../src/broker/broker.ts';
import { remoteSnapshots } from '../../src/broker/snapshot-source.ts';
import { CacheFolder } from '../../src/server/cache-folder.ts';
import { Holdings } from '../../src/server/holdings.ts';
import { join } from '../../src/server/join.ts';
import { createLeaf } from '../../src/server/leaf.ts';
import { createLoader } from '../../src/server/loader.ts';
import { Routes } from '../../src/server/routes.ts';
import { createScatter } from '../../src/server/scatter.ts';
import { createServer } from '../../src/server/server.ts';
import { createShard } from '../../src/shard/shard.ts';
import { DiskStore } from '../../src/store/disk-store.ts';
import type { BrokerCalls } from '../../src/wire/broker-calls.ts';
import type { Client, Handlers } from '../../src/wire/call.ts';
import {
  clusterVersion,
  type LeafCalls,
  type MemberCalls,
  type MemberRole,
  type Registration,
} from '../../src/wire/cluster-calls.ts';
import { local } from '../../src/wire/local.ts';
import { remote } from '../../src/wire/remote.ts';
import type { ServerCalls } from '../../src/wire/server-calls.ts';
import type { ShardCalls } from '../../src/wire/shard-calls.ts';
import { listenTcp, type TcpAddress } from '../../src/wire/tcp.ts';
import { type Answer, type Cluster, type ClusterOptions, openCluster, queryThrough } from './cluster.ts';
import { loopback, openSettings } from './tcp.ts';

const world = { clock: systemClock, random: systemRandom, disk: nodeDisk, log: silentLog };

export interface TcpClusterOptions extends ClusterOptions {
  readonly serverCount?: number;
  readonly replicaCount?: number;
  /** What a server answers instead, for tests of those that lie or hang. */
  readonly corruptLeaf?: (server: number, leaf: Handlers<LeafCalls>) => Handlers<LeafCalls>;
}

export interface TcpServer {
  readonly id: string;
  readonly holdings: Holdings;
  readonly cacheFolder: string;
  /** As `kill -9` would: its sockets close, and nothing is said. */
  kill(): Promise<void>;
}

export interface TcpCluster {
  readonly owner: Cluster;
  readonly members: Client<MemberCalls>;
  readonly servers: readonly TcpServer[];
  readonly broker: Client<BrokerCalls>;
  query(...args: Parameters<Cluster['query']>): Promise<Answer>;
  /** Seals and publishes; resolves when every segment is announced by as many servers as it is placed on, and the broker knows. */
  commit(table: string): Promise<void>;
  /** Resolves when what is announced is what is placed. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export async function openTcpCluster(options: TcpClusterOptions = {}): Promise<TcpCluster> {
  const { serverCount = 2, replicaCount = 1 } = options;
  const folder = await mkdtemp(joinPath(tmpdir(), 'weir-cluster-'));
  const owner = await openCluster({ ...options, controllerSettings: { replicaCount, ...options.controllerSettings } });
  const listener = await listenTcp(loopback, openSettings, port => serveOwner(port, owner.roles));
  const servers: TcpServer[] = [];
  for (let number = 0; number < serverCount; number++)
    servers.push(
      await openServer(listener.address, `server-${number}`, `${folder}/${number}`, leaf =>
        options.corruptLeaf ? options.corruptLeaf(number, leaf) : leaf,
      ),
    );
  const broker = openBroker(listener.address);
  const members = local<MemberCalls>(owner.roles.members);

  const settled = async (): Promise<void> => {
    await until(async () => {
      const entries = await members.call('members', null);
      const live = entries.filter(({ state }) => state === 'live');
      return live.length > 0 && live.every(entry => entry.segmentsAnnounced === entry.segmentsPlaced);
    });
    await until(async () => broker.routes.knows(await members.call('routes', { since: null, known: {} })));
  };
  return {
    owner,
    members,
    servers,
    broker: broker.client,
    query: (...args) => queryThrough(broker.client, ...args),
    settled,
    async commit(table) {
      await owner.commit(table);
      await settled();
    },
    async close() {
      broker.close();
      for (const server of servers) await server.kill();
      await listener.close();
      await owner.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Polls, since it waits for several processes' loops. */
async function until(holds: () => Promise<boolean>, withinMs = 20_000): Promise<void> {
  const deadlineMs = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadlineMs) throw new Error(`not within ${withinMs} ms`);
    await systemClock.sleep(10);
  }
}

function openShards(shardCount: number, folder: string, tasks?: Parameters<typeof createShard>[1]['remoteTasks']) {
  const shards: Client<ShardCalls>[] = [];
  const files = new DiskStore(nodeDisk, `${folder}/store`);
  const peers = Array.from(
    { length: shardCount },
    (_, shard): Client<ShardCalls> => ({
      call: (...args) => shards[shard]!.call(...args),
      stream: (...args) => shards[shard]!.stream(...args),
    }),
  );
  for (let shard = 0; shard < shardCount; shard++)
    shards.push(
      local<ShardCalls>(
        createShard(
          { shard, arenaBytes: 64 << 20 },
          { ...world, files, peers, ...(tasks ? { remoteTasks: tasks } : {}) },
        ),
      ),
    );
  return shards;
}

const registrationOf = (memberId: string, role: MemberRole, address: TcpAddress): Registration => ({
  ...{ memberId, incarnation: systemRandom.hex(8), role, address },
  ...{ release: 'test', version: clusterVersion, startedAtMs: Date.now() },
});

async function openServer(
  ownerAddress: TcpAddress,
  id: string,
  folder: string,
  corrupt: (leaf: Handlers<LeafCalls>) => Handlers<LeafCalls>,
): Promise<TcpServer> {
  const shards = openShards(2, folder);
  const own = local<ServerCalls>(createServer(shards));
  const holdings = new Holdings();
  const toOwner = remote(ownerAddress, openSettings);
  const { members, store } = ownerClients(toOwner);
  const leaf = createLeaf({ clock: systemClock, shards, holdings, onDamaged: ids => loader.damaged(ids) });
  const listener = await listenTcp(loopback, openSettings, port => serveLeaf(port, corrupt(leaf)));
  const registration = registrationOf(id, 'server', listener.address);
  const stopping = new AbortController();
  const loader = createLoader(registration, {
    ...world,
    ...{ members, store, holdings, cache: new CacheFolder(nodeDisk, `${folder}/store`) },
    evict: async segmentIds => void (await own.call('evict', { segmentIds })),
  });
  const joined = join(registration, { ...world, members, onRegistered: () => loader.registered() });
  const loading = loader.run(stopping.signal);
  return {
    id,
    holdings,
    cacheFolder: `${folder}/store`,
    async kill() {
      stopping.abort();
      toOwner.close();
      await listener.close();
      await joined.leave();
      await loading;
    },
  };
}

function openBroker(ownerAddress: TcpAddress) {
  const toOwner = remote(ownerAddress, openSettings);
  const { controller, ingest, members, snapshots, server, leaf } = ownerClients(toOwner);
  const routes = new Routes({
    ...world,
    members,
    connect(id, address) {
      const peer = remote(address, openSettings);
      return { id, address, client: leafClient(peer), close: () => peer.close() };
    },
  });
  const stopping = new AbortController();
  void routes.follow(stopping.signal);
  const shards: Client<ShardCalls>[] = openShards(1, '/nowhere', {
    call: () => Promise.reject(new Error('no calls')),
    stream: (...args) => local(scatter.tasks).stream(...args),
  });
  const own = local<ServerCalls>(createServer(shards));
  const scatter = createScatter({ ...world, routes, shards, own, owner: { server, leaf } });
  const client = local<BrokerCalls>(
    createBroker(
      { queryMemoryBytes: 256 << 20 },
      {
        ...{ ...world, controller, ingest, members, snapshots: remoteSnapshots(snapshots, 'broker') },
        server: local<ServerCalls>(scatter.server),
      },
    ),
  );
  return {
    client,
    routes,
    close() {
      stopping.abort();
      toOwner.close();
    },
  };
}
