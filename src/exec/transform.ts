/** Transforms at work: batches of messages → rows of the table. Compiled once, run batch by batch. */
import { FaultError } from '../base/fault.ts';
import type { Clock } from '../base/seams.ts';
import type { Batch } from '../column/column.ts';
import type { Vector } from '../column/vector.ts';
import type { Node } from '../plan/node.ts';
import { typesOf } from '../plan/shape.ts';
import type { TransformPlan } from '../plan/transform.ts';
import type { ExecContext } from './context.ts';
import { GroupBySink } from './group-by.ts';
import { batchInput, type Input, morselRows, subset, vectorsInput } from './input.ts';
import { RowBuffer } from './row-buffer.ts';
import { throughRows } from './run.ts';
import type { Sink } from './sink.ts';

export interface TransformReject {
  /** Of the batch that went in. */
  readonly row: number;
  readonly reason: string;
  /** The column that would not take its value; null: an expression failed. */
  readonly column: string | null;
}

export interface Transformed {
  /** Column i is of table column `plan.columns[i]`. */
  readonly batch: Batch;
  /** By row that came out: the row that went in (with a rollup: the first of them). Ascending. */
  readonly rowOf: Uint32Array;
  /** In the order of rows, one a row that is at fault. A message with a bad element of an UNNEST gives no row at all. */
  readonly rejects: readonly TransformReject[];
  /** By row before the rollup: the row that went in, ascending. Those that are missing are in `rejects`, or were filtered. */
  readonly takenOf: Uint32Array;
}

export interface Transformer {
  /**
   * Linear in the rows; each row that fails costs about log2(rows) more evaluations of parts of the batch.
   * @param batch Columns as `plan.message`; its last, `$row`, counts from 0.
   * @throws FaultError only for what no row is to blame for
   */
  run(batch: Batch): Transformed;
}

export function createTransform(plan: TransformPlan, components: { readonly clock: Clock }): Transformer {
  const context = rowContext(components.clock);
  const rowTypes = typesOf(plan.rows);
  let buffer = new RowBuffer(rowTypes);
  const { node: leaf, sink } = throughRows(
    plan.rows,
    context,
    bufferSink(input => buffer.append(input)),
  );
  // WHERE false leaves nothing to read.
  const readsMessages = leaf.kind === 'inline';

  /** What rows `[from, to)` become. */
  function evaluate(batch: Batch, from: number, to: number): RowBuffer {
    buffer = new RowBuffer(rowTypes);
    for (let at = from; at < to; at += morselRows) sink.push(batchInput(batch, at, Math.min(morselRows, to - at)));
    return buffer;
  }

  /** Halves what fails until single rows are left. */
  function isolate(batch: Batch, from: number, to: number, good: RowBuffer[], rejects: TransformReject[]): void {
    try {
      good.push(evaluate(batch, from, to));
    } catch (error) {
      if (!(error instanceof FaultError) || error.fault.kind === 'internal') throw error;
      if (to - from === 1) {
        rejects.push({ row: from, reason: error.fault.message, column: null });
        return;
      }
      const middle = (from + to) >> 1;
      isolate(batch, from, middle, good, rejects);
      isolate(batch, middle, to, good, rejects);
    }
  }

  return {
    run(batch) {
      const good: RowBuffer[] = [];
      const rejects: TransformReject[] = [];
      if (readsMessages && batch.rowCount > 0) isolate(batch, 0, batch.rowCount, good, rejects);
      let rows = joined(good, rowTypes);
      const bad = nullsWhereNone(rows, plan);
      if (bad.size > 0) {
        rows = without(rows, bad, rowTypes);
        rejects.push(...bad.values());
        rejects.sort((a, b) => a.row - b.row);
      }
      const takenOf = Uint32Array.from(rowsOf(rows));
      if (plan.rollup !== null && takenOf.length > 1) rows = rollUp(plan.rollup.batch, inputOf(rows), context);
      const whole = rows.batch(null, 0, rows.length);
      const out = { rowCount: whole.rowCount, columns: whole.columns.slice(0, -1) };
      return { batch: out, rowOf: Uint32Array.from(rowsOf(rows)), takenOf, rejects };
    },
  };
}

