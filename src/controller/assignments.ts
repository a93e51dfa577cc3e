/** Which server is to hold which segment. */
import { segmentServers } from '../catalog/placement.ts';
import type { SegmentEntry } from '../catalog/table.ts';
import type { PlacedSegment } from '../wire/cluster-calls.ts';
import type { Member } from './members.ts';
import type { State } from './state.ts';

/** Those that segments are placed on, live or not. */
export const placedServers = (state: State): string[] =>
  [...state.servers.values()].filter(({ draining }) => !draining).map(({ id }) => id);

/**
 * What is placed on a server, and what it holds of others' until they have announced it: data moves without a moment in which
 * nobody has it.
 */
export function assignmentOf(
  serverId: string,
  state: State,
  members: ReadonlyMap<string, Member>,
  replicaCount: number,
): PlacedSegment[] {
  const servers = placedServers(state);
  const held = members.get(serverId)?.announced ?? new Map<string, number>();
  const assigned: PlacedSegment[] = [];
  for (const { id, tableId, generation } of allSegments(state)) {
    const placed = segmentServers(id, servers, replicaCount);
    const isAwaited = (): boolean => placed.some(server => members.get(server)?.announced.get(id) !== generation);
    if (placed.includes(serverId) || (held.has(id) && isAwaited())) assigned.push({ id, tableId, generation });
  }
  return assigned;
}

/** By server id: how many segments are placed there. */
export function placedCounts(state: State, replicaCount: number): ReadonlyMap<string, number> {
  const servers = placedServers(state);
  const counts = new Map(servers.map(id => [id, 0]));
  for (const { id } of allSegments(state))
    for (const server of segmentServers(id, servers, replicaCount)) counts.set(server, counts.get(server)! + 1);
  return counts;
}

export function* allSegments(state: State): Generator<SegmentEntry, void, void> {
  for (const { segments } of state.tables.values()) yield* segments;
}
