/**
 * One partition of a table on its way from the embedded log to its shard: durable first, visible next, then acknowledged. The order
 * of offsets is kept throughout, though many pushes share a sync.
 *
 *   log.append ─ durable ─▶ shard.append ─ visible ─▶ acknowledged        roll ▶ seal ▶ publish ▶ truncate ▶ retire
 */
import { type Fault, FaultError, fault, toFault } from '../base/fault.ts';
import { denseAccounts } from '../catalog/accounts.ts';
import type { TableDefinition } from '../catalog/table.ts';
import type { PartitionLog } from '../stream/log.ts';
import { openLog } from '../stream/open-log.ts';
import type { NewRecord } from '../stream/record.ts';
import type { PartitionEntry } from '../wire/controller-calls.ts';
import type { IngestState } from '../wire/ingest-calls.ts';
import { backoffDelayMs, pause } from './backoff.ts';
import type { TableComponents } from './components.ts';
import { sliceRecord } from './record-slice.ts';
import { PartitionRows } from './rows.ts';
import { type IngestSettings, idleAfterMs } from './settings.ts';

interface Waiter {
  readonly endOffset: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Rows that are sent at once where the shard had no room for more: at first, and at the least. */
const sentRowsFirst = 65_536;
const sentRowsMin = 1_024;

export class LogPartition {
  definition: TableDefinition;
  readonly partition: number;
  readonly folder: string;
  readonly #settings: IngestSettings;
  readonly #components: TableComponents;
  readonly #stopping = new AbortController();
  #log: PartitionLog | null = null;
  readonly rows: PartitionRows;
  #waiters: Waiter[] = [];
  /** Why the partition does not take rows; null when it does. */
  #fault: Fault | null = null;
  #failures = 0;
  #retryAtMs = 0;
  #restarting: Promise<void> | null = null;
  #catchingUp: Promise<void> | null = null;
  #redefining: Promise<void> | null = null;
  /** Of a record that is sent again; less where the shard had no room. */
  #sentRowsMax = Number.POSITIVE_INFINITY;
  /** Since when durable rows wait to become visible, by the monotonic clock. */
  #behindSinceMs: number | null = null;
  #lastFault: Fault | null = null;
  #rowsIngested = 0;
  #rowsRejected = 0;

  /** @param shard The number of the one that its rows live in. */
  constructor(
    definition: TableDefinition,
    partition: number,
    shard: number,
    settings: IngestSettings,
    components: TableComponents,
  ) {
    this.definition = definition;
    this.partition = partition;
    this.folder = `${settings.logFolder}/${definition.id}/${partition}`;
    this.#settings = settings;
    this.#components = components;
    const rolled = (): void => this.#log?.roll();
    const published = (endOffset: number): Promise<void> => this.#truncate(endOffset);
    const overtaken = (cause: Fault): void => this.#fail(cause);
    this.rows = new PartitionRows(definition, { partition, shard, rolled, published, overtaken }, components);
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
    const { disk, clock, random, log } = this.#components;
    try {
      await this.rows.settle();
      await this.#catchingUp;
      await this.#log?.close();
      this.#log = null;
      const known = await this.#knownPartition();
      const { committedEnd: startOffset } = known;
      const { logFileSizeBytes: fileSizeBytes } = this.#settings;
      const opened = await openLog({ folder: this.folder, startOffset, fileSizeBytes }, { disk, clock, random, log });
      this.#log = opened;
      await this.rows.open(known);
      await this.#replayAll(opened);
      this.#fault = null;
      this.#failures = 0;
    } catch (error) {
      this.#fail(toFault(error));
    }
  }

  async #knownPartition(): Promise<PartitionEntry> {
    const { id, name } = this.definition;
    const partitions = await this.#components.controller.call('partitions', null);
    const known = partitions.find(each => each.tableId === id && each.partition === this.partition);
    if (known) return known;
    throw fault('UNKNOWN_TABLE', `table ${name} was dropped`);
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
        this.#sendLess();
        await this.#components.makeRoom();
        if (!(await pause(clock, backoffDelayMs(failures, random), this.#stopping.signal))) return;
      }
    }
  }

  /**
   * Appends what the log has beyond the visible end. A record that the shard has no room for, however much is published,
   * is sent in parts, with seals in between: then it becomes visible part by part, and may be published so.
   */
  async #replay(log: PartitionLog): Promise<void> {
    for await (const record of log.read(this.rows.visibleEnd)) {
      const { baseOffset, appendedAtMs, rowCount } = record;
      const { visibleEnd } = this.rows;
      if (baseOffset > visibleEnd)
        throw fault('CORRUPT_LOG', `${this.folder} has no record that begins at offset ${visibleEnd}`, {
          hint: 'the metadata and the log are not of one state; restore both from one copy',
        });
      for (let from = visibleEnd - baseOffset; from < rowCount; ) {
        if (this.#stopping.signal.aborted) return;
        const to = Math.min(rowCount, from + this.#sentRowsMax);
        await this.#send(sliceRecord(record, from, to), baseOffset + from, appendedAtMs);
        from = to;
      }
    }
    this.#sentRowsMax = Number.POSITIVE_INFINITY;
  }

  #sendLess(): void {
    this.#sentRowsMax = Math.max(sentRowsMin, Math.min(sentRowsFirst, this.#sentRowsMax / 4));
  }

