/** ORDER BY, and its first so many rows. Stable; keeps rows in a RowBuffer and sorts their numbers. */
import { isPooled, type Type } from '../column/type.ts';
import type { Vector } from '../column/vector.ts';
import { compareDoubles } from '../function/compare.ts';
import { compareIntervals } from '../function/datetime.ts';
import { compareEntries } from '../function/strings.ts';
import type { Node } from '../plan/node.ts';
import type { ExecContext } from './context.ts';
import { compileExpr, type Evaluator } from './evaluate.ts';
import { type Input, subset, vectorsInput } from './input.ts';
import { RowBuffer } from './row-buffer.ts';
import { batchRowsMax, type Sink } from './sink.ts';

type SortNode = Extract<Node, { kind: 'sort' }>;

/** Rows beyond the limit that a top-n keeps before it sorts and cuts: cutting costs a sort, keeping costs memory. */
const slackRows = 32_768;

/**
 * A row's number, and V8's two arrays of tagged numbers while it sorts with a comparison of our own; strings have an id
 * each beside.
 */
const orderSizeBytes = 4 + 2 * 8;

export class SortSink implements Sink {
  readonly columnsUsed = null;
  readonly #node: SortNode;
  readonly #context: ExecContext;
  readonly #types: readonly Type[];
  readonly #keys: readonly Evaluator[];
  /** The rows' columns, then the keys'. */
  #rows: RowBuffer;
  /** What sorting takes for a row. */
  readonly #orderSizeBytes: number;

  constructor(node: SortNode, types: readonly Type[], context: ExecContext) {
    this.#node = node;
    this.#context = context;
    this.#types = types;
    this.#keys = node.keys.map(key => compileExpr(key.expr, context));
    this.#rows = this.#emptyRows();
    this.#orderSizeBytes = orderSizeBytes + 4 * this.#rows.types.filter(isPooled).length;
  }

  #emptyRows(): RowBuffer {
    return new RowBuffer([...this.#types, ...this.#node.keys.map(key => key.expr.type)]);
  }

  push(input: Input): boolean {
    if (this.#node.limit === 0) return false;
    const keys = this.#keys.map(key => key(input));
    const width = this.#types.length;
    this.#rows.append({
      length: input.length,
      column: index => (index < width ? input.column(index) : keys[index - width]!),
    });
    this.#context.memory.hold(this, this.#rows.sizeBytes + this.#rows.length * this.#orderSizeBytes);
    if (this.#node.limit !== null && this.#rows.length > this.#node.limit + slackRows) this.#cut(this.#node.limit);
    return true;
  }

  #order(): Uint32Array {
    const width = this.#types.length;
    const comparers = this.#node.keys.map((key, index) =>
      compareRows(this.#rows.columns[width + index]!.vector(), key.descending, key.nullsFirst),
    );
    const order = Uint32Array.from({ length: this.#rows.length }, (_, row) => row);
    return order.sort((a, b) => {
      for (const compare of comparers) {
        const difference = compare(a, b);
        if (difference !== 0) return difference;
      }
      return a - b;
    });
  }

  #cut(limit: number): void {
    const order = this.#order().subarray(0, limit);
    const kept = this.#emptyRows();
    const vectors = this.#rows.columns.map(column => column.vector());
    kept.append(pickRows(vectors, order));
    this.#rows = kept;
  }

  *results(): Generator<Input, void, void> {
    const order = this.#order();
    const vectors = this.#rows.columns.slice(0, this.#types.length).map(column => column.vector());
    const count = Math.min(order.length, this.#node.limit ?? order.length);
    for (let from = 0; from < count; from += batchRowsMax)
      yield pickRows(vectors, order.subarray(from, Math.min(from + batchRowsMax, count)));
    this.#context.memory.release(this);
  }
}

function pickRows(vectors: readonly Vector[], rows: Uint32Array): Input {
  return subset(vectorsInput(0, vectors), rows, rows.length);
}

/** Difference of two rows of one key. NaN is the greatest number, as in PostgreSQL. */
function compareRows(vector: Vector, descending: boolean, nullsFirst: boolean): (a: number, b: number) => number {
  const sign = descending ? -1 : 1;
  const nullSign = nullsFirst ? -1 : 1;
  const compare = compareValues(vector);
  const { nulls } = vector;
  if (!nulls) return (a, b) => sign * compare(a, b);
  return (a, b) => {
    if (nulls[a] || nulls[b]) return nulls[a] === nulls[b] ? 0 : nulls[a] ? nullSign : -nullSign;
    return sign * compare(a, b);
  };
}

function compareValues(vector: Vector): (a: number, b: number) => number {
  switch (vector.form) {
    case 'bool':
    case 'number': {
      const { values } = vector;
      return (a, b) => compareDoubles(values[a]!, values[b]!);
    }
    case 'bigint':
    case 'wide': {
      const { values } = vector;
      return (a, b) => (values[a]! < values[b]! ? -1 : values[a]! > values[b]! ? 1 : 0);
    }
    case 'interval':
      return (a, b) => compareIntervals(vector.values[a]!, vector.values[b]!);
    case 'string':
      return (a, b) => compareEntries(vector.pool, vector.ids[a]!, vector.pool, vector.ids[b]!);
  }
}
