/**
 * A scan's filter over blocks: which rows of a block hold, as a bitmap, by the cheapest means that answers:
 * zone maps (no column read), inverted index (no column read), tests over codes and numbers (one pass over one column),
 * and the expression evaluator over the rows still left.
 */
import type { ZoneMap } from '../catalog/table.ts';
import { isPooled, type Value } from '../column/type.ts';
import type { StringPool } from '../column/vector.ts';
import type { FunctionContext } from '../function/scalar.ts';
import type { ArenaViews } from '../kernel/arena.ts';
import * as select from '../kernel/select.ts';
import { countSelected, intersect, listSelected, subtract, unite } from '../kernel/selection.ts';
import type { CompareOperator, Expr } from '../plan/expr.ts';
import { addColumnsUsed } from '../plan/visit.ts';
import { type Block, type BlockColumn, blockRows } from '../segment/block.ts';
import { blockInput, poolOf, type ScanColumn } from './block-input.ts';
import { EntryTable, entryTestOf, findEntry, opposite } from './entry-test.ts';
import { type BoolVector, compileExpr, type Evaluator, isTrue } from './evaluate.ts';

export const blockWords = blockRows / 32;
const morselWords = 512;

/** What zone maps say of a block: no row holds, every row holds, or look. */
export type Verdict = 'none' | 'all' | 'some';

export type BlockPredicate =
  | { readonly kind: 'constant'; readonly holds: boolean }
  | { readonly kind: 'and'; readonly args: readonly BlockPredicate[] }
  | { readonly kind: 'or'; readonly args: readonly BlockPredicate[] }
  /** `low <= column <= high`, or its negation; NULL never holds. */
  | {
      readonly kind: 'range';
      readonly column: ScanColumn;
      readonly low: number | bigint;
      readonly high: number | bigint;
      readonly negated: boolean;
      /** Doubles: whether NaN holds. */
      readonly nan: boolean;
    }
  | { readonly kind: 'entries'; readonly column: ScanColumn; readonly table: EntryTable; readonly op: CompareOperator | null }
  | { readonly kind: 'null'; readonly column: ScanColumn; readonly negated: boolean }
  | { readonly kind: 'general'; readonly columns: readonly ScanColumn[]; readonly evaluate: Evaluator };

export function compileFilter(expr: Expr, columns: readonly ScanColumn[], context: FunctionContext): BlockPredicate {
  const leaf = compileLeaf(expr, columns);
  if (leaf) return leaf;
  if (expr.kind === 'and' || expr.kind === 'or')
    return { kind: expr.kind, args: expr.args.map(arg => compileFilter(arg, columns, context)) };
  if (expr.kind === 'literal') return { kind: 'constant', holds: expr.value === true };
  const used = new Set<number>();
  addColumnsUsed(expr, used);
  return {
    kind: 'general',
    columns: [...used].map(index => columns[index]!),
    evaluate: compileExpr(expr, context),
  };
}

function compileLeaf(expr: Expr, columns: readonly ScanColumn[], negated = false): BlockPredicate | null {
  const stored = (index: number): ScanColumn | null => (columns[index]!.id >= -1 ? columns[index]! : null);
  if (expr.kind === 'not') return compileLeaf(expr.arg, columns, !negated);
  if (expr.kind === 'isNull' && expr.arg.kind === 'column') {
    const column = stored(expr.arg.index);
    return column && { kind: 'null', column, negated };
  }
  if (expr.kind === 'column' && expr.type.name === 'BOOLEAN') {
    const column = stored(expr.index);
    const wanted = negated ? 0 : 1;
    return column && { kind: 'range', column, low: wanted, high: wanted, negated: false, nan: false };
  }
  const entries = entryTestOf(expr, negated);
  if (entries) {
    const column = stored(entries.column);
    const op = expr.kind === 'compare' ? (negated ? opposite[expr.op] : expr.op) : null;
    return column && { kind: 'entries', column, table: new EntryTable(entries.test), op };
  }
  if (expr.kind !== 'compare' || expr.left.kind !== 'column' || expr.right.kind !== 'literal') return null;
  const column = stored(expr.left.index);
  if (!column || expr.right.value === null || isPooled(column.type)) return null;
  return rangeOf(column, negated ? opposite[expr.op] : expr.op, expr.right.value);
}

const longMin = -(2n ** 63n);
const longMax = 2n ** 63n - 1n;

