/**
 * Values → dense ids in order of first appearance: the one mechanism behind GROUP BY, DISTINCT and COUNT(DISTINCT).
 * NULL is a value like any other here (SQL groups nulls together).
 *
 * An id costs one table look-up a row wherever the values allow it: dictionary codes, and integers whose range (in
 * steps of what DATE_TRUNC truncates to) is small. Everything else is hashed.
 */
import { unreachable } from '../base/assert.ts';
import type { Type } from '../column/type.ts';
import type { Vector } from '../column/vector.ts';
import { intervalLengthMs } from '../function/datetime.ts';
import { IntegerKeyer } from './integer-keyer.ts';
import type { Interner } from './interner.ts';
import { ValueBuffer } from './row-buffer.ts';
import { StringKeyer } from './string-keyer.ts';

/** An interner shared by the queries of a shard makes place for a new one beyond this: 400,000 strings, or as many with their codes in segments. */
export const sharedInternerSizeBytesMax = 16 << 20;

/** All interners that a shard shares: part of what the process takes, so it stays small beside that. */
export const sharedInternersSizeBytesMax = 16 << 20;

export interface Keyer {
  /** Ids given out so far; ids are `[0, count)`. */
  readonly count: number;
  readonly sizeBytes: number;
  /** Id of NULL; -1 where it was not met. */
  readonly nullId: number;
  /** Ids of the vector's rows into `out`. */
  ids(vector: Vector, out: Uint32Array): void;
  /** Values of the given ids, in order; valid until the next `ids`. */
  values(ids: Uint32Array, count: number): Vector;
}

export interface IntegerStep {
  readonly step: number;
  readonly origin: number;
}

/** `shared`: an interner that outlives the query; `step`: what every value is a multiple of (from an origin). */
export function createKeyer(type: Type, shared: Interner | null = null, step: IntegerStep | null = null): Keyer {
  switch (type.name) {
    case 'BOOLEAN':
    case 'INT':
    case 'LONG':
    case 'DATE':
    case 'TIMESTAMP':
      return new IntegerKeyer(type, step ?? { step: 1, origin: 0 });
    case 'FLOAT':
    case 'DOUBLE':
      return new IntegerKeyer(type, null);
    case 'STRING':
    case 'JSON':
    case 'UUID':
    case 'BYTES':
      return new StringKeyer(shared);
    case 'DECIMAL':
    case 'INTERVAL':
      return new ObjectKeyer(type);
    default:
      return unreachable(type.name);
  }
}

/** DECIMAL and INTERVAL: rare as keys, so a Map serves. Intervals are equal as PostgreSQL compares them: a month is 30 days. */
class ObjectKeyer implements Keyer {
  readonly #ids = new Map<bigint | null, number>();
  readonly #buffer: ValueBuffer;

  constructor(type: Type) {
    this.#buffer = new ValueBuffer(type);
  }

  get count(): number {
    return this.#ids.size;
  }

  get nullId(): number {
    return this.#ids.get(null) ?? -1;
  }

  get sizeBytes(): number {
    // A BigInt or interval (24 to 40 bytes), its place in a map that doubles (twice 24), its reference and place as a value.
    return this.#ids.size * 160;
  }

  ids(vector: Vector, out: Uint32Array): void {
    if (vector.form !== 'wide' && vector.form !== 'interval')
      throw new Error(`an object key got a ${vector.form} vector`);
    for (let row = 0; row < vector.length; row++) {
      const value = vector.values[row]!;
      const isNull = vector.nulls !== null && vector.nulls[row] === 1;
      const key = isNull ? null : typeof value === 'bigint' ? value : intervalLengthMs(value);
      let id = this.#ids.get(key);
      if (id === undefined) {
        id = this.#ids.size;
        this.#ids.set(key, id);
        const nulls = isNull ? Uint8Array.of(1) : null;
        this.#buffer.append({ form: vector.form, length: 1, nulls, values: [value] } as Vector);
      }
      out[row] = id;
    }
  }

  values(ids: Uint32Array, count: number): Vector {
    const all = this.#buffer.vector();
    if (all.form !== 'wide' && all.form !== 'interval') throw new Error('an object key keeps objects');
    const nulls = all.nulls ? Uint8Array.from(ids.subarray(0, count), id => all.nulls![id]!) : null;
    const values = Array.from(ids.subarray(0, count), id => all.values[id]!);
    return { form: all.form, length: count, nulls, values } as Vector;
  }
}
