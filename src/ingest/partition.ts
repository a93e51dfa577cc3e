/**
 * One partition of a table on its way from the log to its shard: durable first, visible next, then acknowledged. The order
 * of offsets is kept throughout, though many pushes share a sync.
 *
 *   log.append ─ durable ─▶ shard.append ─ visible ─▶ acknowledged        roll ▶ seal ▶ publish ▶ truncate ▶ retire
 */
import { assert } from '../base/assert.ts';
import { type Fault, FaultError, fault, toFault } from '../base/fault.ts';
import type { TableDefinition } from '../catalog/table.ts';
import type { PartitionLog } from '../stream/log.ts';
import { openLog } from '../stream/open-log.ts';
import type { NewRecord } from '../stream/record.ts';
import type { Client } from '../wire/call.ts';
import type { IngestState, PartitionRef, ShardCalls } from '../wire/calls.ts';
import { backoffDelayMs, pause } from './backoff.ts';
import type { IngestComponents } from './components.ts';
import { Sealing } from './sealing.ts';
import { type IngestSettings, idleAfterMs } from './settings.ts';

interface Waiter {
  readonly endOffset: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class Partition {
  readonly definition: TableDefinition;
  readonly partition: number;
  readonly folder: string;
  readonly #shardNumber: number;
  readonly #shard: Client<ShardCalls>;
  readonly #settings: IngestSettings;
  readonly #components: IngestComponents;
  readonly #stopping = new AbortController();
  #log: PartitionLog | null = null;
  #sealing: Sealing;
  #committedEnd: number;
  /** First row of the shard's current consuming segment, and when it came; null without rows. */
  #segmentStart: number;
  #segmentSinceMs: number | null = null;
  /** Every row below is visible. */
  #visibleEnd: number;
  #waiters: Waiter[] = [];
  #rolling: Promise<void> | null = null;
  /** Why the partition does not take rows; null when it does. */
  #fault: Fault | null = null;
  #failures = 0;
  #retryAtMs = 0;
  #restarting: Promise<void> | null = null;
  #catchingUp: Promise<void> | null = null;
  /** Since when durable rows wait to become visible. */
  #behindSinceMs: number | null = null;
  #watermarkMs: number | null = null;
  #lastRowAtMs: number | null = null;
  #lastFault: Fault | null = null;
  #rowsIngested = 0;
  #rowsRejected = 0;

  constructor(
    definition: TableDefinition,
    partition: number,
    committedEnd: number,
    shardNumber: number,
    settings: IngestSettings,
    components: IngestComponents,
  ) {
    this.definition = definition;
    this.partition = partition;
    this.folder = `${settings.logFolder}/${definition.id}/${partition}`;
    this.#shardNumber = shardNumber;
    this.#shard = components.shards[shardNumber]!;
    this.#settings = settings;
    this.#components = components;
    this.#committedEnd = committedEnd;
    this.#segmentStart = committedEnd;
    this.#visibleEnd = committedEnd;
    this.#sealing = this.#newSealing();
  }

  get #ref(): PartitionRef {
    return { tableId: this.definition.id, partition: this.partition };
  }