function rangeOf(column: ScanColumn, op: CompareOperator, value: Value): BlockPredicate | null {
  const make = (low: number | bigint, high: number | bigint, nan: boolean): BlockPredicate => ({
    kind: 'range',
    column,
    low,
    high,
    negated: op === '<>',
    nan,
  });
  switch (column.type.name) {
    case 'INT':
    case 'LONG':
    case 'DATE':
    case 'TIMESTAMP':
    case 'BOOLEAN': {
      const at = BigInt(value as number | bigint | boolean);
      if (op === '<') return make(longMin, at - 1n, false);
      if (op === '<=') return make(longMin, at, false);
      if (op === '>') return make(at + 1n, longMax, false);
      if (op === '>=') return make(at, longMax, false);
      return make(at, at, false);
    }
    case 'DOUBLE': {
      const at = value as number;
      if (Number.isNaN(at)) return null;
      if (op === '<') return make(Number.NEGATIVE_INFINITY, at === -Infinity ? Number.NaN : select.nextBelow(at), false);
      if (op === '<=') return make(Number.NEGATIVE_INFINITY, at, false);
      if (op === '>') return make(at === Infinity ? Number.NaN : select.nextAbove(at), Number.POSITIVE_INFINITY, true);
      if (op === '>=') return make(at, Number.POSITIVE_INFINITY, true);
      return make(at, at, false);
    }
    default:
      return null;
  }
}

// ── zone maps ───────────────────────────────────────────────────────────────────────────────────────────────

export function judge(predicate: BlockPredicate, zone: (columnId: number) => ZoneMap | null, rowCount: number): Verdict {
  switch (predicate.kind) {
    case 'constant':
      return predicate.holds ? 'all' : 'none';
    case 'and': {
      const verdicts = predicate.args.map(arg => judge(arg, zone, rowCount));
      return verdicts.includes('none') ? 'none' : verdicts.every(verdict => verdict === 'all') ? 'all' : 'some';
    }
    case 'or': {
      const verdicts = predicate.args.map(arg => judge(arg, zone, rowCount));
      return verdicts.includes('all') ? 'all' : verdicts.every(verdict => verdict === 'none') ? 'none' : 'some';
    }
    case 'null': {
      const map = zone(predicate.column.id);
      if (!map) return 'some';
      if (map.nullCount === 0) return predicate.negated ? 'all' : 'none';
      if (map.nullCount === rowCount) return predicate.negated ? 'none' : 'all';
      return 'some';
    }
    case 'range':
      return judgeRange(predicate, zone(predicate.column.id), rowCount);
    case 'entries':
      return judgeEntries(predicate, zone(predicate.column.id), rowCount);
    case 'general':
      return 'some';
  }
}

function judgeRange(
  { low, high, negated, nan }: Extract<BlockPredicate, { kind: 'range' }>,
  map: ZoneMap | null,
  rowCount: number,
): Verdict {
  if (!map) return 'some';
  if (map.nullCount === rowCount) return 'none';
  const { min, max } = map;
  if (min === null || typeof min === 'string' || typeof max === 'string') return 'some';
  // A block with NaN has no max: NaN is above every bound, so only what NaN cannot satisfy is decided.
  if (max === null) return min > high && !negated && !nan ? 'none' : 'some';
  const outside = min > high || max < low;
  const inside = min >= low && max <= high;
  if (negated ? inside : outside) return 'none';
  if ((negated ? outside : inside) && map.nullCount === 0) return 'all';
  return 'some';
}

const encoder = new TextEncoder();

function judgeEntries(
  { table, op }: Extract<BlockPredicate, { kind: 'entries' }>,
  map: ZoneMap | null,
  rowCount: number,
): Verdict {
  if (!map) return 'some';
  if (map.nullCount === rowCount) return 'none';
  const { equals, negated } = table.test;
  if (typeof map.min !== 'string' || typeof map.max !== 'string') return 'some';
  const min = encoder.encode(map.min);
  const max = encoder.encode(map.max);
  if (equals && !negated) {
    const possible = equals.some(value => Buffer.compare(value, min) >= 0 && Buffer.compare(value, max) <= 0);
    return possible ? 'some' : 'none';
  }
  // Beyond the bound at one end, the whole block is.
  if ((op === '<' || op === '<=') && !table.test.holds(min, 0, min.length)) return 'none';
  if ((op === '>' || op === '>=') && !table.test.holds(max, 0, max.length)) return 'none';
  return 'some';
}

// ── inverted indexes ────────────────────────────────────────────────────────────────────────────────────────

