/** Scans read only the columns that something uses. */
import type { Expr } from '../../plan/expr.ts';
import type { Node } from '../../plan/node.ts';
import { typesOf, withSource } from '../../plan/shape.ts';
import { addColumnsUsed, aggregateExprs, mapAggregate, replaceColumns } from '../../plan/visit.ts';

/** A node with fewer outputs: old output i is now `places.get(i)`. */
interface Pruned {
  readonly node: Node;
  readonly places: ReadonlyMap<number, number>;
}

export function pruneColumns(node: Node): Node {
  return exactly(node, [...typesOf(node).keys()]);
}

/** The node with exactly `wanted` as outputs, in that order. */
function exactly(node: Node, wanted: readonly number[]): Node {
  const pruned = prune(node, new Set(wanted));
  const indexes = wanted.map(index => pruned.places.get(index)!);
  const types = typesOf(pruned.node);
  if (indexes.length === types.length && indexes.every((place, index) => place === index)) return pruned.node;
  const exprs = indexes.map((index): Expr => ({ kind: 'column', type: types[index]!, index }));
  return { kind: 'project', source: pruned.node, exprs };
}

const usedBy = (exprs: Iterable<Expr>): Set<number> => {
  const used = new Set<number>();
  for (const expr of exprs) addColumnsUsed(expr, used);
  return used;
};
const moved = (expr: Expr, places: ReadonlyMap<number, number>): Expr =>
  replaceColumns(expr, (index, column) => ({ ...column, index: places.get(index)! }) as Expr);
const keepAll = (count: number): Map<number, number> =>
  new Map(Array.from({ length: count }, (_, index) => [index, index]));
const places = (kept: readonly number[]): Map<number, number> => new Map(kept.map((old, place) => [old, place]));
const ascending = (indexes: Iterable<number>): number[] => [...indexes].sort((a, b) => a - b);

function prune(node: Node, wanted: ReadonlySet<number>): Pruned {
  switch (node.kind) {
    case 'scan': {
      const kept = ascending(new Set([...wanted, ...usedBy(node.filter === null ? [] : [node.filter])]));
      const map = places(kept);
      const columns = kept.map(index => node.columns[index]!);
      return { node: { ...node, columns, filter: node.filter === null ? null : moved(node.filter, map) }, places: map };
    }
    case 'values': {
      const kept = ascending(wanted);
      const types = kept.map(index => node.types[index]!);
      const rows = node.rows.map(row => kept.map(index => row[index]!));
      return { node: { ...node, types, rows }, places: places(kept) };
    }
    case 'inline':
    case 'exchange':
      return { node, places: keepAll(typesOf(node).length) };
    case 'filter': {
      const source = prune(node.source, new Set([...wanted, ...usedBy([node.predicate])]));
      const predicate = moved(node.predicate, source.places);
      return { node: { ...node, source: source.node, predicate }, places: source.places };
    }
    case 'unnest': {
      const element = typesOf(node.source).length;
      const below = [...wanted].filter(index => index < element);
      const source = prune(node.source, new Set([...below, ...usedBy([node.expr])]));
      const map = new Map(source.places).set(element, typesOf(source.node).length);
      return { node: { ...node, source: source.node, expr: moved(node.expr, source.places) }, places: map };
    }
    case 'project': {
      const kept = ascending(wanted);
      const exprs = kept.map(index => node.exprs[index]!);
      const source = prune(node.source, usedBy(exprs));
      const shifted = exprs.map(expr => moved(expr, source.places));
      const isIdentity =
        shifted.length === typesOf(source.node).length &&
        shifted.every((expr, index) => expr.kind === 'column' && expr.index === index);
      return {
        node: isIdentity ? source.node : { ...node, source: source.node, exprs: shifted },
        places: places(kept),
      };
    }
    case 'aggregate': {
      // Keys decide the groups, wanted or not.
      const { keys } = node;
      const keptCalls = ascending(wanted).filter(index => index >= keys.length);
      const calls = keptCalls.map(index => node.calls[index - keys.length]!);
      const source = prune(node.source, usedBy([...keys, ...calls.flatMap(aggregateExprs)]));
      const move = (expr: Expr): Expr => moved(expr, source.places);
      const map = keepAll(keys.length);
      keptCalls.forEach((old, place) => void map.set(old, keys.length + place));
      const pruned = {
        ...node,
        source: source.node,
        keys: keys.map(move),
        calls: calls.map(call => mapAggregate(call, move)),
      };
      return { node: pruned, places: map };
    }
    case 'sort': {
      // What only a filter below needed is dropped before rows are kept and moved.
      const kept = ascending(new Set([...wanted, ...usedBy(node.keys.map(key => key.expr))]));
      const source = exactly(node.source, kept);
      const map = places(kept);
      const keys = node.keys.map(key => ({ ...key, expr: moved(key.expr, map) }));
      return { node: { ...node, source, keys }, places: map };
    }
    case 'limit': {
      if (node.source.kind === 'sort') {
        const source = prune(node.source, wanted);
        return { node: withSource(node, source.node), places: source.places };
      }
      const kept = ascending(wanted);
      return { node: withSource(node, exactly(node.source, kept)), places: places(kept) };
    }
  }
}
