import { assert } from '../base/assert.ts';
import { fault } from '../base/fault.ts';
import type { TableDefinition } from '../catalog/table.ts';
import type { Batch, Column } from '../column/column.ts';
import type { Arena } from '../kernel/allocator.ts';
import { type Block, blockRows } from './block.ts';
import { ConsumingSegment, type RowOrigin } from './consuming.ts';

/** Stream offsets `[startOffset, endOffset)`. */
export interface OffsetRange {
  readonly startOffset: number;
  readonly endOffset: number;
}

/** Rows `[startRow, endRow)` of one consuming block. */
export interface ConsumingRange {
  readonly block: Block;
  readonly startRow: number;
  readonly endRow: number;
}

interface Held {
  readonly segment: ConsumingSegment;
  /** Published: freed as soon as no lease holds it. */
  retired: boolean;
  /** Leases taken while it was held. */
  leaseCount: number;
}

interface Lease {
  readonly range: OffsetRange;
  readonly held: Set<Held>;
}

/**
 * A partition's rows that a query may find in no committed segment yet: consuming segments, each beginning where the one
 * before ends. The last takes the rows; the others were rolled, and wait to be built, published and retired.
 *
 *   append … append │ roll → export → publish │ retire → free, when no lease taken before is left
 *
 * A lease fixes, once, the offsets that its query reads and keeps their rows until it is released. It begins at the
 * first row not retired, so who takes the lease first and the metadata's snapshot second finds every row in one or both,
 * and reads from the committed end on. Owned by a shard; synchronous, so every method is one step for all others.
 */
export class ConsumingPartition {
  readonly #arena: Arena;
  readonly tableId: string;
  readonly partition: number;
  #definition: TableDefinition;
  /** By offset, without gaps; retired ones, while leased, come first. */
  #held: Held[];
  readonly #leases = new Map<string, Lease>();

  constructor(arena: Arena, definition: TableDefinition, partition: number, startOffset: number) {
    this.#arena = arena;
    this.tableId = definition.id;
    this.partition = partition;
    this.#definition = definition;
    this.#held = [hold(new ConsumingSegment(arena, definition, partition, startOffset))];
  }

  /** First offset that is not retired. */
  get startOffset(): number {
    return this.#held.find(({ retired }) => !retired)?.segment.startOffset ?? this.endOffset;
  }

  /** Offset of the next row. */
  get endOffset(): number {
    return this.#current.endOffset;
  }

  /** Rows of the segments that are not retired. */
  get rowCount(): number {
    return this.#held.reduce((sum, { retired, segment }) => sum + (retired ? 0 : segment.rowCount), 0);
  }

  /** Segments that are published, and kept for leases alone. */
  get retiredCount(): number {
    return this.#held.filter(({ retired }) => retired).length;
  }

  /** Rolled segments and the current one; retired ones too, while leased. */
  get segments(): readonly ConsumingSegment[] {
    return this.#held.map(({ segment }) => segment);
  }

