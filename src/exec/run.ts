/** One exhaustive switch opens a fragment: every node drives its source into a sink. */
import { unreachable } from '../base/assert.ts';
import type { Batch } from '../column/column.ts';
import type { Type } from '../column/type.ts';
import type { Expr } from '../plan/expr.ts';
import type { Node } from '../plan/node.ts';
import { typesOf } from '../plan/shape.ts';
import { addColumnsUsed } from '../plan/visit.ts';
import type { ExecContext } from './context.ts';
import { type BoolVector, compileExpr, isTrue } from './evaluate.ts';
import { GroupBySink } from './group-by.ts';
import { batchInput, type Input, morselRows, subset, vectorsInput } from './input.ts';
import { driveScan } from './scan.ts';
import { OutputSink, type Sink } from './sink.ts';
import { SortSink } from './sort.ts';
import { unnestSink } from './unnest.ts';

/** Runs one fragment to its end: batches in order, at most `batchRowsMax` rows each. */
export async function* runFragment(node: Node, outside: ExecContext): AsyncGenerator<Batch, void, void> {
  const output = new OutputSink(outputTypes(node, outside), outside.memory);
  const context: ExecContext = { ...outside, output };
  for await (const _ of drive(node, context, output)) {
    for (let batch = output.take(); batch; batch = output.take()) yield batch;
  }
  yield* output.rest();
}

/** Pushes the node's rows into the sink; yields wherever nothing is borrowed, so that the caller may pass on what is ready. */
async function* drive(node: Node, context: ExecContext, sink: Sink): AsyncGenerator<void, void, void> {
  switch (node.kind) {
    case 'scan':
      return yield* driveScan(node, context, sink);
    case 'inline':
      return yield* driveBatches([context.inline[node.name]!], context, sink);
    case 'exchange':
      return yield* driveBatches(context.exchange(node.fragment), context, sink);
    case 'values': {
      for (const row of node.rows) {
        const vectors = row.map(expr => compileExpr(expr, context)(oneRow));
        if (!sink.push(vectorsInput(1, vectors))) return;
      }
      return;
    }
    case 'filter':
    case 'unnest':
    case 'project': {
      const below = throughRows(node, context, sink);
      return yield* drive(below.node, context, below.sink);
    }
    case 'limit':
      return yield* drive(node.source, context, limitSink(node.offset, node.count, sink));
    case 'aggregate':
      return yield* driveBuffered(node.source, new GroupBySink(node, context), context, sink);
    case 'sort':
      return yield* driveBuffered(node.source, new SortSink(node, typesOf(node.source), context), context, sink);
    default:
      return unreachable(node);
  }
}

/**
 * Filters, projections and UNNESTs, each row by itself: the node below them, and the sink that takes its rows to `sink`.
 * Compiled once; the sink may be used again and again.
 */
export function throughRows(
  node: Node,
  context: ExecContext,
  sink: Sink,
): { readonly node: Node; readonly sink: Sink } {
  switch (node.kind) {
    case 'filter':
      return throughRows(node.source, context, filterSink(node.predicate, context, sink));
    case 'unnest':
      return throughRows(node.source, context, unnestSink(node, context, sink));
    case 'project':
      return throughRows(node.source, context, projectSink(node.exprs, context, sink));
    default:
      return { node, sink };
  }
}

const oneRow: Input = vectorsInput(1, []);

async function* driveBatches(
  batches: Iterable<Batch> | AsyncIterable<Batch>,
  context: ExecContext,
  sink: Sink,
): AsyncGenerator<void, void, void> {
  for await (const batch of batches) {
    for (let from = 0; from < batch.rowCount; from += morselRows)
      if (!sink.push(batchInput(batch, from, Math.min(morselRows, batch.rowCount - from)))) return;
    yield;
    await context.yield();
  }
}

/** A sink that gives nothing before it has seen everything. */
async function* driveBuffered(
  source: Node,
  buffer: Sink & { results(): Iterable<Input> },
  context: ExecContext,
  sink: Sink,
): AsyncGenerator<void, void, void> {
  yield* drive(source, context, buffer);
  for (const input of buffer.results()) {
    if (!sink.push(input)) return;
    yield;
    await context.yield();
  }
}

function filterSink(predicate: Expr, context: ExecContext, sink: Sink): Sink {
  const evaluate = compileExpr(predicate, context);
  const columnsUsed = sink.columnsUsed && new Set(sink.columnsUsed);
  if (columnsUsed) addColumnsUsed(predicate, columnsUsed);
  return {
    columnsUsed,
    push(input) {
      const condition = evaluate(input) as BoolVector;
      const rows = new Uint32Array(input.length);
      let count = 0;
      for (let row = 0; row < input.length; row++) if (isTrue(condition, row)) rows[count++] = row;
      if (count === 0) return true;
      return sink.push(count === input.length ? input : subset(input, rows, count));
    },
  };
}

function projectSink(exprs: readonly Expr[], context: ExecContext, sink: Sink): Sink {
  const evaluators = exprs.map(expr => compileExpr(expr, context));
  const columnsUsed = new Set<number>();
  exprs.forEach((expr, index) => {
    if (!sink.columnsUsed || sink.columnsUsed.has(index)) addColumnsUsed(expr, columnsUsed);
  });
  return {
    columnsUsed,
    push(input) {
      const vectors: ReturnType<(typeof evaluators)[number]>[] = [];
      return sink.push({
        length: input.length,
        column: index => (vectors[index] ??= evaluators[index]!(input)),
      });
    },
  };
}

function limitSink(offset: number, count: number | null, sink: Sink): Sink {
  let skip = offset;
  let left = count ?? Number.POSITIVE_INFINITY;
  return {
    columnsUsed: sink.columnsUsed,
    push(input) {
      if (left === 0) return false;
      const start = Math.min(skip, input.length);
      skip -= start;
      const taken = Math.min(input.length - start, left);
      if (taken === 0) return left > 0;
      left -= taken;
      const rows = Uint32Array.from({ length: taken }, (_, row) => start + row);
      const wantsMore = sink.push(taken === input.length ? input : subset(input, rows, taken));
      return wantsMore && left > 0;
    },
  };
}

/** Of the fragment's output: what `plan` says, but for the states of a partial aggregate, which are execution's own. */
/** Of the batches that a fragment gives. */
export const outputTypes = (node: Node, context: ExecContext): readonly Type[] =>
  node.kind === 'aggregate' ? new GroupBySink(node, context).types : typesOf(node);
