/** LIMIT makes sorts top-n and scans short. */
import type { Node } from '../../plan/node.ts';
import { typesOf, withSource } from '../../plan/shape.ts';

export function pushLimits(node: Node): Node {
  if (!('source' in node)) return node;
  const source = pushLimits(node.source);
  switch (node.kind) {
    case 'limit':
      return limitOver(source, node.offset, node.count);
    case 'aggregate':
    case 'sort':
      // The order below is lost anyway.
      return withSource(node, source.kind === 'sort' && source.limit === null ? source.source : source);
    default:
      return withSource(node, source);
  }
}

function limitOver(source: Node, offset: number, count: number | null): Node {
  const end = count === null ? null : offset + count;
  const limited: Node = { kind: 'limit', source, offset, count };
  if (end === null) return limited;
  if (count === 0) return { kind: 'values', types: typesOf(source), rows: [] };
  switch (source.kind) {
    case 'project':
      return withSource(source, limitOver(source.source, offset, count));
    case 'sort':
      return { ...limited, source: { ...source, limit: end } };
    case 'scan':
      return { ...limited, source: { ...source, limit: end } };
    default:
      return limited;
  }
}
