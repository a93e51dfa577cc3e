/**
 * Execution's working form of a column: dense (row i of a morsel's selected rows), owned by nobody for long.
 * A vector is borrowed until its producer runs again; who keeps it copies it.
 */
import type { Interval } from './type.ts';

/**
 * Byte strings by entry number: entry e is `bytes[bytesBase + offsets[offsetsBase + e] .. bytesBase + offsets[offsetsBase + e + 1])`.
 * Over the arena the arrays are its views and the bases are addresses (in elements), over a column they are its own and 0.
 */
export interface StringPool {
  readonly bytes: Uint8Array;
  readonly bytesBase: number;
  readonly offsets: Uint32Array;
  readonly offsetsBase: number;
  readonly count: number;
  /** Entries ascend by bytes. */
  readonly sorted: boolean;
  /** No entry twice. */
  readonly distinct: boolean;
  /** Identity for caches by pool: equal for two pools only if one is the other, perhaps grown. */
  readonly key: object;
}

/** One byte a row, 1 = NULL; null where no row is. The value under a null is unspecified but harmless (0, entry 0). */
export type Nulls = Uint8Array | null;

/**
 * | form     | types                                                                      |
 * | -------- | -------------------------------------------------------------------------- |
 * | bool     | BOOLEAN, 0 or 1                                                            |
 * | number   | INT, FLOAT, DOUBLE, DATE, TIMESTAMP; LONG whose values all fit ±(2^53 - 1)  |
 * | bigint   | LONG otherwise                                                             |
 * | wide     | DECIMAL, unscaled                                                          |
 * | interval | INTERVAL                                                                   |
 * | string   | STRING, JSON, UUID (16 bytes), BYTES                                       |
 *
 * Arrays may be longer than `length`: only the first `length` elements count.
 */
export type Vector =
  | { readonly form: 'bool'; readonly length: number; readonly nulls: Nulls; readonly values: Uint8Array }
  | {
      readonly form: 'number';
      readonly length: number;
      readonly nulls: Nulls;
      readonly values: Float64Array;
      /** No value that is not NULL lies further from 0; absent where nobody knows without looking at all of them. */
      readonly bound?: number;
    }
  | { readonly form: 'bigint'; readonly length: number; readonly nulls: Nulls; readonly values: BigInt64Array }
  | { readonly form: 'wide'; readonly length: number; readonly nulls: Nulls; readonly values: bigint[] }
  | { readonly form: 'interval'; readonly length: number; readonly nulls: Nulls; readonly values: Interval[] }
  | {
      readonly form: 'string';
      readonly length: number;
      readonly nulls: Nulls;
      readonly ids: Uint32Array;
      readonly pool: StringPool;
    };

export type StringVector = Extract<Vector, { form: 'string' }>;
