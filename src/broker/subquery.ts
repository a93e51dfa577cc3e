/** Puts the values of scalar subqueries where the plan names them. */
import { unreachable } from '../base/assert.ts';
import type { Value } from '../column/type.ts';
import type { Expr } from '../plan/expr.ts';
import type { Node } from '../plan/node.ts';
import { mapAggregate, mapChildren } from '../plan/visit.ts';

const fill = (expr: Expr, values: readonly Value[]): Expr =>
  expr.kind === 'subquery'
    ? { kind: 'literal', type: expr.type, value: values[expr.index]! }
    : mapChildren(expr, child => fill(child, values));

export function fillSubqueries(node: Node, values: readonly Value[]): Node {
  if (values.length === 0) return node;
  const one = (expr: Expr): Expr => fill(expr, values);
  const below = (source: Node): Node => fillSubqueries(source, values);
  switch (node.kind) {
    case 'scan':
      return { ...node, filter: node.filter && one(node.filter) };
    case 'inline':
    case 'exchange':
      return node;
    case 'values':
      return { ...node, rows: node.rows.map(row => row.map(one)) };
    case 'filter':
      return { ...node, source: below(node.source), predicate: one(node.predicate) };
    case 'project':
      return { ...node, source: below(node.source), exprs: node.exprs.map(one) };
    case 'aggregate':
      return {
        ...node,
        source: below(node.source),
        keys: node.keys.map(one),
        calls: node.calls.map(call => mapAggregate(call, one)),
      };
    case 'sort':
      return { ...node, source: below(node.source), keys: node.keys.map(key => ({ ...key, expr: one(key.expr) })) };
    case 'limit':
      return { ...node, source: below(node.source) };
    default:
      return unreachable(node);
  }
}
