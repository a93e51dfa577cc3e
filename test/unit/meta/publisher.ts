/** Publishes one-row segments until it is killed; reports each committed end once it is acknowledged. */
import { defineTable } from '../../../src/catalog/validate.ts';
import { INT } from '../../../src/column/type.ts';
import { openSqliteMeta } from '../../../src/meta/sqlite.ts';

const meta = await openSqliteMeta(process.argv[2]!);
const definition = defineTable(
  { name: 't', columns: [{ name: 'a', type: INT, nullable: true }], timeColumn: null, indexes: [], settings: {} },
  { id: 'aaaaaaaaaaaa', createdAtMs: 0 },
);
if ((await meta.load()).tables.length === 0) await meta.createTable(definition);
for (let offset = (await meta.load()).tables[0]!.partitions[0]!.committedEnd; ; offset++) {
  await meta.publish({
    id: `${definition.id}-0-${offset}-${process.pid}`,
    tableId: definition.id,
    partition: 0,
    startOffset: offset,
    endOffset: offset + 1,
    rowCount: 1,
    sizeBytes: 0,
    generation: 1,
    tableVersion: 1,
    minTimeMs: null,
    maxTimeMs: null,
    zones: {},
    createdAtMs: 0,
  });
  process.send!(offset + 1);
}