/** For expressions and groups alone: nothing is scanned, nothing waited for. */
export const rowContext = (clock: Clock): ExecContext => ({
  get arena(): never {
    throw new Error('nothing is scanned here');
  },
  sources: new Map(),
  inline: {},
  exchange: () => {
    throw new Error('nothing is exchanged here');
  },
  nowMs: 0,
  timeZone: 'UTC',
  clock,
  // What a batch of messages becomes is bounded by the batch.
  memory: { hold: () => {}, release: () => {}, peakBytes: 0 },
  allowPartial: false,
  yield: async () => {},
  stats: {
    ...{ rowsScanned: 0, rowsMatched: 0, blocksScanned: 0, blocksPruned: 0 },
    ...{ unitsScanned: [], unitsAnswered: [], filters: {} },
  },
  caches: new WeakMap(),
});

const bufferSink = (append: (input: Input) => void): Sink => ({
  columnsUsed: null,
  push(input) {
    append(input);
    return true;
  },
});

const inputOf = (rows: RowBuffer): Input =>
  vectorsInput(
    rows.length,
    rows.columns.map(column => column.vector()),
  );

function joined(parts: readonly RowBuffer[], types: RowBuffer['types']): RowBuffer {
  if (parts.length === 1) return parts[0]!;
  const whole = new RowBuffer(types);
  for (const part of parts) whole.append(inputOf(part));
  return whole;
}

/** The last column: INT, never NULL. */
const rowsOf = (rows: RowBuffer): Float64Array =>
  (rows.columns.at(-1)!.vector() as Extract<Vector, { form: 'number' }>).values.subarray(0, rows.length);

/** Rows with a NULL in a column that takes none, by the row that they came from. */
function nullsWhereNone(rows: RowBuffer, { columns }: TransformPlan): Map<number, TransformReject> {
  const bad = new Map<number, TransformReject>();
  columns.forEach(({ name, nullable }, index) => {
    const nulls = nullable ? null : rows.columns[index]!.nulls;
    if (nulls === null) return;
    const from = rowsOf(rows);
    for (let row = 0; row < rows.length; row++)
      if (nulls[row] && !bad.has(from[row]!))
        bad.set(from[row]!, { row: from[row]!, reason: `NULL in column ${name}, which is NOT NULL`, column: name });
  });
  return bad;
}

function without(rows: RowBuffer, bad: ReadonlyMap<number, unknown>, types: RowBuffer['types']): RowBuffer {
  const from = rowsOf(rows);
  const kept = new Uint32Array(rows.length);
  let count = 0;
  for (let row = 0; row < rows.length; row++) if (!bad.has(from[row]!)) kept[count++] = row;
  const rest = new RowBuffer(types);
  rest.append(subset(inputOf(rows), kept, count));
  return rest;
}

/**
 * Rows of one key as one, in order of first appearance. A sum that no longer fits leaves its rows in two groups: they are
 * merged where there is room, or never, and queries add them up.
 * @param node Of a `Rollup`.
 */
export function rollUp(node: Node, input: Input, context: ExecContext): RowBuffer {
  const rows = new RowBuffer(typesOf(node));
  const { node: below, sink } = throughRows(
    node,
    context,
    bufferSink(part => rows.append(part)),
  );
  if (below.kind !== 'aggregate') throw new Error('a rollup is an aggregate');
  const groups = new GroupBySink(below, context);
  groups.push(input);
  try {
    for (const part of groups.results()) sink.push(part);
    return rows;
  } catch (error) {
    if (!(error instanceof FaultError) || error.fault.code !== 'NUMERIC_OVERFLOW' || input.length < 2) throw error;
    const half = input.length >> 1;
    const halves = [
      [0, half],
      [half, input.length],
    ] as const;
    const split = halves.map(([from, to]) => {
      const range = Uint32Array.from({ length: to - from }, (_, row) => from + row);
      return rollUp(node, subset(input, range, to - from), context);
    });
    return joined(split, typesOf(node));
  }
}

/**
 * A whole batch's rows of one key as one; null where a sum does not fit: its rows then stay as they are.
 * @param node `Rollup.segment`.
 */
export function rollUpBatch(node: Node, batch: Batch, clock: Clock): Batch | null {
  const context = rowContext(clock);
  const rows = new RowBuffer(typesOf(node));
  const { node: below, sink } = throughRows(
    node,
    context,
    bufferSink(part => rows.append(part)),
  );
  if (below.kind !== 'aggregate') throw new Error('a rollup is an aggregate');
  const groups = new GroupBySink(below, context);
  try {
    for (let at = 0; at < batch.rowCount; at += morselRows)
      groups.push(batchInput(batch, at, Math.min(morselRows, batch.rowCount - at)));
    for (const part of groups.results()) sink.push(part);
  } catch (error) {
    if (error instanceof FaultError && error.fault.code === 'NUMERIC_OVERFLOW') return null;
    throw error;
  }
  return rows.batch(null, 0, rows.length);
}
