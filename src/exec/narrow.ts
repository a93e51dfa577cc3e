/** Filters over the rows of one block: a bitmap goes in, and comes out without the rows that do not hold. */
import { columnOf } from '../column/builder.ts';
import type { RawColumn } from '../column/column.ts';
import type { Type } from '../column/type.ts';
import type { Vector } from '../column/vector.ts';
import type { ArenaViews } from '../kernel/arena.ts';
import * as select from '../kernel/select.ts';
import { countSelected, intersect, listSelected, subtract, unite } from '../kernel/selection.ts';
import { type Block, type BlockColumn, blockRows } from '../segment/block.ts';
import { blockInput, poolOf, type ScanColumn } from './block-input.ts';
import { type EntryTable, findEntry } from './entry-test.ts';
import { type BoolVector, type Evaluator, isTrue } from './evaluate.ts';
import type { BlockPredicate } from './filter.ts';
import type { Input } from './input.ts';

/** 32-bit words of a block's bitmap. */
export const blockWords = blockRows / 32;
const morselWords = 512;

/** Buffers of one filter, used for block after block. */
export class FilterScratch {
  readonly #free: Uint32Array[] = [];
  readonly rows = new Uint32Array(32 * morselWords);

  take(): Uint32Array {
    return this.#free.pop() ?? new Uint32Array(blockWords);
  }

  give(words: Uint32Array): void {
    this.#free.push(words);
  }
}

export interface FilterTarget {
  readonly arena: ArenaViews;
  readonly block: Block;
  /** All columns of the scan, by its output position: general predicates name them so. */
  readonly columns: readonly ScanColumn[];
  readonly rowCount: number;
}

/** Selected rows below which a conjunct is tested row by row instead of over the whole block. */
const sparseRows = blockRows / 32;

/** Narrows `words` to the rows that hold. Synchronous: the block's columns are loaded. */
export function narrow(
  predicate: BlockPredicate,
  target: FilterTarget,
  words: Uint32Array,
  scratch: FilterScratch,
): void {
  const wordCount = (target.rowCount + 31) >> 5;
  if (predicate.kind === 'constant') {
    if (!predicate.holds) words.fill(0, 0, wordCount);
  } else if (predicate.kind === 'and') {
    // Whole-column passes first: they are cheap and leave fewer rows to the evaluator.
    for (const arg of predicate.args) if (arg.kind !== 'general') narrow(arg, target, words, scratch);
    for (const arg of predicate.args) if (arg.kind === 'general') narrow(arg, target, words, scratch);
  } else if (predicate.kind === 'or') {
    const sum = scratch.take();
    const part = scratch.take();
    sum.fill(0, 0, wordCount);
    for (const arg of predicate.args) {
      part.set(words.subarray(0, wordCount));
      narrow(arg, target, part, scratch);
      unite(sum, part, wordCount);
    }
    intersect(words, sum, 0, wordCount);
    scratch.give(part);
    scratch.give(sum);
  } else if (predicate.kind === 'general') narrowGenerally(predicate.evaluate, target, words, scratch);
  else {
    const column = target.block.column(predicate.column.id);
    if (!column) narrowMissing(predicate, target, words);
    else if (predicate.kind === 'range' && !isAlike(column.type, predicate.column.type))
      narrowWidened(predicate, target, words, scratch);
    else narrowColumn(predicate, column, target, words, scratch);
  }
}

type ColumnPredicate = Extract<BlockPredicate, { kind: 'range' | 'entries' | 'null' }>;

/** The segment was written without the column: every row has its missing value. */
function narrowMissing(predicate: ColumnPredicate, target: FilterTarget, words: Uint32Array): void {
  if (!holdsMissing(predicate)) words.fill(0, 0, (target.rowCount + 31) >> 5);
}

function holdsMissing(predicate: ColumnPredicate): boolean {
  const { type, missingValue: value } = predicate.column;
  if (predicate.kind === 'null') return (value === null) !== predicate.negated;
  if (value === null) return false;
  if (predicate.kind === 'entries') {
    const { bytes } = columnOf(type, [value]) as RawColumn;
    return predicate.table.test.holds(bytes, 0, bytes.length);
  }
  const number = typeof value === 'boolean' ? Number(value) : (value as number | bigint);
  if (Number.isNaN(number)) return predicate.nan;
  return (predicate.low <= number && number <= predicate.high) !== predicate.negated;
}

