/** The memory budget of this process: its accounts, the watch over what is resident, and what of it may be shown. */
import { type AccountState, type Accounts, createAccounts } from '../base/accounts.ts';
import type { Log } from '../base/seams.ts';
import { batchSizeBytesMax } from '../exec/sink.ts';
import { bodySizeBytesDefault } from '../http/limits.ts';
import { streamCredit } from '../wire/message.ts';
import { tuneMalloc } from './malloc.ts';
import { type MemoryShares, type StartSettings, shareMemory } from './settings.ts';
import { watchResident } from './watch.ts';

export interface Memory {
  readonly accounts: Accounts;
  readonly shares: MemoryShares;
  /** Frames of one query's answer on their way, at the most. */
  readonly answerBytes: number;
  /** Of one push. What is made of it may pass the account, when it is alone there: it is garbage soon. */
  readonly bodySizeBytesMax: number;
  /** Of the frames that a consuming segment is appended, so that its build fits its account. */
  readonly segmentSizeBytesMax: number;
  /** The accounts; then the process as a whole (`resident`), and of it what lies in the main thread's heap and buffers. */
  states(): readonly AccountState[];
  stop(): void;
}

/** However small the budget: `weir load` and most other clients send some megabytes at once. */
const bodySizeBytesMin = 20 << 20;

/** A build takes 1.5 bytes for each of the rows' frames (`ingest/builder`). */
const buildShare = 2 / 3;

/** Before any thread starts. */
export async function openMemory(settings: StartSettings, log: Log): Promise<Memory> {
  const shares = shareMemory(settings);
  const accounts = createAccounts(settings.memoryBytes, shares.limits);
  const stop = watchResident(accounts, shares.processBytes, await tuneMalloc(log));
  // From every shard to the one that answers, and from that to the door.
  const streamCount = settings.shardCount + 1;
  return {
    accounts,
    shares,
    answerBytes: streamCount * streamCredit * batchSizeBytesMax,
    bodySizeBytesMax: Math.min(bodySizeBytesDefault, Math.max(bodySizeBytesMin, Math.floor(shares.limits.bodies / 2))),
    segmentSizeBytesMax: Math.floor(shares.limits.builds * buildShare),
    states() {
      const { rss, heapUsed, external } = process.memoryUsage();
      accounts.residentBytes = rss;
      const { residentPeakBytes } = accounts;
      const { memoryBytes: limitBytes } = settings;
      return [
        ...accounts.states(),
        {
          name: 'process',
          usedBytes: shares.processBytes,
          peakBytes: shares.processBytes,
          limitBytes: shares.processBytes,
        },
        { name: 'resident', usedBytes: rss, peakBytes: residentPeakBytes, limitBytes },
        { name: 'main_heap', usedBytes: heapUsed, peakBytes: heapUsed, limitBytes },
        { name: 'main_buffers', usedBytes: external, peakBytes: external, limitBytes },
      ];
    },
    stop,
  };
}
