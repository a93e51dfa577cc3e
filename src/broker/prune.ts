/** Segments that cannot hold a row of a query, by the zone maps that the metadata keeps of them. */
import { storedTypeOf, widenZone } from '../catalog/column.ts';
import type { SegmentEntry, TableDefinition, ZoneMap } from '../catalog/table.ts';
import type { Type } from '../column/type.ts';
import { type BlockPredicate, compileFilter } from '../exec/filter.ts';
import { judge } from '../exec/judge.ts';
import { scanColumnsOf } from '../exec/scan-columns.ts';
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
): BlockPredicate | null => scan.filter && compileFilter(scan.filter, scanColumnsOf(scan, definition), context);

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
  const columns = new Map(definition.columns.map(column => [column.id, column]));
  const zoneIn =
    ({ zones, tableVersion }: SegmentEntry) =>
    ({ id, type }: { readonly id: number; readonly type: Type }): ZoneMap | null => {
      const zone = zones[id];
      const column = columns.get(id);
      return zone && column ? widenZone(zone, storedTypeOf(column, tableVersion), type) : (zone ?? null);
    };
  return filled.filter(entry =>
    predicates.some(predicate => judge(predicate!, zoneIn(entry), entry.rowCount) !== 'none'),
  );
}
