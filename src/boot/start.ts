/**
 * The composition root: every role in one process. Controller, broker, server and the HTTP door share the main thread,
 * which touches bounded output only; shards, ingestion and the builder have threads of their own.
 */
import type { MessagePort } from 'node:worker_threads';
import { fault, toFault } from '../base/fault.ts';
import { nodeDisk } from '../base/node-disk.ts';
import { createPinoLog } from '../base/pino-log.ts';
import { systemClock, systemRandom } from '../base/system.ts';
import { createBroker } from '../broker/broker.ts';
import { createClient } from '../client/client.ts';
import { createController } from '../controller/controller.ts';
import { controllerDefaults } from '../controller/settings.ts';
import { paymentsTable } from '../demo/generator.ts';
import { runDemo } from '../demo/run.ts';
import { createHttpServer, httpDefaults } from '../http/server.ts';
import { openSqliteMeta } from '../meta/sqlite.ts';
import { createServer } from '../server/server.ts';
import { parseStatement } from '../sql/parse.ts';
import { DiskStore } from '../store/disk-store.ts';
import { type FolderLock, type LockComponents, lockFolder } from '../stream/lock.ts';
import { systemProcesses } from '../stream/processes.ts';
import type { Client } from '../wire/call.ts';
import type { BrokerCalls, ControllerCalls, IngestCalls, ServerCalls, ShardCalls } from '../wire/calls.ts';
import { connect } from '../wire/connect.ts';
import { local } from '../wire/local.ts';
import { messagePortPort } from '../wire/port.ts';
import { serve } from '../wire/serve.ts';
import { folders } from './folders.ts';
import { memoryBytesMin, type StartSettings, shareMemory } from './settings.ts';
import { channel, startThread, type Thread } from './threads.ts';

export interface Weir {
  readonly url: string;
  /** What to print: the page's address, and a command to try. */
  readonly banner: string;
  /** Rejects when a thread dies: what is left would answer wrongly or not at all. */
  readonly died: Promise<never>;
  /** Stops taking requests, then every role in order; what was acknowledged is durable already. */
  stop(): Promise<void>;
}

