/** The threads of the process that owns a data folder. */
import type { MessagePort } from 'node:worker_threads';
import type { Client } from '../wire/call.ts';
import { connect } from '../wire/connect.ts';
import type { IngestCalls } from '../wire/ingest-calls.ts';
import { messagePortPort } from '../wire/port.ts';
import type { ShardCalls } from '../wire/shard-calls.ts';
import { folders } from './folders.ts';
import type { Memory } from './memory.ts';
import type { StartSettings } from './settings.ts';
import { startShards } from './shard-threads.ts';
import { channel, startThread, type Thread } from './threads.ts';

export interface OwnerThreads {
  /** In order of starting: ingestion, the last, stops first, while the others still answer it. */
  readonly all: readonly Thread[];
  readonly shards: readonly Client<ShardCalls>[];
  readonly ingest: Client<IngestCalls>;
}

/** Every pair that talks gets a channel: `near` ends stay here, or go to the thread that calls. */
export function startOwnerThreads(
  settings: StartSettings,
  { accounts, shares, segmentSizeBytesMax }: Memory,
  serveController: (port: MessagePort) => void,
  serveTasks: ((port: MessagePort) => void) | null,
): OwnerThreads {
  const { dataFolder, logLevel } = settings;
  const { arenaBytes, streamBufferSizeBytes } = shares;
  const common = { dataFolder, logLevel, accounts: accounts.buffer };
  const filesFolder = folders(dataFolder).store;
  const mainToIngest = channel();
  const ingestToController = channel();
  const ingestToBuilder = channel();
  const { threads, shards, callers } = startShards(
    { ...settings, arenaBytes, accounts: accounts.buffer, filesFolder, callerCount: 2 },
    serveTasks,
  );
  const [fromIngest, fromBuilder] = callers as [MessagePort[], MessagePort[]];
  const builder = startThread({ ...common, role: 'builder', serve: [ingestToBuilder.far], shards: fromBuilder });
  serveController(ingestToController.far);
  const ingest = startThread({
    ...common,
    role: 'ingest',
    streamBufferSizeBytes,
    segmentSizeBytesMax,
    serve: [mainToIngest.far],
    controller: ingestToController.near,
    builder: ingestToBuilder.near,
    shards: fromIngest,
  });
  return {
    all: [...threads, builder, ingest],
    shards,
    ingest: connect<IngestCalls>(messagePortPort(mainToIngest.near)),
  };
}
