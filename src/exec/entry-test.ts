/**
 * Predicates on byte strings. Over a dictionary each is asked once per entry and becomes a byte table; over raw strings
 * once per row.
 */

import { parseUuid } from '../column/text.ts';
import { isPooled, type Type, type Value } from '../column/type.ts';
import type { StringPool } from '../column/vector.ts';
import { compileLike } from '../function/like.ts';
import { compareBytes, equalBytes } from '../kernel/hash.ts';
import type { CompareOperator, Expr } from '../plan/expr.ts';
import { Interner } from './interner.ts';

export interface EntryTest {
  /** Exactly these strings hold (for look-ups instead of tests); null: cannot be listed. */
  readonly equals: readonly Uint8Array[] | null;
  readonly negated: boolean;
  holds(bytes: Uint8Array, start: number, end: number): boolean;
}

const encoder = new TextEncoder();

/** Bytes of a pooled type's value, as pools hold them. */
function valueBytes(type: Type, value: Value): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (type.name === 'UUID') return parseUuid(value as string)!;
  return encoder.encode(value as string);
}

const testsByOperator: Record<CompareOperator, (difference: number) => boolean> = {
  '=': difference => difference === 0,
  '<>': difference => difference !== 0,
  '<': difference => difference < 0,
  '<=': difference => difference <= 0,
  '>': difference => difference > 0,
  '>=': difference => difference >= 0,
};

function compareTest(op: CompareOperator, bytes: Uint8Array): EntryTest {
  if (op === '=' || op === '<>') {
    const negated = op === '<>';
    return {
      equals: [bytes],
      negated,
      holds: (other, start, end) => equalBytes(other, start, end, bytes, 0, bytes.length) !== negated,
    };
  }
  const accepts = testsByOperator[op];
  return {
    equals: null,
    negated: false,
    holds: (other, start, end) => accepts(compareBytes(other, start, end, bytes, 0, bytes.length)),
  };
}

/** `values` without NULL. */
function inTest(values: readonly Uint8Array[], negated: boolean): EntryTest {
  const set = new Interner();
  for (const value of values) set.intern(value, 0, value.length);
  return { equals: values, negated, holds: (bytes, start, end) => set.has(bytes, start, end) !== negated };
}

/** A test of one pooled column out of a comparison, IN or LIKE with literals; null for anything else. NULLs are the caller's. */
export function entryTestOf(expr: Expr, negated = false): { column: number; test: EntryTest } | null {
  if (expr.kind === 'not') return entryTestOf(expr.arg, !negated);
  if (expr.kind === 'compare') {
    const { left, right, op } = expr;
    if (left.kind !== 'column' || right.kind !== 'literal' || right.value === null || !isPooled(left.type)) return null;
    const actual = negated ? opposite[op] : op;
    return { column: left.index, test: compareTest(actual, valueBytes(left.type, right.value)) };
  }
  if (expr.kind === 'in') {
    const { arg, values } = expr;
    // NOT IN with a NULL is never true.
    if (arg.kind !== 'column' || !isPooled(arg.type) || (negated && values.includes(null))) return null;
    const list = values.filter(value => value !== null).map(value => valueBytes(arg.type, value));
    return { column: arg.index, test: inTest(list, negated) };
  }
  if (expr.kind === 'like') {
    if (expr.arg.kind !== 'column') return null;
    const matches = compileLike(expr.pattern, expr.escape, expr.caseInsensitive);
    const holds = negated ? (bytes: Uint8Array, start: number, end: number) => !matches(bytes, start, end) : matches;
    return { column: expr.arg.index, test: { equals: null, negated: false, holds } };
  }
  return null;
}

export const opposite: Record<CompareOperator, CompareOperator> = {
  '=': '<>',
  '<>': '=',
  '<': '>=',
  '<=': '>',
  '>': '<=',
  '>=': '<',
};

/** A test's answers for the entries of distinct pools, each computed once; a pool that has grown is continued. */
export class EntryTable {
  readonly test: EntryTest;
  readonly #tables = new WeakMap<object, { table: Uint8Array; known: number }>();

  constructor(test: EntryTest) {
    this.test = test;
  }

  /** 1 where the entry holds, for entries `[0, pool.count)`. */
  of(pool: StringPool): Uint8Array {
    let cached = this.#tables.get(pool.key);
    if (!cached) this.#tables.set(pool.key, (cached = { table: new Uint8Array(pool.count), known: 0 }));
    if (cached.known < pool.count) {
      if (cached.table.length < pool.count) {
        const bigger = new Uint8Array(Math.max(pool.count, cached.table.length * 2));
        bigger.set(cached.table);
        cached.table = bigger;
      }
      for (let entry = cached.known; entry < pool.count; entry++) {
        const start = pool.bytesBase + pool.offsets[pool.offsetsBase + entry]!;
        const end = pool.bytesBase + pool.offsets[pool.offsetsBase + entry + 1]!;
        cached.table[entry] = this.test.holds(pool.bytes, start, end) ? 1 : 0;
      }
      cached.known = pool.count;
    }
    return cached.table;
  }

  /** Of one entry of any pool. */
  holds(pool: StringPool, entry: number): boolean {
    const start = pool.bytesBase + pool.offsets[pool.offsetsBase + entry]!;
    return this.test.holds(pool.bytes, start, pool.bytesBase + pool.offsets[pool.offsetsBase + entry + 1]!);
  }
}

/** Entry equal to `bytes` in a sorted pool, or -1. */
export function findEntry(pool: StringPool, bytes: Uint8Array): number {
  let low = 0;
  let high = pool.count - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const start = pool.bytesBase + pool.offsets[pool.offsetsBase + middle]!;
    const end = pool.bytesBase + pool.offsets[pool.offsetsBase + middle + 1]!;
    const difference = compareBytes(pool.bytes, start, end, bytes, 0, bytes.length);
    if (difference === 0) return middle;
    if (difference < 0) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

/** Codes of the listed values in a segment's sorted dictionary. */
export function codesOf(pool: StringPool, values: readonly Uint8Array[]): number[] {
  return values.map(value => findEntry(pool, value)).filter(code => code >= 0);
}
