/**
 * Columns and batches: what crosses rooms, threads, machines and the log. Immutable once made.
 * `validity` is a bitmap, least significant bit first, 1 = present (Arrow's); null where every row is present.
 * The value under a null row is unspecified, but inside the array.
 */
import type { Type } from './type.ts';

export type FixedValues = Uint8Array | Int32Array | BigInt64Array | Float32Array | Float64Array;

export interface FixedColumn {
  readonly form: 'fixed';
  readonly type: Type;
  readonly length: number;
  readonly validity: Uint8Array | null;
  /** One element a row; two for DECIMAL and INTERVAL (see `Type`). */
  readonly values: FixedValues;
}

/** Row r is `bytes[offsets[r] .. offsets[r+1])`. */
export interface RawColumn {
  readonly form: 'raw';
  readonly type: Type;
  readonly length: number;
  readonly validity: Uint8Array | null;
  readonly offsets: Uint32Array;
  readonly bytes: Uint8Array;
}

/** Row r is entry `codes[r]`, which is `bytes[offsets[code] .. offsets[code+1])`. Entries are distinct; their order is free. */
export interface DictionaryColumn {
  readonly form: 'dictionary';
  readonly type: Type;
  readonly length: number;
  readonly validity: Uint8Array | null;
  readonly codes: Uint32Array;
  readonly offsets: Uint32Array;
  readonly bytes: Uint8Array;
}

export type Column = FixedColumn | RawColumn | DictionaryColumn;

/** All columns have `rowCount` rows. Names and ids are the business of whoever sends it. */
export interface Batch {
  readonly rowCount: number;
  readonly columns: readonly Column[];
}

export const isPresent = (validity: Uint8Array | null, row: number): boolean =>
  validity === null || (validity[row >> 3]! & (1 << (row & 7))) !== 0;
