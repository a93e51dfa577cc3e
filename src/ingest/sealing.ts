/**
 * Rolled segments of one partition, on their way into the deep store and the metadata: built, checked, published, one at
 * a time and in order. Consumption goes on meanwhile. What fails is tried again, for ever, with growing delays.
 *
 * A crash at any point leaves files that no metadata names (the controller collects them) and a log that still has the
 * rows: they are replayed and sealed again, under another attempt's name.
 */
import { type Fault, FaultError, fault, toFault } from '../base/fault.ts';
import { offsetsOf } from '../catalog/accounts.ts';
import type { OffsetAccounts, SegmentEntry, TableDefinition } from '../catalog/table.ts';
import { backoffDelayMs, pause } from './backoff.ts';
import type { IngestComponents } from './components.ts';

/** A rolled segment: what it is to be built of. */
export interface RolledSegment {
  /** Of the time when its rows came. */
  readonly definition: TableDefinition;
  readonly startOffset: number;
  readonly endOffset: number;
  readonly rowCount: number;
  readonly accounts: OffsetAccounts;
}

export interface SealingTarget {
  readonly partition: number;
  readonly shard: number;
  /** The rows below are published: called once for each range, in order. Never throws. */
  published(endOffset: number): Promise<void>;
  /**
   * The metadata has committed part of a range, which this partition never published, or a range does not add up: the
   * partition must start anew from the committed end.
   */
  overtaken(cause: Fault): void;
}