/** Conjuncts that an inverted index may answer; `rest` is what remains to be tested, null when nothing does. */
export function splitByIndex(
  predicate: BlockPredicate,
  hasInverted: (columnId: number) => boolean,
): { indexed: Extract<BlockPredicate, { kind: 'entries' }>[]; rest: BlockPredicate | null } {
  const conjuncts = predicate.kind === 'and' ? predicate.args : [predicate];
  const indexed: Extract<BlockPredicate, { kind: 'entries' }>[] = [];
  const rest: BlockPredicate[] = [];
  for (const conjunct of conjuncts) {
    const usable =
      conjunct.kind === 'entries' &&
      conjunct.table.test.equals !== null &&
      !conjunct.table.test.negated &&
      conjunct.table.test.equals.length <= indexedValuesMax &&
      hasInverted(conjunct.column.id);
    if (usable) indexed.push(conjunct);
    else rest.push(conjunct);
  }
  return { indexed, rest: rest.length === 0 ? null : rest.length === 1 ? rest[0]! : { kind: 'and', args: rest } };
}

/** Values of an IN list that are looked up one by one; a longer list is tested over the dictionary instead. */
const indexedValuesMax = 64;

/** Codes of the listed values in a segment's sorted dictionary. */
export function codesOf(pool: StringPool, values: readonly Uint8Array[]): number[] {
  return values.map(value => findEntry(pool, value)).filter(code => code >= 0);
}

// ── scanning ────────────────────────────────────────────────────────────────────────────────────────────────

export function columnsOf(predicate: BlockPredicate, into: Set<number>): void {
  if (predicate.kind === 'and' || predicate.kind === 'or') for (const arg of predicate.args) columnsOf(arg, into);
  else if (predicate.kind === 'general') for (const column of predicate.columns) into.add(column.id);
  else if (predicate.kind !== 'constant') into.add(predicate.column.id);
}

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
export function narrow(predicate: BlockPredicate, target: FilterTarget, words: Uint32Array, scratch: FilterScratch): void {
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
    else narrowColumn(predicate, column, target, words, scratch);
  }
}

type ColumnPredicate = Extract<BlockPredicate, { kind: 'range' | 'entries' | 'null' }>;

/** The segment is older than the column: every row has the column's default, which is NULL here or a constant. */
function narrowMissing(predicate: ColumnPredicate, target: FilterTarget, words: Uint32Array): void {
  const value = predicate.column.defaultValue;
  const zone = { nullCount: value === null ? target.rowCount : 0, min: value, max: value } as ZoneMap;
  const verdict = judge(predicate, () => zone, target.rowCount);
  const holds =
    verdict === 'some' && predicate.kind === 'entries' && typeof value === 'string'
      ? predicate.table.test.holds(encoder.encode(value), 0, encoder.encode(value).length)
      : verdict === 'all';
  if (!holds) words.fill(0, 0, (target.rowCount + 31) >> 5);
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

const clampI32 = (value: bigint): number => Number(value < -0x8000_0000n ? -0x8000_0000n : value > 0x7fff_ffffn ? 0x7fff_ffffn : value);

function selectRange(
  { low, high, nan }: Extract<BlockPredicate, { kind: 'range' }>,
  column: BlockColumn,
  arena: ArenaViews,
  rowCount: number,
  words: Uint32Array,
): void {
  switch (column.form) {
    case 'u8':
      select.selectCodes8(arena.u8, column.address, rowCount, Number(low < 0 ? 0n : low), high > 1 ? 1 : Number(high), words);
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
    default:
      throw new Error(`a range over a column of form ${column.form}`);
  }
}

/** NaN is above every bound: `>` and `>=` hold. */
function selectNaN(f64: Float64Array, at: number, rowCount: number, words: Uint32Array): void {
  for (let row = 0; row < rowCount; row++) if (f64[at + row]! !== f64[at + row]!) words[row >> 5]! |= 1 << (row & 31);
}

function selectEntries(table: EntryTable, column: BlockColumn, arena: ArenaViews, rowCount: number, words: Uint32Array): void {
  const pool = poolOf(arena, column.pool!);
  const { equals, negated } = table.test;
  if (equals?.length === 1 && !negated && pool.sorted) {
    const code = findEntry(pool, equals[0]!);
    if (code < 0) words.fill(0, 0, (rowCount + 31) >> 5);
    else if (column.codeSizeBytes === 1) select.selectCodes8(arena.u8, column.address, rowCount, code, code, words);
    else if (column.codeSizeBytes === 2) select.selectCodes16(arena.u16, column.address >> 1, rowCount, code, code, words);
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
  const wordCount = (target.rowCount + 31) >> 5;
  for (let from = 0; from < wordCount; from += morselWords) {
    const to = Math.min(from + morselWords, wordCount);
    const count = listSelected(words, from, to, scratch.rows);
    if (count === 0) continue;
    const rows = scratch.rows.slice(0, count);
    const answers = evaluate(blockInput(target.arena, target.block, target.columns, rows, 0, count)) as BoolVector;
    for (let index = 0; index < count; index++)
      if (!isTrue(answers, index)) words[rows[index]! >> 5]! &= ~(1 << (rows[index]! & 31));
  }
}

