/**
 * Aggregates over distinct values: the set of (group, value) pairs, exact. Without groups the set is the values' own ids,
 * so COUNT(DISTINCT x) over a dictionary column costs what grouping by it costs; of whole numbers it is a bitmap, as long
 * as they lie close enough together.
 *
 * A state travels as the group's distinct values in one frame (BYTES): values, never ids, because every shard has its own.
 */
import { decodeBatch, encodeBatch } from '../column/frame.ts';
import { BYTES, type Type } from '../column/type.ts';
import type { Vector } from '../column/vector.ts';
import { vectorOf } from '../function/vectors.ts';
import type { AggregateCall } from '../plan/expr.ts';
import { type Aggregate, createPlainAggregate } from './aggregate.ts';
import { columnVector } from './input.ts';
import { IntegerSet } from './integer-set.ts';
import { createKeyer, type Keyer } from './keys.ts';
import { PairTable } from './pair-table.ts';
import { ValueBuffer } from './row-buffer.ts';

/** Values handed on at once. */
const chunkRows = 16_384;

const isWhole = ({ name }: Type): boolean =>
  name === 'INT' || name === 'LONG' || name === 'DATE' || name === 'TIMESTAMP';

export class DistinctAggregate implements Aggregate {
  readonly stateTypes = [BYTES];
  readonly #call: AggregateCall;
  readonly #type: Type;
  readonly #keyer: Keyer;
  /** (group, value id) → pair; unused while there is only group 0. */
  readonly #pairs = new PairTable();
  #groupCount = 1;
  #grouped = false;
  /** What there is of group 0, instead of ids, as long as nothing was grouped; null once it does not serve. */
  #numbers: IntegerSet | null;
  /** Value ids of group 0 are `[0, #ungroupedCount)`, without NULL's, as long as nothing was grouped. */
  #ungroupedCount = 0;
  #sorted: { starts: Uint32Array; ids: Uint32Array } | null = null;
  #scratch = new Uint32Array(0);
  #groupScratch = new Uint32Array(0);
  #pairScratch = new Uint32Array(0);

  constructor(call: AggregateCall, type: Type) {
    this.#call = call;
    this.#type = type;
    this.#keyer = createKeyer(type);
    this.#numbers = isWhole(type) ? new IntegerSet() : null;
  }

  get sizeBytes(): number {
    return this.#keyer.sizeBytes + this.#pairs.sizeBytes + (this.#numbers?.sizeBytes ?? 0);
  }

