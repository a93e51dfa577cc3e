/** What indexes can be asked of a filter: its conjuncts, and which of them look for values, and which for ranges. */
import type { ValueRange } from '../segment/block.ts';
import type { ScanColumn } from './block-input.ts';
import type { BlockPredicate } from './filter.ts';

export const conjunctsOf = (predicate: BlockPredicate): readonly BlockPredicate[] =>
  predicate.kind === 'and' ? predicate.args : [predicate];

/** Values that a conjunct lists are looked up one by one up to so many; more are tested in another way. */
const valuesMax = 64;

/** A column that must have one of the values. Bytes for a pooled type. */
export interface ValueTest {
  readonly column: ScanColumn;
  readonly values: readonly (Uint8Array | ValueRange)[];
}

/** A column that must lie in one of the ranges. */
export interface RangeTest {
  readonly column: ScanColumn;
  readonly ranges: readonly ValueRange[];
}

/** `=` and IN of pooled types. */
export function bytesTestOf(conjunct: BlockPredicate): { column: ScanColumn; values: readonly Uint8Array[] } | null {
  if (conjunct.kind !== 'entries') return null;
  const { equals, negated } = conjunct.table.test;
  return equals === null || negated || equals.length > valuesMax ? null : { column: conjunct.column, values: equals };
}

/** Comparisons, BETWEEN and IN of fixed types; not `<>`, which leaves nearly all rows. */
export function rangeTestOf(conjunct: BlockPredicate): RangeTest | null {
  const parts = conjunct.kind === 'or' ? conjunct.args : [conjunct];
  const ranges: ValueRange[] = [];
  let column: ScanColumn | null = null;
  for (const part of parts) {
    if (part.kind !== 'range' || part.negated || (column && part.column.id !== column.id)) return null;
    column = part.column;
    ranges.push({ type: column.type, low: part.low, high: part.high, nan: part.nan });
  }
  return column && { column, ranges };
}

/** `=` and IN of any type. */
export function valueTestOf(conjunct: BlockPredicate): ValueTest | null {
  const bytes = bytesTestOf(conjunct);
  if (bytes) return bytes;
  const test = rangeTestOf(conjunct);
  return test?.ranges.every(({ low, high, nan }) => low === high && !nan)
    ? { column: test.column, values: test.ranges }
    : null;
}
