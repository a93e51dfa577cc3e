/** Joining, heartbeats, announcements, draining: the controller's side of a cluster. */
import { fault } from '../base/fault.ts';
import type { Clock, Log } from '../base/seams.ts';
import type { Handlers } from '../wire/call.ts';
import { clusterVersion, type MemberCalls, type MemberEntry, type Registration } from '../wire/cluster-calls.ts';
import { allSegments, assignmentOf, placedCounts } from './assignments.ts';
import type { Changes } from './changes.ts';
import { addressOf, isLive, type Member, Members, stateOfMember } from './members.ts';
import { type ControllerSettings, heartbeatMs, newsWaitMs } from './settings.ts';
import { withoutServer, withServer } from './state.ts';
import { Version } from './version.ts';

/** The controller's own process. */
export type SelfEntry = Pick<MemberEntry, 'roles' | 'address' | 'startedAtMs' | 'release'>;

export interface MembershipComponents {
  self?(): SelfEntry;
  readonly clock: Clock;
  readonly log: Log;
  readonly changes: Changes;
}

export interface Membership {
  readonly handlers: Handlers<MemberCalls>;
  /** Looks after silences until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

type Settings = Pick<ControllerSettings, 'replicaCount' | 'serverGraceMs'>;

export function createMembership(
  { replicaCount, serverGraceMs }: Settings,
  { clock, log, changes, self }: MembershipComponents,
): Membership {
  const members = new Members(clock);
  /** Of all that routes and assignments follow from. */
  const version = new Version();
  changes.listen(() => version.bump());
  const startedMs = clock.monotonicMs();

  const isDraining = (id: string): boolean => changes.state.servers.get(id)?.draining ?? false;

  const putServer = (id: string, draining: boolean): Promise<void> =>
    changes.run(async (meta, set) => {
      const known = changes.state.servers.get(id);
      if (known?.draining === draining) return;
      const server = { id, registeredAtMs: known?.registeredAtMs ?? clock.nowMs(), draining };
      set(withServer(changes.state, await meta.putServer(server), server));
    });

  const removeServer = (id: string): Promise<void> =>
    changes.run(async (meta, set) => {
      if (changes.state.servers.has(id)) set(withoutServer(changes.state, await meta.removeServer(id), id));
    });

  /** A draining server of which nothing is awaited any more leaves. */
  const settleDrained = async (): Promise<void> => {
    for (const { id, draining } of [...changes.state.servers.values()]) {
      const member = members.all.get(id);
      if (!draining || !member || assignmentOf(id, changes.state, members.all, replicaCount).length > 0) continue;
      member.drained = true;
      await removeServer(id);
      log.info('a server is drained', { server: id });
    }
  };

  /** Servers that have been away for the grace period: their segments are placed elsewhere. */
  const removeAbsent = async (): Promise<void> => {
    for (const id of [...changes.state.servers.keys()]) {
      const member = members.all.get(id);
      const silenceMs = member ? members.silenceMs(member) : clock.monotonicMs() - startedMs;
      if (silenceMs <= serverGraceMs) continue;
      members.remove(id);
      await removeServer(id);
      log.warn('a server was silent for too long, its segments are placed elsewhere', { server: id, silenceMs });
    }
    // Brokers hold nothing: they are forgotten as soon as they would be placed elsewhere.
    for (const [id, member] of members.all)
      if (!changes.state.servers.has(id) && members.silenceMs(member) > serverGraceMs) members.remove(id);
  };

