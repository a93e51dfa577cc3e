/** A thread's entry: builds the one role that it was told to be, serves its ports, and stops when asked. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { attachAccounts } from '../base/accounts.ts';
import { toFault } from '../base/fault.ts';
import { nodeDisk } from '../base/node-disk.ts';
import { createPinoLog } from '../base/pino-log.ts';
import { systemClock, systemRandom } from '../base/system.ts';
import { DiskStore } from '../store/disk-store.ts';
import type { BuilderCalls } from '../wire/builder-calls.ts';
import type { CallMap, Client, Handlers } from '../wire/call.ts';
import type { RemoteTaskCalls } from '../wire/cluster-calls.ts';
import { connect } from '../wire/connect.ts';
import type { ControllerCalls } from '../wire/controller-calls.ts';
import type { IngestCalls } from '../wire/ingest-calls.ts';
import { messagePortPort } from '../wire/port.ts';
import { serve } from '../wire/serve.ts';
import type { ShardCalls } from '../wire/shard-calls.ts';
import type { TaskCalls } from '../wire/task-calls.ts';
import { folders } from './folders.ts';
import { lowerPriority } from './priority.ts';
import { secretReader } from './secrets.ts';
import type { ThreadData, ThreadMessage } from './threads.ts';
import { collectWhenAsked } from './watch.ts';

const data = workerData as ThreadData;
const parent = parentPort!;
const log = createPinoLog(data.logLevel);
const paths = folders(data.dataFolder);
const accounts = attachAccounts(data.accounts);
const world = { clock: systemClock, random: systemRandom, disk: nodeDisk, log, accounts };
collectWhenAsked(accounts);

const post = (message: ThreadMessage): void => parent.postMessage(message);
const client = <Calls extends CallMap>(port: MessagePort): Client<Calls> => connect<Calls>(messagePortPort(port));
const serveAll = <Calls extends CallMap>(ports: readonly MessagePort[], handlers: Handlers<Calls>): void => {
  for (const port of ports) serve<Calls>(messagePortPort(port), handlers);
};

/** Starts the role; resolves to what stops it. A thread loads the code of its own role only: that is half of its start. */
async function begin(): Promise<() => Promise<void>> {
  const store = new DiskStore(nodeDisk, paths.store);
  switch (data.role) {
    case 'shard': {
      const { createShard } = await import('../shard/shard.ts');
      const nobody = {} as Client<ShardCalls>;
      const peers = data.peers.map(port => (port ? client<ShardCalls>(port) : nobody));
      const shard = createShard(
        { shard: data.shard, arenaBytes: data.arenaBytes },
        {
          ...{ ...world, peers, files: new DiskStore(nodeDisk, data.filesFolder) },
          ...(data.remoteTasks ? { remoteTasks: client<RemoteTaskCalls>(data.remoteTasks) } : {}),
        },
      );
      serveAll<ShardCalls>(data.serve, shard);
      return async () => {};
    }
    case 'builder': {
      const { createBuilder } = await import('../ingest/builder.ts');
      lowerPriority(log);
      const builder = createBuilder({}, { ...world, store, shards: data.shards.map(port => client<ShardCalls>(port)) });
      serveAll<BuilderCalls>(data.serve, builder);
      return async () => {};
    }
    case 'task': {
      const { createTaskRunner } = await import('../task/task-runner.ts');
      lowerPriority(log);
      const controller = client<ControllerCalls>(data.controller);
      const { loadBufferSizeBytes } = data;
      const outside = { ...world, store, segmentFiles: store, uploadsFolder: paths.uploads, controller };
      serveAll<TaskCalls>(data.serve, createTaskRunner({ loadBufferSizeBytes }, outside));
      return async () => {};
    }
    case 'ingest': {
      const { createIngest } = await import('../ingest/ingest.ts');
      const outside = { ...world, readSecret: secretReader(process.env, nodeDisk) };
      const ingest = createIngest(
        {
          logFolder: paths.log,
          streamBufferSizeBytes: data.streamBufferSizeBytes,
          segmentSizeBytesMax: data.segmentSizeBytesMax,
        },
        {
          ...world,
          openKafka: async connection => {
            const { createKafkaClient } = await import('../stream/kafka/client.ts');
            return createKafkaClient(connection, outside);
          },
          openSchemas: async registry => {
            const { SchemaRegistryClient } = await import('../stream/schema-registry.ts');
            return new SchemaRegistryClient({ ...outside, registry, fetch });
          },
          controller: client<ControllerCalls>(data.controller),
          builder: client<BuilderCalls>(data.builder),
          shards: data.shards.map(port => client<ShardCalls>(port)),
        },
      );
      serveAll<IngestCalls>(data.serve, ingest);
      await ingest.start();
      return () => ingest.stop();
    }
  }
}

try {
  const stop = await begin();
  parent.on('message', async () => {
    try {
      await stop();
    } catch (error) {
      log.error('a role did not stop in good order', { role: data.role, error });
    }
    post({ kind: 'stopped' });
  });
  post({ kind: 'ready' });
} catch (error) {
  post({ kind: 'failed', fault: toFault(error) });
}
