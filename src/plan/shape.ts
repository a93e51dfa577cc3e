/** What a node gives: types and, as far as they are known, names of its columns. */
import { unreachable } from '../base/assert.ts';
import type { Type } from '../column/type.ts';
import type { Node } from './node.ts';

/**
 * Types of a node's output columns. Over a `partial` aggregate these are the keys' types and then the *results'* types of
 * its calls: how a state is laid out is the engine's business.
 */
export function typesOf(node: Node): readonly Type[] {
  switch (node.kind) {
    case 'scan':
    case 'inline':
      return node.columns.map(column => column.type);
    case 'values':
    case 'exchange':
      return node.types;
    case 'project':
      return node.exprs.map(expr => expr.type);
    case 'aggregate':
      return [...node.keys.map(key => key.type), ...node.calls.map(call => call.type)];
    case 'unnest':
      return [...typesOf(node.source), node.type];
    case 'filter':
    case 'sort':
    case 'limit':
      return typesOf(node.source);
    default:
      return unreachable(node);
  }
}

/** The node below, or null for a leaf. */
export const sourceOf = (node: Node): Node | null => ('source' in node ? node.source : null);

export const withSource = <N extends Extract<Node, { source: Node }>>(node: N, source: Node): N => ({
  ...node,
  source,
});