/** The same elements in the arena mean the same values. */
const isAlike = (stored: Type, read: Type): boolean =>
  stored.name === read.name || (stored.name === 'INT' && read.name === 'LONG');

/** The column was widened since: its values are compared as they are read, not as they lie there. */
function narrowWidened(
  { column, low, high, negated, nan }: Extract<BlockPredicate, { kind: 'range' }>,
  target: FilterTarget,
  words: Uint32Array,
  scratch: FilterScratch,
): void {
  eachMorsel(target, [column], words, scratch, (input, rows) => {
    const { values, nulls } = input.column(0) as Extract<Vector, { form: 'number' | 'bigint' }>;
    for (let index = 0; index < rows.length; index++) {
      const value = values[index]!;
      const inside = Number.isNaN(value) ? nan : low <= value && value <= high;
      const holds = !nulls?.[index] && (Number.isNaN(value) ? inside : inside !== negated);
      if (!holds) words[rows[index]! >> 5]! &= ~(1 << (rows[index]! & 31));
    }
  });
}

function narrowColumn(
  predicate: ColumnPredicate,
  column: BlockColumn,
  target: FilterTarget,
  words: Uint32Array,
  scratch: FilterScratch,
): void {
  const { arena, rowCount } = target;
  const wordCount = (rowCount + 31) >> 5;
  const validityAt = column.validityAddress >> 2;
  if (predicate.kind === 'null') {
    if (column.validityAddress === 0) {
      if (!predicate.negated) words.fill(0, 0, wordCount);
    } else if (predicate.negated) intersect(words, arena.u32, validityAt, wordCount);
    else subtract(words, arena.u32, validityAt, wordCount);
    return;
  }
  if (column.validityAddress !== 0) intersect(words, arena.u32, validityAt, wordCount);
  const selected = countSelected(words, 0, wordCount);
  if (selected === 0) return;
  const part = scratch.take();
  if (predicate.kind === 'range') {
    selectRange(predicate, column, arena, rowCount, part);
    if (predicate.negated) subtract(words, part, 0, wordCount);
    else intersect(words, part, 0, wordCount);
  } else if (column.form === 'rows' || selected < sparseRows) {
    narrowEntryByEntry(predicate.table, column, target, words, scratch);
  } else {
    selectEntries(predicate.table, column, arena, rowCount, part);
    intersect(words, part, 0, wordCount);
  }
  scratch.give(part);
}

const clampI32 = (value: bigint): number =>
  Number(value < -0x8000_0000n ? -0x8000_0000n : value > 0x7fff_ffffn ? 0x7fff_ffffn : value);

function selectRange(
  { low, high, nan }: Extract<BlockPredicate, { kind: 'range' }>,
  column: BlockColumn,
  arena: ArenaViews,
  rowCount: number,
  words: Uint32Array,
): void {
  switch (column.form) {
    case 'u8':
      select.selectCodes8(
        arena.u8,
        column.address,
        rowCount,
        Number(low < 0 ? 0n : low),
        high > 1 ? 1 : Number(high),
        words,
      );
      // An empty range (high below 0, low above 1) wraps around in the kernel's unsigned comparison.
      if (high < 0 || low > 1 || low > high) words.fill(0, 0, (rowCount + 31) >> 5);
      return;
    case 'i32': {
      const base = BigInt(column.base);
      const from = BigInt(low) - base;
      const to = BigInt(high) - base;
      if (from > to || from > 0x7fff_ffffn || to < -0x8000_0000n) words.fill(0, 0, (rowCount + 31) >> 5);
      else select.selectI32(arena.i32, column.address >> 2, rowCount, clampI32(from), clampI32(to), words);
      return;
    }
    case 'i64':
      select.selectI64(arena.i32, column.address >> 2, rowCount, BigInt(low), BigInt(high), words);
      return;
    case 'f64': {
      select.selectF64(arena.f64, column.address >> 3, rowCount, low as number, high as number, words);
      if (nan) selectNaN(arena.f64, column.address >> 3, rowCount, words);
      return;
    }
    case 'f32': {
      select.selectF32(arena.f32, column.address >> 2, rowCount, low as number, high as number, words);
      if (nan) selectNaN(arena.f32, column.address >> 2, rowCount, words);
      return;
    }
    case 'i128':
      select.selectI128(arena.i32, column.address >> 2, rowCount, low as bigint, high as bigint, words);
      return;
    default:
      throw new Error(`a range over a column of form ${column.form}`);
  }
}

