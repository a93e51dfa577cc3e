/**
 * Every role in this thread, met through `local` wires: the whole of Weir but its threads and its door. Metadata in
 * SQLite's memory, log and store in a temporary folder, unless told otherwise.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FaultError } from '../../src/base/fault.ts';
import { nodeDisk } from '../../src/base/node-disk.ts';
import { type Clock, type Disk, silentLog } from '../../src/base/seams.ts';
import { systemClock, systemRandom } from '../../src/base/system.ts';
import { createBroker } from '../../src/broker/broker.ts';
import { decodeBatch } from '../../src/column/frame.ts';
import type { Value } from '../../src/column/type.ts';
import { rowsOf } from '../../src/column/value.ts';
import { createController } from '../../src/controller/controller.ts';
import { type ControllerSettings, controllerDefaults } from '../../src/controller/settings.ts';
import { createBuilder } from '../../src/ingest/builder.ts';
import { createIngest } from '../../src/ingest/ingest.ts';
import { openSqliteMeta } from '../../src/meta/sqlite.ts';
import type { MetaStore } from '../../src/meta/store.ts';
import { createServer } from '../../src/server/server.ts';
import { createShard } from '../../src/shard/shard.ts';
import { DiskStore } from '../../src/store/disk-store.ts';
import type { Client } from '../../src/wire/call.ts';
import type {
  BrokerCalls,
  BuilderCalls,
  ControllerCalls,
  IngestCalls,
  QueryRequest,
  QueryTrailer,
  ResultColumn,
  ServerCalls,
  ShardCalls,
} from '../../src/wire/calls.ts';
import { local } from '../../src/wire/local.ts';
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
  readonly ingest: Client<IngestCalls>;
  readonly server: Client<ServerCalls>;
  readonly shards: readonly Client<ShardCalls>[];
  query(sql: string, parameters?: readonly Value[], request?: Partial<QueryRequest>): Promise<Answer>;
  /** Seals and publishes what a table's consuming segment holds. */
  commit(table: string): Promise<void>;
  close(): Promise<void>;
}

export interface ClusterOptions {
  /** Outlives the cluster, instead of one of its own. */
  readonly meta?: MetaStore;
  readonly clock?: Clock;
  readonly controllerSettings?: Partial<ControllerSettings>;
  readonly shardCount?: number;
  readonly arenaBytes?: number;
  readonly queryMemoryBytes?: number;
  /** Of its log and store, instead of the real one. */
  readonly disk?: Disk;
  /** Holds log and store, and stays; instead of a temporary one. */
  readonly folder?: string;
  /** Where streams are read from; none where not given. */
  readonly streams?: typeof noStreams;
  /** Puts something between a role and those who call it: tests pause calls there. */
  readonly intercept?: <C>(role: 'server' | 'controller' | 'shard' | 'builder', client: C) => C;
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
  const controllerRole = await createController(
    { ...controllerDefaults, ...options.controllerSettings },
    {
      ...world,
      meta,
      store,
      listeners: {
        catalogChanged: async () => void (await roles.ingest?.call('refresh', null)),
        segmentsGone: async segmentIds => void (await roles.server?.call('evict', { segmentIds })),
      },
    },
  );
  const controller = through('controller', local<ControllerCalls>(controllerRole));
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
  const broker = local<BrokerCalls>(createBroker({ queryMemoryBytes }, { ...world, controller, ingest, server }));

  return {
    folder,
    broker,
    controller,
    ingest,
    server,
    shards,
    async query(sql, parameters = [], request = {}) {
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
    },
    async commit(table) {
      const { tables } = await controller.call('catalog', null);
      await ingest.call('commit', { tableId: tables.find(({ name }) => name === table)!.id });
    },
    async close() {
      await ingestRole.stop();
      await controllerRole.stop();
      await sweeping;
      if (!options.meta) await meta.close();
      if (isTemporary) await rm(folder, { recursive: true, force: true });
    },
  };
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
