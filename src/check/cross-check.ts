/** What the metadata's documents say of each other: none of it can be seen in one row alone. */
import { offsetsOf } from '../catalog/accounts.ts';
import { parseSegmentId } from '../catalog/segment-id.ts';
import { loadPartition, type SegmentEntry } from '../catalog/table.ts';
import type { MetaAudit, MetaState } from '../meta/store.ts';

/** One line for each contradiction. */
export function crossCheck(state: MetaState, audit: readonly MetaAudit[]): readonly string[] {
  const tables = new Map(state.tables.map(table => [table.definition.id, table]));
  const found: string[] = [];
  const byPartition = new Map<string, SegmentEntry[]>();
  for (const segment of state.segments) {
    const { id, tableId, partition, startOffset, endOffset } = segment;
    const parts = parseSegmentId(id);
    if (!parts || parts.tableId !== tableId || parts.partition !== partition || parts.startOffset !== startOffset)
      found.push(`segment ${id} is said to be of table ${tableId}, partition ${partition}, from offset ${startOffset}`);
    const table = tables.get(tableId);
    if (!table) found.push(`segment ${id} is of table ${tableId}, which is not there`);
    // Loads number their own rows.
    if (!table || partition === loadPartition) continue;
    const own = table.partitions[partition];
    if (!own) found.push(`segment ${id} is of partition ${partition}; the table has ${table.partitions.length}`);
    else if ((segment.streamId ?? null) === own.streamId && endOffset > own.committedEnd)
      found.push(`segment ${id} ends at offset ${endOffset}, beyond the committed end ${own.committedEnd}`);
    const key = `${tableId} ${partition} ${segment.streamId ?? ''}`;
    byPartition.set(key, [...(byPartition.get(key) ?? []), segment]);
  }
  for (const segments of byPartition.values()) found.push(...overlaps(segments));
  for (const { kind, tableId, partition, segmentId, startOffset, endOffset, accounts } of audit) {
    const span = Math.max(0, endOffset - startOffset);
    if (offsetsOf(accounts) !== span)
      found.push(
        `the audit of table ${tableId}, partition ${partition}, has ${offsetsOf(accounts)} offsets accounted for of ` +
          `${span} (${kind} ${segmentId ?? ''}, ${startOffset} to ${endOffset})`,
      );
  }
  return found;
}

/** Gaps are of retention, seeks and segments given up; an offset that is in two segments would be counted twice. */
function overlaps(segments: readonly SegmentEntry[]): string[] {
  const sorted = segments.toSorted((left, right) => left.startOffset - right.startOffset);
  return sorted.flatMap((segment, index) => {
    const before = sorted[index - 1];
    if (!before || before.endOffset <= segment.startOffset) return [];
    return [
      `segments ${before.id} and ${segment.id} have the offsets ${segment.startOffset} to ${before.endOffset} twice`,
    ];
  });
}