  const handlers: Handlers<MemberCalls> = {
    async register(registration) {
      checkRegistration(registration);
      members.register(registration);
      if (registration.role === 'server') await putServer(registration.memberId, false);
      version.bump();
      log.info('a process joined', { id: registration.memberId, role: registration.role });
      return { heartbeatMs };
    },

    heartbeat(ref) {
      const member = members.get(ref);
      members.beat(member);
      if (members.markSilent()) version.bump();
      return { state: stateOfMember(member, isDraining(ref.memberId)) };
    },

    async announce({ all, added, removed, ...ref }) {
      members.announce(members.get(ref), all, added, removed);
      version.bump();
      await settleDrained();
      return null;
    },

    leave(ref) {
      members.get(ref).leaving = true;
      version.bump();
      return null;
    },

    async assignment({ since, ...ref }, { signal }) {
      const member = members.get(ref);
      await version.changed(since, newsWaitMs, clock, signal);
      const segments = member.drained ? [] : assignmentOf(ref.memberId, changes.state, members.all, replicaCount);
      return { version: version.value, segments };
    },

    async drain({ serverId }) {
      if (!changes.state.servers.has(serverId))
        throw fault('NOT_FOUND', `there is no server ${String(serverId)}`, { hint: 'SELECT * FROM system.servers' });
      await putServer(serverId, true);
      await settleDrained();
      return null;
    },

    members: () => [...(self ? [selfEntry(self(), clock)] : []), ...entriesOf(changes, members.all, replicaCount)],

    async routes({ since, known }, { signal }) {
      await version.changed(since, newsWaitMs, clock, signal);
      const servers = [...members.all].filter(([, { registration }]) => registration.role === 'server');
      return {
        version: version.value,
        servers: servers.map(([serverId, member]) => ({
          serverId,
          address: member.registration.address,
          live: isLive(member),
          announcement: member.announcement,
          segments:
            known[serverId] === member.announcement
              ? null
              : Array.from(member.announced, ([id, generation]) => ({ id, generation })),
        })),
      };
    },
  };

  return {
    handlers,
    async run(signal) {
      // Most installations are one process for ever: nobody's silence is looked after.
      if (changes.state.servers.size === 0) await version.changedUntil(() => members.all.size > 0, signal);
      while (!signal.aborted) {
        await clock.sleep(heartbeatMs, signal).catch(() => {});
        if (signal.aborted) return;
        if (members.markSilent()) version.bump();
        await removeAbsent().catch(error => log.error('a silent server cannot be removed; tried again', { error }));
      }
    },
  };
}

const memberIdPattern = /^[a-z0-9-]{1,64}$/;

/** @throws FaultError UNSUPPORTED, INVALID_REQUEST */
function checkRegistration({ memberId, role, address, version, release }: Registration): void {
  if (version !== clusterVersion)
    throw fault(
      'UNSUPPORTED',
      `process ${String(memberId)} runs Weir ${String(release)}, whose processes speak version ${String(version)} with each other; this one speaks version ${clusterVersion}`,
      { hint: 'run the same version of Weir in all processes of a cluster' },
    );
  const isAddress = typeof address?.host === 'string' && Number.isInteger(address.port) && address.port > 0;
  if (!memberIdPattern.test(memberId) || (role !== 'server' && role !== 'broker') || !isAddress)
    throw fault('INVALID_REQUEST', 'a process registers with its id, its role and its address');
}

/** It is live: it answers. What it holds is the deep store itself. */
const selfEntry = (self: SelfEntry, clock: Clock): MemberEntry => ({
  ...{ id: 'controller', state: 'live', segmentsPlaced: 0, segmentsAnnounced: 0, sizeBytes: 0, ...self },
  heartbeatAtMs: clock.nowMs(),
});

/** The processes that joined. */
function entriesOf(changes: Changes, members: ReadonlyMap<string, Member>, replicaCount: number): MemberEntry[] {
  const { state } = changes;
  const placed = placedCounts(state, replicaCount);
  const sizes = new Map(Array.from(allSegments(state), ({ id, sizeBytes }) => [id, sizeBytes]));
  const absent = [...state.servers.values()].filter(({ id }) => !members.has(id));
  return [
    ...Array.from(members, ([id, member]): MemberEntry => {
      const announced = [...member.announced.keys()].filter(segment => sizes.has(segment));
      const { role, release, startedAtMs } = member.registration;
      return {
        id,
        roles: [role],
        address: addressOf(member),
        release,
        state: stateOfMember(member, state.servers.get(id)?.draining ?? false),
        segmentsPlaced: placed.get(id) ?? 0,
        segmentsAnnounced: announced.length,
        sizeBytes: announced.reduce((sum, segment) => sum + sizes.get(segment)!, 0),
        startedAtMs,
        heartbeatAtMs: member.heartbeatAtMs,
      };
    }),
    ...absent.map(
      ({ id }): MemberEntry => ({
        ...{ id, roles: ['server'], address: null, release: null, state: 'silent' },
        ...{ segmentsPlaced: placed.get(id) ?? 0, segmentsAnnounced: 0, sizeBytes: 0 },
        ...{ startedAtMs: null, heartbeatAtMs: null },
      }),
    ),
  ];
}
