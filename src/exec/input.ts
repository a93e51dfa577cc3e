/** Rows on their way through a fragment: dense vectors on demand, column by column. */
import type { Batch, Column } from '../column/column.ts';
import { isPresent } from '../column/column.ts';
import { decimalOf, intervalOf } from '../column/value.ts';
import type { Nulls, StringPool, Vector } from '../column/vector.ts';
import { longVector } from '../function/vectors.ts';

/** Rows of a morsel: the unit between cancels, and what keeps scratch vectors inside the L2 cache. */
export const morselRows = 16_384;

/** Borrowed: valid until whoever pushed it goes on. */
export interface Input {
  readonly length: number;
  column(index: number): Vector;
}

/** Computed vectors as an input. */
export const vectorsInput = (length: number, vectors: readonly Vector[]): Input => ({
  length,
  column: index => vectors[index]!,
});

/** Rows `rows[0 .. count)` of another input; a column is gathered when it is first asked for. */
export function subset(input: Input, rows: Uint32Array, count: number): Input {
  const gathered: Vector[] = [];
  return {
    length: count,
    column: index => (gathered[index] ??= gatherVector(input.column(index), rows, count)),
  };
}

/** Rows `[start, start + length)` of a batch. */
export function batchInput(batch: Batch, start: number, length: number): Input {
  const vectors: Vector[] = [];
  return { length, column: index => (vectors[index] ??= columnVector(batch.columns[index]!, start, length)) };
}

const gatherNulls = (nulls: Nulls, rows: Uint32Array, count: number): Nulls => {
  if (nulls === null) return null;
  const out = new Uint8Array(count);
  for (let index = 0; index < count; index++) out[index] = nulls[rows[index]!]!;
  return out;
};

/** The chosen rows, dense, as a vector of its own; strings share the pool. O(count). */
export function gatherVector(vector: Vector, rows: Uint32Array, count: number): Vector {
  const nulls = gatherNulls(vector.nulls, rows, count);
  switch (vector.form) {
    case 'bool': {
      const values = new Uint8Array(count);
      for (let index = 0; index < count; index++) values[index] = vector.values[rows[index]!]!;
      return { form: 'bool', length: count, nulls, values };
    }
    case 'number': {
      const values = new Float64Array(count);
      for (let index = 0; index < count; index++) values[index] = vector.values[rows[index]!]!;
      return { form: 'number', length: count, nulls, values };
    }
    case 'bigint': {
      const values = new BigInt64Array(count);
      for (let index = 0; index < count; index++) values[index] = vector.values[rows[index]!]!;
      return { form: 'bigint', length: count, nulls, values };
    }
    case 'wide':
      return { form: 'wide', length: count, nulls, values: pick(vector.values, rows, count) };
    case 'interval':
      return { form: 'interval', length: count, nulls, values: pick(vector.values, rows, count) };
    case 'string': {
      const ids = new Uint32Array(count);
      for (let index = 0; index < count; index++) ids[index] = vector.ids[rows[index]!]!;
      return { form: 'string', length: count, nulls, ids, pool: vector.pool };
    }
  }
}

function pick<T>(values: readonly T[], rows: Uint32Array, count: number): T[] {
  const out = new Array<T>(count);
  for (let index = 0; index < count; index++) out[index] = values[rows[index]!]!;
  return out;
}

function columnNulls(column: Column, start: number, length: number): Nulls {
  if (column.validity === null) return null;
  const nulls = new Uint8Array(length);
  let any = 0;
  for (let index = 0; index < length; index++) any |= nulls[index] = isPresent(column.validity, start + index) ? 0 : 1;
  return any ? nulls : null;
}

const pools = new WeakMap<Column, StringPool>();

function poolOf(column: Extract<Column, { form: 'raw' | 'dictionary' }>): StringPool {
  let pool = pools.get(column);
  if (!pool) {
    pool = {
      bytes: column.bytes,
      bytesBase: 0,
      offsets: column.offsets,
      offsetsBase: 0,
      count: column.offsets.length - 1,
      sorted: false,
      distinct: column.form === 'dictionary',
      key: column,
    };
    pools.set(column, pool);
  }
  return pool;
}

/** Rows `[start, start + length)` of a column that came in a batch. */
export function columnVector(column: Column, start: number, length: number): Vector {
  const nulls = columnNulls(column, start, length);
  if (column.form === 'dictionary')
    return { form: 'string', length, nulls, ids: column.codes.subarray(start, start + length), pool: poolOf(column) };
  if (column.form === 'raw') {
    const ids = new Uint32Array(length);
    for (let index = 0; index < length; index++) ids[index] = start + index;
    return { form: 'string', length, nulls, ids, pool: poolOf(column) };
  }
  const { values } = column;
  switch (column.type.name) {
    case 'BOOLEAN':
      return { form: 'bool', length, nulls, values: (values as Uint8Array).subarray(start, start + length) };
    case 'DOUBLE':
      return { form: 'number', length, nulls, values: (values as Float64Array).subarray(start, start + length) };
    case 'INT':
    case 'DATE':
    case 'FLOAT':
      return {
        form: 'number',
        length,
        nulls,
        values: Float64Array.from((values as Int32Array).subarray(start, start + length)),
      };
    case 'LONG':
    case 'TIMESTAMP':
      return longVector((values as BigInt64Array).subarray(start, start + length), length, nulls);
    case 'DECIMAL': {
      const wide = new Array<bigint>(length).fill(0n);
      for (let index = 0, at = start * 2; index < length; index++, at += 2)
        if (!nulls?.[index]) wide[index] = decimalOf(values[at] as bigint, values[at + 1] as bigint);
      return { form: 'wide', length, nulls, values: wide };
    }
    default: {
      const intervals = new Array(length);
      for (let index = 0, at = start * 2; index < length; index++, at += 2)
        intervals[index] = intervalOf(values[at] as bigint, values[at + 1] as bigint);
      return { form: 'interval', length, nulls, values: intervals };
    }
  }
}
