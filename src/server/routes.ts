/** Which server holds which segment, as the controller tells it; and who of them was found wanting since. */
import { toFault } from '../base/fault.ts';
import type { Clock, Log } from '../base/seams.ts';
import { rendezvous } from '../catalog/placement.ts';
import type { Client } from '../wire/call.ts';
import type { HeldSegment, LeafCalls, MemberCalls, RouteEntry, WireAddress } from '../wire/cluster-calls.ts';

/** Another process that answers leaf fragments. */
export interface Peer {
  readonly id: string;
  readonly address: WireAddress;
  readonly client: Client<LeafCalls>;
  /** Ends its connection. */
  close(): void;
}

export interface RoutesComponents {
  readonly clock: Clock;
  readonly log: Log;
  readonly members: Client<MemberCalls>;
  connect(id: string, address: WireAddress): Peer;
}

/** Who failed a query is asked again after this: a process that hangs costs one query in so many its time, not each. */
export const suspicionMs = 10_000;

/** After a failure to ask the controller. What was known stays: a wrong route costs a query another attempt, nothing else. */
const retryMs = 500;

interface Known {
  readonly peer: Peer;
  readonly live: boolean;
  readonly announcement: number;
  /** Generations by segment id. */
  readonly segments: ReadonlyMap<string, number>;
}

export class Routes {
  readonly #components: RoutesComponents;
  #known = new Map<string, Known>();
  /** Chosen before, by segment: names are hashed once for each change of the table. */
  #chosen = new Map<string, string | null>();
  /** Until when, by server. */
  readonly #suspects = new Map<string, number>();

  constructor(components: RoutesComponents) {
    this.#components = components;
  }

  peer(serverId: string): Peer | null {
    return this.#known.get(serverId)?.peer ?? null;
  }

  /** Whether any server is there at all. */
  get isEmpty(): boolean {
    return this.#known.size === 0;
  }

  /**
   * The server to ask for a segment: of those that are live and announced it, the first in its rendezvous order, so that each
   * segment's columns are cached once while all are well. null: nobody.
   */
  holderOf({ id, generation }: HeldSegment, excluded: ReadonlySet<string>): string | null {
    this.#forgive();
    const isPlain = excluded.size === 0 && this.#suspects.size === 0;
    const key = `${id}/${generation}`;
    const known = isPlain ? this.#chosen.get(key) : undefined;
    if (known !== undefined) return known;
    const holders = [...this.#known]
      .filter(([, { live, segments }]) => live && segments.get(id) === generation)
      .map(([serverId]) => serverId)
      .filter(serverId => !excluded.has(serverId) && !this.#suspects.has(serverId));
    const holder = rendezvous(id, holders)[0] ?? null;
    if (isPlain) this.#chosen.set(key, holder);
    return holder;
  }

  /** It failed a query: others are preferred for a while. */
  suspect(serverId: string): void {
    this.#suspects.set(serverId, this.#components.clock.monotonicMs() + suspicionMs);
  }

  /** Takes what is told; servers that are not in it are gone. */
  take(servers: readonly RouteEntry[]): void {
    const next = new Map<string, Known>();
    for (const { serverId, address, live, announcement, segments } of servers) {
      const before = this.#known.get(serverId);
      const { host, port } = before?.peer.address ?? {};
      const stays = before !== undefined && host === address.host && port === address.port;
      if (before && !stays) before.peer.close();
      next.set(serverId, {
        ...{ live, announcement },
        peer: stays ? before.peer : this.#components.connect(serverId, address),
        segments: segments
          ? new Map(segments.map(({ id, generation }) => [id, generation]))
          : (before?.segments ?? new Map()),
      });
    }
    for (const [serverId, { peer }] of this.#known) if (!next.has(serverId)) peer.close();
    this.#known = next;
    this.#chosen = new Map();
  }

  /** Whether the table is as the controller tells it. */
  knows({ servers }: MemberCalls['routes']['out']): boolean {
    return servers.every(({ serverId, live, announcement }) => {
      const known = this.#known.get(serverId);
      return known?.live === live && known.announcement === announcement;
    });
  }

  /** Keeps the table as the controller has it, until the signal aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    const { members, clock, log } = this.#components;
    let since: number | null = null;
    let failing = false;
    while (!signal.aborted) {
      const known = Object.fromEntries(
        since === null ? [] : Array.from(this.#known, ([id, { announcement }]) => [id, announcement]),
      );
      try {
        const news: MemberCalls['routes']['out'] = await members.call('routes', { since, known }, { signal });
        this.take(news.servers);
        since = news.version;
        failing = false;
      } catch (error) {
        if (signal.aborted) break;
        if (!failing) log.warn('the controller does not tell who holds what', { reason: toFault(error).message });
        failing = true;
        // Another controller may number its announcements alike: everything is asked for anew.
        since = null;
        await clock.sleep(retryMs, signal).catch(() => {});
      }
    }
    this.take([]);
  }

  #forgive(): void {
    if (this.#suspects.size === 0) return;
    const nowMs = this.#components.clock.monotonicMs();
    for (const [serverId, untilMs] of this.#suspects) if (untilMs <= nowMs) this.#suspects.delete(serverId);
  }
}
