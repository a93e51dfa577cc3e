/**
 * One partition of a topic on its way to its shard. The stream is the durable side: whatever fails here is read again from
 * the committed end, and the metadata alone says where that is.
 *
 *   reader ─ messages ─▶ pipeline ─ rows ─▶ shard ─ visible          roll ▶ seal ▶ publish with the offsets
 *
 * Everything that changes the position (messages, pause, seek, a topic made again) takes turns.
 */
import { type Fault, fault, toFault } from '../base/fault.ts';
import { noAccounts } from '../catalog/accounts.ts';
import type { KafkaSource, TableDefinition } from '../catalog/table.ts';
import { encodeBatch } from '../column/frame.ts';
import type { MessageBatch, PartitionListener, StreamEnd, TopicReader } from '../stream/kafka/types.ts';
import type { PartitionEntry } from '../wire/controller-calls.ts';
import type { IngestState } from '../wire/ingest-calls.ts';
import { backoffDelayMs, pause } from './backoff.ts';
import type { TableComponents } from './components.ts';
import type { Pipeline, PipelineRows } from './pipeline.ts';
import { PartitionRows } from './rows.ts';
import { idleAfterMs } from './settings.ts';
import { StreamLag } from './stream-lag.ts';

/** What a partition needs of its table. */
export interface KafkaPartitionTable {
  readonly definition: TableDefinition;
  readonly source: KafkaSource;
  /** Of one topic, which it never takes for another of the same name; null: whichever there is. */
  readerOf(topicId: string | null): TopicReader;
  readonly pipeline: Pipeline;
  /** Which topic it is now; null where the brokers do not tell. @throws FaultError */
  streamId(): Promise<string | null>;
  /** Keeps rejected messages: in the reject log, and in the dead-letter topic before it resolves. @throws FaultError */
  reject(messages: MessageBatch, rows: PipelineRows): Promise<void>;
  /** Messages have fields that the table does not: true where columns were added, and the messages must be read anew. */
  widen(rows: PipelineRows): Promise<boolean>;
  findOffset(partition: number, at: 'earliest' | 'latest' | number): Promise<number>;
}

/** One assignment to the reader: what it brings after its end is dropped. */
type Reading = AbortController;

/** Behind a topic's id: its log was cut (an unclean leader election), so that offsets were given a second time. */
const cutMark = '~cut';

/** After a start or a seek there is no lag to tell: not that there is none. */
const notSeenYet = 'the stream was not looked at yet: how far it is ahead is not known';

export class KafkaPartition implements PartitionListener {
  readonly partition: number;
  readonly #table: KafkaPartitionTable;
  readonly #components: TableComponents;
  readonly rows: PartitionRows;
  #entry: PartitionEntry;
  #turn: Promise<void> = Promise.resolve();
  #reading: Reading | null = null;
  #reader: TopicReader | null = null;
  readonly #stopping = new AbortController();
  /** The topic may have been made again since its id was last looked at. */
  #mustVerify = false;
  /** Why nothing is read, and why what was read is not taken. */
  #trouble: Fault | null = null;
  #fault: Fault | null = null;
  /** A policy or a decision of the operator ended reading: only `resume` or a seek begins it again. */
  #halted = false;
  /** Restarts that came no further than the one before: each waits longer. */
  #restarts = { count: 0, visibleEnd: -1 };
  #lastFault: Fault | null = null;
  #notice: string | null = null;
  readonly #lag = new StreamLag();
  #rowsIngested = 0;
  #rowsRejected = 0;
  #rowsFiltered = 0;
  #offsetsLost = 0;

  /** @param shard The number of the one that its rows live in. */
  constructor(entry: PartitionEntry, shard: number, table: KafkaPartitionTable, components: TableComponents) {
    this.partition = entry.partition;
    this.#entry = entry;
    this.#table = table;
    this.#components = components;
    const target = {
      ...{ partition: this.partition, shard },
      rolled: () => {},
      published: async () => {},
      overtaken: (cause: Fault) => this.#restart(cause),
    };
    this.rows = new PartitionRows(table.definition, target, components);
  }

