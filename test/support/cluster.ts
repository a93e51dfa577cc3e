/**
 * Every role in this thread, met through `local` wires: the whole of Weir but its threads and its door. Metadata in
 * SQLite's memory, log and store in a temporary folder, unless told otherwise.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FaultError } from '../../src/base/fault.ts';
import { nodeDisk } from '../../src/base/node-disk.ts';
import { nodeFileTree } from '../../src/base/node-file-tree.ts';
import { type Clock, type Disk, silentLog } from '../../src/base/seams.ts';
import { systemClock, systemRandom } from '../../src/base/system.ts';
import type { OwnerRoles } from '../../src/boot/cluster/channels.ts';
import { createBroker } from '../../src/broker/broker.ts';
import { ownSnapshots, snapshotDoor } from '../../src/broker/snapshot-source.ts';
import { decodeBatch } from '../../src/column/frame.ts';
import type { Value } from '../../src/column/type.ts';
import { rowsOf } from '../../src/column/value.ts';
import { createController } from '../../src/controller/controller.ts';
import { type ControllerSettings, controllerDefaults } from '../../src/controller/settings.ts';
import { storeDoor } from '../../src/controller/store-door.ts';
import { createBuilder } from '../../src/ingest/builder.ts';
import { createIngest } from '../../src/ingest/ingest.ts';
import { createLoadRole } from '../../src/load/load.ts';
import { openSqliteMeta } from '../../src/meta/sqlite.ts';
import type { MetaStore } from '../../src/meta/store.ts';
import { reportDamage } from '../../src/server/damage.ts';
import { createLeaf } from '../../src/server/leaf.ts';
import { createServer } from '../../src/server/server.ts';
import { createShard } from '../../src/shard/shard.ts';
import { DiskStore } from '../../src/store/disk-store.ts';
import { createTaskRunner } from '../../src/task/task-runner.ts';
import type { BrokerCalls, QueryRequest, QueryTrailer, ResultColumn } from '../../src/wire/broker-calls.ts';
import type { BuilderCalls } from '../../src/wire/builder-calls.ts';
import type { Client } from '../../src/wire/call.ts';
import type { MemberCalls } from '../../src/wire/cluster-calls.ts';
import type { ControllerCalls } from '../../src/wire/controller-calls.ts';
import type { IngestCalls } from '../../src/wire/ingest-calls.ts';
import type { LoadCalls } from '../../src/wire/load-calls.ts';
import { local } from '../../src/wire/local.ts';
import type { ServerCalls } from '../../src/wire/server-calls.ts';
import type { ShardCalls } from '../../src/wire/shard-calls.ts';
import type { TaskCalls } from '../../src/wire/task-calls.ts';
import { noStreams } from './no-streams.ts';

export interface Answer {
  readonly columns: readonly ResultColumn[];
  readonly rows: readonly Value[][];
  readonly trailer: QueryTrailer;
}

export interface Cluster {
  /** Of its log and store. */
  readonly folder: string;
  readonly broker: Client<BrokerCalls>;
  readonly controller: Client<ControllerCalls>;
  /** Reads files below `folder` and the folders of `loadFolders`. */
  readonly loads: Client<LoadCalls>;
  readonly ingest: Client<IngestCalls>;
  readonly server: Client<ServerCalls>;
  readonly shards: readonly Client<ShardCalls>[];
  /** As the process answers others. */
  readonly roles: OwnerRoles;
  query(sql: string, parameters?: readonly Value[], request?: Partial<QueryRequest>): Promise<Answer>;
  /** Seals and publishes what a table's consuming segment holds. */
  commit(table: string): Promise<void>;
  close(): Promise<void>;
}

export interface ClusterOptions {
  /** Outlives the cluster, instead of one of its own. */
  readonly meta?: MetaStore;
  readonly clock?: Clock;
  /** Nothing is merged unless `mergeIntervalMs` is given. */
  readonly controllerSettings?: Partial<ControllerSettings>;
  readonly shardCount?: number;
  readonly loadFolders?: readonly string[];
  readonly loadBufferSizeBytes?: number;
  readonly arenaBytes?: number;
  readonly queryMemoryBytes?: number;
  /** Of its log and store, instead of the real one. */
  readonly disk?: Disk;
  /** Holds log and store, and stays; instead of a temporary one. */
  readonly folder?: string;
  /** Where streams are read from; none where not given. */
  readonly streams?: typeof noStreams;
  /** Puts something between a role and those who call it: tests pause calls there. */
  readonly intercept?: <C>(role: 'server' | 'controller' | 'shard' | 'builder' | 'task', client: C) => C;
}