interface Waiter {
  readonly endOffset: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class Sealing {
  readonly #target: SealingTarget;
  readonly #components: IngestComponents;
  readonly #stopping = new AbortController();
  readonly #queue: RolledSegment[] = [];
  #waiters: Waiter[] = [];
  #working: Promise<void> | null = null;
  /** Why the last attempt failed; null once one succeeds. */
  fault: Fault | null = null;
  /** Ranges whose offsets did not add up; the last of them is asked again until the partition starts anew. */
  mismatches = 0;
  #mismatched: RolledSegment | null = null;

  constructor(target: SealingTarget, components: IngestComponents) {
    this.#target = target;
    this.#components = components;
  }

  /** Ranges rolled and not yet published. */
  get count(): number {
    return this.#queue.length;
  }

  /** Of the ranges that are rolled and not yet published. */
  get rowCount(): number {
    return this.#queue.reduce((sum, { rowCount }) => sum + rowCount, 0);
  }

  /** Follows the one before. */
  add(range: RolledSegment): void {
    this.#queue.push(range);
    this.#working ??= this.#work();
  }

  /** Resolves when all below `endOffset`, added before, is published; rejects when an attempt fails (which goes on). */
  async until(endOffset: number): Promise<void> {
    const last = this.#queue.at(-1);
    if (last === undefined || this.#queue[0]!.startOffset >= endOffset) return;
    await new Promise<void>((resolve, reject) => this.#waiters.push({ endOffset, resolve, reject }));
  }

  /** Ends the attempt under way and takes up no other; what is unpublished stays in the log. */
  async stop(): Promise<void> {
    this.#stopping.abort(fault('SHUTTING_DOWN', 'ingestion is shutting down'));
    await this.#working;
    this.#rejectWaiters(
      this.fault
        ? new FaultError(this.fault)
        : fault('SHUTTING_DOWN', 'ingestion is shutting down; the rows are read from their source again'),
    );
  }

  async #work(): Promise<void> {
    const { clock, random, log } = this.#components;
    const { signal } = this.#stopping;
    let failures = 0;
    while (this.#queue.length > 0 && !signal.aborted) {
      const range = this.#queue[0]!;
      try {
        await this.#seal(range, failures > 0);
        await this.#target.published(range.endOffset);
        this.#queue.shift();
        failures = 0;
        this.fault = null;
        this.#resolveWaiters(range.endOffset);
      } catch (error) {
        if (signal.aborted) break;
        failures++;
        this.fault = toFault(error);
        log.warn('a segment could not be sealed', {
          table: range.definition.name,
          partition: this.#target.partition,
          startOffset: range.startOffset,
          endOffset: range.endOffset,
          failures,
          cause: this.fault.message,
        });
        this.#rejectWaiters(new FaultError(this.fault, { cause: error }));
        if (!(await pause(clock, backoffDelayMs(failures, random), signal))) break;
      }
    }
    this.#working = null;
  }

  /** Ends with the range published, by whatever attempt. @param again An attempt before may have got through. */
  async #seal(range: RolledSegment, again: boolean): Promise<void> {
    if (again && (await this.#isCommitted(range))) return;
    const { partition, shard } = this.#target;
    const { builder, controller, log } = this.#components;
    const { signal } = this.#stopping;
    this.#checkOffsets(range);
    const { segment, rowsIn } = await builder.call('build', { partition, shard, ...range }, { signal });
    checkRows(segment, rowsIn, range);
    signal.throwIfAborted();
    try {
      await controller.call('publish', { segment });
    } catch (error) {
      if (toFault(error).code !== 'INVALID_REQUEST' || !(await this.#isCommitted(range))) throw error;
      log.warn('the rows of a segment were published before it', { table: range.definition.name, segment: segment.id });
    }
  }

  /** Every offset is accounted for, each once: else rows were lost or doubled on their way, and nothing is published. */
  #checkOffsets(range: RolledSegment): void {
    const { definition, startOffset, endOffset, rowCount, accounts } = range;
    if (offsetsOf(accounts) === endOffset - startOffset && accounts.rowsOut === rowCount) return;
    const cause = fault(
      'INTERNAL',
      `offsets ${startOffset} to ${endOffset} of ${definition.name}, partition ${this.#target.partition}, do not add up: ` +
        `${offsetsOf(accounts)} are accounted for, with ${accounts.rowsOut} rows of ${rowCount}`,
      { hint: 'nothing of them is published: they are read again', details: { startOffset, endOffset, ...accounts } },
    );
    if (this.#mismatched !== range) {
      this.#mismatched = range;
      this.mismatches++;
      this.#target.overtaken(cause.fault);
    }
    throw cause;
  }

  async #isCommitted({ definition, startOffset, endOffset }: RolledSegment): Promise<boolean> {
    const { partition } = this.#target;
    const partitions = await this.#components.controller.call('partitions', null);
    const known = partitions.find(each => each.tableId === definition.id && each.partition === partition);
    if (!known) throw fault('UNKNOWN_TABLE', `table ${definition.name} was dropped while its rows were sealed`);
    if (known.committedEnd <= startOffset) return false;
    if (known.committedEnd === endOffset) return true;
    const cause = fault(
      'INTERNAL',
      `offset ${known.committedEnd} is committed, between ${startOffset} and ${endOffset}, or beyond: another process published it`,
      { hint: 'the partition starts again from there; look for a second owner of the data folder' },
    );
    this.#target.overtaken(cause.fault);
    throw cause;
  }

  #resolveWaiters(endOffset: number): void {
    for (const waiter of this.#waiters) if (waiter.endOffset <= endOffset) waiter.resolve();
    this.#waiters = this.#waiters.filter(waiter => waiter.endOffset > endOffset);
  }

  #rejectWaiters(error: Error): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.reject(error);
  }
}

/** What went in is what came out: no segment is published that has other rows than its offsets. */
function checkRows(segment: SegmentEntry, rowsIn: number, { startOffset, endOffset, rowCount }: RolledSegment): void {
  const isWhole = rowsIn === rowCount && segment.rowCount === (segment.accounts?.rowsOut ?? rowCount);
  if (segment.startOffset === startOffset && segment.endOffset === endOffset && isWhole) return;
  throw fault(
    'INTERNAL',
    `segment ${segment.id} was built with ${segment.rowCount} rows out of ${rowsIn} of [${segment.startOffset}, ${segment.endOffset}) ` +
      `instead of ${rowCount} of [${startOffset}, ${endOffset}): it is not published`,
  );
}
