/**
 * A filter over one segment: each conjunct by the cheapest that its block has for it. In this order, each seeing only the
 * rows that the ones before have left:
 *
 * - zone maps, which may decide a conjunct for the whole block;
 * - a Bloom filter, for `=` and IN, which may rule out the segment, then the block;
 * - an inverted index, for `=` and IN of pooled types;
 * - a null index, for IS NULL and IS NOT NULL;
 * - a range index, for comparisons, BETWEEN and IN of fixed types, where that reads fewer bytes than the column (`isCheaper`);
 * - sorted search, for one range over a column that ascends;
 * - a scan of whole columns, then evaluation row by row.
 *
 * All but the last two read nothing of the columns themselves, so that a block which they leave no row of is pruned.
 */

import { toFault } from '../base/fault.ts';
import type { IndexKind, TableDefinition, ZoneMap } from '../catalog/table.ts';
import { sameType } from '../column/type.ts';
import { countSelected, fillRange, intersect, unite } from '../kernel/selection.ts';
import type {
  BitmapIndex,
  Block,
  BloomIndex,
  RangeIndex,
  SegmentIndexes,
  SegmentReader,
  ValueRange,
} from '../segment/block.ts';
import { poolOf, type ScanColumn } from './block-input.ts';
import { bytesTestOf, conjunctsOf, type RangeTest, rangeTestOf, type ValueTest, valueTestOf } from './conjuncts.ts';
import type { BlockRange, ExecContext } from './context.ts';
import { codesOf } from './entry-test.ts';
import { type BlockPredicate, columnsOf } from './filter.ts';
import { judge } from './judge.ts';
import { blockWords, type FilterScratch, type FilterTarget, narrow } from './narrow.ts';
import { searchSorted } from './sorted-search.ts';
import { zoneOf } from './widened.ts';

/** What became of a block: no column was looked at and no row is left; rows were tested by scan; or by indexes alone. */
export type BlockOutcome = 'pruned' | 'scanned' | 'decided';

export class SegmentFilter {
  readonly #conjuncts: readonly Conjunct[];
  readonly #context: ExecContext;
  readonly #columns: readonly ScanColumn[];
  readonly #neededIds: ReadonlySet<number>;
  readonly #scratch: FilterScratch;

  /**
   * @param definition Of the table: an index that it no longer has is not asked, though the segment may still have it.
   * @param columns Of the scan, in the order of its output.
   * @param neededIds Of columns that are read of every row that holds.
   */
  constructor(
    predicate: BlockPredicate,
    segment: SegmentReader | null,
    definition: Pick<TableDefinition, 'indexes'>,
    context: ExecContext,
    columns: readonly ScanColumn[],
    neededIds: ReadonlySet<number>,
    scratch: FilterScratch,
  ) {
    this.#conjuncts = conjunctsOf(predicate).map(each => new Conjunct(each, segment, definition));
    this.#context = context;
    this.#columns = columns;
    this.#neededIds = neededIds;
    this.#scratch = scratch;
  }

  /** Narrows `words`, the rows of the range, to those that hold. Their columns are loaded only where rows were scanned. */
  async narrow(range: BlockRange, words: Uint32Array): Promise<BlockOutcome> {
    const { block } = range;
    const open: Conjunct[] = [];
    for (const conjunct of this.#conjuncts) {
      const verdict = judge(conjunct.predicate, column => zoneOf(block, column), block.rowCount);
      if (verdict === 'none') return this.#prune('zone map');
      if (verdict === 'some') open.push(conjunct);
    }
    if (open.some(conjunct => !this.#mayHold(conjunct, block))) return this.#prune('bloom filter');
    const wordCount = (range.endRow + 31) >> 5;
    const rest: Conjunct[] = [];
    for (const conjunct of open) {
      const how = await this.#bySoundIndex(conjunct, range, words, wordCount);
      if (how === null) rest.push(conjunct);
      else if (countSelected(words, 0, wordCount) === 0) return this.#prune(how);
      else this.#count(how);
    }
    return rest.length === 0 ? 'decided' : this.#byColumns(rest, range, words, wordCount);
  }

  /** False: by the Bloom filter no row of the block holds. */
  #mayHold(conjunct: Conjunct, block: Block): boolean {
    try {
      return conjunct.mayHold(block.index);
    } catch (error) {
      this.#giveUp(conjunct, block, error);
      return true;
    }
  }

  /** An index that is damaged answers nothing, and its column is scanned instead. */
  async #bySoundIndex(
    conjunct: Conjunct,
    range: BlockRange,
    words: Uint32Array,
    wordCount: number,
  ): Promise<string | null> {
    if (!conjunct.isIndexed || conjunct.isDamaged) return null;
    const before = this.#scratch.take();
    before.set(words);
    try {
      return await this.#byIndex(conjunct, range, words, wordCount);
    } catch (error) {
      this.#giveUp(conjunct, range.block, error);
      words.set(before);
      return null;
    } finally {
      this.#scratch.give(before);
    }
  }