export async function openCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { shardCount = 1, arenaBytes = 256 << 20, queryMemoryBytes = 256 << 20 } = options;
  const through = options.intercept ?? (<C>(_: string, client: C): C => client);
  const { disk = nodeDisk, clock = systemClock, streams = noStreams } = options;
  const isTemporary = !options.folder && !options.disk;
  const folder = options.folder ?? (isTemporary ? await mkdtemp(join(tmpdir(), 'weir-')) : '/weir');
  const world = { clock, random: systemRandom, disk, log: silentLog };
  const store = new DiskStore(disk, `${folder}/store`);
  const meta = options.meta ?? (await openSqliteMeta(':memory:'));
  const roles: { ingest?: Client<IngestCalls>; server?: Client<ServerCalls> } = {};
  const tasks: Client<TaskCalls> = {
    call: (...args) => taskRunner.call(...args),
    stream: (...args) => taskRunner.stream(...args),
  };
  const controllerRole = await createController(
    { ...controllerDefaults, mergeIntervalMs: null, ...options.controllerSettings },
    {
      ...world,
      meta,
      store,
      tasks,
      listeners: {
        catalogChanged: async () => void (await roles.ingest?.call('refresh', null)),
        segmentsGone: async segmentIds => void (await roles.server?.call('evict', { segmentIds })),
      },
    },
  );
  const controller = through('controller', local<ControllerCalls>(controllerRole));
  const taskRunner = through(
    'task',
    local<TaskCalls>(
      createTaskRunner(
        { loadBufferSizeBytes: options.loadBufferSizeBytes ?? 64 << 20 },
        { ...world, store, segmentFiles: store, uploadsFolder: `${folder}/uploads`, controller },
      ),
    ),
  );
  const shards: Client<ShardCalls>[] = [];
  // Peers know each other from the start, and call each other only when all are there.
  const peers = Array.from(
    { length: shardCount },
    (_, shard): Client<ShardCalls> => ({
      call: (...args) => shards[shard]!.call(...args),
      stream: (...args) => shards[shard]!.stream(...args),
    }),
  );
  for (let shard = 0; shard < shardCount; shard++)
    shards.push(
      through('shard', local<ShardCalls>(createShard({ shard, arenaBytes }, { ...world, files: store, peers }))),
    );
  const builder = through('builder', local<BuilderCalls>(createBuilder({}, { ...world, store, shards })));
  const ingestRole = createIngest(
    { logFolder: `${folder}/log` },
    { ...world, ...streams, controller, builder, shards },
  );
  const ingest = local<IngestCalls>(ingestRole);
  await ingestRole.start();
  const server = through('server', local<ServerCalls>(createServer(shards)));
  roles.ingest = ingest;
  roles.server = server;
  const sweeping = controllerRole.run();
  const reporting = new AbortController();
  const reported = reportDamage({ ...world, shards, controller }, reporting.signal);
  const leaf = createLeaf({ shards, holdings: null, onDamaged() {}, clock });
  const members = local<MemberCalls>(controllerRole.membership);
  const broker = local<BrokerCalls>(
    createBroker({ queryMemoryBytes }, { ...world, controller, ingest, server, members }),
  );
  const loadRole = createLoadRole(
    { folders: [folder, ...(options.loadFolders ?? [])], uploadsFolder: `${folder}/uploads` },
    { ...world, files: nodeFileTree, broker, controller, ingest, tasks },
  );
  const loads = local<LoadCalls>(loadRole);

  return {
    ...{ folder, broker, controller, loads, ingest, server, shards },
    roles: {
      controller: controllerRole,
      members: controllerRole.membership,
      store: storeDoor(store),
      snapshots: snapshotDoor(ownSnapshots(controller, server), world),
      ingest: ingestRole,
      loads: loadRole,
      server: createServer(shards),
      leaf,
    },
    query: (...args) => queryThrough(broker, ...args),
    async commit(table) {
      const { tables } = await controller.call('catalog', null);
      await ingest.call('commit', { tableId: tables.find(({ name }) => name === table)!.id });
    },
    async close() {
      reporting.abort();
      await reported;
      await ingestRole.stop();
      await controllerRole.stop();
      await sweeping;
      if (!options.meta) await meta.close();
      // A task that was cancelled may still be at its last write.
      if (isTemporary) await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
    },
  };
}

/** The whole answer to one statement. */
export async function queryThrough(
  broker: Client<BrokerCalls>,
  sql: string,
  parameters: readonly Value[] = [],
  request: Partial<QueryRequest> = {},
): Promise<Answer> {
  const queryId = systemRandom.hex(16);
  const { columns } = await broker.call('open', {
    queryId,
    sql,
    parameters,
    timeoutMs: 30_000,
    allowPartial: false,
    identity: 'test',
    timeZone: 'UTC',
    ...request,
  });
  const frames = broker.stream('fetch', { queryId: request.queryId ?? queryId });
  const rows: Value[][] = [];
  let next = await frames.next();
  for (; !next.done; next = await frames.next()) rows.push(...rowsOf(decodeBatch(next.value)));
  return { columns, rows, trailer: next.value };
}

/** The fault's code of a rejected promise. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    if (error instanceof FaultError) return error.fault.code;
    throw error;
  }
}
