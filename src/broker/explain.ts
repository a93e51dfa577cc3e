/** EXPLAIN: the plan's lines, and under each scan what this snapshot's pruning and indexes make of it. */
import type { IndexKind, TableDefinition } from '../catalog/table.ts';
import { typeText } from '../column/type.ts';
import { bytesTestOf, conjunctsOf, rangeTestOf, valueTestOf } from '../exec/conjuncts.ts';
import type { BlockPredicate } from '../exec/filter.ts';
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

/** How each conjunct is answered in committed segments; consuming rows are scanned. */
function describeFilter(predicate: BlockPredicate, definition: TableDefinition): string[] {
  const has = (columnId: number, kind: IndexKind): boolean =>
    definition.indexes.some(index => index.columnId === columnId && index.kind === kind);
  const nameOf = (id: number): string => definition.columns.find(column => column.id === id)?.name ?? `column ${id}`;
  return conjunctsOf(predicate).flatMap(conjunct => {
    const valueTest = valueTestOf(conjunct);
    const bloom = valueTest !== null && has(valueTest.column.id, 'bloom') ? 'bloom filter, then ' : '';
    const means = meansOf(conjunct, has, definition, nameOf);
    return means === null ? [] : [`by ${bloom}${means}`];
  });
}

/** null: a constant. */
function meansOf(
  conjunct: BlockPredicate,
  has: (columnId: number, kind: IndexKind) => boolean,
  { timeColumnId }: TableDefinition,
  nameOf: (columnId: number) => string,
): string | null {
  const bytesTest = bytesTestOf(conjunct);
  if (bytesTest && has(bytesTest.column.id, 'inverted')) return `inverted index on ${nameOf(bytesTest.column.id)}`;
  const rangeTest = rangeTestOf(conjunct);
  if (rangeTest) {
    const { column, ranges } = rangeTest;
    const name = `${nameOf(column.id)} (${typeText(column.type)})`;
    if (column.id === timeColumnId && ranges.length === 1) return `zone maps, then sorted search of ${name}`;
    if (has(column.id, 'range'))
      return `zone maps, then the range index on ${name}, or a scan where the column is in memory`;
  }
  switch (conjunct.kind) {
    case 'range':
      return `zone maps, then a scan of ${nameOf(conjunct.column.id)} (${typeText(conjunct.column.type)})`;
    case 'entries':
      return `dictionary test, then a scan of ${nameOf(conjunct.column.id)}`;
    case 'null':
      return `zone maps, then the null index of ${nameOf(conjunct.column.id)}`;
    case 'general':
      return 'evaluation, row by row';
    case 'or':
    case 'and':
      return 'zone maps, then any of several tests';
    default:
      return null;
  }
}
