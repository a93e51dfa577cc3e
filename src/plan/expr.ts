/**
 * Bound expressions: plain data, typed, names resolved. Every node carries its type; operands of one operator already
 * have the types that its function asks for (the binder inserts casts).
 */
import type { Position } from '../base/fault.ts';
import type { Type, Value } from '../column/type.ts';

export type CompareOperator = '=' | '<>' | '<' | '<=' | '>' | '>=';

export type Expr =
  | { readonly kind: 'literal'; readonly type: Type; readonly value: Value }
  /** Output column `index` of the node below (for a scan's own filter: of its `columns`). */
  | { readonly kind: 'column'; readonly type: Type; readonly index: number }
  /** A scalar function of the catalogue, by the id of its overload (`src/function`). */
  | {
      readonly kind: 'call';
      readonly type: Type;
      readonly function: string;
      readonly args: readonly Expr[];
      readonly position?: Position;
    }
  | { readonly kind: 'cast'; readonly type: Type; readonly source: Expr; readonly position?: Position }
  /** Searched CASE; a simple one is rewritten. `otherwise` null means NULL. Evaluated lazily: a branch sees only its rows. */
  | {
      readonly kind: 'case';
      readonly type: Type;
      readonly branches: readonly { readonly when: Expr; readonly then: Expr }[];
      readonly otherwise: Expr | null;
    }
  /** First argument that is not null; lazy like `case`. */
  | { readonly kind: 'coalesce'; readonly type: Type; readonly args: readonly Expr[] }
  /** Kleene's three-valued AND and OR of two or more. */
  | { readonly kind: 'and' | 'or'; readonly type: Type; readonly args: readonly Expr[] }
  | { readonly kind: 'not'; readonly type: Type; readonly arg: Expr }
  /** Both sides have the same type name. */
  | {
      readonly kind: 'compare';
      readonly type: Type;
      readonly op: CompareOperator;
      readonly left: Expr;
      readonly right: Expr;
    }
  /** `values` are literals of `arg`'s type; a NULL among them makes a miss NULL. */
  | { readonly kind: 'in'; readonly type: Type; readonly arg: Expr; readonly values: readonly Value[] }
  /** `%` any run, `_` any character, `escape` quotes either; null: no escape character. */
  | {
      readonly kind: 'like';
      readonly type: Type;
      readonly arg: Expr;
      readonly pattern: string;
      readonly escape: string | null;
      readonly caseInsensitive: boolean;
    }
  | { readonly kind: 'isNull'; readonly type: Type; readonly arg: Expr }
  /** The only value of subplan `index` of the query; replaced by a literal before anything runs. */
  | { readonly kind: 'subquery'; readonly type: Type; readonly index: number };

export interface AggregateCall {
  /** Id in the aggregate catalogue: count, sum, min, max, avg. `count` without arguments counts rows. */
  readonly function: string;
  readonly args: readonly Expr[];
  readonly distinct: boolean;
  /** FILTER (WHERE …); null where there is none. */
  readonly filter: Expr | null;
  /** Of the final result. */
  readonly type: Type;
}