  /** Its place in the shard, empty: queries find it from now on. */
  open(): Promise<void> {
    return this.rows.open(this.#entry);
  }

  /** Reads from the end of what is visible, unless it is paused. */
  begin(): void {
    if (this.#stopping.signal.aborted || this.#entry.paused || this.#halted) return;
    this.#reading?.abort();
    this.#reading = new AbortController();
    this.#reader = this.#table.readerOf(this.#topicId);
    this.#reader.assign(this.partition, this.rows.visibleEnd, this);
  }

  /** The table was changed: what is visible rolls now if nothing else is under way, else before the next messages. */
  redefine(): void {
    void this.#inTurn(() => this.rows.redefine(this.#table.definition)).catch(() => {});
  }

  get #topicId(): string | null {
    return this.#entry.streamId?.split(cutMark)[0] ?? null;
  }

  /** Its reader looks at the stream; of others, somebody else must. */
  get isRead(): boolean {
    return this.#reading !== null;
  }

  #endReading(): void {
    this.#reading?.abort();
    this.#reading = null;
    this.#trouble = null;
    this.#reader?.unassign(this.partition);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.then(
      () => {},
      () => {},
    );
    return done;
  }

  // ── what the reader tells ─────────────────────────────────────────────────────────────────────────────────

  take(batch: MessageBatch): Promise<void> {
    const reading = this.#reading;
    return this.#inTurn(async () => {
      if (reading !== null && this.#reading === reading) await this.#takeUntilDone(batch, reading);
    });
  }

  observe(end: StreamEnd): void {
    this.#lag.observe(end, this.rows.visibleEnd);
  }

  trouble(cause: Fault | null): void {
    this.#trouble = cause;
    if (cause === null) return;
    this.#mustVerify = true;
    const reading = this.#reading;
    if (cause.code === 'TOPIC_RECREATED' && reading !== null) this.#verifyIn(reading);
  }

  #verifyIn(reading: Reading): void {
    void this.#inTurn(async () => {
      if (this.#reading === reading)
        await this.#retrying(reading, async () => {
          await this.#isRecreated();
        });
    });
  }

  lost(end: StreamEnd): void {
    const reading = this.#reading;
    this.#lag.observe(end, this.rows.visibleEnd);
    void this.#inTurn(async () => {
      if (reading !== null && this.#reading === reading) await this.#retrying(reading, () => this.#recover(end));
    });
  }

  // ── rows ──────────────────────────────────────────────────────────────────────────────────────────────────

  async #takeUntilDone(batch: MessageBatch, reading: Reading): Promise<void> {
    let rows: PipelineRows | null = null;
    let rejected = false;
    await this.#retrying(reading, async () => {
      if (this.#mustVerify && (await this.#isRecreated())) return;
      rows ??= await this.#pipelineRows(batch);
      if (!rejected && rows.rejects.length > 0) await this.#table.reject(batch, rows);
      rejected = true;
      await this.#append(batch, rows);
    });
  }

  async #pipelineRows(batch: MessageBatch): Promise<PipelineRows> {
    for (;;) {
      const { pipeline } = this.#table;
      await this.rows.redefine(pipeline.definition);
      const rows = await pipeline.run(batch);
      if (rows.unknownFields.size === 0 || !(await this.#table.widen(rows))) return rows;
    }
  }

  async #append(batch: MessageBatch, { columnIds, batch: rows, accounts, maxTimeMs }: PipelineRows): Promise<void> {
    const { startOffset, endOffset, count } = batch;
    await this.rows.append({
      ...{ startOffset, endOffset, columnIds, accounts, maxTimeMs, rowCount: rows.rowCount },
      // Made anew for each attempt: it is transferred.
      frame: encodeBatch(rows),
      ingestedAtMs: this.#components.clock.nowMs(),
      streamEnd: this.#lag.end,
    });
    this.#rowsIngested += accounts.rowsOut;
    this.#rowsRejected += accounts.rejected;
    this.#rowsFiltered += accounts.filtered;
    this.#lag.advance(endOffset, count > 0 ? batch.timestampsMs[count - 1]! : null);
  }

  /** Tries again, with growing delays, until it works or reading ends. What the shard refuses for good starts anew. */
  async #retrying(reading: Reading, work: () => Promise<void>): Promise<void> {
    const { clock, random, log } = this.#components;
    for (let failures = 1; !reading.signal.aborted; failures++) {
      try {
        await work();
        if (!this.#halted) this.#fault = null;
        return;
      } catch (error) {
        const cause = toFault(error);
        this.#fault = cause;
        log.warn('messages cannot be taken', {
          table: this.#table.definition.name,
          partition: this.partition,
          failures,
          cause: cause.message,
        });
        if (cause.kind === 'internal' || cause.code === 'INVALID_REQUEST') return this.#restart(cause);
        // What is published makes room: there is nothing to wait longer for.
        const isFull = cause.code === 'MEMORY_BUDGET';
        if (isFull) await this.#components.makeRoom();
        if (!(await pause(clock, backoffDelayMs(isFull ? 1 : failures, random), reading.signal))) return;
      }
    }
  }

  /** Back to the committed end: the stream has everything behind it. */
  #restart(cause: Fault): void {
    const { clock, random, log } = this.#components;
    this.#endReading();
    this.#fault = cause;
    this.#lastFault = cause;
    const { visibleEnd } = this.rows;
    const count = visibleEnd > this.#restarts.visibleEnd ? 1 : this.#restarts.count + 1;
    this.#restarts = { count, visibleEnd: Math.max(visibleEnd, this.#restarts.visibleEnd) };
    log.error('a partition starts again from its committed offset', {
      table: this.#table.definition.name,
      partition: this.partition,
      cause: cause.message,
    });
    const attempt = async (failures: number): Promise<void> => {
      if (this.#stopping.signal.aborted) return;
      try {
        this.#entry = await this.#currentEntry();
        await this.open();
        this.#fault = null;
        this.begin();
      } catch (error) {
        this.#fault = toFault(error);
        await pause(clock, backoffDelayMs(failures, random), this.#stopping.signal);
        await attempt(failures + 1);
      }
    };
    void this.#inTurn(async () => {
      await pause(clock, backoffDelayMs(count, random), this.#stopping.signal);
      await attempt(1);
    });
  }

  async #currentEntry(): Promise<PartitionEntry> {
    const entries = await this.#components.controller.call('partitions', null);
    const { tableId } = this.#entry;
    const entry = entries.find(each => each.tableId === tableId && each.partition === this.partition);
    if (entry) return entry;
    throw fault('UNKNOWN_TABLE', `table ${this.#table.definition.name} was dropped`);
  }

  // ── lost offsets, topics made again ───────────────────────────────────────────────────────────────────────

  /** The position is outside of what the stream has: by retention, or because it is another stream, or was cut. */
  async #recover(end: StreamEnd): Promise<void> {
    const { visibleEnd } = this.rows;
    this.#mustVerify = true;
    if (await this.#isRecreated()) return;
    if (visibleEnd > end.endOffset)
      return this.#follow(
        `${this.#entry.streamId ?? 'topic'}${cutMark}`,
        end.endOffset,
        `the topic was cut at offset ${end.endOffset}, below ${visibleEnd}, which was read already`,
      );
    if (visibleEnd >= end.logStartOffset) return this.begin();
    const lost = end.logStartOffset - visibleEnd;
    const notice = `${lost} offsets from ${visibleEnd} on were deleted by the topic's retention before they were read`;
    if (this.#table.source.onLostOffsets === 'fail')
      return this.#halt(
        fault('OFFSETS_LOST', notice, {
          hint: 'SEEK INGESTION to an offset that is there, or create the table with on_lost_offsets = skip',
          details: { lost, startOffset: visibleEnd, endOffset: end.logStartOffset },
        }).fault,
      );
    await this.#pass(end.logStartOffset, { ...noAccounts, lost });
    this.#offsetsLost += lost;
    this.#tell(notice);
    this.begin();
  }

  /** Offsets without a row. */
  async #pass(endOffset: number, accounts: typeof noAccounts): Promise<void> {
    const nowMs = this.#components.clock.nowMs();
    await this.rows.append({
      ...{ startOffset: this.rows.visibleEnd, endOffset, accounts, ingestedAtMs: nowMs },
      ...{ columnIds: [], frame: encodeBatch({ rowCount: 0, columns: [] }), rowCount: 0, maxTimeMs: null },
      streamEnd: this.#lag.end,
    });
  }

  /** Looks whether the topic is still the one whose offsets these are; in its turn. True where it was not, and is dealt with. */
  async #isRecreated(): Promise<boolean> {
    const current = await this.#table.streamId();
    if (this.#isSame(current)) {
      this.#mustVerify = false;
      return false;
    }
    const notice = 'the topic was deleted and made again';
    if (this.#table.source.onTopicRecreated === 'fail') {
      this.#halt(
        fault('TOPIC_RECREATED', `${notice}: its offsets are others now`, {
          hint: 'RESUME INGESTION reads the new topic from its beginning and keeps the rows of the old one',
        }).fault,
      );
      return true;
    }
    await this.#follow(current!, await this.#table.findOffset(this.partition, 'earliest'), notice);
    return true;
  }

  /** Also where one of the two is not known. */
  #isSame(topicId: string | null): boolean {
    return topicId === null || this.#topicId === null || this.#topicId === topicId;
  }

  /** The rows that are there stay; reading goes on in another stream. */
  async #follow(streamId: string, offset: number, notice: string): Promise<void> {
    this.#reader?.unassign(this.partition);
    await this.rows.commit();
    await this.#move(offset, streamId, 0);
    this.#mustVerify = false;
    this.#tell(notice);
    this.begin();
  }

  async #move(offset: number, streamId: string | null, availableFrom: number): Promise<number> {
    const { tableId } = this.#entry;
    const { partition } = this;
    await this.#components.controller.call('seek', { tableId, partition, offset, streamId, availableFrom });
    this.#entry = await this.#currentEntry();
    this.#lag.reset();
    await this.open();
    return this.#entry.committedEnd;
  }

  #halt(cause: Fault): void {
    this.#endReading();
    this.#halted = true;
    this.#fault = cause;
  }

  #tell(notice: string): void {
    this.#notice = `${new Date(this.#components.clock.nowMs()).toISOString()}: ${notice}`;
    const { name } = this.#table.definition;
    this.#components.log.warn(notice, { table: name, partition: this.partition });
  }

  // ── what the operator asks for ────────────────────────────────────────────────────────────────────────────

  /** `paused` is durable already. */
  setPaused(paused: boolean): Promise<void> {
    this.#reading?.abort();
    return this.#inTurn(async () => {
      this.#entry = { ...this.#entry, paused };
      if (paused) return this.#endReading();
      const { code } = this.#fault ?? {};
      this.#halted = false;
      this.#fault = null;
      if (code === 'TOPIC_RECREATED') {
        const [streamId, offset] = await Promise.all([
          this.#table.streamId(),
          this.#table.findOffset(this.partition, 'earliest'),
        ]);
        await this.#follow(streamId ?? 'unknown', offset, 'the topic that was made again is read from its beginning');
      } else this.begin();
    });
  }

  /**
   * Goes on at an offset; back, what is there from it on is dropped and read again.
   * @returns Where it is, which may be before: segments are dropped whole.
   * @throws FaultError OFFSETS_LOST, INVALID_REQUEST beyond the stream's end
   */
  seek(offset: number): Promise<number> {
    this.#reading?.abort();
    return this.#inTurn(async () => {
      try {
        const [earliest, latest] = await Promise.all([
          this.#table.findOffset(this.partition, 'earliest'),
          this.#table.findOffset(this.partition, 'latest'),
        ]);
        if (offset > latest || offset < earliest)
          throw fault(
            offset > latest ? 'INVALID_REQUEST' : 'OFFSETS_LOST',
            `partition ${this.partition} has offsets ${earliest} to ${latest}, and ${offset} is not among them`,
            { hint: 'seek TO BEGINNING or TO END', details: { earliest, latest } },
          );
        this.#endReading();
        if (offset >= this.rows.visibleEnd) await this.rows.commit();
        // Inside of what is not committed yet, going back to the committed end reads it again, too.
        const { committedEnd } = await this.#currentEntry();
        const isConsuming = offset > committedEnd && offset < this.rows.visibleEnd;
        const position = await this.#move(isConsuming ? committedEnd : offset, this.#entry.streamId, earliest);
        this.#halted = false;
        this.#fault = null;
        return position;
      } finally {
        if (!this.#halted) this.begin();
      }
    });
  }

  commit(): Promise<number> {
    return this.rows.commit();
  }

  tick(): Promise<void> {
    return this.rows.tick();
  }

  /** Looks at the topic's id as one poll found it. */
  verify(streamId: string | null): void {
    const reading = this.#reading;
    if (reading !== null && !this.#isSame(streamId)) this.#verifyIn(reading);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#endReading();
    await this.#turn;
    await this.rows.settle();
  }

  async drop(): Promise<void> {
    await this.stop();
    await this.rows.drop();
  }

  // ── state ─────────────────────────────────────────────────────────────────────────────────────────────────

  get state(): IngestState {
    const nowMs = this.#components.clock.nowMs();
    const { ref, committedEnd, visibleEnd, watermarkMs, lastRowAtMs } = this.rows;
    const cause = this.#fault ?? this.#trouble;
    const active =
      this.#lag.isBehind || (lastRowAtMs !== null && this.#components.clock.monotonicMs() - lastRowAtMs < idleAfterMs);
    return {
      ...ref,
      table: this.#table.definition.name,
      source: 'kafka',
      committedEnd,
      freshness: {
        partition: this.partition,
        ingestedOffset: visibleEnd,
        endOffset: Math.max(visibleEnd, this.#lag.end?.endOffset ?? 0),
        observedAtMs: this.#lag.end?.observedAtMs ?? nowMs,
        lagMs: this.#lag.ageMs(nowMs, this.#trouble !== null),
        watermarkMs,
        state: this.#entry.paused ? 'paused' : cause ? 'failed' : active ? 'consuming' : 'idle',
        cause: cause?.message ?? (this.#lag.end === null ? notSeenYet : null),
      },
      consumingRows: this.rows.consumingRows,
      rowsIngested: this.#rowsIngested,
      rowsRejected: this.#rowsRejected,
      rowsFiltered: this.#rowsFiltered,
      offsetsLost: this.#offsetsLost,
      logSizeBytes: 0,
      lastFault: cause ?? this.rows.fault ?? this.#lastFault,
      notice: this.#notice,
      auditMismatches: this.rows.mismatches,
    };
  }
}
