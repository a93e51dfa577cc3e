/** The composition root: which roles run in this process, and how it starts and stops. */
import { fault } from '../base/fault.ts';
import { nodeDisk } from '../base/node-disk.ts';
import { createPinoLog } from '../base/pino-log.ts';
import { systemClock, systemRandom } from '../base/system.ts';
import type { Boot, Started } from './boot.ts';
import { startBroker } from './roles/broker.ts';
import { startOwner } from './roles/owner.ts';
import { startServer } from './roles/server.ts';
import { memoryBytesMin, type StartSettings } from './settings.ts';

export interface Weir {
  readonly url: string;
  /** What to print: where it answers, and a command to try. */
  readonly banner: string;
  /** Rejects when a thread dies: what is left would answer wrongly or not at all. Or when the cluster refuses this process. */
  readonly died: Promise<never>;
  /** Stops taking requests, then every role in order; what was acknowledged is durable already. */
  stop(): Promise<void>;
}

/** @throws FaultError DATA_FOLDER_IN_USE, PORT_IN_USE, INVALID_REQUEST, FORBIDDEN, … */
export async function startWeir(settings: StartSettings): Promise<Weir> {
  checkSettings(settings);
  const undo: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  const log = createPinoLog(settings.logLevel);
  const boot: Boot = {
    settings,
    world: { clock: systemClock, random: systemRandom, log, disk: nodeDisk },
    onStop: step => void undo.push(step),
  };
  try {
    const started = await startRoles(boot);
    log.info('ready', { url: started.url, roles: settings.roles, data: settings.dataFolder });
    started.died.catch(() => {});
    return { ...started, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function startRoles(boot: Boot): Promise<Started> {
  switch (boot.settings.roles) {
    case 'all':
    case 'owner':
      return startOwner(boot);
    case 'server':
      return startServer(boot);
    case 'broker':
      return startBroker(boot);
  }
}

function checkSettings({ memoryBytes, shardCount, demoRatePerSecond, replicaCount }: StartSettings): void {
  if (memoryBytes < memoryBytesMin)
    throw fault('INVALID_REQUEST', `--memory ${memoryBytes} bytes is below the least of ${memoryBytesMin}`, {
      hint: 'give at least 512MB',
    });
  if (!Number.isInteger(shardCount) || shardCount < 1 || shardCount > 64)
    throw fault('INVALID_REQUEST', `--shards takes a whole number from 1 to 64, not ${shardCount}`);
  if (!(demoRatePerSecond > 0 && demoRatePerSecond <= 1_000_000))
    throw fault('INVALID_REQUEST', `--demo-rate takes events per second up to 1000000, not ${demoRatePerSecond}`);
  if (!Number.isInteger(replicaCount) || replicaCount < 1 || replicaCount > 16)
    throw fault('INVALID_REQUEST', `--replicas takes a whole number from 1 to 16, not ${replicaCount}`);
}
