import { assert } from '../base/assert.ts';
import { fault } from '../base/fault.ts';
import { nextColumnIdOf, wasOfType } from '../catalog/column.ts';
import { type ColumnDefinition, type TableDefinition, virtualColumns, type ZoneMap } from '../catalog/table.ts';
import type { Batch, Column, FixedValues } from '../column/column.ts';
import { integersOf } from '../column/integers.ts';
import { isPooled, LONG, TIMESTAMP, type Type } from '../column/type.ts';
import { widenColumn } from '../column/widen.ts';
import type { Arena } from '../kernel/allocator.ts';
import { type Block, type BlockColumn, blockRows, type SegmentReader } from './block.ts';
import {
  ConsumingColumn,
  copyBits,
  countNulls,
  formOf,
  missingColumn,
  type Prepared,
  prepare,
} from './consuming-column.ts';
import { ConsumingPool } from './consuming-pool.ts';
import { mergeRanges, rangeOf } from './consuming-zone.ts';
import { storedColumns } from './row-columns.ts';

/**
 * Rows that a segment's first block has room for at first; it doubles as rows come, so that a table of a few rows costs
 * a few KiB a column. Later blocks are made whole: their segment is not small.
 */
const firstBlockRows = 512;

/** Rows a segment may hold: row numbers are u32. */
const segmentRowsMax = 2 ** 32 - 1;

class ConsumingBlock implements Block {
  readonly segment: ConsumingSegment;
  readonly index: number;
  readonly columns: readonly ConsumingColumn[];
  rowCount = 0;
  capacityRows: number;

  /** @throws FaultError MEMORY_BUDGET; nothing is kept then */
  constructor(segment: ConsumingSegment, index: number, capacityRows: number, arena: Arena) {
    this.segment = segment;
    this.index = index;
    this.capacityRows = capacityRows;
    const columns: ConsumingColumn[] = [];
    try {
      for (const { type } of segment.columns) columns.push(new ConsumingColumn(arena, type, capacityRows));
    } catch (error) {
      for (const column of columns) column.free();
      throw error;
    }
    this.columns = columns;
  }

  zone(columnId: number): ZoneMap | null {
    if (this.rowCount === 0) return null;
    const column = this.columns[this.segment.positionOf(columnId)];
    if (!column) return null;
    const { nullCount, range } = column;
    return { nullCount, min: range.min, max: range.hasNaN ? null : range.max };
  }

  /** Everything lies in the arena already. */
  async load(): Promise<void> {}

  readSizeBytes(): number {
    return 0;
  }

  column(columnId: number): BlockColumn | null {
    return this.segment.blockColumn(this, columnId);
  }

  /** @throws FaultError MEMORY_BUDGET; the rows are then as they were */
  grow(capacityRows: number): void {
    for (const column of this.columns) column.grow(this.rowCount, capacityRows);
    this.capacityRows = capacityRows;
  }

  free(): void {
    for (const column of this.columns) column.free();
  }
}

/** Rows of one append that go to one block. */
interface Slice {
  readonly block: ConsumingBlock;
  readonly sourceRow: number;
  readonly row: number;
  readonly count: number;
  /** By column. */
  readonly nullCounts: readonly number[];
}

/** Where rows come from: offsets `[startOffset, endOffset)` of their stream, of which some may have no row and some several. */
export interface RowOrigin {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly ingestedAtMs: number;
}

/**
 * Rows of one partition that are not in a committed segment yet, in order of their offsets. Grows at its end only; what
 * was appended never changes, but may move in the arena when rows are appended. Owned by its partition, which frees it.
 */
export class ConsumingSegment implements SegmentReader {
  readonly id: string;
  readonly tableId: string;
  readonly partition: number;
  readonly consuming = true;
  readonly indexes = null;
  readonly definition: TableDefinition;
  /** The definition's columns, `$offset`, `$ingested_at`. */
  readonly columns: readonly ColumnDefinition[];
  readonly startOffset: number;
  readonly #arena: Arena;
  readonly #blocks: ConsumingBlock[] = [];
  readonly #pools: readonly (ConsumingPool | null)[];
  readonly #positions: ReadonlyMap<number, number>;
  #rowCount = 0;
  #endOffset: number;
  #freed = false;

