/** Drives a scan: unit by unit, block by block, pushing the rows that hold into a sink in morsels. */
import { toFault } from '../base/fault.ts';
import { countSelected, fillRange, intersect, listSelected } from '../kernel/selection.ts';
import type { Expr } from '../plan/expr.ts';
import type { Node } from '../plan/node.ts';
import { blockRows, type SegmentReader } from '../segment/block.ts';
import { blockInput, GatherScratch, poolOf, type ScanColumn } from './block-input.ts';
import type { BlockRange, ExecContext, ScanUnit } from './context.ts';
import { codesOf } from './entry-test.ts';
import { type BlockPredicate, columnsOf, compileFilter, splitByIndex } from './filter.ts';
import { morselRows } from './input.ts';
import { judge } from './judge.ts';
import { blockWords, FilterScratch, narrow } from './narrow.ts';
import type { Sink } from './sink.ts';

type ScanNode = Extract<Node, { kind: 'scan' }>;
type Entries = Extract<BlockPredicate, { kind: 'entries' }>;

const morselWords = morselRows / 32;

/** Yields after every block that it looked into: nothing of the arena is held there. */
export async function* driveScan(node: ScanNode, context: ExecContext, sink: Sink): AsyncGenerator<void, void, void> {
  const source = context.sources.get(node.tableId);
  if (!source) return;
  const columns: ScanColumn[] = node.columns.map(({ id, type }) => ({
    id,
    type,
    defaultValue: source.definition.columns.find(column => column.id === id)?.defaultValue ?? null,
  }));
  const scan = new Scan(context, columns, node.filter, node.limit, sink);
  for (const unit of source.units) {
    // A LIMIT that was met makes the rest unnecessary, not unanswered.
    if (scan.wantsMore) {
      try {
        yield* scan.unit(unit);
      } catch (error) {
        if (!context.allowPartial || toFault(error).kind !== 'corrupt') throw error;
        continue;
      }
    }
    context.stats.unitsAnswered.push(unit.id);
  }
}

class Scan {
  wantsMore = true;
  readonly #context: ExecContext;
  readonly #columns: readonly ScanColumn[];
  readonly #outputIds: readonly number[];
  readonly #predicate: BlockPredicate | null;
  readonly #sink: Sink;
  #rowsLeft: number;
  readonly #words = new Uint32Array(blockWords);
  readonly #filterScratch = new FilterScratch();
  readonly #gatherScratch = new GatherScratch(morselRows);
  readonly #rows = new Uint32Array(morselRows);

  constructor(
    context: ExecContext,
    columns: readonly ScanColumn[],
    filter: Expr | null,
    limit: number | null,
    sink: Sink,
  ) {
    this.#context = context;
    this.#columns = columns;
    this.#predicate = filter && compileFilter(filter, columns, context);
    this.#sink = sink;
    this.#rowsLeft = limit ?? Number.POSITIVE_INFINITY;
    if (limit === 0) this.wantsMore = false;
    const used = sink.columnsUsed;
    this.#outputIds = columns
      .filter((column, index) => column.id >= -1 && (!used || used.has(index)))
      .map(column => column.id);
  }