  get #current(): ConsumingSegment {
    return this.#held.at(-1)!.segment;
  }

  /** The definition of the segments opened from now on, and of the current one if it has no rows yet. */
  define(definition: TableDefinition): void {
    assert(definition.id === this.tableId, 'a partition stays with its table');
    if (definition.version === this.#definition.version) return;
    const { startOffset, endOffset } = this.#current;
    if (startOffset === endOffset) {
      const fresh = hold(new ConsumingSegment(this.#arena, definition, this.partition, startOffset));
      this.#held.pop()!.segment.free();
      this.#held.push(fresh);
    }
    this.#definition = definition;
  }

  /**
   * Adds rows at the end; see `ConsumingSegment.append`. All or nothing.
   * @returns The new end.
   * @throws FaultError INVALID_REQUEST when they do not begin at the end: rows would be lost or doubled
   */
  append(columnIds: readonly number[], batch: Batch, origin: RowOrigin): number {
    const { startOffset, endOffset } = origin;
    if (startOffset !== this.endOffset || endOffset < startOffset)
      throw fault(
        'INVALID_REQUEST',
        `rows of offsets ${startOffset} to ${endOffset} do not follow the end, ${this.endOffset}`,
      );
    this.#current.append(columnIds, batch, origin);
    return this.endOffset;
  }

  /**
   * Ends the current segment, if it covers any offset, and opens the next at its end, of `definition` where one is given.
   * Answers what the rolled one has.
   * @throws FaultError MEMORY_BUDGET
   */
  roll(definition: TableDefinition = this.#definition): OffsetRange & { readonly rowCount: number } {
    const { startOffset, endOffset, rowCount } = this.#current;
    if (startOffset === endOffset) this.define(definition);
    else {
      this.#held.push(hold(new ConsumingSegment(this.#arena, definition, this.partition, endOffset)));
      this.#definition = definition;
    }
    return { startOffset, endOffset, rowCount };
  }

  /** A whole column of the rolled segment that begins at `startOffset`. @throws FaultError NOT_FOUND, UNKNOWN_COLUMN */
  exportColumn(startOffset: number, columnId: number): Column {
    const rolled = this.#held.slice(0, -1).find(({ segment }) => segment.startOffset === startOffset);
    if (!rolled)
      throw fault('NOT_FOUND', `no rolled segment of partition ${this.partition} begins at offset ${startOffset}`);
    return rolled.segment.exportColumn(columnId);
  }

  /**
   * Rows below `endOffset` are published: later leases begin above, and rolled segments go when no lease holds them.
   * @throws FaultError INVALID_REQUEST when `endOffset` is not the end of a segment that was rolled
   */
  retire(endOffset: number): void {
    if (endOffset <= this.startOffset) return;
    const rolled = this.#held.slice(0, -1);
    if (!rolled.some(({ segment }) => segment.endOffset === endOffset))
      throw fault('INVALID_REQUEST', `no rolled segment of partition ${this.partition} ends at offset ${endOffset}`);
    for (const held of rolled) if (held.segment.endOffset <= endOffset) held.retired = true;
    this.#collect();
  }

  /** Fixes what a query reads; asked again under the same lease, the answer is the same. */
  pin(leaseId: string): OffsetRange {
    const { startOffset, endOffset } = this;
    return this.#lease(leaseId, { startOffset, endOffset }).range;
  }

  /** Keeps the rows of a range that are still held under another lease, as long as it reads them. */
  retain(leaseId: string, range: OffsetRange): void {
    this.#lease(leaseId, range);
  }

  /** Ends a lease; nothing to do where there is none. */
  release(leaseId: string): void {
    const lease = this.#leases.get(leaseId);
    if (!lease) return;
    this.#leases.delete(leaseId);
    for (const held of lease.held) held.leaseCount--;
    this.#collect();
  }

  /**
   * The rows of a range, in order of offset; none for an empty range.
   * @throws FaultError INCOMPLETE where a part of it is not held (not yet, or no more)
   */
  rangesFor(startOffset: number, endOffset: number): ConsumingRange[] {
    const ranges: ConsumingRange[] = [];
    let offset = startOffset;
    for (const { segment } of this.#held) {
      if (offset >= endOffset || segment.startOffset > offset) break;
      const endRow = segment.rowsBefore(endOffset);
      for (let row = segment.rowsBefore(offset); row < endRow; ) {
        const block = segment.blocks[Math.floor(row / blockRows)]!;
        const blockStart = block.index * blockRows;
        const blockEnd = Math.min(endRow, blockStart + blockRows);
        ranges.push({ block, startRow: row - blockStart, endRow: blockEnd - blockStart });
        row = blockEnd;
      }
      offset = Math.max(offset, Math.min(endOffset, segment.endOffset));
    }
    if (offset >= endOffset) return ranges;
    throw fault(
      'INCOMPLETE',
      `partition ${this.partition} does not hold all of offsets ${startOffset} to ${endOffset}: ${offset} is missing`,
      { hint: 'run the query again' },
    );
  }

  /** The partition leaves this shard: nothing but `rangesFor` and `release` is asked of it any more. */
  close(): void {
    for (const held of this.#held) held.retired = true;
    this.#collect();
  }

  /** After `close`: no lease holds anything either. */
  get isEmpty(): boolean {
    return this.#held.length === 0;
  }

  #lease(leaseId: string, range: OffsetRange): Lease {
    const known = this.#leases.get(leaseId);
    if (known) return known;
    const held = new Set(
      this.#held.filter(
        ({ segment }) => segment.startOffset < range.endOffset && segment.endOffset > range.startOffset,
      ),
    );
    for (const one of held) one.leaseCount++;
    const lease = { range, held };
    this.#leases.set(leaseId, lease);
    return lease;
  }

  #collect(): void {
    const goes = ({ retired, leaseCount }: Held): boolean => retired && leaseCount === 0;
    for (const held of this.#held) if (goes(held)) held.segment.free();
    this.#held = this.#held.filter(held => !goes(held));
  }
}

const hold = (segment: ConsumingSegment): Held => ({ segment, retired: false, leaseCount: 0 });
