/**
 * Putting the expressions of a projection where its columns are used. Unchecked, `x + x` over `x + x` over … doubles with
 * every level, so nothing is inlined that would be computed more often than before (but for a little), or nest too deep.
 */
import type { Expr } from '../../plan/expr.ts';
import { addColumnsUsed, childrenOf, replaceColumns } from '../../plan/visit.ts';
import { treeDepthMax } from '../limits.ts';

/** Nodes up to which a condition may repeat what it is over: to drop rows early is worth computing a little twice. */
export const repeatedSizeMax = 100;

interface Measure {
  /** Nodes. */
  readonly size: number;
  readonly depth: number;
}

/** Of an expression with its columns replaced; `columns` null: as it is. */
function measure(expr: Expr, columns: readonly Measure[] | null): Measure {
  if (expr.kind === 'column') return columns?.[expr.index] ?? { size: 1, depth: 1 };
  let size = 1;
  let depth = 0;
  for (const child of childrenOf(expr)) {
    const inner = measure(child, columns);
    size += inner.size;
    depth = Math.max(depth, inner.depth);
  }
  return { size, depth: depth + 1 };
}

export const inlineColumns = (expr: Expr, columns: readonly Expr[]): Expr =>
  replaceColumns(expr, index => columns[index]!);

/** May `outer` have `columns` in place of its column references? `allowance`: nodes up to which repetition does not matter. */
export function isInlinable(outer: readonly Expr[], columns: readonly Expr[], allowance = 0): boolean {
  const measures = columns.map(column => measure(column, null));
  const used = new Set<number>();
  for (const expr of outer) addColumnsUsed(expr, used);
  let onceSize = [...used].reduce((sum, index) => sum + (measures[index]?.size ?? 0), 0);
  let size = 0;
  for (const expr of outer) {
    const inlined = measure(expr, measures);
    if (inlined.depth > treeDepthMax) return false;
    size += inlined.size;
    onceSize += measure(expr, null).size;
  }
  return size <= Math.max(allowance, onceSize);
}
