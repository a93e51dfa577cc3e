#!/usr/bin/env node
/** The `weir` command. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Option } from 'commander';
import { toFault } from '../base/fault.ts';
import { nodeDisk } from '../base/node-disk.ts';
import { nodeFileTree } from '../base/node-file-tree.ts';
import { silentLog } from '../base/seams.ts';
import { systemClock, systemRandom } from '../base/system.ts';
import type { CommandIo } from '../cli/io.ts';
import { createProgram, registerCheck, registerClientCommands } from '../cli/program.ts';
import { ratePerSecondDefault } from '../demo/run.ts';
import { clusterSettings } from './cluster-settings.ts';
import { letHeapsGrow } from './heap.ts';
import { secretReader } from './secrets.ts';
import {
  defaultShardCount,
  memoryBytesDefault,
  parseAddress,
  parseRoles,
  parseSizeBytes,
  release,
  type StartSettings,
} from './settings.ts';

interface StartFlags {
  readonly roles: string;
  readonly join?: string;
  readonly wire?: string;
  readonly secret?: string;
  readonly wireTlsCertificate?: string;
  readonly wireTlsKey?: string;
  readonly wireTlsCa?: string;
  readonly replicas: string;
  readonly data?: string;
  readonly http: string;
  readonly demo: boolean;
  readonly demoRate: string;
  readonly memory: string;
  readonly shards: string;
  readonly loadFrom: readonly string[];
  readonly logLevel: StartSettings['logLevel'];
}

const segmentsFolder = fileURLToPath(new URL('../../../segments', import.meta.url));
const webFolder = fileURLToPath(new URL('../../web', import.meta.url));

const outside = {
  ...{ clock: systemClock, random: systemRandom, log: silentLog },
  readSecret: secretReader(process.env, nodeDisk),
};

const io: CommandIo = {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  env: process.env,
  clock: systemClock,
  disk: nodeDisk,
  files: nodeFileTree,
  temporaryPath: () => join(tmpdir(), `weir-${randomUUID()}`),
  untilInterrupted() {
    const abort = new AbortController();
    process.once('SIGINT', () => abort.abort());
    return abort.signal;
  },
  async openKafka(connection) {
    const { createKafkaClient } = await import('../stream/kafka/client.ts');
    return createKafkaClient(connection, outside);
  },
  async openSchemas(registry) {
    const { SchemaRegistryClient } = await import('../stream/schema-registry.ts');
    return new SchemaRegistryClient({ registry, ...outside, fetch });
  },
  async checkFolder(dataFolder, options) {
    const { checkDataFolder } = await import('./check.ts');
    return checkDataFolder(dataFolder, options);
  },
  setExitCode(code) {
    process.exitCode = code;
  },
};
const program = createProgram(io, release);

program
  .command('start')
  .description('run every role in this process, or some of them as a part of a cluster')
  .option('--data <folder>', `data folder (default: ${segmentsFolder})`)
  .option('--http <host:port>', 'where HTTP listens', '127.0.0.1:8090')
  .option('--no-demo', 'no demo table, no generated events')
  .option('--demo-rate <events>', 'demo events per second', String(ratePerSecondDefault))
  .option('--memory <size>', 'memory budget', `${memoryBytesDefault / 2 ** 30}GB`)
  .option('--shards <count>', 'shard threads', String(defaultShardCount()))
  .option(
    '--load-from <folder>',
    'loads may read files below this folder (may be given several times)',
    (folder: string, folders: readonly string[]) => [...folders, resolve(folder)],
    [],
  )
  .option('--roles <roles>', 'all; controller,ingest; server; broker', 'all')
  .option('--wire <host:port>', 'where the other processes of the cluster find this one')
  .option('--join <host:port>', "the controller's process, for servers and brokers")
  .option('--secret <reference>', 'shared by the processes of the cluster: env:NAME or file:/path')
  .option('--wire-tls-certificate <reference>', 'PEM of what this process shows the others: file:/path')
  .option('--wire-tls-key <reference>', 'PEM of its key: file:/path')
  .option('--wire-tls-ca <reference>', 'PEM of who must have signed what the others show')
  .option('--replicas <count>', 'servers that hold each committed segment', '1')
  .addOption(new Option('--log-level <level>').choices(['debug', 'info', 'warn', 'error', 'silent']).default('warn'))
  .action(start);

registerClientCommands(program, io);
registerCheck(program, io, segmentsFolder);

async function start(flags: StartFlags): Promise<void> {
  try {
    letHeapsGrow();
    // Here, so that the client commands do not wait for a second while the server's packages load.
    const { startWeir } = await import('./start.ts');
    const weir = await startWeir(settingsOf(flags));
    const stop = (): void => {
      // A second Ctrl-C does not wait.
      process.once('SIGINT', () => process.exit(130));
      weir.stop().then(
        () => process.exit(0),
        error => fail(error),
      );
    };
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
    process.stdout.write(weir.banner);
    await weir.died;
  } catch (error) {
    fail(error);
  }
}

function settingsOf(flags: StartFlags): StartSettings {
  const roles = parseRoles(flags.roles);
  return {
    roles,
    ...clusterSettings(roles, flags),
    replicaCount: Number(flags.replicas),
    dataFolder: flags.data ?? segmentsFolder,
    ...parseAddress(flags.http),
    memoryBytes: parseSizeBytes(flags.memory),
    shardCount: Number(flags.shards),
    demo: flags.demo,
    demoRatePerSecond: Number(flags.demoRate),
    logLevel: flags.logLevel,
    loadFolders: flags.loadFrom,
    webFolder: existsSync(webFolder) ? webFolder : null,
  };
}

function fail(error: unknown): void {
  const { code, message, hint } = toFault(error);
  process.stderr.write(`weir: ${message} (${code})\n${hint ? `hint: ${hint}\n` : ''}`);
  if (code === 'INTERNAL' && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  process.exit(1);
}

await program.parseAsync();
