/**
 * Cuts a plan at its exchanges. What can run beside the data, on each shard's blocks alone, becomes the leaf fragment; the
 * root merges: `partial` aggregates with `final` ones, top-n with top-n, limit with limit.
 */
import type { Expr } from '../../plan/expr.ts';
import type { Node } from '../../plan/node.ts';
import { typesOf, withSource } from '../../plan/shape.ts';
import { sameExpr } from '../../plan/visit.ts';

/** Fragment 0 is the root. */
export function cutFragments(node: Node): readonly Node[] {
  const leaves: Node[] = [];
  const gather = (leaf: Node): Node => {
    leaves.push(leaf);
    return { kind: 'exchange', mode: 'gather', fragment: leaves.length, types: typesOf(leaf) };
  };
  const placed = place(node, gather);
  return [placed.atLeaf ? gather(placed.node) : placed.node, ...leaves];
}

interface Placed {
  readonly node: Node;
  /** Every shard can run it over its own blocks, and the union of what they give is the answer. */
  readonly atLeaf: boolean;
}

function place(node: Node, gather: (leaf: Node) => Node): Placed {
  const atRoot = (placed: Node): Placed => ({ node: placed, atLeaf: false });
  if (node.kind === 'scan') return { node, atLeaf: true };
  if (!('source' in node)) return atRoot(node);
  const spread = node.kind === 'project' ? (projectBelowSort(node) ?? node) : node;
  const { node: source, atLeaf } = place(spread.source, gather);
  switch (spread.kind) {
    case 'filter':
    case 'unnest':
    case 'project':
      return { node: withSource(spread, source), atLeaf };
    case 'aggregate':
      if (!atLeaf) return atRoot(withSource(spread, source));
      return atRoot({ ...spread, mode: 'final', source: gather({ ...spread, mode: 'partial', source }) });
    case 'sort':
      if (!atLeaf) return atRoot(withSource(spread, source));
      return atRoot(withSource(spread, gather(spread.limit === null ? source : withSource(spread, source))));
    case 'limit': {
      if (!atLeaf) return atRoot(withSource(spread, source));
      const { offset, count } = spread;
      const leaf: Node = count === null ? source : { kind: 'limit', source, offset: 0, count: offset + count };
      return atRoot(withSource(spread, gather(leaf)));
    }
  }
}

/**
 * A sort without a limit gives all its rows, so shards had better compute the projection; keys that it lacks travel as
 * hidden columns and are dropped at the end. (Below a top-n the projection is rightly computed for n rows only.)
 */
function projectBelowSort(node: Extract<Node, { kind: 'project' }>): Extract<Node, { kind: 'project' }> | null {
  const sort = node.source;
  if (sort.kind !== 'sort' || sort.limit !== null || !runsAtLeaf(sort.source)) return null;
  const exprs = [...node.exprs];
  const keys = sort.keys.map(key => {
    let index = exprs.findIndex(expr => sameExpr(expr, key.expr));
    if (index === -1) index = exprs.push(key.expr) - 1;
    return { ...key, expr: { kind: 'column', type: key.expr.type, index } satisfies Expr };
  });
  const below: Node = { kind: 'project', source: sort.source, exprs };
  const outputs = node.exprs.map((expr, index): Expr => ({ kind: 'column', type: expr.type, index }));
  return { kind: 'project', source: { ...sort, source: below, keys }, exprs: outputs };
}

const runsAtLeaf = (node: Node): boolean => node.kind === 'scan' || (isRowwise(node) && runsAtLeaf(node.source));

type RowwiseNode = Extract<Node, { kind: 'filter' | 'unnest' | 'project' }>;
const isRowwise = (node: Node): node is RowwiseNode =>
  node.kind === 'filter' || node.kind === 'unnest' || node.kind === 'project';

/** Projections that change nothing are left out, in every fragment. */
export function dropIdentities(node: Node): Node {
  if (!('source' in node)) return node;
  const source = dropIdentities(node.source);
  if (node.kind !== 'project') return withSource(node, source);
  const isIdentity =
    node.exprs.length === typesOf(source).length &&
    node.exprs.every((expr, index) => expr.kind === 'column' && expr.index === index);
  return isIdentity ? source : withSource(node, source);
}
