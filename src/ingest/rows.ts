/**
 * The rows of one partition from where they are durable (the embedded log, a stream) to committed segments: appended to
 * the shard in order, rolled, sealed, published. Whoever reads the source owns one of these.
 *
 *   append ─ visible                         roll ▶ seal ▶ publish ▶ `published` ▶ retire
 */
import { assert } from '../base/assert.ts';
import { type Fault, fault, toFault } from '../base/fault.ts';
import { addAccounts, denseAccounts, noAccounts } from '../catalog/accounts.ts';
import type { OffsetAccounts, TableDefinition } from '../catalog/table.ts';
import type { Client } from '../wire/call.ts';
import type { PartitionRef } from '../wire/calls.ts';
import type { PartitionEntry } from '../wire/controller-calls.ts';
import type { ShardCalls } from '../wire/shard-calls.ts';
import type { TableComponents } from './components.ts';
import { Sealing } from './sealing.ts';

/** What one append brings: rows of offsets `[startOffset, endOffset)`, and where those offsets went. */
export interface NewRows {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly columnIds: readonly number[];
  /** Transferred. */
  readonly frame: Uint8Array;
  readonly rowCount: number;
  readonly accounts: OffsetAccounts;
  readonly ingestedAtMs: number;
  /** Largest event time of the rows, not clamped; null without a time column or rows. */
  readonly maxTimeMs: number | null;
  readonly streamEnd: ShardCalls['append']['in']['streamEnd'];
}

export interface RowsTarget {
  readonly partition: number;
  readonly shard: number;
  /** A segment ended: what comes is the next one's. */
  rolled(): void;
  /** The rows below are in a published segment. Failures are logged: the next segment's call makes up for them. */
  published(endOffset: number): Promise<void>;
  /** The metadata and these rows have parted: open again at the committed end. */
  overtaken(cause: Fault): void;
}

/** An append that the shard took while a roll was under way: of the rolled segment, or of the next. */
interface Piece {
  readonly endOffset: number;
  readonly accounts: OffsetAccounts;
}

export class PartitionRows {
  readonly #target: RowsTarget;
  readonly #components: TableComponents;
  readonly #shard: Client<ShardCalls>;
  #definition: TableDefinition;
  #sealing: Sealing;
  #rolling: Promise<void> | null = null;
  #redefining: Promise<void> | null = null;
  #committedEnd = 0;
  #epoch = 0;
  #visibleEnd = 0;
  /** Of the shard's current consuming segment: where it begins, how many rows it has, and since when (monotonic). */
  #segmentStart = 0;
  #segmentRows = 0;
  /** Of the frames appended to it: what building it may take. */
  #segmentSizeBytes = 0;
  #segmentSinceMs: number | null = null;
  /** Of the current segment's offsets, but for `#pieces`. */
  #accounts: OffsetAccounts = noAccounts;
  #pieces: Piece[] = [];
  #watermarkMs: number | null = null;
  #lastRowAtMs: number | null = null;
  /** Of the sealings before this one: what did not add up opens the partition anew, and stays an alarm. */
  #formerMismatches = 0;
  /** Why the last roll failed; null once one succeeds. */
  #fault: Fault | null = null;

  constructor(definition: TableDefinition, target: RowsTarget, components: TableComponents) {
    this.#definition = definition;
    this.#target = target;
    this.#components = components;
    this.#shard = components.shards[target.shard]!;
    this.#sealing = this.#newSealing();
  }