  /**
   * Rows that are made visible from now on are of this definition; those that come meanwhile wait, in order. Never throws:
   * where it fails now, the next rows or `tick` try again.
   */
  redefine(definition: TableDefinition): Promise<void> {
    this.definition = definition;
    this.#redefining ??= this.rows
      .redefine(definition)
      .catch(error => {
        this.#lastFault = toFault(error);
      })
      .finally(() => {
        this.#redefining = null;
      });
    return this.#redefining;
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
    if (endOffset <= this.rows.visibleEnd) return;
    if (this.#catchingUp === null && this.#fault === null) {
      try {
        await this.#send(record, startOffset, appendedAtMs);
        return;
      } catch (error) {
        this.#catchUp(toFault(error));
      }
    }
    if (endOffset <= this.rows.visibleEnd) return;
    await new Promise<void>((resolve, reject) => this.#waiters.push({ endOffset, resolve, reject }));
  }

  async #send(record: NewRecord, startOffset: number, ingestedAtMs: number): Promise<void> {
    const { rowCount, columnIds, frame, maxTimeMs } = record;
    if (this.#redefining !== null) await this.#redefining;
    // A segment takes rows of an earlier definition as its own, but not of a later one.
    if (this.rows.definition.version < record.tableVersion) await this.rows.redefine(this.definition);
    const endOffset = startOffset + rowCount;
    await this.rows.append({
      ...{ startOffset, endOffset, columnIds, frame, rowCount, ingestedAtMs, maxTimeMs },
      accounts: denseAccounts({ startOffset, endOffset }),
      streamEnd: null,
    });
    this.#tellWaiters();
  }

  #tellWaiters(): void {
    if (this.#waiters.length === 0) return;
    const { visibleEnd } = this.rows;
    for (const waiter of this.#waiters) if (waiter.endOffset <= visibleEnd) waiter.resolve();
    this.#waiters = this.#waiters.filter(waiter => waiter.endOffset > visibleEnd);
  }

  /** The shard refused rows that are durable: they are sent again from the log until it takes them; no others meanwhile. */
  #catchUp(cause: Fault): void {
    if (this.#catchingUp !== null || this.#fault !== null) return;
    this.#behindSinceMs = this.#components.clock.monotonicMs();
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
      if (cause.code === 'MEMORY_BUDGET') {
        this.#sendLess();
        await this.#components.makeRoom();
      }
      if (!(await pause(clock, backoffDelayMs(failures, random), signal))) break;
      try {
        await this.#findVisibleEnd();
        while (this.rows.visibleEnd < opened.endOffset && !signal.aborted) await this.#replay(opened);
        if (signal.aborted) break;
        this.#fault = null;
        return;
      } catch (error) {
        this.#fault = toFault(error);
      }
    }
  }

  async #findVisibleEnd(): Promise<void> {
    if (await this.rows.findVisibleEnd()) return this.#tellWaiters();
    const known = await this.#knownPartition();
    await this.rows.open(known);
  }

  // ── sealing ───────────────────────────────────────────────────────────────────────────────────────────────

  /** What is published need not be replayed. */
  async #truncate(endOffset: number): Promise<void> {
    try {
      await this.#log?.truncate(endOffset);
    } catch (error) {
      // The next segment's does it, too.
      this.#components.log.warn('truncation of the log failed', {
        table: this.definition.name,
        cause: toFault(error).message,
      });
    }
  }

  /** Publishes the rows that are visible now. Resolves with the number of segments that took. @throws FaultError */
  commit(): Promise<number> {
    this.#writable();
    return this.rows.commit();
  }

  // ── time ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** Seals by age; brings back what has failed. Never throws. */
  async tick(): Promise<void> {
    const { clock } = this.#components;
    if (this.#stopping.signal.aborted) return;
    if (this.#fault && this.#catchingUp === null && clock.monotonicMs() >= this.#retryAtMs) void this.start();
    if (this.#log?.cause) await this.#log.repair();
    if (this.#fault !== null) return;
    await this.redefine(this.definition);
    await this.rows.tick();
  }

  get state(): IngestState {
    const { clock } = this.#components;
    const cause = this.#fault ?? this.#log?.cause ?? null;
    const { ref, committedEnd, visibleEnd, watermarkMs, lastRowAtMs } = this.rows;
    const active = lastRowAtMs !== null && clock.monotonicMs() - lastRowAtMs < idleAfterMs;
    return {
      ...ref,
      table: this.definition.name,
      source: 'log',
      committedEnd,
      freshness: {
        partition: this.partition,
        ingestedOffset: visibleEnd,
        endOffset: Math.max(visibleEnd, this.#log?.endOffset ?? 0),
        observedAtMs: clock.nowMs(),
        lagMs: this.#behindSinceMs === null ? 0 : clock.monotonicMs() - this.#behindSinceMs,
        watermarkMs,
        state: cause ? 'failed' : active ? 'consuming' : 'idle',
        cause: cause?.message ?? null,
      },
      consumingRows: this.rows.consumingRows,
      rowsIngested: this.#rowsIngested,
      rowsRejected: this.#rowsRejected,
      rowsFiltered: 0,
      offsetsLost: 0,
      logSizeBytes: this.#log?.sizeBytes ?? 0,
      lastFault: cause ?? this.rows.fault ?? this.#lastFault,
      notice: null,
      auditMismatches: this.rows.mismatches,
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
    await this.rows.settle();
    await this.#log?.close();
  }

  /** The table is gone: so are its rows. */
  async drop(): Promise<void> {
    await this.stop();
    await this.rows.drop();
    await this.#components.disk.remove(this.folder);
  }
}
