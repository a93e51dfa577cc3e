/**
 * Aggregates as states of groups: add rows, merge states, finish. One merge serves segments, shards and servers.
 * A state travels as ordinary columns (`stateTypes`), so that an exchange needs no format of its own.
 */
import { fault } from '../base/fault.ts';
import { LONG, type Type } from '../column/type.ts';
import type { Vector } from '../column/vector.ts';
import type { AggregateCall } from '../plan/expr.ts';
import { DistinctAggregate } from './distinct.ts';
import { createExtreme } from './extreme.ts';
import { grownF64, numbers } from './state-arrays.ts';
import { SumDouble, SumInteger } from './sum.ts';

export interface Aggregate {
  /** Of the columns that carry a state between partial and final. */
  readonly stateTypes: readonly Type[];
  readonly sizeBytes: number;
  /** What `states` makes, where that is large beside a batch. */
  readonly stateSizeBytes?: number;
  /** Groups `[0, groupCount)` exist from now on. */
  grow(groupCount: number): void;
  /** Rows `[0, length)`; `groups` null: all of group 0. `values` null: COUNT(*). */
  add(groups: Uint32Array | null, values: Vector | null, length: number): void;
  /** States (as `states` gave them) of rows `[0, length)`. */
  merge(groups: Uint32Array | null, states: readonly Vector[], length: number): void;
  /** States of groups `[from, to)`. */
  states(from: number, to: number): Vector[];
  /** Results of groups `[from, to)`. @throws FaultError NUMERIC_OVERFLOW */
  finish(from: number, to: number): Vector;
}

/** @throws FaultError UNSUPPORTED for an aggregate that the catalogue knows and execution does not. */
export function createAggregate(call: AggregateCall): Aggregate {
  const input = call.args[0]?.type ?? null;
  if (call.distinct && input) return new DistinctAggregate(call, input);
  return createPlainAggregate(call.function, input, call.type);
}

export function createPlainAggregate(name: string, input: Type | null, result: Type): Aggregate {
  switch (name) {
    case 'count':
      return new Count();
    case 'sum':
      if (result.name === 'DOUBLE' || result.name === 'FLOAT') return new SumDouble(false);
      return new SumInteger(result, false);
    case 'avg':
      if (input!.name === 'DOUBLE' || input!.name === 'FLOAT') return new SumDouble(true);
      return new SumInteger(input!, true);
    case 'min':
    case 'max':
      return createExtreme(input!, name === 'min' ? -1 : 1);
    default:
      throw fault('UNSUPPORTED', `aggregate ${name} cannot be executed`);
  }
}

class Count implements Aggregate {
  readonly stateTypes = [LONG];
  #counts = new Float64Array(16);

  get sizeBytes(): number {
    return this.#counts.byteLength;
  }

  grow(groupCount: number): void {
    if (groupCount > this.#counts.length) this.#counts = grownF64(this.#counts, groupCount);
  }

  add(groups: Uint32Array | null, values: Vector | null, length: number): void {
    const counts = this.#counts;
    const nulls = values?.nulls ?? null;
    if (groups === null) {
      let count = length;
      if (nulls) for (let row = 0; row < length; row++) count -= nulls[row]!;
      counts[0]! += count;
    } else if (nulls) for (let row = 0; row < length; row++) counts[groups[row]!]! += 1 - nulls[row]!;
    else for (let row = 0; row < length; row++) counts[groups[row]!]!++;
  }

  merge(groups: Uint32Array | null, states: readonly Vector[], length: number): void {
    const counts = numbers(states[0]!);
    for (let row = 0; row < length; row++) this.#counts[groups ? groups[row]! : 0]! += counts[row]!;
  }

  states(from: number, to: number): Vector[] {
    return [this.finish(from, to)];
  }

  finish(from: number, to: number): Vector {
    return { form: 'number', length: to - from, nulls: null, values: this.#counts.slice(from, to) };
  }
}