  /** Its columns are the definition's, for its whole life. @throws FaultError MEMORY_BUDGET */
  constructor(arena: Arena, definition: TableDefinition, partition: number, startOffset: number) {
    this.id = `consuming-${partition}-${startOffset}`;
    this.tableId = definition.id;
    this.partition = partition;
    this.definition = definition;
    this.columns = storedColumns(definition);
    this.startOffset = startOffset;
    this.#endOffset = startOffset;
    this.#arena = arena;
    const pools: (ConsumingPool | null)[] = [];
    try {
      for (const { type } of this.columns) pools.push(isPooled(type) ? new ConsumingPool(arena) : null);
    } catch (error) {
      for (const pool of pools) pool?.free();
      throw error;
    }
    this.#pools = pools;
    this.#positions = new Map(this.columns.map(({ id }, position) => [id, position]));
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  /** The stream was read up to here; the last rows may lie well before. */
  get endOffset(): number {
    return this.#endOffset;
  }

  get blocks(): readonly Block[] {
    return this.#blocks;
  }

  columnType(columnId: number): Type | null {
    return this.columns[this.positionOf(columnId)]?.type ?? null;
  }

  /** Position of a column among `columns`, -1 where there is none. */
  positionOf(columnId: number): number {
    return this.#positions.get(columnId) ?? -1;
  }

  /**
   * Adds a batch, whose column i is table column `columnIds[i]`. One of an older definition is taken as this one's: columns
   * that were dropped since are left out, widened ones widened, and a column that it lacks has its missing value. It may
   * bring its `$offset`s, ascending, inside the origin's range; without them every offset of the range is one row. All or
   * nothing. Constraints were checked before the rows came here: what was taken from the stream is a fact.
   * @throws FaultError INVALID_REQUEST, CORRUPT_FRAME, MEMORY_BUDGET
   */
  append(columnIds: readonly number[], batch: Batch, origin: RowOrigin): void {
    assert(!this.#freed, `${this.id} was freed`);
    if (columnIds.length !== batch.columns.length)
      throw fault('INVALID_REQUEST', `${columnIds.length} column ids for ${batch.columns.length} columns`);
    const nextColumnId = nextColumnIdOf(this.definition);
    const unknown = columnIds.find(id => this.positionOf(id) < 0 && (id < 0 || id >= nextColumnId));
    if (unknown !== undefined)
      throw fault('INVALID_REQUEST', `${this.id} has no column with id ${unknown}`, {
        hint: `it was opened with version ${this.definition.version} of the table; roll it first`,
      });
    if (this.#rowCount + batch.rowCount > segmentRowsMax)
      throw fault('LIMIT_EXCEEDED', `a consuming segment holds at most ${segmentRowsMax} rows`);
    if (batch.rowCount > 0) {
      const prepared = this.columns.map((column, position) =>
        prepare(column, columnFor(column, columnIds, batch, origin), this.#pools[position]!),
      );
      for (const slice of this.#reserve(prepared, batch.rowCount)) write(slice, prepared);
      this.#rowCount += batch.rowCount;
    }
    this.#endOffset = origin.endOffset;
  }

  /** Rows with an offset below `offset`; O(log rows). */
  rowsBefore(offset: number): number {
    if (offset <= this.startOffset) return 0;
    if (offset >= this.#endOffset) return this.#rowCount;
    const position = this.positionOf(virtualColumns.offset);
    const { i32, u32 } = this.#arena;
    let low = 0;
    let high = this.#rowCount;
    while (low < high) {
      const row = (low + high) >>> 1;
      const block = this.#blocks[Math.floor(row / blockRows)]!;
      const word = block.columns[position]!.address / 4 + (row % blockRows) * 2;
      if (i32[word + 1]! * 0x1_0000_0000 + u32[word]! < offset) low = row + 1;
      else high = row;
    }
    return low;
  }

  /** Makes the room that the rows need: after this nothing can fail. */
  #reserve(prepared: readonly Prepared[], rowCount: number): Slice[] {
    const slices: Slice[] = [];
    const fresh: ConsumingBlock[] = [];
    try {
      for (let sourceRow = 0; sourceRow < rowCount; ) {
        const index = Math.floor((this.#rowCount + sourceRow) / blockRows);
        const row = (this.#rowCount + sourceRow) % blockRows;
        const count = Math.min(rowCount - sourceRow, blockRows - row);
        let block = this.#blocks[index];
        if (!block) {
          block = new ConsumingBlock(this, index, capacityFor(index, count), this.#arena);
          fresh.push(block);
        } else if (row + count > block.capacityRows) block.grow(capacityFor(index, row + count));
        const nullCounts = prepared.map(({ validity }) => countNulls(validity, sourceRow, count));
        for (const [position, nullCount] of nullCounts.entries())
          if (nullCount > 0) block.columns[position]!.makeNullable();
        slices.push({ block, sourceRow, row, count, nullCounts });
        sourceRow += count;
      }
    } catch (error) {
      for (const block of fresh) block.free();
      throw error;
    }
    this.#blocks.push(...fresh);
    return slices;
  }

  blockColumn(block: ConsumingBlock, columnId: number): BlockColumn | null {
    if (this.#freed) throw fault('INCOMPLETE', `${this.id} was published and dropped while it was read`);
    const position = this.positionOf(columnId);
    const column = block.columns[position];
    if (!column) return null;
    const { type } = this.columns[position]!;
    const { form } = formOf(type);
    const pool = this.#pools[position]!;
    const { address, validityAddress } = column;
    return { type, form, address, base: 0, codeSizeBytes: pool ? 4 : 0, pool, validityAddress };
  }

  /** A whole column, copied out of the arena; a pooled one as a dictionary in order of first appearance. */
  exportColumn(columnId: number): Column {
    assert(!this.#freed, `${this.id} was freed`);
    const length = this.#rowCount;
    const position = this.positionOf(columnId);
    if (position < 0) throw fault('UNKNOWN_COLUMN', `${this.id} has no column with id ${columnId}`);
    const { type } = this.columns[position]!;
    const pool = this.#pools[position]!;
    const values = this.#exportValues(type, position);
    const validity = this.#exportValidity(position);
    if (!pool) return { form: 'fixed', type, length, validity, values: values as FixedValues };
    const { u32, u8 } = this.#arena;
    const offsets = u32.slice(pool.offsetsAddress / 4, pool.offsetsAddress / 4 + pool.count + 1);
    const bytes = u8.slice(pool.bytesAddress, pool.bytesAddress + pool.sizeBytes);
    return { form: 'dictionary', type, length, validity, codes: values as Uint32Array, offsets, bytes };
  }

  #exportValues(type: Type, position: number): FixedValues | Uint32Array {
    const { widthBytes } = formOf(type);
    const bytes = new Uint8Array(this.#rowCount * widthBytes);
    for (const { index, rowCount, columns } of this.#blocks) {
      const { address } = columns[position]!;
      bytes.set(this.#arena.u8.subarray(address, address + rowCount * widthBytes), index * blockRows * widthBytes);
    }
    return viewOf(type, bytes.buffer);
  }

  #exportValidity(position: number): Uint8Array | null {
    if (this.#blocks.every(({ columns }) => columns[position]!.nullCount === 0)) return null;
    const validity = new Uint8Array((this.#rowCount + 7) >> 3).fill(0xff);
    for (const { index, rowCount, columns } of this.#blocks) {
      const { validityAddress } = columns[position]!;
      if (validityAddress === 0) continue;
      copyBits(
        this.#arena.u8.subarray(validityAddress, validityAddress + blockRows / 8),
        0,
        validity,
        index * blockRows,
        rowCount,
      );
    }
    return validity;
  }

  /** Gives all memory back; the segment answers no more. */
  free(): void {
    assert(!this.#freed, `${this.id} was freed before`);
    this.#freed = true;
    for (const block of this.#blocks) block.free();
    for (const pool of this.#pools) pool?.free();
  }
}

function columnFor(
  definition: ColumnDefinition,
  columnIds: readonly number[],
  batch: Batch,
  { startOffset, endOffset, ingestedAtMs }: RowOrigin,
): Column {
  const { rowCount } = batch;
  const column = batch.columns[columnIds.indexOf(definition.id)];
  if (column) {
    if (column.length === rowCount)
      return wasOfType(definition, column.type) ? widenColumn(column, definition.type) : column;
    throw fault('INVALID_REQUEST', `${definition.name} has ${column.length} rows in a batch of ${rowCount}`);
  }
  if (definition.id === virtualColumns.ingestedAt) return integersOf(TIMESTAMP, rowCount, () => ingestedAtMs);
  if (definition.id !== virtualColumns.offset) return missingColumn(definition, rowCount);
  if (endOffset - startOffset === rowCount) return integersOf(LONG, rowCount, row => startOffset + row);
  throw fault(
    'INVALID_REQUEST',
    `${rowCount} rows of offsets ${startOffset} to ${endOffset} come without their offsets`,
  );
}

function capacityFor(blockIndex: number, rowCount: number): number {
  if (blockIndex > 0) return blockRows;
  return Math.min(blockRows, Math.max(firstBlockRows, 2 ** Math.ceil(Math.log2(rowCount))));
}

function write({ block, sourceRow, row, count, nullCounts }: Slice, prepared: readonly Prepared[]): void {
  for (const [position, source] of prepared.entries()) {
    const column = block.columns[position]!;
    column.write(source, sourceRow, row, count, nullCounts[position]!);
    if (source.fixed) column.range = mergeRanges(column.range, rangeOf(source.fixed, sourceRow, count));
  }
  block.rowCount = row + count;
}

function viewOf(type: Type, buffer: ArrayBuffer): FixedValues | Uint32Array {
  switch (formOf(type).form) {
    case 'u8':
      return new Uint8Array(buffer);
    case 'i32':
      return new Int32Array(buffer);
    case 'f32':
      return new Float32Array(buffer);
    case 'f64':
      return new Float64Array(buffer);
    case 'codes':
      return new Uint32Array(buffer);
    default:
      return new BigInt64Array(buffer);
  }
}
