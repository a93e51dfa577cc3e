/** EXPLAIN: the plan's lines, and under each scan what this snapshot's pruning and indexes make of it. */
import type { TableDefinition } from '../catalog/table.ts';
import { typeText } from '../column/type.ts';
import { type BlockPredicate, splitByIndex } from '../exec/filter.ts';
import type { FunctionContext } from '../function/scalar.ts';
import { explainPlan } from '../plan/explain.ts';
import type { QueryPlan } from '../plan/node.ts';
import { compileScanFilter, pruneSegments } from './prune.ts';
import type { Snapshot } from './snapshot.ts';

export function explainWithPruning(plan: QueryPlan, snapshot: Snapshot, context: FunctionContext): string[] {
  return explainPlan(plan, scan => {
    const table = snapshot.tables.find(({ definition }) => definition.id === scan.tableId);
    if (!table) return [];
    const { definition, segments, ranges } = table;
    const kept = pruneSegments([scan], definition, segments, context);
    const consuming = ranges.reduce((sum, range) => sum + range.endOffset - range.startOffset, 0);
    const lines = [
      `segments: ${kept.length} of ${segments.length} (${segments.length - kept.length} pruned by zone maps), consuming rows: ${consuming}`,
    ];
    const predicate = compileScanFilter(scan, definition, context);
    if (predicate) lines.push(...describeFilter(predicate, definition));
    return lines;
  });
}

/** How each conjunct will be answered, cheapest first. */
function describeFilter(predicate: BlockPredicate, definition: TableDefinition): string[] {
  const inverted = (columnId: number): boolean =>
    definition.indexes.some(index => index.columnId === columnId && index.kind === 'inverted');
  const { indexed, rest } = splitByIndex(predicate, inverted);
  const nameOf = (id: number): string => definition.columns.find(column => column.id === id)?.name ?? `column ${id}`;
  const lines = indexed.map(({ column }) => `inverted index on ${nameOf(column.id)}`);
  const conjuncts = rest === null ? [] : rest.kind === 'and' ? rest.args : [rest];
  for (const conjunct of conjuncts) {
    if (conjunct.kind === 'range')
      lines.push(`zone maps, then a scan of ${nameOf(conjunct.column.id)} (${typeText(conjunct.column.type)})`);
    else if (conjunct.kind === 'entries') lines.push(`dictionary test, then a scan of ${nameOf(conjunct.column.id)}`);
    else if (conjunct.kind === 'null') lines.push(`null bitmap of ${nameOf(conjunct.column.id)}`);
    else if (conjunct.kind === 'general') lines.push('evaluation, row by row');
    else if (conjunct.kind === 'or') lines.push('zone maps, then any of several tests');
  }
  return lines.map(line => `by ${line}`);
}
