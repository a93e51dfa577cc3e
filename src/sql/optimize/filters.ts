/** Filters sink to where they save most: through projections, subqueries and grouping keys, into scans. */
import { BOOLEAN } from '../../column/type.ts';
import type { FunctionContext } from '../../function/scalar.ts';
import type { Expr } from '../../plan/expr.ts';
import type { Node } from '../../plan/node.ts';
import { typesOf, withSource } from '../../plan/shape.ts';
import { addColumnsUsed, mapAggregate, replaceColumns, someExpr } from '../../plan/visit.ts';
import { isFalse, isTrue } from '../fold.ts';
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

function conjunction(parts: readonly Expr[], context: FunctionContext): Expr {
  return parts.length === 1 ? parts[0]! : simplifyFilter({ kind: 'and', type: BOOLEAN, args: parts }, context);
}

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
    case 'project': {
      const below = replaceColumns(predicate, index => node.exprs[index]!);
      return withSource(node, pushInto(node.source, simplifyFilter(below, context), context));
    }
    case 'sort':
      return node.limit === null ? withSource(node, pushInto(node.source, predicate, context)) : keep();
    case 'aggregate': {
      // Without keys there is a row even over nothing, so a filter must stay above.
      if (node.keys.length === 0) return keep();
      const parts = conjunctsOf(predicate);
      const isOfKeys = (part: Expr): boolean => lastColumn(part) < node.keys.length;
      const below = parts.filter(isOfKeys).map(part => replaceColumns(part, index => node.keys[index]!));
      const above = parts.filter(part => !isOfKeys(part));
      const source =
        below.length === 0
          ? node.source
          : pushInto(node.source, simplifyFilter({ kind: 'and', type: BOOLEAN, args: below }, context), context);
      const grouped = withSource(node, source);
      return above.length === 0 ? grouped : { kind: 'filter', source: grouped, predicate: conjunction(above, context) };
    }
    default:
      return keep();
  }
}

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
  const inline = (expr: Expr): Expr => replaceColumns(expr, index => below.exprs[index]!);
  switch (merged.kind) {
    case 'project':
      if (!isInlinable(below.exprs, merged.exprs)) return merged;
      return { ...merged, source: below.source, exprs: merged.exprs.map(inline) };
    case 'aggregate': {
      const uses = [
        ...merged.keys,
        ...merged.calls.flatMap(call => [...call.args, ...(call.filter ? [call.filter] : [])]),
      ];
      if (!isInlinable(below.exprs, uses)) return merged;
      const calls = merged.calls.map(call => mapAggregate(call, inline));
      return { ...merged, source: below.source, keys: merged.keys.map(inline), calls };
    }
    default:
      return merged;
  }
}

/** Nothing that costs would be computed more often than before. */
function isInlinable(inner: readonly Expr[], outer: readonly Expr[]): boolean {
  const counts = new Map<number, number>();
  const count = (expr: Expr): void => {
    someExpr(expr, part => {
      if (part.kind === 'column') counts.set(part.index, (counts.get(part.index) ?? 0) + 1);
      return false;
    });
  };
  outer.forEach(count);
  return inner.every((expr, index) => isCheap(expr) || (counts.get(index) ?? 0) <= 1);
}

const isCheap = (expr: Expr): boolean => expr.kind === 'column' || expr.kind === 'literal';
