/** Filters sink to where they save most: through projections, subqueries and grouping keys, into scans. */
import { BOOLEAN } from '../../column/type.ts';
import type { FunctionContext } from '../../function/scalar.ts';
import type { Expr } from '../../plan/expr.ts';
import type { Node } from '../../plan/node.ts';
import { typesOf, withSource } from '../../plan/shape.ts';
import { addColumnsUsed, aggregateExprs, mapAggregate } from '../../plan/visit.ts';
import { isFalse, isTrue } from '../fold.ts';
import { inlineColumns, isInlinable, repeatedSizeMax } from './inline.ts';
import { simplify, simplifyFilter } from './simplify.ts';

/** Expressions simplified, filters as deep as they go; a filter that lets nothing through leaves no scan. */
export function pushFilters(node: Node, context: FunctionContext): Node {
  switch (node.kind) {
    case 'scan':
    case 'inline':
    case 'exchange':
      return node;
    case 'values':
      return { ...node, rows: node.rows.map(row => row.map(cell => simplify(cell, context))) };
    case 'filter':
      return pushInto(pushFilters(node.source, context), simplifyFilter(node.predicate, context), context);
    case 'unnest':
      return { ...node, source: pushFilters(node.source, context), expr: simplify(node.expr, context) };
    case 'project': {
      const exprs = node.exprs.map(expr => simplify(expr, context));
      return { ...node, source: pushFilters(node.source, context), exprs };
    }
    case 'aggregate': {
      const calls = node.calls.map(call => mapAggregate(call, expr => simplify(expr, context)));
      const keys = node.keys.map(key => simplify(key, context));
      return { ...node, source: pushFilters(node.source, context), keys, calls };
    }
    case 'sort': {
      const keys = node.keys.map(key => ({ ...key, expr: simplify(key.expr, context) }));
      return { ...node, source: pushFilters(node.source, context), keys };
    }
    case 'limit':
      return withSource(node, pushFilters(node.source, context));
  }
}

const conjunctsOf = (predicate: Expr): readonly Expr[] => (predicate.kind === 'and' ? predicate.args : [predicate]);

const conjunction = (parts: readonly Expr[], context: FunctionContext): Expr =>
  simplifyFilter(parts.length === 1 ? parts[0]! : { kind: 'and', type: BOOLEAN, args: parts }, context);

function pushInto(node: Node, predicate: Expr, context: FunctionContext): Node {
  if (isTrue(predicate)) return node;
  if (isFalse(predicate)) return { kind: 'values', types: typesOf(node), rows: [] };
  const keep = (): Node => ({ kind: 'filter', source: node, predicate });
  switch (node.kind) {
    case 'scan': {
      const filter = node.filter === null ? predicate : conjunction([node.filter, predicate], context);
      return isFalse(filter) ? { kind: 'values', types: typesOf(node), rows: [] } : { ...node, filter };
    }
    case 'filter':
      return pushInto(node.source, conjunction([node.predicate, predicate], context), context);
    case 'unnest':
      return pushParts(node, columnsOf(node.source), predicate, context);
    case 'project':
      return pushParts(node, node.exprs, predicate, context);
    case 'sort':
      return node.limit === null ? withSource(node, pushInto(node.source, predicate, context)) : keep();
    case 'aggregate':
      // Without keys there is a row even over nothing, so a filter must stay above.
      return node.keys.length === 0 ? keep() : pushParts(node, node.keys, predicate, context);
    default:
      return keep();
  }
}

/** Conjuncts that use only the node's first outputs, which are `columns` over its source, go below it; the others stay. */
function pushParts(
  node: Extract<Node, { kind: 'project' | 'unnest' | 'aggregate' }>,
  columns: readonly Expr[],
  predicate: Expr,
  context: FunctionContext,
): Node {
  const parts = conjunctsOf(predicate);
  const sinks = parts.map(part => lastColumn(part) < columns.length && isInlinable([part], columns, repeatedSizeMax));
  const below = parts.filter((_, index) => sinks[index]).map(part => inlineColumns(part, columns));
  const above = parts.filter((_, index) => !sinks[index]);
  const pushed = below.length === 0 ? node.source : pushInto(node.source, conjunction(below, context), context);
  const over = withSource(node, pushed);
  return above.length === 0 ? over : { kind: 'filter', source: over, predicate: conjunction(above, context) };
}

const columnsOf = (node: Node): Expr[] => typesOf(node).map((type, index) => ({ kind: 'column', type, index }));

/** Greatest column index that an expression uses; -1 for none. */
function lastColumn(expr: Expr): number {
  const used = new Set<number>();
  addColumnsUsed(expr, used);
  return Math.max(-1, ...used);
}

/** Projections that only rename, or are used once, disappear into what is above them. */
export function mergeProjects(node: Node): Node {
  if (!('source' in node)) return node;
  const merged = withSource(node, mergeProjects(node.source));
  const below = merged.source;
  if (below.kind !== 'project') return merged;
  const inline = (expr: Expr): Expr => inlineColumns(expr, below.exprs);
  switch (merged.kind) {
    case 'project':
      if (!isInlinable(merged.exprs, below.exprs)) return merged;
      return { ...merged, source: below.source, exprs: merged.exprs.map(inline) };
    case 'unnest':
      // Its source's columns are its own as well: nothing disappears.
      return merged;
    case 'aggregate': {
      const uses = [...merged.keys, ...merged.calls.flatMap(aggregateExprs)];
      if (!isInlinable(uses, below.exprs)) return merged;
      const calls = merged.calls.map(call => mapAggregate(call, inline));
      return { ...merged, source: below.source, keys: merged.keys.map(inline), calls };
    }
    default:
      return merged;
  }
}