/** NaN is above every bound: `>` and `>=` hold. */
function selectNaN(values: Float32Array | Float64Array, at: number, rowCount: number, words: Uint32Array): void {
  for (let row = 0; row < rowCount; row++) if (Number.isNaN(values[at + row]!)) words[row >> 5]! |= 1 << (row & 31);
}

function selectEntries(
  table: EntryTable,
  column: BlockColumn,
  arena: ArenaViews,
  rowCount: number,
  words: Uint32Array,
): void {
  const pool = poolOf(arena, column.pool!);
  const { equals, negated } = table.test;
  if (equals?.length === 1 && !negated && pool.sorted) {
    const code = findEntry(pool, equals[0]!);
    if (code < 0) words.fill(0, 0, (rowCount + 31) >> 5);
    else if (column.codeSizeBytes === 1) select.selectCodes8(arena.u8, column.address, rowCount, code, code, words);
    else if (column.codeSizeBytes === 2)
      select.selectCodes16(arena.u16, column.address >> 1, rowCount, code, code, words);
    else select.selectCodes32(arena.u32, column.address >> 2, rowCount, code, code, words);
    return;
  }
  const answers = table.of(pool);
  if (column.codeSizeBytes === 1) select.selectTable8(arena.u8, column.address, rowCount, answers, words);
  else if (column.codeSizeBytes === 2) select.selectTable16(arena.u16, column.address >> 1, rowCount, answers, words);
  else select.selectTable32(arena.u32, column.address >> 2, rowCount, answers, words);
}

function narrowEntryByEntry(
  table: EntryTable,
  column: BlockColumn,
  { arena, rowCount }: FilterTarget,
  words: Uint32Array,
  scratch: FilterScratch,
): void {
  const pool = poolOf(arena, column.pool!);
  const wordCount = (rowCount + 31) >> 5;
  for (let from = 0; from < wordCount; from += morselWords) {
    const count = listSelected(words, from, Math.min(from + morselWords, wordCount), scratch.rows);
    for (let index = 0; index < count; index++) {
      const row = scratch.rows[index]!;
      const entry =
        column.form === 'rows'
          ? row
          : column.codeSizeBytes === 1
            ? arena.u8[column.address + row]!
            : column.codeSizeBytes === 2
              ? arena.u16[(column.address >> 1) + row]!
              : arena.u32[(column.address >> 2) + row]!;
      if (!table.holds(pool, entry)) words[row >> 5]! &= ~(1 << (row & 31));
    }
  }
}

function narrowGenerally(evaluate: Evaluator, target: FilterTarget, words: Uint32Array, scratch: FilterScratch): void {
  eachMorsel(target, target.columns, words, scratch, (input, rows) => {
    const answers = evaluate(input) as BoolVector;
    for (let index = 0; index < rows.length; index++)
      if (!isTrue(answers, index)) words[rows[index]! >> 5]! &= ~(1 << (rows[index]! & 31));
  });
}

/** The selected rows, a morsel at a time. */
function eachMorsel(
  { arena, block, rowCount }: FilterTarget,
  columns: readonly ScanColumn[],
  words: Uint32Array,
  scratch: FilterScratch,
  visit: (input: Input, rows: Uint32Array) => void,
): void {
  const wordCount = (rowCount + 31) >> 5;
  for (let from = 0; from < wordCount; from += morselWords) {
    const count = listSelected(words, from, Math.min(from + morselWords, wordCount), scratch.rows);
    if (count === 0) continue;
    const rows = scratch.rows.slice(0, count);
    visit(blockInput(arena, block, columns, rows, 0, count), rows);
  }
}