  /** Every value three times: kept, as a frame, as an entry of the batch. */
  get stateSizeBytes(): number {
    return 3 * (this.#numbers ? this.#numbers.count * 8 : this.#keyer.sizeBytes + this.#pairs.count * 8);
  }

  grow(groupCount: number): void {
    if (groupCount <= this.#groupCount) return;
    this.#groupCount = groupCount;
    this.#sorted = null;
  }

  add(groups: Uint32Array | null, vector: Vector | null, length: number): void {
    if (this.#numbers) {
      const fits = groups === null && vector?.form === 'number';
      if (fits && this.#numbers.add(vector.values, vector.nulls, length)) return;
      const numbers = this.#numbers;
      this.#numbers = null;
      for (const part of numbers.vectors()) this.add(null, part, part.length);
    }
    this.#sorted = null;
    if (this.#scratch.length < length) {
      this.#scratch = new Uint32Array(length);
      this.#groupScratch = new Uint32Array(length);
      this.#pairScratch = new Uint32Array(length);
    }
    const { nulls } = vector!;
    this.#keyer.ids(vector!, this.#scratch);
    if (groups === null && !this.#grouped) {
      this.#ungroupedCount = this.#keyer.count;
      return;
    }
    this.#grouped = true;
    const rowGroups = this.#groupScratch;
    let count = 0;
    // NULL is not a value for an aggregate: its rows form no pair.
    for (let row = 0; row < length; row++) {
      rowGroups[count] = groups ? groups[row]! : 0;
      this.#scratch[count] = this.#scratch[row]!;
      count += nulls ? 1 - nulls[row]! : 1;
    }
    this.#pairs.ids(rowGroups, this.#groupCount, this.#scratch, this.#keyer.count, count, this.#pairScratch);
  }

  merge(groups: Uint32Array | null, states: readonly Vector[], length: number): void {
    const state = states[0]!;
    if (state.form !== 'string') throw new Error('a distinct state travels as BYTES');
    const { pool } = state;
    for (let row = 0; row < length; row++) {
      if (state.nulls?.[row]) continue;
      const entry = pool.offsetsBase + state.ids[row]!;
      const start = pool.bytesBase + pool.offsets[entry]!;
      // A copy: frames want alignment, and the batch is borrowed.
      const batch = decodeBatch(pool.bytes.slice(start, pool.bytesBase + pool.offsets[entry + 1]!));
      for (let from = 0; from < batch.rowCount; from += chunkRows) {
        const count = Math.min(chunkRows, batch.rowCount - from);
        const rowGroups = groups && new Uint32Array(count).fill(groups[row]!);
        this.add(rowGroups, columnVector(batch.columns[0]!, from, count), count);
      }
    }
  }

  /** Value ids in order of their groups: those of group g are `ids[starts[g] .. starts[g + 1])`. Built once, after the last row. */
  #byGroup(): { starts: Uint32Array; ids: Uint32Array } {
    if (this.#sorted) return this.#sorted;
    const starts = new Uint32Array(this.#groupCount + 1);
    if (!this.#grouped) {
      const ids = new Uint32Array(this.#ungroupedCount);
      let count = 0;
      for (let id = 0; id < this.#ungroupedCount; id++) {
        ids[count] = id;
        if (id !== this.#keyer.nullId) count++;
      }
      starts.fill(count, 1);
      return (this.#sorted = { starts, ids });
    }
    const pairs = this.#pairs;
    for (let pair = 0; pair < pairs.count; pair++) starts[pairs.firstOf(pair) + 1]!++;
    for (let group = 0; group < this.#groupCount; group++) starts[group + 1]! += starts[group]!;
    const next = starts.slice();
    const ids = new Uint32Array(pairs.count);
    for (let pair = 0; pair < pairs.count; pair++) ids[next[pairs.firstOf(pair)]!++] = pairs.secondOf(pair);
    return (this.#sorted = { starts, ids });
  }

  #countOf(group: number): number {
    if (this.#numbers) return this.#numbers.count;
    const { starts } = this.#byGroup();
    return starts[group + 1]! - starts[group]!;
  }

  /** Each vector is valid until the next. */
  *#valuesOf(group: number): Generator<Vector, void, void> {
    if (this.#numbers) return yield* this.#numbers.vectors();
    const { starts, ids } = this.#byGroup();
    const end = starts[group + 1]!;
    for (let at = starts[group]!; at < end; at += chunkRows) {
      const part = ids.subarray(at, Math.min(at + chunkRows, end));
      yield this.#keyer.values(part, part.length);
    }
  }

  states(from: number, to: number): Vector[] {
    const frames = Array.from({ length: to - from }, (_, row) => {
      const buffer = new ValueBuffer(this.#type);
      for (const values of this.#valuesOf(from + row)) buffer.append(values);
      if (buffer.length === 0) return null;
      return encodeBatch({ rowCount: buffer.length, columns: [buffer.column(null, 0, buffer.length)] });
    });
    return [vectorOf({ name: 'BYTES' }, frames)];
  }

  finish(from: number, to: number): Vector {
    const length = to - from;
    if (this.#call.function === 'count') {
      const values = new Float64Array(length);
      for (let row = 0; row < length; row++) values[row] = this.#countOf(from + row);
      return { form: 'number', length, nulls: null, values };
    }
    const plain = createPlainAggregate(this.#call.function, this.#type, this.#call.type);
    plain.grow(length);
    for (let row = 0; row < length; row++)
      for (const values of this.#valuesOf(from + row))
        plain.add(new Uint32Array(values.length).fill(row), values, values.length);
    return plain.finish(0, length);
  }
}
