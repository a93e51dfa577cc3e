/** Data folders with many committed segments, made without pushing a row. */

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { nodeDisk } from '../../src/base/node-disk.ts';
import { folders } from '../../src/boot/folders.ts';
import { formatSegmentId } from '../../src/catalog/segment-id.ts';
import type { TableDefinitionRequest } from '../../src/catalog/table.ts';
import { defineTable } from '../../src/catalog/validate.ts';
import { batchOf } from '../../src/column/builder.ts';
import type { Value } from '../../src/column/type.ts';
import { openSqliteMeta } from '../../src/meta/sqlite.ts';
import { buildSegment } from '../../src/segment/builder.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { withRowColumns } from './row-columns.ts';

/**
 * A table of `segmentCount` segments, published in one data folder that no process uses. Files are written without syncs:
 * a test that cuts the power makes its segments another way.
 * @param rowsOf A segment's rows, each with a value for every column of the definition.
 * @returns The table's id.
 */
export async function makeSegments(
  dataFolder: string,
  request: TableDefinitionRequest,
  segmentCount: number,
  rowsOf: (segment: number) => readonly (readonly Value[])[],
  createdAtMs: number,
): Promise<string> {
  const paths = folders(dataFolder);
  await nodeDisk.makeFolder(dataFolder);
  const meta = await openSqliteMeta(paths.meta);
  try {
    const definition = defineTable(request, { id: 'abcdef012345', createdAtMs });
    await meta.createTable(definition);
    const types = definition.columns.map(column => column.type);
    const ids = definition.columns.map(column => column.id);
    let startOffset = 0;
    for (let segment = 0; segment < segmentCount; segment++) {
      const rows = rowsOf(segment);
      const start = startOffset;
      startOffset += rows.length;
      const batch = batchOf(types, rows);
      const attempt = segment.toString(16).padStart(12, '0');
      const store = new MemoryStore();
      const entry = await buildSegment(
        {
          definition,
          segmentId: formatSegmentId({ tableId: definition.id, partition: 0, startOffset: start, attempt }),
          partition: 0,
          startOffset: start,
          endOffset: startOffset,
          rowCount: rows.length,
          column: withRowColumns(start, rows.length, id => batch.columns[ids.indexOf(id)]!),
        },
        store,
        { createdAtMs },
      );
      for (const [key, bytes] of store.objects) {
        const path = `${paths.store}/${key}`;
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, bytes);
      }
      await meta.publish(entry);
    }
    return definition.id;
  } finally {
    await meta.close();
  }
}
