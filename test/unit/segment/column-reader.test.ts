import fc from 'fast-check';
import { expect, test } from 'vitest';
import { valueAt } from '../../../src/column/value.ts';
import { blockRows } from '../../../src/segment/block.ts';
import { readStoredColumn } from '../../../src/segment/column-reader.ts';
import { OpenFiles } from '../../../src/segment/files.ts';
import { readManifest } from '../../../src/segment/reader.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import { buildTestSegment, everyType, everyTypeTable, expectedColumns, show } from './stored-fixtures.ts';

/** All columns as text, in the manifest's order. */
async function readBack(store: MemoryStore, rowCount: number): Promise<(string | null)[][]> {
  const entry = await buildTestSegment(store, everyType, rowCount, { definition: everyTypeTable });
  const files = new OpenFiles(store);
  const manifest = readManifest(entry, files);
  expect(readStoredColumn(manifest, 99, files)).toBeNull();
  return manifest.columns.map(({ id, type }) => {
    const column = readStoredColumn(manifest, id, files)!;
    expect([column.type, column.length]).toEqual([type, rowCount]);
    return Array.from({ length: rowCount }, (_, row) => show(valueAt(column, row)));
  });
}

test('every type comes back as it was built, in the order of time', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 700 }), async rowCount => {
      const columns = await readBack(new MemoryStore(), rowCount);
      expect(columns).toEqual(expectedColumns(everyType, rowCount, { byTime: true }));
    }),
    { numRuns: 15 },
  );
});

test('blocks follow one another', async () => {
  const rowCount = blockRows + 333;
  const columns = await readBack(new MemoryStore(), rowCount);
  expectedColumns(everyType, rowCount, { byTime: true }).forEach((expected, index) => {
    const differs = columns[index]!.findIndex((value, row) => value !== expected[row]);
    expect([index, differs, columns[index]!.length]).toEqual([index, -1, rowCount]);
  });
}, 60_000);

test('a flipped byte is CORRUPT_SEGMENT, or padding', async () => {
  const store = new MemoryStore();
  const expected = await readBack(store, 200);
  const entry = await buildTestSegment(new MemoryStore(), everyType, 200, { definition: everyTypeTable });
  const key = `${entry.tableId}/${entry.id}/columns.arrow`;
  const bytes = store.objects.get(key)!;
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      bytes[at]! ^= flip;
      try {
        const files = new OpenFiles(store);
        const manifest = readManifest(entry, files);
        for (const [index, { id }] of manifest.columns.entries()) {
          const column = readStoredColumn(manifest, id, files)!;
          expect(Array.from({ length: 200 }, (_, row) => show(valueAt(column, row)))).toEqual(expected[index]);
        }
      } catch (error) {
        expect(error).toMatchObject({ fault: { code: 'CORRUPT_SEGMENT' } });
      } finally {
        bytes[at]! ^= flip;
      }
    }),
    { numRuns: 300 },
  );
});