  #newSealing(): Sealing {
    const { definition, partition } = this;
    const published = (endOffset: number): Promise<void> => this.#published(endOffset);
    const overtaken = (cause: Fault): void => this.#fail(cause);
    return new Sealing({ definition, partition, shard: this.#shardNumber, published, overtaken }, this.#components);
  }

  // ── opening ───────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Opens the log and brings every row that is not committed into the shard. Never throws: a partition that fails says
   * why in `state`, refuses rows, and is tried again by `tick`.
   */
  start(): Promise<void> {
    this.#restarting ??= this.#restart().finally(() => {
      this.#restarting = null;
    });
    return this.#restarting;
  }

  async #restart(): Promise<void> {
    const { disk, clock, random, log, controller } = this.#components;
    try {
      await this.#sealing.stop();
      await this.#catchingUp;
      await this.#rolling?.catch(() => {});
      await this.#log?.close();
      this.#log = null;
      const partitions = await controller.call('partitions', null);
      const known = partitions.find(each => each.tableId === this.definition.id && each.partition === this.partition);
      if (!known) throw fault('UNKNOWN_TABLE', `table ${this.definition.name} was dropped`);
      this.#committedEnd = known.committedEnd;
      const { logFileSizeBytes: fileSizeBytes } = this.#settings;
      const opened = await openLog(
        { folder: this.folder, startOffset: this.#committedEnd, fileSizeBytes },
        { disk, clock, random, log },
      );
      this.#log = opened;
      this.#sealing = this.#newSealing();
      await this.#shard.call('closePartition', this.#ref);
      await this.#openInShard();
      await this.#replayAll(opened);
      this.#fault = null;
      this.#failures = 0;
    } catch (error) {
      this.#fail(toFault(error));
    }
  }

  async #openInShard(): Promise<void> {
    const startOffset = this.#committedEnd;
    await this.#shard.call('openPartition', { definition: this.definition, partition: this.partition, startOffset });
    this.#segmentStart = startOffset;
    this.#segmentSinceMs = null;
    this.#visibleEnd = startOffset;
  }

  /** Where the shard has no room for all of it, the rows before are sealed first: that needs no new rows to be taken. */
  async #replayAll(log: PartitionLog): Promise<void> {
    const { clock, random } = this.#components;
    for (let failures = 1; ; failures++) {
      try {
        return await this.#replay(log);
      } catch (error) {
        const cause = toFault(error);
        if (cause.code !== 'MEMORY_BUDGET') throw error;
        this.#lastFault = cause;
        await this.#roll();
        if (!(await pause(clock, backoffDelayMs(failures, random), this.#stopping.signal))) return;
      }
    }
  }

  /** Appends what the log has beyond the visible end. */
  async #replay(log: PartitionLog): Promise<void> {
    for await (const record of log.read(this.#visibleEnd)) {
      if (this.#stopping.signal.aborted) return;
      const { baseOffset, appendedAtMs } = record;
      if (baseOffset !== this.#visibleEnd)
        throw fault('CORRUPT_LOG', `${this.folder} has no record that begins at offset ${this.#visibleEnd}`, {
          hint: 'the metadata and the log are not of one state; restore both from one copy',
        });
      const { endOffset } = await this.#send(record, baseOffset, appendedAtMs);
      this.#advance(endOffset);
    }
  }

  #fail(cause: Fault): void {
    const { clock, random, log } = this.#components;
    this.#failures++;
    this.#fault = cause;
    this.#lastFault = cause;
    this.#retryAtMs = clock.monotonicMs() + backoffDelayMs(this.#failures, random);
    log.error('a partition does not take rows', {
      table: this.definition.name,
      partition: this.partition,
      cause: cause.message,
    });
  }

  // ── rows ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** What the push with this key answered, if it is remembered. @throws FaultError where the partition has failed */
  findKey(key: string): { readonly accepted: number; readonly rejected: number } | null {
    return this.#writable().findKey(key);
  }

  /**
   * Resolves when the rows are durable and every later query sees them.
   * @throws FaultError DISK_FULL, UNAVAILABLE and the like: not added. MEMORY_BUDGET and the like while earlier rows wait.
   */
  async append(record: NewRecord): Promise<void> {
    const log = this.#writable();
    try {
      const appended = await log.append(record);
      if (record.rowCount > 0) await this.#deliver(record, appended.startOffset, appended.appendedAtMs);
    } catch (error) {
      this.#lastFault = toFault(error);
      throw error;
    }
    this.#rowsIngested += record.rowCount;
    this.#rowsRejected += record.rejectedCount;
  }

  /** Rows that no record has: of pushes without any row that fits. */
  countRejected(count: number): void {
    this.#rowsRejected += count;
  }

  #writable(): PartitionLog {
    const refuse = (cause: Fault): FaultError =>
      new FaultError({ ...cause, message: `table ${this.definition.name} takes no rows at present: ${cause.message}` });
    if (this.#stopping.signal.aborted) throw fault('SHUTTING_DOWN', 'ingestion is shutting down');
    if (this.#fault) throw refuse(this.#fault);
    if (this.#log === null || this.#restarting !== null)
      throw fault('UNAVAILABLE', `table ${this.definition.name} is still being opened`, {
        hint: 'try again in a moment',
      });
    return this.#log;
  }

  /** Log records become durable in order, and this runs in that order: so shards get them in order. */
  async #deliver(record: NewRecord, startOffset: number, appendedAtMs: number): Promise<void> {
    const endOffset = startOffset + record.rowCount;
    if (endOffset <= this.#visibleEnd) return;
    if (this.#catchingUp === null && this.#fault === null) {
      try {
        this.#advance((await this.#send(record, startOffset, appendedAtMs)).endOffset);
        return;
      } catch (error) {
        this.#catchUp(toFault(error));
      }
    }
    if (endOffset <= this.#visibleEnd) return;
    await new Promise<void>((resolve, reject) => this.#waiters.push({ endOffset, resolve, reject }));
  }

  #send(record: NewRecord, startOffset: number, appendedAtMs: number): Promise<{ endOffset: number }> {
    const { columnIds, frame, maxTimeMs } = record;
    const watermarkMs = maxTimeMs === null ? null : Math.min(maxTimeMs, this.#components.clock.nowMs());
    this.#segmentSinceMs ??= appendedAtMs;
    this.#lastRowAtMs = appendedAtMs;
    if (watermarkMs !== null) this.#watermarkMs = Math.max(watermarkMs, this.#watermarkMs ?? watermarkMs);
    return this.#shard.call(
      'append',
      { ...this.#ref, startOffset, columnIds, frame, watermarkMs },
      { transfer: [frame.buffer as ArrayBuffer] },
    );
  }

  #advance(endOffset: number): void {
    assert(endOffset >= this.#visibleEnd || this.#fault !== null, 'rows become visible in order');
    this.#visibleEnd = Math.max(endOffset, this.#visibleEnd);
    if (this.#waiters.length > 0) {
      for (const waiter of this.#waiters) if (waiter.endOffset <= endOffset) waiter.resolve();
      this.#waiters = this.#waiters.filter(waiter => waiter.endOffset > endOffset);
    }
    if (this.#visibleEnd - this.#segmentStart >= this.definition.settings.segmentRows)
      void this.#roll().catch(() => {});
  }

  /** The shard refused rows that are durable: they are sent again from the log until it takes them; no others meanwhile. */
  #catchUp(cause: Fault): void {
    if (this.#catchingUp !== null || this.#fault !== null) return;
    this.#behindSinceMs = this.#components.clock.nowMs();
    this.#catchingUp = this.#untilCaughtUp(cause).finally(() => {
      this.#catchingUp = null;
      this.#behindSinceMs = null;
    });
  }

  async #untilCaughtUp(first: Fault): Promise<void> {
    const { clock, random, log } = this.#components;
    const { signal } = this.#stopping;
    const opened = this.#log!;
    this.#fault = first;
    for (let failures = 1; !signal.aborted; failures++) {
      const cause = this.#fault!;
      this.#lastFault = cause;
      log.warn('durable rows cannot be made visible', {
        table: this.definition.name,
        partition: this.partition,
        cause: cause.message,
      });
      // What is published makes room.
      if (cause.code === 'MEMORY_BUDGET') await this.#roll().catch(() => {});
      if (!(await pause(clock, backoffDelayMs(failures, random), signal))) break;
      try {
        await this.#findVisibleEnd();
        while (this.#visibleEnd < opened.endOffset && !signal.aborted) await this.#replay(opened);
        if (signal.aborted) break;
        this.#fault = null;
        return;
      } catch (error) {
        this.#fault = toFault(error);
      }
    }
  }

  /** A call whose answer was lost may have been done: what the shard holds decides. */
  async #findVisibleEnd(): Promise<void> {
    const { consuming } = await this.#shard.call('status', null);
    const { tableId, partition } = this.#ref;
    const held = consuming.find(each => each.tableId === tableId && each.partition === partition);
    if (held) this.#advance(held.endOffset);
    else {
      await this.#sealing.stop();
      this.#sealing = this.#newSealing();
      await this.#openInShard();
    }
  }

  // ── sealing ───────────────────────────────────────────────────────────────────────────────────────────────

  #roll(): Promise<void> {
    this.#rolling ??= this.#rollNow().finally(() => {
      this.#rolling = null;
    });
    return this.#rolling;
  }

  async #rollNow(): Promise<void> {
    const sinceMs = this.#segmentSinceMs;
    // Rows sent after the call, while it is answered, are the next segment's.
    this.#segmentSinceMs = null;
    try {
      const { startOffset, endOffset } = await this.#shard.call('roll', this.#ref);
      // A roll whose answer was lost is found by where this one begins.
      if (this.#segmentStart < startOffset)
        this.#sealing.add({ startOffset: this.#segmentStart, endOffset: startOffset });
      if (startOffset < endOffset) this.#sealing.add({ startOffset, endOffset });
      this.#segmentStart = endOffset;
      this.#log?.roll();
    } catch (error) {
      this.#segmentSinceMs = sinceMs;
      this.#lastFault = toFault(error);
      throw error;
    }
  }

  async #published(endOffset: number): Promise<void> {
    this.#committedEnd = endOffset;
    const { log } = this.#components;
    const after = async (what: string, work: Promise<unknown> | undefined): Promise<void> => {
      try {
        await work;
      } catch (error) {
        // The next segment's does it, too.
        log.warn(`after publication: ${what} failed`, { table: this.definition.name, cause: toFault(error).message });
      }
    };
    await after('truncation of the log', this.#log?.truncate(endOffset));
    await after('retirement of the rows', this.#shard.call('retire', { ...this.#ref, endOffset }));
  }

  /** Publishes the rows that are visible now. Resolves with the number of segments that took. @throws FaultError */
  async commit(): Promise<number> {
    this.#writable();
    const endOffset = this.#visibleEnd;
    while (this.#segmentStart < endOffset) await this.#roll();
    const count = this.#sealing.count;
    await this.#sealing.until(endOffset);
    return count;
  }

  // ── time ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** Seals by age; brings back what has failed. Never throws. */
  async tick(): Promise<void> {
    const { clock } = this.#components;
    if (this.#stopping.signal.aborted) return;
    if (this.#fault && this.#catchingUp === null && clock.monotonicMs() >= this.#retryAtMs) void this.start();
    if (this.#log?.cause) await this.#log.repair();
    const { segmentAgeMs } = this.definition.settings;
    if (this.#segmentSinceMs !== null && clock.nowMs() - this.#segmentSinceMs >= segmentAgeMs && this.#fault === null)
      await this.#roll().catch(() => {});
  }

  get state(): IngestState {
    const nowMs = this.#components.clock.nowMs();
    const cause = this.#fault ?? this.#log?.cause ?? null;
    const active = this.#lastRowAtMs !== null && nowMs - this.#lastRowAtMs < idleAfterMs;
    return {
      ...this.#ref,
      table: this.definition.name,
      committedEnd: this.#committedEnd,
      freshness: {
        partition: this.partition,
        ingestedOffset: this.#visibleEnd,
        endOffset: Math.max(this.#visibleEnd, this.#log?.endOffset ?? 0),
        observedAtMs: nowMs,
        lagMs: this.#behindSinceMs === null ? 0 : Math.max(0, nowMs - this.#behindSinceMs),
        watermarkMs: this.#watermarkMs,
        state: cause ? 'failed' : active ? 'consuming' : 'idle',
        cause: cause?.message ?? null,
      },
      rowsIngested: this.#rowsIngested,
      rowsRejected: this.#rowsRejected,
      logSizeBytes: this.#log?.sizeBytes ?? 0,
      lastFault: cause ?? this.#sealing.fault ?? this.#lastFault,
    };
  }

  /** Rows that are durable stay in the log; pushes that wait for more are told so. */
  async stop(): Promise<void> {
    const ending = fault(
      'SHUTTING_DOWN',
      'ingestion is shutting down; the rows are durable, and seen after the next start',
    );
    this.#stopping.abort(ending);
    await this.#restarting;
    await this.#catchingUp;
    for (const waiter of this.#waiters) waiter.reject(ending);
    this.#waiters = [];
    await this.#rolling?.catch(() => {});
    await this.#sealing.stop();
    await this.#log?.close();
  }

  /** The table is gone: so are its rows. */
  async drop(): Promise<void> {
    await this.stop();
    await this.#shard.call('closePartition', this.#ref);
    await this.#components.disk.remove(this.folder);
  }
}
