/** What `weir start` is told, and what follows from it. */
import { availableParallelism } from 'node:os';
import type { AccountName } from '../base/accounts.ts';
import { fault } from '../base/fault.ts';
import type { LogLevel } from '../base/pino-log.ts';
import type { SecretReference } from '../catalog/table.ts';
import { type ControllerSettings, controllerDefaults } from '../controller/settings.ts';
import type { TcpAddress } from '../wire/tcp.ts';

/** Weir's version. */
export const release = '0.1.0';

/**
 * What one process does. `all`: everything. `owner`: the controller and ingestion, which live where the data folder is.
 * `server` and `broker` join the process of those.
 */
export type Roles = 'all' | 'owner' | 'server' | 'broker';

export interface StartSettings {
  readonly roles: Roles;
  /** Where other processes are listened for; null: none are (`all`, `owner`), or on loopback at any free port. */
  readonly wire: TcpAddress | null;
  /** The controller's process; null for `all` and `owner`. */
  readonly join: TcpAddress | null;
  /** Shared by all processes of the cluster; null: loopback only. */
  readonly secret: SecretReference | null;
  /** Between processes; `ca` null: any certificate will do, the secret proves who it is. */
  readonly wireTls: {
    readonly certificate: SecretReference;
    readonly key: SecretReference;
    readonly ca: SecretReference | null;
  } | null;
  /** Servers that hold each committed segment. */
  readonly replicaCount: number;
  /** The data folder: `store/`, `log/`, `meta/`; of a server: `cache/`. Brokers have none. */
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
  /** Loads may read files below these folders of this machine. */
  readonly loadFolders: readonly string[];
  /** The built page; null where there is none. */
  readonly webFolder: string | null;
}

/** Room for the thread stacks, V8 heaps and buffers of all roles, and one small block of each table. */
export const memoryBytesMin = 512 << 20;
export const memoryBytesDefault = 2 * 2 ** 30;

/** One shard a core; each costs about 25 MB of heap and stack, and more than 16 only help a machine that serves nothing else. */
const shardCountMax = 16;

export const defaultShardCount = (): number => Math.min(availableParallelism(), shardCountMax);

/**
 * What a process takes before it holds a row, and what no account sees: heaps, stacks and code of its threads, garbage
 * until it is collected. Measured at 205 MB idle with two shards, of which a shard has 25, and at 300 MB
 * under the adversaries of test/integration/memory.test.ts.
 */
const processBytes = (shardCount: number): number => (256 + 32 * shardCount) * 2 ** 20;

/** With less than this for data, no query would get far: below, the budget leaves part of the process unpaid. */
const dataBytesMin = 192 << 20;

/** Thirty-seconds of what is left. */
const dataShares = {
  arenas: 14,
  queries: 5,
  statements: 1,
  results: 2,
  bodies: 4,
  streams: 2,
  builds: 2,
  loads: 1,
  metadata: 1,
} as const;

/** A broker holds no columns and builds nothing: it merges. */
const brokerShares: Readonly<Record<keyof typeof dataShares, number>> = {
  ...{ arenas: 2, queries: 17, statements: 2, results: 5, bodies: 5 },
  ...{ streams: 0, builds: 0, loads: 0, metadata: 1 },
};

export interface MemoryShares {
  readonly processBytes: number;
  /** Of one shard. */
  readonly arenaBytes: number;
  /** Of one query: three quarters of what all together have, so that a second one, too, gets somewhere. */
  readonly queryMemoryBytes: number;
  /** Of one table that consumes a stream; all together have twice as much. */
  readonly streamBufferSizeBytes: number;
  /** Rows of a load that are in no segment yet; as much again is for what they are encoded to. */
  readonly loadBufferSizeBytes: number;
  /** By account. Columns and consuming rows lie in the arenas and share what these have. */
  readonly limits: Readonly<Record<AccountName, number>>;
}

/** What the memory budget is cut into, once the process itself is paid for. */
export function shareMemory({
  memoryBytes,
  shardCount,
  roles,
}: Pick<StartSettings, 'memoryBytes' | 'shardCount' | 'roles'>): MemoryShares {
  const shares = roles === 'broker' ? brokerShares : dataShares;
  const dataBytes = Math.max(memoryBytes - processBytes(shardCount), dataBytesMin);
  const share = (name: keyof typeof shares): number => Math.floor((dataBytes * shares[name]) / 32);
  const { arenas, ...others } = Object.fromEntries(
    Object.keys(shares).map(name => [name, share(name as keyof typeof shares)]),
  ) as Record<keyof typeof shares, number>;
  return {
    processBytes: Math.max(0, memoryBytes - dataBytes),
    arenaBytes: Math.floor(arenas / shardCount),
    queryMemoryBytes: Math.floor((others.queries * 3) / 4),
    streamBufferSizeBytes: Math.floor(others.streams / 2),
    loadBufferSizeBytes: Math.floor(others.loads / 2),
    limits: { ...others, columns: arenas, consuming: arenas },
  };
}

/** A merge holds about twice the size of what it merges, on the account of builds: half of it is left for sealing. */
export function controllerSettings(
  settings: Pick<StartSettings, 'memoryBytes' | 'shardCount' | 'roles' | 'replicaCount'>,
): ControllerSettings {
  const { builds } = shareMemory(settings).limits;
  return {
    ...controllerDefaults,
    replicaCount: settings.replicaCount,
    mergeSizeBytesMax: Math.min(controllerDefaults.mergeSizeBytesMax, Math.floor(builds / 4)),
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

const roleSets: Readonly<Record<string, Roles>> = {
  all: 'all',
  'broker,controller,ingest,server': 'all',
  'controller,ingest': 'owner',
  server: 'server',
  broker: 'broker',
};

/** `all`, or names with commas between. @throws FaultError INVALID_REQUEST */
export function parseRoles(text: string): Roles {
  const names = text.split(',').map(name => name.trim());
  const roles = roleSets[[...new Set(names)].sort().join(',')];
  if (roles) return roles;
  throw fault('INVALID_REQUEST', `--roles ${text.slice(0, 100)} is nothing that one process can be`, {
    hint: 'all (the default); controller,ingest where the data folder is; server or broker, each with --join HOST:PORT',
  });
}
