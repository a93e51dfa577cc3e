/** GROUP BY and DISTINCT: rows → groups → results, in the three modes of the plan's aggregate. */
import type { Type } from '../column/type.ts';
import type { Vector } from '../column/vector.ts';
import { truncStepMs } from '../function/datetime.ts';
import type { Expr } from '../plan/expr.ts';
import type { Node } from '../plan/node.ts';
import { addColumnsUsed } from '../plan/visit.ts';
import { type Aggregate, createAggregate } from './aggregate.ts';
import type { ExecContext } from './context.ts';
import { type BoolVector, compileExpr, type Evaluator, isTrue } from './evaluate.ts';
import { type Input, morselRows, subset, vectorsInput } from './input.ts';
import { Interner } from './interner.ts';
import {
  createKeyer,
  type IntegerStep,
  type Keyer,
  sharedInternerSizeBytesMax,
  sharedInternersSizeBytesMax,
} from './keys.ts';
import { PairTable } from './pair-table.ts';
import { batchRowsMax, type Sink } from './sink.ts';

type AggregateNode = Extract<Node, { kind: 'aggregate' }>;

interface Call {
  readonly aggregate: Aggregate;
  /** Of the argument; null: COUNT(*). */
  readonly value: Evaluator | null;
  readonly filter: Evaluator | null;
}

export class GroupBySink implements Sink {
  readonly columnsUsed: ReadonlySet<number> | null;
  readonly #node: AggregateNode;
  readonly #context: ExecContext;
  readonly #keys: readonly Evaluator[];
  readonly #keyers: readonly Keyer[];
  readonly #pairs: readonly PairTable[];
  readonly #calls: readonly Call[];
  /** Input column of each call's first state (mode `final`). */
  readonly #stateAt: readonly number[];
  #groupCount = 0;
  #groups = new Uint32Array(morselRows);
  #keyIds = new Uint32Array(morselRows);

