/** Segments that cannot hold a row of a query, by the zone maps that the metadata keeps of them. */
import type { SegmentEntry, TableDefinition } from '../catalog/table.ts';
import { type BlockPredicate, compileFilter } from '../exec/filter.ts';
import { judge } from '../exec/judge.ts';
import type { FunctionContext } from '../function/scalar.ts';
import type { Node } from '../plan/node.ts';

type Scan = Extract<Node, { kind: 'scan' }>;

/** Every scan of a plan, in the order of its fragments. */
export function scansOf(fragments: readonly Node[]): Scan[] {
  const scans: Scan[] = [];
  const visit = (node: Node): void => {
    if (node.kind === 'scan') scans.push(node);
    if ('source' in node) visit(node.source);
  };
  for (const fragment of fragments) visit(fragment);
  return scans;
}

/** A scan's filter over its table's columns; null without one. */
export const compileScanFilter = (
  scan: Scan,
  definition: TableDefinition,
  context: FunctionContext,
): BlockPredicate | null =>
  scan.filter &&
  compileFilter(
    scan.filter,
    scan.columns.map(({ id, type }) => ({
      id,
      type,
      defaultValue: definition.columns.find(column => column.id === id)?.defaultValue ?? null,
    })),
    context,
  );

/** Segments that some scan of the table may find rows in. */
export function pruneSegments(
  scans: readonly Scan[],
  definition: TableDefinition,
  segments: readonly SegmentEntry[],
  context: FunctionContext,
): SegmentEntry[] {
  const predicates = scans.map(scan => compileScanFilter(scan, definition, context));
  // A segment may be empty: all of its offsets were filtered, rejected, or markers.
  const filled = segments.filter(({ rowCount }) => rowCount > 0);
  if (predicates.includes(null)) return filled;
  return filled.filter(({ zones, rowCount }) =>
    predicates.some(predicate => judge(predicate!, id => zones[id] ?? null, rowCount) !== 'none'),
  );
}
