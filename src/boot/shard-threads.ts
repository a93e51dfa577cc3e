/** The shards of a process: a thread each, every one of which can call every other. */
import type { MessagePort } from 'node:worker_threads';
import type { Client } from '../wire/call.ts';
import { connect } from '../wire/connect.ts';
import { messagePortPort } from '../wire/port.ts';
import type { ShardCalls } from '../wire/shard-calls.ts';
import type { StartSettings } from './settings.ts';
import { channel, startThread, type Thread } from './threads.ts';

export interface ShardThreads {
  readonly threads: readonly Thread[];
  /** For this thread, by shard number. */
  readonly shards: readonly Client<ShardCalls>[];
  /** For each other thread that calls shards: its ports, by shard number. */
  readonly callers: readonly (readonly MessagePort[])[];
}

export interface ShardThreadSettings extends Pick<StartSettings, 'shardCount' | 'dataFolder' | 'logLevel'> {
  readonly arenaBytes: number;
  /** Of the process, for every thread. */
  readonly accounts: SharedArrayBuffer;
  /** Where committed segments are on this machine. */
  readonly filesFolder: string;
  readonly callerCount: number;
}

/** @param serveTasks Answers what other processes run for queries whose root is in a shard; null where there are none. */
export function startShards(
  { shardCount, dataFolder, logLevel, arenaBytes, accounts, filesFolder, callerCount }: ShardThreadSettings,
  serveTasks: ((port: MessagePort) => void) | null,
): ShardThreads {
  const numbers = Array.from({ length: shardCount }, (_, shard) => shard);
  const fromMain = numbers.map(channel);
  const fromCallers = Array.from({ length: callerCount }, () => numbers.map(channel));
  const fromPeers = numbers.map(() => numbers.map(channel));
  const toTasks = serveTasks ? numbers.map(channel) : null;
  for (const { far } of toTasks ?? []) serveTasks!(far);
  const threads = numbers.map(shard =>
    startThread({
      ...{ role: 'shard', shard, dataFolder, logLevel, arenaBytes, accounts, filesFolder },
      serve: [
        fromMain[shard]!.far,
        ...fromCallers.map(ports => ports[shard]!.far),
        ...numbers.filter(peer => peer !== shard).map(peer => fromPeers[peer]![shard]!.far),
      ],
      peers: numbers.map(peer => (peer === shard ? null : fromPeers[shard]![peer]!.near)),
      remoteTasks: toTasks?.[shard]?.near ?? null,
    }),
  );
  return {
    threads,
    shards: fromMain.map(({ near }) => connect<ShardCalls>(messagePortPort(near))),
    callers: fromCallers.map(ports => ports.map(({ near }) => near)),
  };
}