  /** Damaged columns fail in the scan, again. @throws error unless it says that bytes are damaged */
  #giveUp(conjunct: Conjunct, { segment }: Block, error: unknown): void {
    if (toFault(error).code !== 'CORRUPT_SEGMENT') throw error;
    this.#context.onDamage?.(segment.id, 'index', error);
    conjunct.isDamaged = true;
  }

  /** @returns Which index has answered; null: none of them can, or none should. */
  async #byIndex(conjunct: Conjunct, range: BlockRange, words: Uint32Array, wordCount: number): Promise<string | null> {
    const { block } = range;
    const { nulls, range: index, rangeTest } = conjunct;
    if (conjunct.inverted) {
      const codes = (conjunct.codes ??= await this.#codesOf(conjunct, range));
      this.#select(words, wordCount, found => {
        for (const code of codes) conjunct.inverted!.select(code, block.index, found);
      });
      return 'inverted index';
    }
    if (conjunct.predicate.kind === 'null' && nulls) {
      const { negated } = conjunct.predicate;
      this.#select(words, wordCount, found => {
        nulls.select(0, block.index, found);
        if (negated) for (let word = 0; word < wordCount; word++) found[word] = ~found[word]!;
      });
      return 'null index';
    }
    if (
      !index ||
      !rangeTest ||
      conjunct.isSorted ||
      !isCheaper(index, rangeTest, block, this.#neededIds.has(rangeTest.column.id))
    )
      return null;
    const { ranges } = rangeTest;
    if (ranges.length === 1) index.narrow(ranges[0]!, block.index, words, wordCount);
    else
      this.#select(words, wordCount, found => {
        const part = this.#scratch.take();
        for (const each of ranges) {
          part.set(words);
          index.narrow(each, block.index, part, wordCount);
          unite(found, part, wordCount);
        }
        this.#scratch.give(part);
      });
    return 'range index';
  }

  /** words &= what `find` sets in words that are empty. */
  #select(words: Uint32Array, wordCount: number, find: (found: Uint32Array) => void): void {
    const found = this.#scratch.take().fill(0);
    find(found);
    intersect(words, found, 0, wordCount);
    this.#scratch.give(found);
  }

  async #codesOf(conjunct: Conjunct, { block }: BlockRange): Promise<readonly number[]> {
    const { column, values } = bytesTestOf(conjunct.predicate)!;
    // The dictionary, and with it this block's codes; other blocks' codes stay on disk.
    await block.load([column.id]);
    const { pool } = block.column(column.id)!;
    return codesOf(poolOf(this.#context.arena, pool!), values);
  }

  async #byColumns(
    rest: readonly Conjunct[],
    range: BlockRange,
    words: Uint32Array,
    wordCount: number,
  ): Promise<BlockOutcome> {
    const { block } = range;
    const ids = new Set<number>();
    for (const { predicate } of rest) columnsOf(predicate, ids);
    await block.load([...ids].filter(id => id >= -1));
    const tests: BlockPredicate[] = [];
    for (const conjunct of rest) {
      const column = conjunct.isSorted ? block.column(conjunct.rangeTest!.column.id) : null;
      if (!column) {
        tests.push(conjunct.predicate);
        continue;
      }
      const presentCount = block.rowCount - (block.zone(conjunct.rangeTest!.column.id)?.nullCount ?? 0);
      const [start, end] = searchSorted(conjunct.rangeTest!.ranges[0]!, column, this.#context.arena, presentCount);
      const part = this.#scratch.take();
      fillRange(part, blockWords, start, end);
      intersect(words, part, 0, wordCount);
      this.#scratch.give(part);
      this.#count('sorted search');
    }
    if (tests.length === 0) return 'decided';
    this.#context.stats.rowsScanned += countSelected(words, 0, wordCount);
    const target: FilterTarget = {
      arena: this.#context.arena,
      block,
      columns: this.#columns,
      rowCount: range.endRow,
    };
    narrow(tests.length === 1 ? tests[0]! : { kind: 'and', args: tests }, target, words, this.#scratch);
    this.#count('scan');
    return 'scanned';
  }

  #prune(how: string): BlockOutcome {
    this.#count(how);
    return 'pruned';
  }

  #count(how: string): void {
    const { filters } = this.#context.stats;
    filters[how] = (filters[how] ?? 0) + 1;
  }
}