/** @throws FaultError DATA_FOLDER_IN_USE, PORT_IN_USE, INVALID_REQUEST, … */
export async function startWeir(settings: StartSettings): Promise<Weir> {
  checkSettings(settings);
  const log = createPinoLog(settings.logLevel);
  const world = { clock: systemClock, random: systemRandom, log };
  const paths = folders(settings.dataFolder);
  /** Undone in reverse, also when a later step fails. */
  const undo: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const lock = await ownFolder(settings.dataFolder, { ...world, disk: nodeDisk, processes: systemProcesses });
    undo.push(() => lock.release());
    const meta = await openSqliteMeta(paths.meta);
    undo.push(() => meta.close());

    const roles: { ingest?: Client<IngestCalls>; server?: Client<ServerCalls> } = {};
    const controllerRole = await createController(controllerDefaults, {
      ...world,
      meta,
      store: new DiskStore(nodeDisk, paths.store),
      listeners: {
        catalogChanged: async () => void (await roles.ingest?.call('refresh', null)),
        segmentsGone: async segmentIds => void (await roles.server?.call('evict', { segmentIds })),
      },
    });
    const controller = local<ControllerCalls>(controllerRole);

    const { threads, shards, ingest } = startThreads(settings, port =>
      serve<ControllerCalls>(messagePortPort(port), controllerRole),
    );
    for (const thread of threads) undo.push(() => thread.stop());
    // The parser's tables are built when first used: now, while the threads start, and not by the first query.
    parseStatement('SELECT 1');
    await Promise.all(threads.map(thread => thread.ready));
    const server = local<ServerCalls>(createServer(shards));
    roles.ingest = ingest;
    roles.server = server;
    const sweeping = controllerRole.run();
    undo.push(async () => {
      await controllerRole.stop();
      await sweeping;
    });

    const broker = local<BrokerCalls>(
      createBroker(
        { queryMemoryBytes: shareMemory(settings).queryMemoryBytes },
        { ...world, controller, ingest, server },
      ),
    );
    const http = await createHttpServer(
      { ...httpDefaults, host: settings.host, port: settings.port, webFolder: settings.webFolder },
      { ...world, broker, controller, ingest, shards: () => server.call('status', null) },
    );
    const { url } = await http.listen();
    undo.push(() => http.close());
    const demo = settings.demo && (await demoIsWelcome(controller));
    if (demo) undo.push(await startDemo(url, settings, world));
    log.info('ready', { url, shards: settings.shardCount, data: settings.dataFolder });
    const died = Promise.race(threads.map(thread => thread.died));
    died.catch(() => {});
    return { url, banner: bannerOf(url, demo, settings), died, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Makes the folder and takes its lock; what the disk refuses names the folder. */
async function ownFolder(folder: string, components: LockComponents): Promise<FolderLock> {
  try {
    await components.disk.makeFolder(folder);
    return await lockFolder(folder, components);
  } catch (error) {
    const { code, message } = toFault(error);
    if (code !== 'INTERNAL') throw error;
    throw fault('INVALID_REQUEST', `the data folder ${folder} cannot be used: ${message}`, {
      hint: 'name another with --data, or see to its permissions',
    });
  }
}

function checkSettings({ memoryBytes, shardCount, demoRatePerSecond }: StartSettings): void {
  if (memoryBytes < memoryBytesMin)
    throw fault('INVALID_REQUEST', `--memory ${memoryBytes} bytes is below the least of ${memoryBytesMin}`, {
      hint: 'give at least 256MB',
    });
  if (!Number.isInteger(shardCount) || shardCount < 1 || shardCount > 64)
    throw fault('INVALID_REQUEST', `--shards takes a whole number from 1 to 64, not ${shardCount}`);
  if (!(demoRatePerSecond > 0 && demoRatePerSecond <= 1_000_000))
    throw fault('INVALID_REQUEST', `--demo-rate takes events per second up to 1000000, not ${demoRatePerSecond}`);
}

interface Threads {
  readonly threads: readonly Thread[];
  readonly shards: readonly Client<ShardCalls>[];
  readonly ingest: Client<IngestCalls>;
}

/** Every pair that talks gets a channel: `near` ends stay here, or go to the thread that calls. */
function startThreads(settings: StartSettings, serveController: (port: MessagePort) => void): Threads {
  const { shardCount, dataFolder, logLevel } = settings;
  const { arenaBytes, streamBufferSizeBytes } = shareMemory(settings);
  const common = { dataFolder, logLevel };
  const numbers = Array.from({ length: shardCount }, (_, shard) => shard);
  const toShards = (): ReturnType<typeof channel>[] => numbers.map(channel);
  const fromMain = toShards();
  const fromIngest = toShards();
  const fromBuilder = toShards();
  const fromPeers = numbers.map(() => toShards());
  const mainToIngest = channel();
  const ingestToController = channel();
  const ingestToBuilder = channel();

  const shardThreads = numbers.map(shard =>
    startThread({
      ...common,
      role: 'shard',
      shard,
      arenaBytes,
      serve: [
        fromMain[shard]!.far,
        fromIngest[shard]!.far,
        fromBuilder[shard]!.far,
        ...numbers.filter(peer => peer !== shard).map(peer => fromPeers[peer]![shard]!.far),
      ],
      peers: numbers.map(peer => (peer === shard ? null : fromPeers[shard]![peer]!.near)),
    }),
  );
  const builder = startThread({
    ...common,
    role: 'builder',
    serve: [ingestToBuilder.far],
    shards: fromBuilder.map(({ near }) => near),
  });
  serveController(ingestToController.far);
  const ingest = startThread({
    ...common,
    role: 'ingest',
    streamBufferSizeBytes,
    serve: [mainToIngest.far],
    controller: ingestToController.near,
    builder: ingestToBuilder.near,
    shards: fromIngest.map(({ near }) => near),
  });
  return {
    // In order of starting: ingestion stops first, while the others still answer it.
    threads: [...shardThreads, builder, ingest],
    shards: fromMain.map(({ near }) => connect<ShardCalls>(messagePortPort(near))),
    ingest: connect<IngestCalls>(messagePortPort(mainToIngest.near)),
  };
}

type World = Pick<Parameters<typeof runDemo>[1], 'clock' | 'random' | 'log'>;

/** Into an empty catalog, or a `payments` table of the demo's own shape: never into somebody's table of that name. */
async function demoIsWelcome(controller: Client<ControllerCalls>): Promise<boolean> {
  const { tables } = await controller.call('catalog', null);
  const payments = tables.find(table => table.name === 'payments');
  if (!payments) return tables.length === 0;
  return (
    payments.source.kind === 'log' &&
    payments.columns.every(column => new RegExp(`^\\s*${column.name}\\s`, 'm').test(paymentsTable))
  );
}

/** The table is there when this resolves, to what ends the demo. */
async function startDemo(
  url: string,
  { demoRatePerSecond }: StartSettings,
  world: World,
): Promise<() => Promise<void>> {
  const abort = new AbortController();
  const client = createClient(url);
  await client.query(paymentsTable);
  const done = runDemo(client, { ...world, ratePerSecond: demoRatePerSecond, signal: abort.signal }).catch(error =>
    world.log.error('the demo ended', { error }),
  );
  return async () => {
    abort.abort();
    await done;
  };
}

function bannerOf(url: string, demo: boolean, { demoRatePerSecond }: StartSettings): string {
  const sql = demo ? 'SELECT COUNT(*) FROM payments' : 'SELECT 1';
  return [
    `Weir is ready: ${url}/ui`,
    ...(demo ? [`The demo adds ${demoRatePerSecond} payments a second; this answer grows:`] : []),
    `  curl -s ${url}/v1/sql -H 'content-type: application/json' -d '{"sql": "${sql}"}'`,
    '',
  ].join('\n');
}
