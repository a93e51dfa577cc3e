import { fault } from '../../base/fault.ts';
import type { Clock, Random } from '../../base/seams.ts';
import { Assignment } from './assignment.ts';
import { retryDelayMs } from './backoff.ts';
import { BrokerLoop, type LoopOwner } from './broker-loop.ts';
import type { Brokers } from './cluster.ts';
import { answerFault, kafkaErrors } from './errors.ts';
import type { TopicMetadata } from './metadata.ts';
import { findOffsets } from './offsets.ts';
import { Signal } from './signal.ts';
import type { PartitionListener, ReaderSettings, TopicReader } from './types.ts';

/**
 * Finds the leader of each partition that is assigned and hands it to that broker's loop; takes it back when something goes
 * wrong, tells its listener, and tries again later.
 */
export class Reader implements TopicReader, LoopOwner {
  readonly #settings: ReaderSettings;
  readonly #cluster: Brokers;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #assignments = new Map<number, Assignment>();
  readonly #loops = new Map<number, BrokerLoop>();
  readonly #wake = new Signal();
  readonly #onClose: () => void;
  #isClosed = false;

  constructor(settings: ReaderSettings, cluster: Brokers, clock: Clock, random: Random, onClose: () => void) {
    this.#settings = settings;
    this.#cluster = cluster;
    this.#clock = clock;
    this.#random = random;
    this.#onClose = onClose;
    void this.#placeOn();
  }

  assign(partition: number, position: number, listener: PartitionListener): void {
    const before = this.#assignments.get(partition);
    this.unassign(partition);
    const assignment = new Assignment(partition, position, listener, this.#settings.account);
    this.#assignments.set(partition, assignment);
    // Whoever moves a position need not look for the leader again, nor hurry one that is down.
    if (before?.leader != null && this.#loops.has(before.leader)) this.#place(assignment, before.leader);
    else {
      assignment.dueAtMs = before?.dueAtMs ?? 0;
      assignment.failureCount = before?.failureCount ?? 0;
      this.#wake.wake();
    }
  }

  unassign(partition: number): void {
    const assignment = this.#assignments.get(partition);
    if (assignment === undefined) return;
    assignment.isOver = true;
    this.#assignments.delete(partition);
    if (assignment.leader !== null) this.#loops.get(assignment.leader)?.remove(assignment);
  }

  /** Waits for nothing: a connection that is being made is closed when it is made. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const partition of [...this.#assignments.keys()]) this.unassign(partition);
    for (const loop of this.#loops.values()) loop.stop();
    this.#wake.wake();
    this.#onClose();
  }

  refused(assignment: Assignment, problem: { readonly errorCode: number } | { readonly error: unknown }): void {
    assignment.leader = null;
    if (assignment.isOver) return;
    if ('error' in problem) this.#fail(assignment, problem.error);
    else if (problem.errorCode === kafkaErrors.offsetOutOfRange) void this.#findLost(assignment);
    else if (problem.errorCode === kafkaErrors.unknownTopicId || problem.errorCode === kafkaErrors.inconsistentTopicId)
      this.#fail(
        assignment,
        fault('UNAVAILABLE', `Kafka does not know the topic '${this.#settings.topic}' by its id now`),
      );
    else this.#fail(assignment, answerFault(problem.errorCode, this.#settings.topic, assignment.partition, 'read'));
  }

  broken(loop: BrokerLoop, error: unknown): void {
    if (this.#loops.get(loop.nodeId) === loop) this.#loops.delete(loop.nodeId);
    for (const assignment of [...loop.assignments]) {
      loop.remove(assignment);
      assignment.leader = null;
      this.#fail(assignment, error);
    }
  }

  #fail(assignment: Assignment, error: unknown): void {
    if (assignment.isOver || this.#isClosed) return;
    assignment.fail(error);
    assignment.dueAtMs = this.#clock.monotonicMs() + retryDelayMs(assignment.failureCount, this.#random);
    this.#wake.wake();
  }

  async #placeOn(): Promise<void> {
    while (!this.#isClosed) {
      const homeless = [...this.#assignments.values()].filter(({ leader, isParked }) => leader === null && !isParked);
      const nowMs = this.#clock.monotonicMs();
      const due = homeless.filter(({ dueAtMs }) => dueAtMs <= nowMs);
      if (due.length > 0) await this.#findLeaders(due);
      else {
        const nextAtMs = Math.min(...homeless.map(({ dueAtMs }) => dueAtMs));
        await this.#wake.wait(this.#clock, homeless.length === 0 ? null : nextAtMs - nowMs);
      }
    }
  }

  async #findLeaders(assignments: readonly Assignment[]): Promise<void> {
    let metadata: TopicMetadata;
    try {
      metadata = await this.#cluster.describe(this.#settings.topic);
      this.#checkTopicId(metadata);
    } catch (error) {
      for (const assignment of assignments) this.#fail(assignment, error);
      return;
    }
    if (this.#isClosed) return;
    const leaders = new Map(metadata.partitions.map(each => [each.partition, each]));
    for (const assignment of assignments) {
      if (assignment.isOver) continue;
      const { partition } = assignment;
      const { leader = -1, errorCode = kafkaErrors.unknownTopicOrPartition } = leaders.get(partition) ?? {};
      if (leader >= 0) this.#place(assignment, leader, metadata.topicId);
      else
        this.#fail(
          assignment,
          answerFault(errorCode || kafkaErrors.leaderNotAvailable, this.#settings.topic, partition, 'read'),
        );
    }
  }

  #checkTopicId({ topicId }: TopicMetadata): void {
    const { topic, topicId: wanted = null } = this.#settings;
    if (wanted === null || topicId === null || wanted === topicId) return;
    throw fault(
      'TOPIC_RECREATED',
      `topic '${topic}' was deleted and made again: positions are those of the former one`,
      {
        details: { topic, formerTopicId: wanted, topicId },
      },
    );
  }

  #place(assignment: Assignment, nodeId: number, topicId: string | null = null): void {
    let loop = this.#loops.get(nodeId);
    if (loop === undefined) {
      const made = new BrokerLoop(nodeId, this.#settings.topicId ?? topicId, this.#settings, this.#clock, this);
      loop = made;
      this.#loops.set(nodeId, made);
      void made.run(() => this.#cluster.connect(nodeId));
    }
    assignment.leader = nodeId;
    loop.add(assignment);
  }

  /** The broker says that the position is out of range: of which? */
  async #findLost(assignment: Assignment): Promise<void> {
    const { topic, isolation } = this.#settings;
    const { partition, position } = assignment;
    assignment.isParked = true;
    try {
      const find = async (at: 'earliest' | 'latest', of: typeof isolation) =>
        (await findOffsets(this.#cluster, { topic, partitions: [partition], at, isolation: of })).get(partition)!;
      const logStartOffset = await find('earliest', 'read_uncommitted');
      const highWatermark = await find('latest', 'read_uncommitted');
      const endOffset = isolation === 'read_committed' ? await find('latest', isolation) : highWatermark;
      // A new leader may not have all yet that the one before had.
      if (position >= logStartOffset && position <= highWatermark)
        throw fault('UNAVAILABLE', `partition ${partition} of topic '${topic}' has no offset ${position} yet`);
      if (!this.#isClosed) assignment.lose({ endOffset, logStartOffset, observedAtMs: this.#clock.nowMs() });
    } catch (error) {
      assignment.isParked = false;
      this.#fail(assignment, error);
    }
  }
}