/**
 * A column at hand is scanned: a block of it takes 90 µs, and its slices 30 to 130. One that is not takes 320 µs, most of them
 * to read and check its bytes, and its slices, a third as many, 50 to 190. Where the query needs the column's values besides,
 * its bytes are read anyway, unless no row holds.
 */
function isCheaper(index: RangeIndex, { column, ranges }: RangeTest, block: Block, isNeeded: boolean): boolean {
  if (index.readSizeBytes(block.index) >= block.readSizeBytes(column.id)) return false;
  return !isNeeded || expectedRows(ranges, zoneOf(block, column), block.rowCount) < 1;
}

/** Rows within the ranges, if values lie evenly between the block's bounds. */
function expectedRows(ranges: readonly ValueRange[], zone: ZoneMap | null, rowCount: number): number {
  if (!zone || zone.min === null || zone.max === null) return rowCount;
  const [min, max] = [Number(zone.min), Number(zone.max)];
  if (min === max) return rowCount;
  let share = 0;
  for (const { low, high } of ranges) {
    // A whole number stands for its unit, a double for a point.
    const unit = typeof low === 'bigint' ? 1 : 0;
    share += Math.max(0, Math.min(Number(high), max) - Math.max(Number(low), min) + unit) / (max - min + unit);
  }
  return share * rowCount;
}

/** One conjunct, and what the segment has to answer it with. */
class Conjunct {
  readonly predicate: BlockPredicate;
  readonly inverted: BitmapIndex | null;
  readonly nulls: BitmapIndex | null;
  readonly range: RangeIndex | null;
  readonly rangeTest: RangeTest | null;
  /** Over a column that ascends. */
  readonly isSorted: boolean;
  /** One of its indexes was found damaged: none is asked any more. */
  isDamaged = false;
  /** Of the inverted index: those of the values that occur. */
  codes: readonly number[] | null = null;
  readonly #bloom: BloomIndex | null;
  readonly #valueTest: ValueTest | null;
  /** Values that the segment may have; null before it was asked. */
  #possible: ValueTest['values'] | null = null;

  constructor(
    predicate: BlockPredicate,
    segment: SegmentReader | null,
    { indexes: wanted }: Pick<TableDefinition, 'indexes'>,
  ) {
    const indexes = segment?.indexes ?? null;
    const ask = <K extends IndexKind>(kind: K, column: ScanColumn | undefined): ReturnType<SegmentIndexes[K]> | null =>
      column && wanted.some(each => each.kind === kind && each.columnId === column.id)
        ? ((indexes?.[kind](column.id) ?? null) as ReturnType<SegmentIndexes[K]> | null)
        : null;
    const bytesTest = bytesTestOf(predicate);
    const rangeTest = rangeTestOf(predicate);
    this.predicate = predicate;
    this.rangeTest = rangeTest;
    this.inverted = ask('inverted', bytesTest?.column);
    this.nulls = (predicate.kind === 'null' && indexes?.nulls(predicate.column.id)) || null;
    const range = ask('range', rangeTest?.column);
    this.range = range && rangeTest!.ranges.every(each => range.covers(each)) ? range : null;
    this.isSorted = rangeTest?.ranges.length === 1 && ascends(segment, rangeTest.column);
    this.#valueTest = valueTestOf(predicate);
    this.#bloom = ask('bloom', this.#valueTest?.column);
  }

  /** By more than a Bloom filter. */
  get isIndexed(): boolean {
    return this.inverted !== null || this.nulls !== null || this.range !== null;
  }

  /** False: by the Bloom filter no row of the block holds. */
  mayHold(blockIndex: number): boolean {
    const bloom = this.#bloom;
    if (!bloom || this.isDamaged) return true;
    this.#possible ??= this.#valueTest!.values.filter(value => bloom.mayHold(value, null));
    return this.#possible.some(value => bloom.mayHold(value, blockIndex));
  }
}

/** In the type that it is read as: one that was widened since is searched in no order. */
function ascends(segment: SegmentReader | null, { id, type }: ScanColumn): boolean {
  const stored = segment?.indexes?.isSorted(id) ? segment.columnType(id) : null;
  return stored !== null && sameType(stored, type);
}
