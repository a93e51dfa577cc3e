/** What `weir check` and the lifting of a quarantine stand on: whatever byte of a segment is damaged, it is found. */
import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32c } from '../../../src/base/checksum.ts';
import { nodeDisk } from '../../../src/base/node-disk.ts';
import type { SegmentEntry } from '../../../src/catalog/table.ts';
import { OpenFiles } from '../../../src/segment/files.ts';
import { verifySegment } from '../../../src/segment/verify.ts';
import { DiskStore } from '../../../src/store/disk-store.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import { buildTestSegment, everyType, everyTypeTable } from './stored-fixtures.ts';

const store = new MemoryStore();
const entry = await buildTestSegment(store, everyType, 70, { definition: everyTypeTable });
const folder = `${entry.tableId}/${entry.id}`;

const problemsOf = (from: MemoryStore, deep = false, of: SegmentEntry = entry) =>
  verifySegment(of, new OpenFiles(from), deep);

function withFile(key: string, bytes: Uint8Array): MemoryStore {
  const damaged = new MemoryStore();
  for (const [each, content] of store.objects) damaged.objects.set(each, content);
  damaged.objects.set(key, bytes);
  return damaged;
}

test.each([1, 2])('a whole segment has no problems, nor has one of writer %s', async version => {
  expect(problemsOf(store, true)).toEqual([]);
  const golden = new URL(`../../golden/segment-v${version}`, import.meta.url).pathname;
  const old = JSON.parse(await readFile(`${golden}/entry.json`, 'utf8')) as SegmentEntry;
  expect(verifySegment(old, new OpenFiles(new DiskStore(nodeDisk, golden)), true)).toEqual([]);
});

/** Each flip reads the whole segment. */
const flipsPerFile = 150;

test('a flipped byte anywhere in any file is found, in its file', () => {
  const unseen: string[] = [];
  for (const [key, content] of store.objects)
    for (let at = 0; at < content.length; at += Math.ceil(content.length / flipsPerFile)) {
      const bytes = content.slice();
      bytes[at]! ^= 1 << (at % 8);
      const problems = problemsOf(withFile(key, bytes));
      if (problems.length === 0 || problems.some(({ file }) => file !== key)) unseen.push(`${key} ${at}`);
    }
  expect(unseen).toEqual([]);
});

test('a file cut, lengthened or gone is found', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...store.objects.keys()),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (key, part) => {
        const content = store.objects.get(key)!;
        expect(problemsOf(withFile(key, content.slice(0, Math.floor(part * content.length))))).not.toEqual([]);
        expect(problemsOf(withFile(key, Buffer.concat([content, Buffer.alloc(1)])))).not.toEqual([]);
      },
    ),
    { numRuns: 60 },
  );
  const damaged = new MemoryStore();
  for (const [key, content] of store.objects) if (!key.endsWith('columns.arrow')) damaged.objects.set(key, content);
  expect(problemsOf(damaged)[0]).toMatchObject({ file: `${folder}/columns.arrow`, part: 'columns' });
});

test('a damaged index is told from damaged columns', () => {
  const key = [...store.objects.keys()].find(each => each.includes('index-inverted'))!;
  const bytes = store.objects.get(key)!.slice();
  bytes[bytes.length - 1]! ^= 1;
  expect(problemsOf(withFile(key, bytes)).every(({ part }) => part === 'index')).toBe(true);
});

/** Files whose checksums hold, and which do not agree: damage by a program. */
function resigned(edit: (manifest: { columns: { name: string; blocks: unknown[][] }[] }) => void): MemoryStore {
  const key = `${folder}/manifest-1.json`;
  const document = JSON.parse(Buffer.from(store.objects.get(key)!).toString());
  delete document.crc32c;
  edit(document);
  const body = Buffer.from(JSON.stringify(document).slice(0, -1));
  return withFile(
    key,
    Buffer.concat([body, Buffer.from(`,"crc32c":"${crc32c(body).toString(16).padStart(8, '0')}"}\n`)]),
  );
}

test('deep: zone maps that do not bound their values are found', () => {
  const lied = resigned(({ columns }) => {
    const column = columns.find(({ name }) => name === '$offset')!;
    column.blocks[0]![1] = 'n105';
  });
  expect(problemsOf(lied)).toEqual([]);
  expect(problemsOf(lied, true)).toMatchObject([{ place: 'column $offset, block 0', part: 'columns' }]);
});

test('deep: an index of other rows than its column has is found', () => {
  const inverted = [...store.objects.keys()].filter(key => key.includes('index-inverted-'));
  const document = JSON.parse(Buffer.from(store.objects.get(`${folder}/manifest-1.json`)!).toString());
  // Swap two bitmaps in a directory, and sign what is left of it.
  const index = document.indexes.find(
    (each: { kind: string; count: number }) => each.kind === 'inverted' && each.count > 1,
  );
  const key = inverted.find(each => each.endsWith(index.file))!;
  const bytes = store.objects.get(key)!.slice();
  const [first, second] = [bytes.slice(16, 28), bytes.slice(28, 40)];
  bytes.set(second, 16);
  bytes.set(first, 28);
  const lied = resigned(manifest => {
    const { indexes, files } = manifest as unknown as typeof document;
    const own = indexes.find((each: { file: string }) => each.file === index.file);
    own.directory[2] = crc32c(bytes.subarray(16, 16 + 12 * index.count));
    files.find((each: { name: string }) => each.name === index.file).crc = crc32c(bytes);
  });
  lied.objects.set(key, bytes);
  expect(problemsOf(lied)).toEqual([]);
  expect(problemsOf(lied, true)).toMatchObject([
    { file: key, part: 'index', what: 'names other rows than its column has' },
  ]);
});

test('what the metadata says of the segment is compared with it', () => {
  expect(problemsOf(store, false, { ...entry, rowCount: 71 })[0]!.what).toContain('the metadata says 71');
  expect(problemsOf(store, false, { ...entry, maxTimeMs: 5 })[0]!.what).toContain('the metadata says 5');
});
