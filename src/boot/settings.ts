/** What `weir start` is told, and what follows from it. */
import { availableParallelism } from 'node:os';
import { fault } from '../base/fault.ts';
import type { LogLevel } from '../base/pino-log.ts';

export interface StartSettings {
  /** The data folder: `store/`, `log/`, `meta/`. */
  readonly dataFolder: string;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** The one memory budget: arenas, queries, buffers. */
  readonly memoryBytes: number;
  readonly shardCount: number;
  readonly demo: boolean;
  readonly demoRatePerSecond: number;
  readonly logLevel: LogLevel;
  /** The built page; null where there is none. */
  readonly webFolder: string | null;
}

/** Room for the thread stacks, V8 heaps and buffers of all roles, and one small block of each table. */
export const memoryBytesMin = 256 << 20;
export const memoryBytesDefault = 2 * 2 ** 30;

/** One shard a core; each costs about 25 MB of heap and stack, and more than 16 only help a machine that serves nothing else. */
const shardCountMax = 16;

export const defaultShardCount = (): number => Math.min(availableParallelism(), shardCountMax);

/**
 * What a process takes before it holds a row: the heaps, stacks and code of its threads, and what the allocator keeps of
 * buffers that came and went. Measured at about 210 MB idle, and up to twice that while it ingests and seals as fast as it can.
 */
const processBytes = 448 << 20;

/**
 * What the memory budget is cut into, once the process itself is paid for; a budget too small for that (below 704 MB)
 * leaves it unpaid, for with less than `memoryBytesMin` no query would get far. Arenas hold columns and consuming rows; the
 * rest is for what queries build, for segments being built, and for messages on their way in (of each table that consumes
 * a stream).
 */
export function shareMemory({ memoryBytes, shardCount }: StartSettings): {
  arenaBytes: number;
  queryMemoryBytes: number;
  streamBufferSizeBytes: number;
} {
  const dataBytes = Math.max(memoryBytes - processBytes, memoryBytesMin);
  return {
    arenaBytes: Math.floor((dataBytes * 5) / 8 / shardCount),
    queryMemoryBytes: Math.floor(dataBytes / 8),
    streamBufferSizeBytes: Math.floor(dataBytes / 32),
  };
}

const units: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** `2GB`, `512MiB`, `1.5g`, `1073741824`; powers of 1,024 either way. @throws FaultError INVALID_REQUEST */
export function parseSizeBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text.trim());
  if (!match)
    throw fault('INVALID_REQUEST', `${JSON.stringify(text)} is not a size`, { hint: 'write it as 512MB or 2GB' });
  return Math.floor(Number(match[1]) * units[match[2]!.toLowerCase()]!);
}

/** `127.0.0.1:8090`, `[::1]:8090`, `localhost:0`, `8090`. @throws FaultError INVALID_REQUEST */
export function parseAddress(text: string): { host: string; port: number } {
  const match = /^(?:(\[[0-9a-f:]+\]|[^:\s]+):)?(\d{1,5})$/i.exec(text.trim());
  const port = Number(match?.[2]);
  if (!match || port > 65_535)
    throw fault('INVALID_REQUEST', `${JSON.stringify(text)} is not an address`, {
      hint: 'write HOST:PORT, such as 127.0.0.1:8090',
    });
  return { host: match[1]?.replace(/^\[|\]$/g, '') ?? '127.0.0.1', port };
}
