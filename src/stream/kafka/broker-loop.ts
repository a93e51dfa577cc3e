import type { Clock } from '../../base/seams.ts';
import type { Assignment } from './assignment.ts';
import type { BrokerConnection } from './connection.ts';
import { type FetchedPartition, type FetchRequest, fetchCall } from './fetch.ts';
import { findRecordsEnd } from './record-batch.ts';
import { Signal } from './signal.ts';
import type { ReaderSettings } from './types.ts';

/** Whoever knows what to do with a partition that this broker does not serve. */
export interface LoopOwner {
  /** The broker answers with an error, or a batch cannot be decoded. */
  refused(assignment: Assignment, problem: { readonly errorCode: number } | { readonly error: unknown }): void;
  /** The loop is over: it can not be reached. */
  broken(loop: BrokerLoop, error: unknown): void;
}

/** How soon room is looked for again where other readers hold all of it. */
const roomWaitMs = 20;

/** What was asked of one partition. */
interface Asked {
  readonly assignment: Assignment;
  readonly position: number;
}

/** Messages that are fetched, but not decoded yet. */
interface Delivery extends Asked {
  readonly fetched: FetchedPartition;
}

/**
 * Fetches from one broker all partitions that it leads: one request at a time, each for all partitions with room. The next
 * is on its way before the answer is decoded, so that broker and reader work at the same time.
 */
export class BrokerLoop {
  readonly nodeId: number;
  readonly #settings: ReaderSettings;
  readonly #topicId: string | null;
  readonly #clock: Clock;
  readonly #owner: LoopOwner;
  readonly #assignments = new Set<Assignment>();
  readonly #wake = new Signal();
  #connection: BrokerConnection | null = null;
  #isStopped = false;
  #turn = 0;
  /** Of the fetch under way, on the account. */
  #askedBytes = 0;
  /** False: the last fetch was put off, for there was no room on the account. */
  #hasRoom = true;

  constructor(nodeId: number, topicId: string | null, settings: ReaderSettings, clock: Clock, owner: LoopOwner) {
    this.nodeId = nodeId;
    this.#topicId = topicId;
    this.#settings = settings;
    this.#clock = clock;
    this.#owner = owner;
  }

  get assignments(): Iterable<Assignment> {
    return this.#assignments;
  }

  get topicId(): string | null {
    return this.#topicId;
  }

  add(assignment: Assignment): void {
    this.#assignments.add(assignment);
    this.#wake.wake();
  }

  remove(assignment: Assignment): void {
    this.#assignments.delete(assignment);
  }

  stop(): void {
    this.#isStopped = true;
    this.#wake.wake();
    this.#connection?.close();
  }

  /** Until it is stopped or the broker cannot be reached. Never rejects. */
  async run(connect: () => Promise<BrokerConnection>): Promise<void> {
    try {
      this.#connection = await connect();
      await this.#fetchOn(this.#connection);
    } catch (error) {
      if (!this.#isStopped) this.#owner.broken(this, error);
    } finally {
      this.#isStopped = true;
      this.#connection?.close();
      this.#answered();
    }
  }

  async #fetchOn(connection: BrokerConnection): Promise<void> {
    let inFlight: { asked: Map<number, Asked>; answer: Promise<FetchedPartition[]> } | null = null;
    while (!this.#isStopped) {
      inFlight ??= this.#ask(connection);
      if (inFlight === null) {
        await this.#wake.wait(this.#clock, this.#hasRoom ? null : roomWaitMs);
        continue;
      }
      const { asked, answer } = inFlight;
      const fetched = await answer;
      this.#answered();
      if (this.#isStopped) return;
      const observedAtMs = this.#clock.nowMs();
      const deliveries = this.#advance(asked, fetched);
      inFlight = this.#ask(connection);
      // It is looked at in the next round; until then nobody else would.
      inFlight?.answer.catch(() => {});
      for (const delivery of deliveries) this.#deliver(delivery, observedAtMs);
    }
  }

  /** Null: there is no partition with room. */
  #ask(connection: BrokerConnection): { asked: Map<number, Asked>; answer: Promise<FetchedPartition[]> } | null {
    const { topic, isolation, fetchWaitMs, fetchSizeBytes, partitionFetchSizeBytes, bufferSizeBytesMax } =
      this.#settings;
    const asked = new Map<number, Asked>();
    for (const assignment of this.#inTurn())
      if (assignment.heldSizeBytes <= bufferSizeBytesMax)
        asked.set(assignment.partition, { assignment, position: assignment.position });
    this.#hasRoom = asked.size === 0 || this.#holdFetch(fetchSizeBytes);
    if (asked.size === 0 || !this.#hasRoom) return null;
    const request: FetchRequest = {
      ...{ topic, topicId: this.#topicId, isolation, waitMs: fetchWaitMs },
      sizeBytesMax: fetchSizeBytes,
      partitionSizeBytesMax: partitionFetchSizeBytes,
      partitions: Array.from(asked.values(), ({ assignment: { partition }, position }) => ({ partition, position })),
    };
    return { asked, answer: this.#fetch(connection, request) };
  }

  /** Room for an answer. Where this broker's partitions hold nothing, other readers must not keep them from reading. */
  #holdFetch(sizeBytes: number): boolean {
    const { account } = this.#settings;
    if (!account) return true;
    if (!account.tryHold(sizeBytes)) {
      if ([...this.#assignments].some(({ heldSizeBytes }) => heldSizeBytes > 0)) return false;
      account.note(sizeBytes);
    }
    this.#askedBytes = sizeBytes;
    return true;
  }

  #answered(): void {
    this.#settings.account?.release(this.#askedBytes);
    this.#askedBytes = 0;
  }

  /** Rejects where `fetchCall` throws: what was fetched before is still to be delivered. */
  async #fetch(connection: BrokerConnection, request: FetchRequest): Promise<FetchedPartition[]> {
    return connection.call(fetchCall(connection, request));
  }

  /** Another is first each time: only the first is sure to get a batch that is larger than what was asked for. */
  #inTurn(): Assignment[] {
    const all = [...this.#assignments];
    const first = all.length === 0 ? 0 : this.#turn++ % all.length;
    return [...all.slice(first), ...all.slice(0, first)];
  }

  /** Moves positions behind what came, before any of it is decoded. */
  #advance(asked: ReadonlyMap<number, Asked>, fetched: readonly FetchedPartition[]): Delivery[] {
    const deliveries: Delivery[] = [];
    for (const each of fetched) {
      const { assignment, position } = asked.get(each.partition) ?? {};
      // Meanwhile given up, assigned anew, or set back because a batch of the answer before could not be decoded.
      if (!assignment || !this.#assignments.has(assignment) || assignment.position !== position) continue;
      if (each.errorCode !== 0) {
        this.#assignments.delete(assignment);
        this.#owner.refused(assignment, { errorCode: each.errorCode });
        continue;
      }
      assignment.position = findRecordsEnd(each.records, position);
      assignment.hold(each.records.length);
      deliveries.push({ assignment, position, fetched: each });
    }
    return deliveries;
  }

  #deliver({ assignment, position, fetched }: Delivery, observedAtMs: number): void {
    assignment.hold(-fetched.records.length);
    if (assignment.isOver) return;
    const error = assignment.deliver(fetched, position, () => this.#wake.wake());
    if (error === null) assignment.succeed();
    assignment.observe(fetched, observedAtMs);
    if (error === null) {
      this.#wake.wake();
      return;
    }
    this.#assignments.delete(assignment);
    this.#owner.refused(assignment, { error });
  }
}
