/** Segments written by earlier versions stay readable for ever: test/golden/segment-v… are never written again. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { nodeDisk } from '../../../src/base/node-disk.ts';
import type { SegmentEntry } from '../../../src/catalog/table.ts';
import { LONG } from '../../../src/column/type.ts';
import { readStatistics } from '../../../src/segment/statistics.ts';
import { DiskStore } from '../../../src/store/disk-store.ts';
import { everyType, expectedColumns, openTestSegment, readSegment } from './stored-fixtures.ts';

async function openGolden(version: number) {
  const folder = new URL(`../../golden/segment-v${version}`, import.meta.url).pathname;
  const entry = JSON.parse(await readFile(`${folder}/entry.json`, 'utf8')) as SegmentEntry;
  const columns = JSON.parse(await readFile(`${folder}/values.json`, 'utf8')) as (string | null)[][];
  return { opened: await openTestSegment(entry, new DiskStore(nodeDisk, folder)), columns };
}

/** Rows of the only block that `select` leaves of all 300, or sets where there are none. */
function rowsOf(words: Uint32Array): number[] {
  return Array.from({ length: 300 }, (_, row) => row).filter(row => (words[row >> 5]! >>> (row & 31)) & 1);
}

describe.each([1, 2])('version %i', version => {
  test('the golden segment holds what it held', async () => {
    const { opened, columns } = await openGolden(version);
    expect(await readSegment(opened)).toEqual(columns);
    const { segment } = opened;
    const city = segment.manifest.columns.find(column => column.name === 'city')!;
    const index = segment.indexes.inverted(city.id)!;
    expect(city.dictionary!.count).toBe(6);
    const words = new Uint32Array(2_048);
    const selected = Array.from({ length: 6 }, (_, code) => {
      index.select(code, 0, words.fill(0));
      return rowsOf(words);
    });
    const cities = columns[city.id - 1]!;
    // By bytes: the empty string, ASCII, two-byte letters, then the rest.
    const sorted = ['', 'ab', 'Zürich', 'łódź', '東京', '😀'].sort((a, b) =>
      Buffer.compare(Buffer.from(a), Buffer.from(b)),
    );
    expect(selected).toEqual(sorted.map(value => cities.flatMap((each, row) => (each === value ? [row] : []))));
  });

  test('the golden values are those of the rows it was made from', async () => {
    const expected = expectedColumns(everyType, 300, { byTime: true });
    // Version 1 wrote no times of ingestion.
    expect((await openGolden(version)).columns).toEqual(version === 1 ? expected.slice(0, -1) : expected);
  });
});

test('version 1 has no statistics, and nothing says that a column ascends', async () => {
  const { segment } = (await openGolden(1)).opened;
  expect(readStatistics(segment.manifest).size).toBe(0);
  expect(segment.indexes.isSorted(1)).toBe(false);
});

test('version 2 answers by range index and Bloom filter, and knows its columns', async () => {
  const { opened, columns } = await openGolden(2);
  const { segment } = opened;
  const words = new Uint32Array(2_048).fill(0xffff_ffff, 0, 9);
  const range = { type: LONG, low: 100n, high: 160n, nan: false };
  const small = columns[4]!.slice(0, 288);
  segment.indexes.range(5)!.narrow(range, 0, words, 9);
  expect(rowsOf(words)).toEqual(
    small.flatMap((value, row) => (BigInt(value!) >= 100n && BigInt(value!) <= 160n ? [row] : [])),
  );
  const bloom = segment.indexes.bloom(12)!;
  for (const id of columns[11]!) if (id !== null) expect(bloom.mayHold(new TextEncoder().encode(id), 0)).toBe(true);
  expect([segment.indexes.isSorted(1), segment.indexes.isSorted(5)]).toEqual([true, false]);
  const statistics = readStatistics(segment.manifest);
  expect(statistics.get(11)).toMatchObject({
    distinctCount: 6,
    distinctIsExact: true,
    nullCount: 25,
    topIsExact: true,
  });
});
