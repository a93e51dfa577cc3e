/** Drives a scan: unit by unit, block by block, pushing the rows that hold into a sink in morsels. */
import { toFault } from '../base/fault.ts';
import type { TableDefinition } from '../catalog/table.ts';
import { countSelected, fillRange, listSelected } from '../kernel/selection.ts';
import type { Expr } from '../plan/expr.ts';
import type { Node } from '../plan/node.ts';
import { SegmentFilter } from './access.ts';
import { blockInput, GatherScratch, type ScanColumn } from './block-input.ts';
import type { BlockRange, ExecContext, ScanUnit } from './context.ts';
import { type BlockPredicate, compileFilter } from './filter.ts';
import { withoutHidden } from './hidden.ts';
import { morselRows } from './input.ts';
import { blockWords, FilterScratch } from './narrow.ts';
import { scanColumnsOf } from './scan-columns.ts';
import type { Sink } from './sink.ts';

type ScanNode = Extract<Node, { kind: 'scan' }>;

const morselWords = morselRows / 32;

/** The first rows of a scan, 1,024 of them: how much output comes of them tells how many the next may be. */
const firstStepWords = 32;

/** Output of one step, and what may wait to be taken: four batches hide the way to the reader. */
const backlogBytesMax = 1 << 20;

/** Yields after every block that it looked into: nothing of the arena is held there. */
export async function* driveScan(node: ScanNode, context: ExecContext, sink: Sink): AsyncGenerator<void, void, void> {
  const source = context.sources.get(node.tableId);
  if (!source) return;
  const columns = scanColumnsOf(node, source.definition);
  const scan = new Scan(context, source.definition, columns, node.filter, node.limit, sink);
  for (const unit of source.units) {
    // A LIMIT that was met makes the rest unnecessary, not unanswered.
    if (scan.wantsMore) {
      try {
        yield* scan.unit(unit);
      } catch (error) {
        if (toFault(error).code !== 'CORRUPT_SEGMENT') throw error;
        const told = context.onDamage?.(unit.id, 'columns', error) ?? error;
        if (!context.allowPartial) throw told;
        continue;
      }
    }
    context.stats.unitsAnswered.push(unit.id);
  }
}

class Scan {
  wantsMore = true;
  readonly #context: ExecContext;
  readonly #definition: TableDefinition;
  readonly #columns: readonly ScanColumn[];
  readonly #outputIds: readonly number[];
  readonly #predicate: BlockPredicate | null;
  readonly #sink: Sink;
  #rowsLeft: number;
  /** Words of the selection that are pushed at once: a morsel, or less where rows are wide and all of them come out. */
  #stepWords: number;
  readonly #words = new Uint32Array(blockWords);
  readonly #filterScratch = new FilterScratch();
  readonly #gatherScratch = new GatherScratch(morselRows);
  readonly #rows = new Uint32Array(morselRows);

  constructor(
    context: ExecContext,
    definition: TableDefinition,
    columns: readonly ScanColumn[],
    filter: Expr | null,
    limit: number | null,
    sink: Sink,
  ) {
    this.#context = context;
    this.#definition = definition;
    this.#columns = columns;
    this.#predicate = filter && compileFilter(filter, columns, context);
    this.#sink = sink;
    this.#rowsLeft = limit ?? Number.POSITIVE_INFINITY;
    this.#stepWords = context.output ? firstStepWords : morselWords;
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
    const predicate = withoutHidden(this.#predicate, unit.masks ?? [], this.#definition);
    const filter =
      predicate &&
      new SegmentFilter(
        predicate,
        segment,
        this.#definition,
        this.#context,
        this.#columns,
        new Set(this.#outputIds),
        this.#filterScratch,
      );
    for (const range of ranges) {
      if (!this.wantsMore) break;
      const { block } = range;
      const wordCount = (range.endRow + 31) >> 5;
      fillRange(this.#words, blockWords, range.startRow, range.endRow);
      const outcome = filter ? await filter.narrow(range, this.#words) : 'decided';
      if (outcome === 'pruned') {
        stats.blocksPruned++;
        continue;
      }
      if (!touched) stats.unitsScanned.push(unit.id);
      touched = true;
      stats.blocksScanned++;
      if (countSelected(this.#words, 0, wordCount) === 0) {
        yield;
        await this.#context.yield();
        continue;
      }
      if (filter === null && this.#outputIds.length === 0) this.#count('metadata');
      for (let word = range.startRow >> 5; word < wordCount && this.wantsMore; ) {
        // Again after each stretch: nothing of the arena survives the reader's turn.
        await block.load(this.#outputIds);
        word = this.#pushRows(range, word, wordCount, outcome === 'decided');
        if (word < wordCount) yield;
      }
      yield;
      await this.#context.yield();
    }
  }

  #count(how: string): void {
    this.#context.stats.filters[how] = (this.#context.stats.filters[how] ?? 0) + 1;
  }

  /** Pushes selected rows from a word on, until the block ends or enough waits to be taken; where to go on. */
  #pushRows({ block, startRow, endRow }: BlockRange, fromWord: number, wordCount: number, countRows: boolean): number {
    const { arena, stats, output } = this.#context;
    let word = fromWord;
    while (word < wordCount) {
      const to = Math.min(word - (word % this.#stepWords) + this.#stepWords, wordCount);
      const first = Math.max(word << 5, startRow);
      let count = countSelected(this.#words, word, to);
      const from = word;
      word = to;
      if (count === 0) continue;
      const all = count === Math.min(to << 5, endRow) - first;
      count = Math.min(count, this.#rowsLeft);
      if (!all) listSelected(this.#words, from, to, this.#rows);
      stats.rowsMatched += count;
      if (countRows) stats.rowsScanned += count;
      this.#rowsLeft -= count;
      const input = blockInput(arena, block, this.#columns, all ? null : this.#rows, first, count, this.#gatherScratch);
      const backlogBytes = output?.backlogBytes ?? 0;
      if (!this.#sink.push(input) || this.#rowsLeft === 0) {
        this.wantsMore = false;
        return wordCount;
      }
      if (!output) continue;
      this.#adapt(count, output.backlogBytes - backlogBytes);
      if (output.backlogBytes > backlogBytesMax) return word;
    }
    return word;
  }

  /** Steps that bring a megabyte of output; without output, whole morsels. A power of two, so that steps stay aligned. */
  #adapt(rowCount: number, addedBytes: number): void {
    const rows = addedBytes === 0 ? morselRows : (rowCount * backlogBytesMax) / addedBytes;
    let words = 1;
    while (words * 2 <= morselWords && words * 64 <= rows) words *= 2;
    this.#stepWords = Math.min(words, this.#stepWords * 16);
  }
}