  async *unit(unit: ScanUnit): AsyncGenerator<void, void, void> {
    const { stats } = this.#context;
    const { segment, ranges } = await unit.open();
    let touched = false;
    const split = this.#predicate && segment ? splitByIndex(this.#predicate, id => segment.hasInverted(id)) : null;
    const lookups: IndexLookup[] = [];
    for (const range of ranges) {
      if (!this.wantsMore) break;
      const verdict = this.#predicate
        ? judge(this.#predicate, id => range.block.zone(id), range.block.rowCount)
        : 'all';
      if (verdict === 'none') {
        this.#count('zone map');
        stats.blocksPruned++;
        continue;
      }
      const { block } = range;
      const rowCount = range.endRow;
      const wordCount = (rowCount + 31) >> 5;
      fillRange(this.#words, blockWords, range.startRow, range.endRow);
      let rest = verdict === 'all' ? null : this.#predicate;
      if (rest && split && split.indexed.length > 0 && segment) {
        if (lookups.length === 0)
          for (const predicate of split.indexed)
            lookups.push(await IndexLookup.open(predicate, segment, range, this.#context));
        for (const lookup of lookups) lookup.narrow(block.index, this.#words, wordCount, this.#filterScratch);
        this.#count('inverted index');
        rest = split.rest;
        if (countSelected(this.#words, 0, wordCount) === 0) {
          stats.blocksPruned++;
          continue;
        }
      }
      if (!touched) stats.unitsScanned.push(unit.id);
      touched = true;
      stats.blocksScanned++;
      if (rest) {
        const ids = new Set<number>();
        columnsOf(rest, ids);
        await block.load([...ids].filter(id => id >= -1));
        stats.rowsScanned += countSelected(this.#words, 0, wordCount);
        narrow(
          rest,
          { arena: this.#context.arena, block, columns: this.#columns, rowCount },
          this.#words,
          this.#filterScratch,
        );
        this.#count('scan');
        if (countSelected(this.#words, 0, wordCount) === 0) {
          yield;
          await this.#context.yield();
          continue;
        }
      } else if (this.#predicate === null && this.#outputIds.length === 0) this.#count('metadata');
      await block.load(this.#outputIds);
      this.#pushBlock(range, wordCount, rest === null);
      yield;
      await this.#context.yield();
    }
  }

  #count(how: string): void {
    this.#context.stats.filters[how] = (this.#context.stats.filters[how] ?? 0) + 1;
  }

  #pushBlock({ block, startRow, endRow }: BlockRange, wordCount: number, countRows: boolean): void {
    const { arena, stats } = this.#context;
    const firstWord = startRow >> 5;
    for (let word = firstWord - (firstWord % morselWords); word < wordCount; word += morselWords) {
      const to = Math.min(word + morselWords, wordCount);
      let count = countSelected(this.#words, word, to);
      if (count === 0) continue;
      const first = Math.max(word << 5, startRow);
      const all = count === Math.min(to << 5, endRow) - first;
      count = Math.min(count, this.#rowsLeft);
      if (!all) listSelected(this.#words, word, to, this.#rows);
      stats.rowsMatched += count;
      if (countRows) stats.rowsScanned += count;
      this.#rowsLeft -= count;
      const input = blockInput(arena, block, this.#columns, all ? null : this.#rows, first, count, this.#gatherScratch);
      if (!this.#sink.push(input) || this.#rowsLeft === 0) {
        this.wantsMore = false;
        return;
      }
    }
  }
}

/** One conjunct answered by an inverted index of one segment. */
class IndexLookup {
  readonly #codes: readonly number[];
  readonly #index: NonNullable<Awaited<ReturnType<SegmentReader['loadInverted']>>>;

  constructor(codes: readonly number[], index: NonNullable<Awaited<ReturnType<SegmentReader['loadInverted']>>>) {
    this.#codes = codes;
    this.#index = index;
  }

  static async open(
    predicate: Entries,
    segment: SegmentReader,
    range: BlockRange,
    context: ExecContext,
  ): Promise<IndexLookup> {
    const index = await segment.loadInverted(predicate.column.id);
    if (!index) throw new Error(`segment ${segment.id} lost its inverted index of column ${predicate.column.id}`);
    // The dictionary, and with it this block's codes; other blocks' codes stay on disk.
    await range.block.load([predicate.column.id]);
    const column = range.block.column(predicate.column.id);
    const codes = column?.pool ? codesOf(poolOf(context.arena, column.pool), predicate.table.test.equals!) : [];
    return new IndexLookup(codes, index);
  }

  narrow(blockIndex: number, words: Uint32Array, wordCount: number, scratch: FilterScratch): void {
    const found = scratch.take();
    found.fill(0, 0, blockRows / 32);
    for (const code of this.#codes) this.#index.select(code, blockIndex, found);
    intersect(words, found, 0, wordCount);
    scratch.give(found);
  }
}
