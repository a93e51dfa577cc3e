/** Values of scalar subqueries, put where they are used before the plan around them runs. */
import type { Value } from '../../column/type.ts';
import type { FunctionContext } from '../../function/scalar.ts';
import type { Expr } from '../../plan/expr.ts';
import type { Node, QueryPlan } from '../../plan/node.ts';
import { withSource } from '../../plan/shape.ts';
import { mapAggregate, mapChildren } from '../../plan/visit.ts';
import { isLiteral } from '../fold.ts';
import { simplify, simplifyFilter } from './simplify.ts';

/**
 * The plan with `values[i]` in place of subplan i, folded again, so that scans prune by them. Its own subplans are gone.
 * @param values One for each of `plan.subplans`, of its only column's type; null where it gave no row.
 */
export function resolveSubplans(plan: QueryPlan, values: readonly Value[], context: FunctionContext): QueryPlan {
  if (plan.subplans.length === 0) return plan;
  const replace = (expr: Expr): Expr =>
    expr.kind === 'subquery'
      ? { kind: 'literal', type: expr.type, value: values[expr.index]! }
      : mapChildren(expr, replace);
  const resolve = (expr: Expr): Expr => simplify(replace(expr), context);
  const resolveFilter = (expr: Expr): Expr => simplifyFilter(replace(expr), context);
  return { ...plan, fragments: plan.fragments.map(node => mapNode(node, resolve, resolveFilter)), subplans: [] };
}

function mapNode(node: Node, change: (expr: Expr) => Expr, changeFilter: (expr: Expr) => Expr): Node {
  const below = 'source' in node ? withSource(node, mapNode(node.source, change, changeFilter)) : node;
  switch (below.kind) {
    case 'scan': {
      const filter = below.filter === null ? null : changeFilter(below.filter);
      return { ...below, filter: filter !== null && isLiteral(filter) && filter.value === true ? null : filter };
    }
    case 'values':
      return { ...below, rows: below.rows.map(row => row.map(change)) };
    case 'filter':
      return { ...below, predicate: changeFilter(below.predicate) };
    case 'unnest':
      return { ...below, expr: change(below.expr) };
    case 'project':
      return { ...below, exprs: below.exprs.map(change) };
    case 'aggregate':
      return { ...below, keys: below.keys.map(change), calls: below.calls.map(call => mapAggregate(call, change)) };
    case 'sort':
      return { ...below, keys: below.keys.map(key => ({ ...key, expr: change(key.expr) })) };
    default:
      return below;
  }
}