  constructor(node: AggregateNode, context: ExecContext) {
    this.#node = node;
    this.#context = context;
    const final = node.mode === 'final';
    this.#keys = node.keys.map((key, index) =>
      final ? (input: Input) => input.column(index) : compileExpr(key, context),
    );
    this.#keyers = node.keys.map(key =>
      createKeyer(key.type, final ? null : sharedInterner(key, node.source, context), stepOf(key)),
    );
    this.#pairs = node.keys.slice(1).map(() => new PairTable());
    this.#calls = node.calls.map(call => ({
      aggregate: createAggregate(call),
      value: final || call.args.length === 0 ? null : compileExpr(call.args[0]!, context),
      filter: final || !call.filter ? null : compileExpr(call.filter, context),
    }));
    let at = node.keys.length;
    this.#stateAt = this.#calls.map(({ aggregate }) => {
      const first = at;
      at += aggregate.stateTypes.length;
      return first;
    });
    // Without keys there is one group, also over no rows at all.
    if (node.keys.length === 0) this.#grow(1);
    const used = new Set<number>();
    for (const key of node.keys) addColumnsUsed(key, used);
    for (const call of node.calls) {
      for (const arg of call.args) addColumnsUsed(arg, used);
      if (call.filter) addColumnsUsed(call.filter, used);
    }
    this.columnsUsed = final ? null : used;
  }

  push(input: Input): boolean {
    const { length } = input;
    if (length === 0) return true;
    const groups = this.#groupsOf(input);
    this.#calls.forEach(({ aggregate, value, filter }, index) => {
      if (this.#node.mode === 'final') {
        const at = this.#stateAt[index]!;
        aggregate.merge(
          groups,
          aggregate.stateTypes.map((_, state) => input.column(at + state)),
          length,
        );
      } else if (filter) addFiltered(aggregate, value, filter(input) as BoolVector, input, groups);
      else aggregate.add(groups, value ? value(input) : null, length);
    });
    this.#context.memory.hold(this, this.#sizeBytes());
    return true;
  }

  #grow(groupCount: number): void {
    if (groupCount <= this.#groupCount) return;
    this.#groupCount = groupCount;
    for (const { aggregate } of this.#calls) aggregate.grow(groupCount);
  }

  /** Group of each row; null: all of group 0. */
  #groupsOf(input: Input): Uint32Array | null {
    if (this.#keys.length === 0) return null;
    const { length } = input;
    if (this.#groups.length < length) {
      this.#groups = new Uint32Array(length);
      this.#keyIds = new Uint32Array(length);
    }
    const groups = this.#groups;
    this.#keyers[0]!.ids(this.#keys[0]!(input), groups);
    let groupCount = this.#keyers[0]!.count;
    // Folded from the left, in place: (first key, second key) → pair, (pair, third key) → pair, …
    for (let key = 1; key < this.#keys.length; key++) {
      const keyer = this.#keyers[key]!;
      keyer.ids(this.#keys[key]!(input), this.#keyIds);
      const pairs = this.#pairs[key - 1]!;
      pairs.ids(groups, groupCount, this.#keyIds, keyer.count, length, groups);
      groupCount = pairs.count;
    }
    this.#grow(groupCount);
    return groups;
  }

  #sizeBytes(): number {
    let size = 0;
    for (const keyer of this.#keyers) size += keyer.sizeBytes;
    for (const table of this.#pairs) size += table.sizeBytes;
    for (const { aggregate } of this.#calls) size += aggregate.sizeBytes;
    return size;
  }

  #stateSizeBytes(): number {
    return this.#calls.reduce((sum, { aggregate }) => sum + (aggregate.stateSizeBytes ?? 0), 0);
  }

  /** Output columns' types: keys, then results or states. */
  get types(): Type[] {
    const keys = this.#node.keys.map(key => key.type);
    if (this.#node.mode === 'partial')
      return [...keys, ...this.#calls.flatMap(({ aggregate }) => aggregate.stateTypes)];
    return [...keys, ...this.#node.calls.map(call => call.type)];
  }

  /** The groups, in order of first appearance. */
  *results(): Generator<Input, void, void> {
    const { memory } = this.#context;
    if (this.#node.mode === 'partial') memory.hold(this, this.#sizeBytes() + this.#stateSizeBytes());
    for (let from = 0; from < this.#groupCount; from += batchRowsMax) {
      const to = Math.min(from + batchRowsMax, this.#groupCount);
      const keys = this.#keyValues(from, to);
      const values = this.#calls.flatMap(({ aggregate }) =>
        this.#node.mode === 'partial' ? aggregate.states(from, to) : [aggregate.finish(from, to)],
      );
      yield vectorsInput(to - from, [...keys, ...values]);
    }
    memory.release(this);
  }

  #keyValues(from: number, to: number): Vector[] {
    const count = to - from;
    const ids = new Uint32Array(count);
    for (let row = 0; row < count; row++) ids[row] = from + row;
    const seconds = new Uint32Array(count);
    const vectors: Vector[] = [];
    for (let key = this.#keyers.length - 1; key > 0; key--) {
      this.#pairs[key - 1]!.unfold(ids, ids, seconds);
      vectors[key] = this.#keyers[key]!.values(seconds, count);
    }
    if (this.#keyers.length > 0) vectors[0] = this.#keyers[0]!.values(ids, count);
    return vectors;
  }
}

function addFiltered(
  aggregate: Aggregate,
  value: Evaluator | null,
  condition: BoolVector,
  input: Input,
  groups: Uint32Array | null,
): void {
  const rows = new Uint32Array(input.length);
  let count = 0;
  for (let row = 0; row < input.length; row++) if (isTrue(condition, row)) rows[count++] = row;
  if (count === 0) return;
  const kept = groups && rows.subarray(0, count).map(row => groups[row]!);
  aggregate.add(kept, value ? value(subset(input, rows, count)) : null, count);
}

/** DATE_TRUNC by a unit of fixed length: its values are few although their range in milliseconds is large. */
function stepOf(key: Expr): IntegerStep | null {
  if (key.kind !== 'call' || key.type.name !== 'TIMESTAMP') return null;
  const unit = key.args[0];
  if (!key.function.startsWith('date_trunc(') || unit?.kind !== 'literal' || typeof unit.value !== 'string')
    return null;
  const step = truncStepMs(unit.value);
  return step && { step: step.stepMs, origin: step.originMs };
}

/** Of a plain column: the shard's own interner, so that a dictionary's strings are hashed once for all queries to come. */
function sharedInterner(key: Expr, source: Node, context: ExecContext): Interner | null {
  if (key.kind !== 'column' || source.kind !== 'scan') return null;
  let interners = context.caches.get(context.arena) as Map<string, Interner> | undefined;
  if (!interners) context.caches.set(context.arena, (interners = new Map()));
  const name = `${source.tableId}.${source.columns[key.index]!.id}`;
  let interner = interners.get(name);
  if (interner && interner.sizeBytes <= sharedInternerSizeBytesMax) return interner;
  // A query that still uses one that is dropped here keeps it to its end, on its own account.
  const sizeBytes = [...interners.values()].reduce((sum, each) => sum + each.sizeBytes, 0);
  if (sizeBytes > sharedInternersSizeBytesMax) interners.clear();
  interners.set(name, (interner = new Interner()));
  return interner;
}
