#!/usr/bin/env node
/** The `weir` command. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Option } from 'commander';
import { toFault } from '../base/fault.ts';
import { nodeDisk } from '../base/node-disk.ts';
import { silentLog } from '../base/seams.ts';
import { systemClock, systemRandom } from '../base/system.ts';
import type { CommandIo } from '../cli/io.ts';
import { createProgram, registerClientCommands } from '../cli/program.ts';
import { ratePerSecondDefault } from '../demo/run.ts';
import { letHeapsGrow } from './heap.ts';
import { secretReader } from './secrets.ts';
import { defaultShardCount, memoryBytesDefault, parseAddress, parseSizeBytes, type StartSettings } from './settings.ts';

interface StartFlags {
  readonly data: string;
  readonly http: string;
  readonly demo: boolean;
  readonly demoRate: string;
  readonly memory: string;
  readonly shards: string;
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
  async openKafka(connection) {
    const { createKafkaClient } = await import('../stream/kafka/client.ts');
    return createKafkaClient(connection, outside);
  },
  async openSchemas(registry) {
    const { SchemaRegistryClient } = await import('../stream/schema-registry.ts');
    return new SchemaRegistryClient({ registry, ...outside, fetch });
  },
  setExitCode(code) {
    process.exitCode = code;
  },
};
const program = createProgram(io, '0.1.0');

program
  .command('start')
  .description('run every role in this process')
  .option('--data <folder>', 'data folder', segmentsFolder)
  .option('--http <host:port>', 'where HTTP listens', '127.0.0.1:8090')
  .option('--no-demo', 'no demo table, no generated events')
  .option('--demo-rate <events>', 'demo events per second', String(ratePerSecondDefault))
  .option('--memory <size>', 'memory budget', `${memoryBytesDefault / 2 ** 30}GB`)
  .option('--shards <count>', 'shard threads', String(defaultShardCount()))
  .addOption(new Option('--log-level <level>').choices(['debug', 'info', 'warn', 'error', 'silent']).default('warn'))
  .action(start);

registerClientCommands(program, io);

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
  return {
    dataFolder: flags.data,
    ...parseAddress(flags.http),
    memoryBytes: parseSizeBytes(flags.memory),
    shardCount: Number(flags.shards),
    demo: flags.demo,
    demoRatePerSecond: Number(flags.demoRate),
    logLevel: flags.logLevel,
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
