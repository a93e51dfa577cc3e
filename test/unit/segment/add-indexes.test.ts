import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { IndexDefinition, SegmentEntry, TableDefinition } from '../../../src/catalog/table.ts';
import * as types from '../../../src/column/type.ts';
import { addIndexes } from '../../../src/segment/add-indexes.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import {
  buildTestSegment,
  everyIndex,
  everyType,
  everyTypeTable,
  expectedColumns,
  openTestSegment,
  readSegment,
} from './stored-fixtures.ts';

const rowCount = 900;
const withIndexes = (indexes: readonly IndexDefinition[]): TableDefinition => ({ ...everyTypeTable, indexes });
const folder = `${everyTypeTable.id}/${everyTypeTable.id}-0-100-aaaa`;

/** What was written since, by name. */
const written = (store: MemoryStore, before: ReadonlySet<string>): string[] =>
  [...store.objects.keys()].filter(key => !before.has(key)).map(key => key.slice(folder.length + 1));

test('indexes that are added later are those of a segment that was built with them, byte for byte', async () => {
  const built = new MemoryStore();
  await buildTestSegment(built, everyType, rowCount, { definition: everyTypeTable });
  const store = new MemoryStore();
  const entry = await buildTestSegment(store, everyType, rowCount, { definition: withIndexes([]) });
  const before = new Set(store.objects.keys());
  const next = await addIndexes(entry, everyTypeTable, store, store);
  expect(next).toEqual({ ...entry, generation: 2, sizeBytes: next.sizeBytes });
  const files = written(store, before);
  expect(files.at(-1)).toBe('manifest-2.json');
  for (const file of files.slice(0, -1))
    expect(
      Buffer.compare(
        store.objects.get(`${folder}/${file}`)!,
        built.objects.get(`${folder}/${file.replace('-2.bin', '-1.bin')}`)!,
      ),
      file,
    ).toBe(0);
  const opened = await openTestSegment(next, store);
  expect(await readSegment(opened)).toEqual(expectedColumns(everyType, rowCount, { byTime: true }));
  const kinds = ({ kind, columnId }: { readonly kind: string; readonly columnId: number }) => `${kind} ${columnId}`;
  const whole = await openTestSegment({ ...entry }, built);
  expect(opened.segment.manifest.indexes.map(kinds).sort()).toEqual(whole.segment.manifest.indexes.map(kinds).sort());
  expect(opened.segment.manifest).toMatchObject({ statistics: whole.segment.manifest.statistics, generation: 2 });
  const { files: listed } = opened.segment.manifest;
  expect(next.sizeBytes).toBe(
    listed.reduce((sum, file) => sum + file.sizeBytes, store.objects.get(`${folder}/manifest-2.json`)!.length),
  );
});

test('what a definition no longer asks for is left out, what it still does stays as it is', async () => {
  const store = new MemoryStore();
  const entry = await buildTestSegment(store, everyType, rowCount, { definition: everyTypeTable });
  expect(await addIndexes(entry, everyTypeTable, store, store)).toBe(entry);
  const before = new Set(store.objects.keys());
  const fewer = withIndexes([{ columnId: 3, kind: 'range' }]);
  const next = await addIndexes(entry, fewer, store, store);
  expect(written(store, before)).toEqual(['manifest-2.json']);
  const { segment } = await openTestSegment(next, store);
  expect(segment.indexes.range(3)).not.toBeNull();
  expect([segment.indexes.bloom(3), segment.indexes.inverted(11)]).toEqual([null, null]);
  expect(segment.indexes.nulls(3)).not.toBeNull();
  expect(segment.manifest.indexes.find(({ kind }) => kind === 'range')!.file).toBe('index-range-3-1.bin');
  expect(next.sizeBytes).toBeLessThan(entry.sizeBytes);
  // And back again, under names of their own.
  const again = await addIndexes(next, everyTypeTable, store, store);
  expect(again.generation).toBe(3);
  expect((await openTestSegment(again, store)).segment.indexes.bloom(12)).not.toBeNull();
});

test('files of an attempt that was never published are in nobody’s way', async () => {
  const store = new MemoryStore();
  const entry = await buildTestSegment(store, everyType, 50, { definition: withIndexes([]) });
  const wanted = withIndexes([{ columnId: 3, kind: 'range' }]);
  await store.put(`${folder}/index-range-3-2.bin`, [Uint8Array.of(1)]);
  const next = await addIndexes(entry, wanted, store, store);
  expect(next.generation).toBe(3);
  expect((await openTestSegment(next, store)).segment.indexes.range(3)).not.toBeNull();
});

test('a column that cannot have what is asked for goes without: raw strings, columns of later versions', async () => {
  const store = new MemoryStore();
  const entry = await buildTestSegment(store, everyType, rowCount, { definition: withIndexes([]) });
  const wanted = withIndexes([
    { columnId: 12, kind: 'inverted' },
    { columnId: 99, kind: 'bloom' },
    { columnId: 2, kind: 'range' },
    { columnId: 15, kind: 'bloom' },
  ]);
  expect(await addIndexes(entry, wanted, store, store)).toBe(entry);
});

test('a damaged column is CORRUPT_SEGMENT, and publishes nothing', async () => {
  const store = new MemoryStore();
  const entry = await buildTestSegment(store, everyType, 100, { definition: withIndexes([]) });
  const columns = store.objects.get(`${folder}/columns.arrow`)!;
  columns.fill(7, 0, columns.length);
  await expect(addIndexes(entry, withIndexes([{ columnId: 3, kind: 'range' }]), store, store)).rejects.toMatchObject({
    fault: { code: 'CORRUPT_SEGMENT' },
  });
  expect(store.objects.has(`${folder}/manifest-2.json`)).toBe(false);
});

test('a segment of version 1 gets indexes too', async () => {
  const golden = new URL('../../golden/segment-v1/', import.meta.url).pathname;
  const entry = JSON.parse(await readFile(`${golden}entry.json`, 'utf8')) as SegmentEntry;
  const store = new MemoryStore();
  for (const file of await readdir(`${golden}${folder}`))
    store.objects.set(`${folder}/${file}`, new Uint8Array(await readFile(`${golden}${folder}/${file}`)));
  const next = await addIndexes(entry, { ...everyTypeTable, indexes: everyIndex(everyTypeTable) }, store, store);
  const opened = await openTestSegment(next, store);
  expect(await readSegment(opened)).toEqual(JSON.parse(await readFile(`${golden}values.json`, 'utf8')));
  const words = new Uint32Array(2_048).fill(0xffff_ffff, 0, 9);
  opened.segment.indexes.range(5)!.narrow({ type: types.LONG, low: -50n, high: -50n, nan: false }, 0, words, 9);
  expect(words.filter(word => word !== 0)).toEqual(Uint32Array.of(1));
});
