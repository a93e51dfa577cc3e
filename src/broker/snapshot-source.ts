/**
 * Where snapshots are opened: beside the controller, or in its process, which does the same for brokers elsewhere. There the
 * two halves are one round trip, and a table that has not changed since the broker's last look is not sent again.
 */
import type { Clock, Random } from '../base/seams.ts';
import type { TableSnapshot } from '../catalog/table.ts';
import type { Client, Handlers } from '../wire/call.ts';
import type { PartitionRef } from '../wire/calls.ts';
import type { SnapshotCalls } from '../wire/cluster-calls.ts';
import type { ControllerCalls, QuarantinedSegment } from '../wire/controller-calls.ts';
import type { PinnedPartition, ServerCalls } from '../wire/server-calls.ts';

export interface SnapshotSource {
  /** Pins the partitions, and then reads the metadata; both for one lease. */
  open(
    leaseId: string,
    partitions: readonly PartitionRef[],
    tableIds: readonly string[],
  ): Promise<{
    readonly pins: readonly PinnedPartition[];
    readonly tables: readonly TableSnapshot[];
    readonly quarantine: readonly QuarantinedSegment[];
  }>;
  release(leaseId: string): Promise<unknown>;
}

export const ownSnapshots = (controller: Client<ControllerCalls>, server: Client<ServerCalls>): SnapshotSource => ({
  async open(leaseId, partitions, tableIds) {
    const pins = await server.call('pin', { leaseId, partitions });
    const { tables, quarantine } = await controller.call('snapshot', { leaseId, tableIds });
    return { pins, tables, quarantine };
  },
  release: leaseId => Promise.all([server.call('release', { leaseId }), controller.call('release', { leaseId })]),
});

interface Stamped {
  readonly stamp: string;
  readonly table: TableSnapshot;
}

/** Tables whose last state is remembered; all are forgotten beyond, which costs one sending each. */
const rememberedMax = 2_000;

function remember(known: Map<string, Stamped>, stamped: Stamped): void {
  if (known.size >= rememberedMax) known.clear();
  known.set(stamped.table.definition.id, stamped);
}

/** The metadata's values are replaced whole, so what is the same is the same object. */
const isSame = (a: TableSnapshot, b: TableSnapshot): boolean =>
  a.definition === b.definition &&
  a.segments === b.segments &&
  a.replacements === b.replacements &&
  a.committedEnds === b.committedEnds &&
  a.epochs === b.epochs &&
  a.streamIds === b.streamIds;

/** Longer than any query may run: a snapshot that is older is that of a broker which is gone without a word. */
export const snapshotLimitMs = 600_000;

/** For brokers of other processes. Stamps name a state of a table for as long as this process runs. */
export function snapshotDoor(
  source: SnapshotSource,
  { random, clock }: { readonly random: Random; readonly clock: Clock },
): Handlers<SnapshotCalls> {
  const known = new Map<string, Stamped>();
  /** When each was taken, oldest first. */
  const leases = new Map<string, number>();
  const releaseOld = (): void => {
    for (const [leaseId, takenMs] of leases) {
      if (clock.monotonicMs() - takenMs < snapshotLimitMs) break;
      leases.delete(leaseId);
      source.release(leaseId).catch(() => {});
    }
  };
  const incarnation = random.hex(16);
  let count = 0;
  const stamped = (table: TableSnapshot): Stamped => {
    const before = known.get(table.definition.id);
    if (before && isSame(before.table, table)) return before;
    const now = { stamp: `${incarnation}-${count++}`, table };
    remember(known, now);
    return now;
  };
  return {
    async open({ leaseId, partitions, tableIds, stamps }) {
      releaseOld();
      leases.set(leaseId, clock.monotonicMs());
      const { pins, tables, quarantine } = await source.open(leaseId, partitions, tableIds);
      return {
        ...{ pins, quarantine },
        tables: tables.map(stamped).map(({ stamp, table }) => ({
          stamp,
          table: stamps[table.definition.id] === stamp ? null : table,
        })),
      };
    },
    async release({ leaseId }) {
      leases.delete(leaseId);
      await source.release(leaseId);
      return null;
    },
  };
}

/** In another process than the controller's. @param brokerId Two brokers may be asked for queries of one name. */
export function remoteSnapshots(client: Client<SnapshotCalls>, brokerId: string): SnapshotSource {
  const leaseOf = (name: string): string => `${brokerId}/${name}`;
  const known = new Map<string, Stamped>();
  return {
    async open(name, partitions, tableIds) {
      // As of now: another query may make room among them while this one waits.
      const asked = new Map(tableIds.map(id => [id, known.get(id)]));
      const stamps = Object.fromEntries(
        [...asked].flatMap(([id, before]) => (before ? [[id, before.stamp] as const] : [])),
      );
      const input = { leaseId: leaseOf(name), partitions, tableIds, stamps };
      const { pins, tables, quarantine } = await client.call('open', input);
      return {
        ...{ pins, quarantine },
        tables: tables.map(({ stamp, table }, index) => {
          const now = table ?? asked.get(tableIds[index]!)!.table;
          remember(known, { stamp, table: now });
          return now;
        }),
      };
    },
    release: name => client.call('release', { leaseId: leaseOf(name) }),
  };
}
