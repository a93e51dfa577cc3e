/**
 * What processes of a cluster ask of each other, besides the calls that roles make wherever they are: who is there
 * and holds what, the deep store's bytes, and the parts of a query that run in another process.
 */
import type { TableSnapshot } from '../catalog/table.ts';
import type { Node } from '../plan/node.ts';
import type { PartitionRef, Stream } from './calls.ts';
import type { QuarantinedSegment } from './controller-calls.ts';
import type { PinnedPartition, ServerScan } from './server-calls.ts';
import type { RunStats } from './shard-calls.ts';

/** Processes of different numbers do not understand each other; it counts up with every change of a call between processes. */
export const clusterVersion = 1;

export type MemberRole = 'server' | 'broker';

/** One start of a process that joined. */
export interface MemberRef {
  /** Stable: kept in the process's data folder. */
  readonly memberId: string;
  /** Differs with every start. */
  readonly incarnation: string;
}

export interface WireAddress {
  readonly host: string;
  readonly port: number;
}

export interface Registration extends MemberRef {
  readonly role: MemberRole;
  /** Where it answers the other processes. */
  readonly address: WireAddress;
  /** Weir's version, for people. */
  readonly release: string;
  /** `clusterVersion` of its code. */
  readonly version: number;
  readonly startedAtMs: number;
}

/** A committed segment in one of its generations: what a server holds of it is of exactly one. */
export interface HeldSegment {
  readonly id: string;
  readonly generation: number;
}

export interface PlacedSegment extends HeldSegment {
  readonly tableId: string;
}

/**
 * `live`: queries go there. `silent`: its heartbeats are missing, queries go elsewhere. `leaving`: it said that it stops.
 * `draining`: it gives up what it holds. `drained`: it holds nothing and gets nothing.
 */
export type MemberState = 'live' | 'silent' | 'leaving' | 'draining' | 'drained';

/** One row of `system.servers`. */
export interface MemberEntry {
  readonly id: string;
  readonly roles: readonly string[];
  /** `host:port`; null where it has not been seen since the controller started, or opens no port. */
  readonly address: string | null;
  readonly release: string | null;
  readonly state: MemberState;
  readonly segmentsPlaced: number;
  readonly segmentsAnnounced: number;
  /** Of the announced segments. */
  readonly sizeBytes: number;
  readonly startedAtMs: number | null;
  readonly heartbeatAtMs: number | null;
}

/** Where a broker finds a server, and what is there. */
export interface RouteEntry {
  readonly serverId: string;
  readonly address: WireAddress;
  /** False: it answers no queries now. */
  readonly live: boolean;
  /** Counts up with every change of `segments`. */
  readonly announcement: number;
  /** null: as it was at the `announcement` that the caller knows. */
  readonly segments: readonly HeldSegment[] | null;
}

/** Calls with `since` wait, some seconds at most, until there is something else than at that version; null: they do not. */
export type MemberCalls = {
  /** Durable for a server: segments are placed on it until it is drained, or silent for the grace period. @throws FaultError UNSUPPORTED for another version */
  register: { in: Registration; out: { readonly heartbeatMs: number } };
  /** @throws FaultError NOT_FOUND where it has to register (again); FORBIDDEN where a later start of it has */
  heartbeat: { in: MemberRef; out: { readonly state: MemberState } };
  /** What it holds now: all of it, or what changed since the announcement before. @throws FaultError as `heartbeat` */
  announce: {
    in: MemberRef & { all: boolean; added: readonly HeldSegment[]; removed: readonly string[] };
    out: null;
  };
  /** It stops, and comes back: queries go elsewhere, segments stay placed on it. */
  leave: { in: MemberRef; out: null };
  /** What the server is to hold. @throws FaultError as `heartbeat` */
  assignment: {
    in: MemberRef & { since: number | null };
    out: { readonly version: number; readonly segments: readonly PlacedSegment[] };
  };
  /** Its segments are placed elsewhere; it leaves when others have announced them. @throws FaultError NOT_FOUND */
  drain: { in: { serverId: string }; out: null };
  members: { in: null; out: readonly MemberEntry[] };
  /** `known`: announcements by server id. */
  routes: {
    in: { since: number | null; known: Readonly<Record<string, number>> };
    out: { readonly version: number; readonly servers: readonly RouteEntry[] };
  };
};

/** A query's snapshot in one round trip (see `broker/snapshot`): partitions are pinned, then the metadata is read. */
export type SnapshotCalls = {
  /** `stamps`: by table id, which state of it the caller has; that table is then not sent. In the order of `tableIds`. */
  open: {
    in: {
      leaseId: string;
      partitions: readonly PartitionRef[];
      tableIds: readonly string[];
      stamps: Readonly<Record<string, string>>;
    };
    out: {
      readonly pins: readonly PinnedPartition[];
      readonly tables: readonly { readonly stamp: string; readonly table: TableSnapshot | null }[];
      readonly quarantine: readonly QuarantinedSegment[];
    };
  };
  release: { in: { leaseId: string }; out: null };
};

/** The deep store, of which the controller's process has the files or the credentials. Keys as in `store/deep-store`. */
export type StoreCalls = {
  size: { in: { key: string }; out: { readonly sizeBytes: number } };
  /** Exactly `sizeBytes` bytes, of at most `storeReadSizeBytesMax`. @throws FaultError NOT_FOUND, CORRUPT_SEGMENT, INVALID_REQUEST */
  read: { in: { key: string; offset: number; sizeBytes: number }; out: { readonly bytes: Uint8Array } };
};

/** Large against a round trip, small against what a query's answer waits for behind it on the same connection. */
export const storeReadSizeBytesMax = 1 << 20;

/** A leaf fragment over scans of one process. */
export interface LeafInput {
  readonly queryId: string;
  readonly node: Node;
  readonly scans: readonly ServerScan[];
  readonly nowMs: number;
  /** What is left of the query's time; clocks of two machines differ. */
  readonly remainingMs: number;
  /** Of this fragment on this process. */
  readonly memoryBytes: number;
  readonly allowPartial: boolean;
}

/**
 * What a process answers for the scans of other processes' queries. While shards compute and there is no batch, it sends
 * empty frames (signs of life): a caller who hears nothing knows that nothing happens. A segment that is not held in the
 * generation asked for is left out of `unitsAnswered`, as is one whose cached bytes turn out damaged.
 */
export type LeafCalls = { leaf: { in: LeafInput; out: Stream<RunStats> } };

/** What a root fragment's shard asks of its own process: the frames of a task that another process runs. */
export type RemoteTaskCalls = {
  task: { in: { readonly runId: string; readonly task: number }; out: Stream<RunStats> };
};
