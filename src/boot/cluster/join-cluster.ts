/** How a process becomes a part of a cluster, whatever its role in it. */
import { type Joined, join } from '../../server/join.ts';
import type { Client } from '../../wire/call.ts';
import type { MemberCalls } from '../../wire/cluster-calls.ts';
import { clusterVersion, type MemberRole, type Registration } from '../../wire/cluster-calls.ts';
import type { TcpAddress } from '../../wire/tcp.ts';
import type { Boot } from '../boot.ts';
import { release } from '../settings.ts';

export const registrationOf = (
  { world }: Boot,
  role: MemberRole,
  memberId: string,
  address: TcpAddress,
): Registration => ({
  ...{ memberId, role, address, release, version: clusterVersion },
  incarnation: world.random.hex(16),
  startedAtMs: world.clock.nowMs(),
});

/** Registered when it resolves. @throws FaultError where the cluster refuses this process */
export async function joinCluster(
  { world }: Boot,
  registration: Registration,
  members: Client<MemberCalls>,
  onRegistered: () => void,
): Promise<Joined> {
  let joined: () => void = () => {};
  const first = new Promise<void>(resolve => {
    joined = resolve;
  });
  const membership = join(registration, {
    ...{ ...world, members },
    onRegistered() {
      onRegistered();
      joined();
    },
  });
  await Promise.race([first, membership.ended]);
  return membership;
}

/** Rejects where the cluster refuses this process later on. */
export const refusedBy = ({ ended }: Joined): Promise<never> => ended.then(() => new Promise<never>(() => {}));
