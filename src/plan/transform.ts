/** What messages become before they are rows: plain data, bound once, run batch by batch (`exec/transform`). */
import type { Type } from '../column/type.ts';
import type { Node } from './node.ts';

/** What a message has besides its declared fields. Only those that a transform names are in its `message`. */
export const messageColumns = {
  /** STRING: the key's text; what of it is not UTF-8 becomes U+FFFD. NULL where the message has none. */
  key: '$key',
  /** BYTES: the key as it is. */
  keyBytes: '$key_bytes',
  /** JSON: an object of the headers, each a string; of several of one name the last. */
  headers: '$headers',
  /** TIMESTAMP: the message's own. */
  timestamp: '$timestamp',
  /** INT and LONG: where it lies in its topic. */
  partition: '$partition',
  offset: '$offset',
  /** INT: which of the batch's rows it is. Nobody may name it; always the last. */
  row: '$row',
} as const;

export interface TransformPlan {
  /** Columns of a batch of messages, in order: every declared field, message columns that are named, `$row`. Those of inline node `message`. */
  readonly message: readonly { readonly name: string; readonly type: Type }[];
  /** The table's columns that it gives, in order; others take their defaults. */
  readonly columns: readonly TransformColumn[];
  /** Over `message`: the values of `columns`, then `$row`. Filters, projections and an UNNEST, so that it is computed row by row. */
  readonly rows: Node;
  readonly rollup: Rollup | null;
}

export interface TransformColumn {
  readonly id: number;
  readonly name: string;
  readonly type: Type;
  readonly nullable: boolean;
  /** How rows of one key become one: part of the key, or merged (COUNT merges by sum). `key` throughout without a rollup. */
  readonly merge: 'key' | 'sum' | 'min' | 'max';
}

/** GROUP BY of a transform. Merging rows that were merged already gives the same as merging all of them at once. */
export interface Rollup {
  /** Over inline node `rows` (`columns`, then `$row` INT): one row a key, with its least `$row`. */
  readonly batch: Node;
  /** The same over `columns`, then `$offset` LONG: a segment rolls up again when it seals. */
  readonly segment: Node;
}
