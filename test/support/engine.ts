/** Rows as execution sees them, in every placement: committed segments (built and read for real) and consuming rows. */

import type { RowMask } from '../../src/catalog/replacement.ts';
import type { TableDefinition } from '../../src/catalog/table.ts';
import { batchOf } from '../../src/column/builder.ts';
import type { Batch } from '../../src/column/column.ts';
import type { Value } from '../../src/column/type.ts';
import { rowsOf } from '../../src/column/value.ts';
import type { ExecContext, ExecStats, ScanUnit } from '../../src/exec/context.ts';
import { runFragment } from '../../src/exec/run.ts';
import { Arena } from '../../src/kernel/allocator.ts';
import type { Node } from '../../src/plan/node.ts';
import { type Block, blockRows } from '../../src/segment/block.ts';
import { buildSegment } from '../../src/segment/builder.ts';
import { SegmentCache } from '../../src/segment/cache.ts';
import { ConsumingPartition } from '../../src/segment/consuming-partition.ts';
import { OpenFiles } from '../../src/segment/files.ts';
import { openSegment } from '../../src/segment/reader.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { withRowColumns } from './row-columns.ts';

export type Rows = readonly (readonly Value[])[];

/** A block whose columns are never at hand, so that an index that can answer does. */
const farAway = (block: Block): Block => ({
  segment: block.segment,
  index: block.index,
  rowCount: block.rowCount,
  zone: id => block.zone(id),
  load: ids => block.load(ids),
  column: id => block.column(id),
  readSizeBytes: () => Number.POSITIVE_INFINITY,
});

/**
 * One shard's worth of a table: `committed` lists become a segment each, `consuming` stays in the arena. Rows are of
 * ascending offsets, in this order.
 * @param byIndex Every index that can answer does, whatever it costs.
 * @param masks Every unit's.
 */
export async function openEngine(
  definition: TableDefinition,
  committed: readonly Rows[],
  consuming: Rows,
  { arenaBytes = 8 << 20, byIndex = false, masks = [] as readonly RowMask[] } = {},
) {
  const arena = new Arena(arenaBytes);
  const cache = new SegmentCache(arena);
  const store = new MemoryStore();
  const files = new OpenFiles(store);
  const types = definition.columns.map(column => column.type);
  const ids = definition.columns.map(column => column.id);
  const units: ScanUnit[] = [];
  let offset = 0;
  for (const [number, rows] of committed.entries()) {
    const batch = batchOf(types, rows);
    const start = offset;
    offset += rows.length;
    const entry = await buildSegment(
      {
        definition,
        segmentId: `${definition.id}-0-${start}-${number.toString(16).padStart(8, '0')}`,
        partition: 0,
        startOffset: start,
        endOffset: offset,
        rowCount: rows.length,
        column: withRowColumns(start, rows.length, id => batch.columns[ids.indexOf(id)]!),
      },
      store,
      { createdAtMs: 0 },
    );
    const opened = openSegment(entry, files, cache);
    units.push({
      id: entry.id,
      masks,
      async open() {
        const segment = await opened;
        const blocks: readonly Block[] = byIndex ? segment.blocks.map(farAway) : segment.blocks;
        return { segment, ranges: blocks.map(block => ({ block, startRow: 0, endRow: block.rowCount })) };
      },
    });
  }
  if (consuming.length > 0) {
    const partition = new ConsumingPartition(arena, definition, 0, offset);
    partition.append(ids, batchOf(types, consuming), {
      startOffset: offset,
      endOffset: offset + consuming.length,
      ingestedAtMs: 0,
    });
    units.push({
      id: `consuming-${definition.id}-0`,
      masks,
      open: async () => {
        const ranges = partition.rangesFor(offset, offset + consuming.length);
        return { segment: ranges[0]!.block.segment, ranges };
      },
    });
  }
  const caches = new WeakMap<object, unknown>();

  async function run(fragments: readonly Node[]): Promise<{ rows: Value[][]; stats: ExecStats }> {
    const stats: ExecStats = {
      rowsScanned: 0,
      rowsMatched: 0,
      blocksScanned: 0,
      blocksPruned: 0,
      unitsScanned: [],
      unitsAnswered: [],
      filters: {},
    };
    const context: ExecContext = {
      arena,
      sources: new Map([[definition.id, { definition, units }]]),
      inline: {},
      exchange: fragment => runFragment(fragments[fragment]!, context),
      nowMs: 0,
      timeZone: 'UTC',
      clock: { nowMs: () => 0, monotonicMs: () => 0, sleep: async () => {} },
      memory: { hold() {}, release() {}, peakBytes: 0 },
      allowPartial: false,
      yield: async () => {},
      stats,
      caches,
    };
    const batches: Batch[] = [];
    for await (const batch of runFragment(fragments[0]!, context)) batches.push(batch);
    return { rows: batches.flatMap(rowsOf), stats };
  }

  return { run, arena, cache, blockRows };
}
