/**
 * The plan: plain data on one screen, serialisable (structured clone and `plan/codec`). The waist between `sql` and `exec`.
 */
import type { Type } from '../column/type.ts';
import type { AggregateCall, Expr } from './expr.ts';

export interface SortKey {
  readonly expr: Expr;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

export type Node =
  /** Rows of a table's snapshot; output column i is `columns[i]`. `filter` sees the scan's own output columns. */
  | {
      readonly kind: 'scan';
      readonly tableId: string;
      /** For EXPLAIN and messages only. */
      readonly table: string;
      /** Column ids (negative: `virtualColumns`), with names and types for those who never saw the catalog. */
      readonly columns: readonly { readonly id: number; readonly name: string; readonly type: Type }[];
      readonly filter: Expr | null;
      /** Rows past this many (after the filter) need not be produced; null: all. */
      readonly limit: number | null;
    }
  /** A system table: rows that the broker fetched before the run, by name. */
  | {
      readonly kind: 'inline';
      readonly name: string;
      readonly columns: readonly { readonly name: string; readonly type: Type }[];
    }
  /** Literal rows; `SELECT 1` is one row without columns under a projection. */
  | { readonly kind: 'values'; readonly types: readonly Type[]; readonly rows: readonly (readonly Expr[])[] }
  /**
   * A row for each element of the JSON array that `expr` (over the source) gives: the source's columns, then the element, of
   * `type`. No row where it is NULL, empty or no array.
   */
  | { readonly kind: 'unnest'; readonly source: Node; readonly expr: Expr; readonly type: Type }
  | { readonly kind: 'filter'; readonly source: Node; readonly predicate: Expr }
  | { readonly kind: 'project'; readonly source: Node; readonly exprs: readonly Expr[] }
  /**
   * Output: keys, then one column a call. `partial` gives keys, then mergeable states, `final` takes those.
   * DISTINCT is an aggregate without calls. Without keys there is exactly one row, also over nothing.
   * The keys and calls of `final` are those of its `partial`, with expressions over the input of `partial` kept for their types only.
   */
  | {
      readonly kind: 'aggregate';
      readonly mode: 'single' | 'partial' | 'final';
      readonly source: Node;
      readonly keys: readonly Expr[];
      readonly calls: readonly AggregateCall[];
    }
  /** `limit`: only the first so many are needed (top-n); null: all. */
  | { readonly kind: 'sort'; readonly source: Node; readonly keys: readonly SortKey[]; readonly limit: number | null }
  | { readonly kind: 'limit'; readonly source: Node; readonly offset: number; readonly count: number | null }
  /** The output of another fragment, from every shard that runs it, in any order. `types`: of its columns. */
  | {
      readonly kind: 'exchange';
      readonly mode: 'gather';
      readonly fragment: number;
      readonly types: readonly Type[];
    };

/** A plan cut at its exchanges. Fragment 0 is the root and runs once; the others run on every shard with blocks of their scans. */
export interface QueryPlan {
  readonly fragments: readonly Node[];
  readonly columns: readonly { readonly name: string; readonly type: Type }[];
  /** Scalar subqueries (uncorrelated), run first, over the same snapshot; `subquery` expressions name them by index. */
  readonly subplans: readonly QueryPlan[];
  /** Ids of the tables that it or a subplan scans, each once; and names of system tables. */
  readonly tableIds: readonly string[];
  readonly systemTables: readonly string[];
}