  get ref(): PartitionRef {
    return { tableId: this.#definition.id, partition: this.#target.partition };
  }

  /** Every row below is in a published segment. */
  get committedEnd(): number {
    return this.#committedEnd;
  }

  /** Every row below is visible. */
  get visibleEnd(): number {
    return this.#visibleEnd;
  }

  /** Rows of the consuming segment. */
  get segmentRows(): number {
    return this.#segmentRows;
  }

  /** Rows that are visible and not published. */
  get consumingRows(): number {
    return this.#segmentRows + this.#sealing.rowCount;
  }

  get watermarkMs(): number | null {
    return this.#watermarkMs;
  }

  /** When rows were last appended, by the monotonic clock; null before the first. */
  get lastRowAtMs(): number | null {
    return this.#lastRowAtMs;
  }

  get fault(): Fault | null {
    return this.#sealing.fault ?? this.#fault;
  }

  /** Segments whose offsets did not add up, since the process started. */
  get mismatches(): number {
    return this.#formerMismatches + this.#sealing.mismatches;
  }

  #newSealing(): Sealing {
    const { partition, shard, overtaken } = this.#target;
    return new Sealing(
      {
        ...{ partition, shard },
        published: endOffset => this.#published(endOffset),
        overtaken: overtaken.bind(this.#target),
      },
      this.#components,
    );
  }

  /** Takes the partition's place in the shard anew: empty, at the committed end. What was there goes, once unleased. */
  async open({
    definition,
    committedEnd,
    epoch,
    maxTimeMs,
  }: Pick<PartitionEntry, 'definition' | 'committedEnd' | 'epoch' | 'maxTimeMs'>): Promise<void> {
    await this.settle();
    if (definition.version > this.#definition.version) this.#definition = definition;
    await this.#shard.call('closePartition', this.ref);
    this.#formerMismatches = this.mismatches;
    this.#sealing = this.#newSealing();
    this.#committedEnd = committedEnd;
    this.#epoch = epoch;
    // As when its rows came: events of the future are no news of the past.
    if (maxTimeMs !== null) this.#noteWatermark(Math.min(maxTimeMs, this.#components.clock.nowMs()));
    await this.#openSegment(committedEnd);
  }

  async #openSegment(startOffset: number): Promise<void> {
    await this.#openInShard(startOffset);
    this.#visibleEnd = startOffset;
    this.#segmentStart = startOffset;
    this.#segmentRows = 0;
    this.#segmentSinceMs = null;
    this.#accounts = noAccounts;
    this.#pieces = [];
  }

  /** Of the rows that come. */
  get definition(): TableDefinition {
    return this.#definition;
  }

  /**
   * Rows from now on are of this definition; those before go to a segment of their own, in which no row is of another.
   * Nothing to do where it is not newer. @throws FaultError of the shard: then it is as it was
   */
  async redefine(definition: TableDefinition): Promise<void> {
    while (this.#redefining) await this.#redefining.catch(() => {});
    if (definition.version <= this.#definition.version) return;
    this.#redefining = this.#redefineNow(definition).finally(() => {
      this.#redefining = null;
    });
    await this.#redefining;
  }

  async #redefineNow(definition: TableDefinition): Promise<void> {
    while (this.#rolling) await this.#rolling.catch(() => {});
    await this.#beginRoll(definition);
  }

  async #openInShard(startOffset: number): Promise<void> {
    const { partition } = this.#target;
    await this.#shard.call('openPartition', {
      ...{ definition: this.#definition, partition, startOffset, epoch: this.#epoch, watermarkMs: this.#watermarkMs },
    });
  }

  /**
   * Calls must come in order of offset, each following the one before; they may overlap.
   * @throws FaultError MEMORY_BUDGET, INVALID_REQUEST and the like: the shard took nothing of it
   */
  async append(rows: NewRows): Promise<void> {
    const { startOffset, endOffset, columnIds, frame, rowCount, accounts, ingestedAtMs, maxTimeMs, streamEnd } = rows;
    const watermarkMs = maxTimeMs === null ? null : Math.min(maxTimeMs, this.#components.clock.nowMs());
    const sinceMs = this.#monotonicOf(ingestedAtMs);
    this.#segmentSinceMs ??= sinceMs;
    const sizeBytes = frame.length;
    await this.#shard.call(
      'append',
      { ...this.ref, startOffset, endOffset, columnIds, frame, ingestedAtMs, watermarkMs, streamEnd },
      { transfer: [frame.buffer as ArrayBuffer] },
    );
    if (rowCount > 0) this.#lastRowAtMs = sinceMs;
    if (watermarkMs !== null) this.#noteWatermark(watermarkMs);
    assert(endOffset >= this.#visibleEnd, 'rows become visible in order');
    this.#account(endOffset, accounts);
    this.#segmentSizeBytes += sizeBytes;
    const isLarge = this.#segmentSizeBytes >= this.#components.segmentSizeBytesMax;
    if (isLarge || this.#segmentRows >= this.#definition.settings.segmentRows) void this.roll().catch(() => {});
  }

  /** A time of the wall clock, which may jump later on; one of the future is now. */
  #monotonicOf(wallMs: number): number {
    const { clock } = this.#components;
    return clock.monotonicMs() - Math.max(0, clock.nowMs() - wallMs);
  }

  #noteWatermark(watermarkMs: number): void {
    this.#watermarkMs = Math.max(watermarkMs, this.#watermarkMs ?? watermarkMs);
  }

  #account(endOffset: number, accounts: OffsetAccounts): void {
    this.#visibleEnd = endOffset;
    this.#segmentRows += accounts.rowsOut;
    if (this.#rolling === null) this.#accounts = addAccounts(this.#accounts, accounts);
    else this.#pieces.push({ endOffset, accounts });
  }

  /**
   * An append whose answer was lost may have been done: what the shard holds decides. For sources where every offset is a
   * row. False where the shard does not know the partition.
   */
  async findVisibleEnd(): Promise<boolean> {
    const { consuming } = await this.#shard.call('status', null);
    const { tableId, partition } = this.ref;
    const held = consuming.find(each => each.tableId === tableId && each.partition === partition);
    if (!held) return false;
    if (held.endOffset > this.#visibleEnd)
      this.#account(held.endOffset, denseAccounts({ startOffset: this.#visibleEnd, endOffset: held.endOffset }));
    return true;
  }

  /** Ends the consuming segment and hands it to sealing; nothing stops. @throws FaultError */
  roll(): Promise<void> {
    return this.#rolling ?? this.#beginRoll(this.#definition);
  }

  #beginRoll(next: TableDefinition): Promise<void> {
    this.#rolling = this.#rollNow(next).finally(() => {
      this.#rolling = null;
      for (const { accounts } of this.#pieces.splice(0)) this.#accounts = addAccounts(this.#accounts, accounts);
    });
    return this.#rolling;
  }

  /** @param next The definition of the segment that follows. */
  async #rollNow(next: TableDefinition): Promise<void> {
    const sinceMs = this.#segmentSinceMs;
    const definition = this.#definition;
    // Rows sent after the call, while it is answered, are the next segment's.
    this.#segmentSinceMs = null;
    this.#segmentSizeBytes = 0;
    try {
      const { startOffset, endOffset, rowCount } = await this.#shard.call(
        'roll',
        next === definition ? this.ref : { ...this.ref, definition: next },
      );
      this.#definition = next;
      const accounts = this.#takeAccounts(endOffset);
      if (this.#segmentStart !== startOffset) throw this.#parted(startOffset);
      if (startOffset < endOffset) this.#sealing.add({ definition, startOffset, endOffset, rowCount, accounts });
      this.#segmentRows -= accounts.rowsOut;
      this.#segmentStart = endOffset;
      this.#fault = null;
      this.#target.rolled();
    } catch (error) {
      this.#segmentSinceMs = sinceMs;
      this.#fault = toFault(error);
      throw error;
    }
  }

  /** The answer to an earlier roll was lost, and with it what that segment has. */
  #parted(startOffset: number): Error {
    const cause = fault('INTERNAL', `the shard rolled from offset ${startOffset}, not from ${this.#segmentStart}`);
    this.#target.overtaken(cause.fault);
    return cause;
  }

  /** The accounts of the rolled segment; what came behind it begins the next one's. */
  #takeAccounts(endOffset: number): OffsetAccounts {
    const isRolled = (piece: Piece): boolean => piece.endOffset <= endOffset;
    const accounts = this.#pieces
      .filter(isRolled)
      .reduce((sum, piece) => addAccounts(sum, piece.accounts), this.#accounts);
    this.#pieces = this.#pieces.filter(piece => !isRolled(piece));
    this.#accounts = noAccounts;
    return accounts;
  }

  async #rollAll(): Promise<void> {
    const endOffset = this.#visibleEnd;
    await this.#rolling?.catch(() => {});
    while (this.#segmentStart < endOffset) await this.roll();
  }

  async #published(endOffset: number): Promise<void> {
    this.#committedEnd = endOffset;
    await this.#target.published(endOffset);
    try {
      await this.#shard.call('retire', { ...this.ref, endOffset });
    } catch (error) {
      this.#components.log.warn('published rows could not be retired; the next segment does it, too', {
        table: this.#definition.name,
        cause: toFault(error).message,
      });
    }
  }

  /** Publishes what is visible now. Resolves with the number of segments that took. @throws FaultError */
  async commit(): Promise<number> {
    const endOffset = this.#visibleEnd;
    await this.#rollAll();
    const count = this.#sealing.count;
    await this.#sealing.until(endOffset);
    return count;
  }

  /** Seals by age. Never throws. */
  async tick(): Promise<void> {
    const { segmentAgeMs } = this.#definition.settings;
    if (this.#segmentSinceMs === null) return;
    if (this.#components.clock.monotonicMs() - this.#segmentSinceMs < segmentAgeMs) return;
    await this.roll().catch(() => {});
  }

  /** Ends rolls and seals under way; what is unpublished is read from its source again. */
  async settle(): Promise<void> {
    await this.#redefining?.catch(() => {});
    await this.#rolling?.catch(() => {});
    await this.#sealing.stop();
  }

  /** The table is gone. */
  async drop(): Promise<void> {
    await this.settle();
    await this.#shard.call('closePartition', this.ref);
  }
}

/** The one with most rows in its consuming segment; null where none has any. */
export const largestOf = (all: readonly (PartitionRows | null)[]): PartitionRows | null =>
  all.reduce((best, rows) => ((rows?.segmentRows ?? 0) > (best?.segmentRows ?? 0) ? rows : best), null);
