/**
 * Which processes joined, whether they are there, and what they hold. Servers that segments are placed on are durable
 * metadata; the rest is in memory, and is told again after a restart.
 */
import { fault } from '../base/fault.ts';
import type { Clock } from '../base/seams.ts';
import type { HeldSegment, MemberRef, MemberState, Registration } from '../wire/cluster-calls.ts';
import { memberCountMax, memberSilenceMs } from './settings.ts';

export interface Member {
  readonly registration: Registration;
  heartbeatMs: number;
  heartbeatAtMs: number;
  /** Said that it stops. */
  leaving: boolean;
  drained: boolean;
  /** As of the last look: a change is news to brokers. */
  silent: boolean;
  /** Generations by segment id. */
  announced: ReadonlyMap<string, number>;
  /** Of `announced`: never the same for two. */
  announcement: number;
}

export class Members {
  readonly #clock: Clock;
  readonly #members = new Map<string, Member>();
  #announcements = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** By id. */
  get all(): ReadonlyMap<string, Member> {
    return this.#members;
  }

  /** A later start of a member takes the place of the one before, and holds nothing until it announces. @throws FaultError LIMIT_EXCEEDED */
  register(registration: Registration): void {
    const { memberId } = registration;
    if (!this.#members.has(memberId) && this.#members.size >= memberCountMax)
      throw fault('LIMIT_EXCEEDED', `${memberCountMax} processes have joined, which is the limit`, {
        hint: 'join fewer, larger processes',
      });
    this.#members.set(memberId, {
      registration,
      ...this.#now(),
      leaving: false,
      drained: false,
      silent: false,
      announced: new Map(),
      announcement: ++this.#announcements,
    });
  }

  /** The member, if this start of it is the one that registered last. @throws FaultError NOT_FOUND, FORBIDDEN */
  get({ memberId, incarnation }: MemberRef): Member {
    const member = this.#members.get(memberId);
    if (member === undefined)
      throw fault('NOT_FOUND', `process ${String(memberId)} has not registered`, {
        hint: 'it registers again by itself',
      });
    if (member.registration.incarnation === incarnation) return member;
    throw fault('FORBIDDEN', `process ${memberId} has been started again at ${addressOf(member)}`, {
      hint: 'give each process a data folder of its own; do not copy its file "member"',
    });
  }

  beat(member: Member): void {
    Object.assign(member, this.#now());
  }

  announce(member: Member, all: boolean, added: readonly HeldSegment[], removed: readonly string[]): void {
    const announced = new Map(all ? [] : member.announced);
    for (const id of removed) announced.delete(id);
    for (const { id, generation } of added) announced.set(id, generation);
    member.announced = announced;
    member.announcement = ++this.#announcements;
  }

  remove(memberId: string): void {
    this.#members.delete(memberId);
  }

  /** Marks who has been silent for too long, and who is heard again. @returns Whether anything changed. */
  markSilent(): boolean {
    let changed = false;
    for (const member of this.#members.values()) {
      const silent = this.silenceMs(member) > memberSilenceMs;
      changed ||= silent !== member.silent;
      member.silent = silent;
    }
    return changed;
  }

  silenceMs(member: Member): number {
    return this.#clock.monotonicMs() - member.heartbeatMs;
  }

  #now(): Pick<Member, 'heartbeatMs' | 'heartbeatAtMs'> {
    return { heartbeatMs: this.#clock.monotonicMs(), heartbeatAtMs: this.#clock.nowMs() };
  }
}

export const addressOf = ({ registration: { address } }: Member): string => `${address.host}:${address.port}`;

export function stateOfMember(member: Member, draining: boolean): MemberState {
  if (member.silent) return 'silent';
  if (member.leaving) return 'leaving';
  if (member.drained) return 'drained';
  return draining ? 'draining' : 'live';
}

/** Queries may go there: a server that drains answers for what it still holds. */
export const isLive = ({ silent, leaving }: Member): boolean => !silent && !leaving;
