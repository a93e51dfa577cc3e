/**
 * How execution sees storage. A segment is a list of blocks of at most 65,536 rows; a block gives, for each column,
 * one address in the arena. Committed and consuming blocks look the same.
 *
 * Invariant: no address survives an `await`. Between two awaits nothing is evicted, moved or appended,
 * so a scan loads a block's columns, runs its kernels over the block to the end, and only then yields.
 */
import type { ZoneMap } from '../catalog/table.ts';
import type { Type } from '../column/type.ts';

/** Rows in a block: one roaring container, one zone map, one Arrow record batch, four morsels. */
export const blockRows = 65_536;

/**
 * Physical forms in the arena:
 * - `u8`   BOOLEAN, 0 or 1 a row
 * - `i32`  INT, DATE; and LONG, TIMESTAMP of a block that spans less than 2^32: value = base + element (frame of reference)
 * - `i64`  LONG, TIMESTAMP otherwise
 * - `f32`, `f64`
 * - `i128` DECIMAL and INTERVAL, 16 bytes a row (see `Type`)
 * - `codes` pooled types: entry number in the pool; codeSizeBytes is 1, 2 or 4
 * - `rows`  pooled types: row r is entry r of the pool; no codes
 */
export type PhysicalForm = 'u8' | 'i32' | 'i64' | 'f32' | 'f64' | 'i128' | 'codes' | 'rows';

/**
 * Byte strings in the arena: entry e is `u8[bytesAddress + u32[offsetsAddress/4 + e] .. + u32[offsetsAddress/4 + e + 1])`.
 * The object is the identity of the pool: a committed segment's column has one for its whole life in the cache,
 * a consuming segment's grows (count goes up; addresses may change across an await; entries never do).
 */
export interface Pool {
  readonly offsetsAddress: number;
  readonly bytesAddress: number;
  readonly count: number;
  /** Entries ascend by bytes (committed dictionaries). */
  readonly sorted: boolean;
  /** No entry twice (dictionaries; not the pools of `rows` columns). */
  readonly distinct: boolean;
}

export interface BlockColumn {
  /** As it is stored: see `SegmentReader.columnType`. */
  readonly type: Type;
  readonly form: PhysicalForm;
  /** Byte address of row 0's element; for `codes` of row 0's code; unused for `rows`. */
  readonly address: number;
  /** Added to every element of an `i32` column of LONG or TIMESTAMP; 0 otherwise. Exact (|base| < 2^53). */
  readonly base: number;
  readonly codeSizeBytes: 0 | 1 | 2 | 4;
  readonly pool: Pool | null;
  /** Byte address of the validity bitmap (Arrow's, 1 = present), 4-byte aligned; 0 where every row is present. */
  readonly validityAddress: number;
}

export interface Block {
  readonly segment: SegmentReader;
  /** Position in the segment; row r of the block is row `index * blockRows + r` of the segment. */
  readonly index: number;
  /** Rows that hold data now; a consuming block grows. */
  readonly rowCount: number;
  /** Known without loading; null where nothing is known. For a consuming block: of the rows so far. */
  zone(columnId: number): ZoneMap | null;
  /**
   * Brings these columns into the arena. A column id that the segment does not have (added later) is not an error:
   * `column` answers null for it.
   * @throws FaultError CORRUPT_SEGMENT, MEMORY_BUDGET
   */
  load(columnIds: readonly number[]): Promise<void>;
  /** Bytes that loading the column would read from disk: 0 where it is at hand. */
  readSizeBytes(columnId: number): number;
  /** After `load`, until the next await. null: the segment has no such column; every row has the column's missing value. */
  column(columnId: number): BlockColumn | null;
}

/** Roaring bitmaps over the segment's rows: of an inverted index by dictionary code, of a null index one, of the NULLs. Sync. */
export interface BitmapIndex {
  /** Rows of bitmap `number` in the whole segment. */
  cardinality(number: number): number;
  /** ORs the block's rows of bitmap `number` into `words` (2,048 words of 32 rows, least significant bit first). */
  select(number: number, blockIndex: number, words: Uint32Array): void;
}

/**
 * Numbers within `[low, high]`, of the table's type, which may be wider than the segment's: bigints for INT, LONG, DATE,
 * TIMESTAMP and DECIMAL (unscaled), else numbers, of which NaN is a bound that nothing is within.
 */
export interface ValueRange {
  readonly type: Type;
  readonly low: number | bigint;
  readonly high: number | bigint;
  /** Whether NaN, which is above all numbers, is within too. */
  readonly nan: boolean;
}

/** Values of a fixed type by the bits of their order. Sync. */
export interface RangeIndex {
  /** Whether the index can answer for values of the range's type. */
  covers(range: ValueRange): boolean;
  /** Leaves of the selected rows of the block those within the range, which it covers; NULL never is. */
  narrow(range: ValueRange, blockIndex: number, words: Uint32Array, wordCount: number): void;
  /** Bytes that `narrow` would read from disk: 0 where they are at hand. */
  readSizeBytes(blockIndex: number): number;
}

/** Which values may occur. Sync. */
export interface BloomIndex {
  /**
   * False: no row has this value, a pooled type's bytes, or the one number of a range. By chance true for one in a hundred
   * that do not occur.
   * @param blockIndex null: in the whole segment.
   */
  mayHold(value: Uint8Array | ValueRange, blockIndex: number | null): boolean;
}

export interface SegmentReader {
  /** `SegmentEntry.id`, or `consuming-<partition>-<startOffset>` */
  readonly id: string;
  readonly tableId: string;
  readonly partition: number;
  readonly rowCount: number;
  readonly consuming: boolean;
  readonly blocks: readonly Block[];
  /** What it stores the column as: a type that the column may have been widened from since; null where it has no such column. */
  columnType(columnId: number): Type | null;
  /** null: it has none. They read what they need when they are asked, and may be kept across awaits. */
  readonly indexes: SegmentIndexes | null;
}

/** What a committed segment knows of its columns besides their values; null where it does not. */
export interface SegmentIndexes {
  /** The column's sorted dictionary is `block.column(id).pool` of any block. */
  inverted(columnId: number): BitmapIndex | null;
  /** Bitmap 0. */
  nulls(columnId: number): BitmapIndex | null;
  range(columnId: number): RangeIndex | null;
  bloom(columnId: number): BloomIndex | null;
  /** Whether the column ascends over the segment's rows, NULLs last. */
  isSorted(columnId: number): boolean;
}
