/** Segments written by earlier versions stay readable for ever: test/golden/segment-v1 is never written again. */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { nodeDisk } from '../../../src/base/node-disk.ts';
import type { SegmentEntry } from '../../../src/catalog/table.ts';
import { DiskStore } from '../../../src/store/disk-store.ts';
import { everyType, expectedColumns, openTestSegment, readSegment } from './stored-fixtures.ts';

const folder = new URL('../../golden/segment-v1', import.meta.url).pathname;
const store = new DiskStore(nodeDisk, folder);
const entry = JSON.parse(await readFile(`${folder}/entry.json`, 'utf8')) as SegmentEntry;
const columns = JSON.parse(await readFile(`${folder}/values.json`, 'utf8')) as (string | null)[][];

test('the golden segment holds what it held', async () => {
  const opened = await openTestSegment(entry, store);
  expect(await readSegment(opened)).toEqual(columns);
  const { segment } = opened;
  const city = segment.manifest.columns.find(column => column.name === 'city')!;
  const index = (await segment.loadInverted(city.id))!;
  expect(city.dictionary!.count).toBe(6);
  const words = new Uint32Array(2_048);
  const selected = Array.from({ length: 6 }, (_, code) => {
    index.select(code, 0, words.fill(0));
    return Array.from({ length: 300 }, (_, row) => row).filter(row => (words[row >> 5]! >>> (row & 31)) & 1);
  });
  const cities = columns[city.id - 1]!;
  // By bytes: the empty string, ASCII, two-byte letters, then the rest.
  const sorted = ['', 'ab', 'Zürich', 'łódź', '東京', '😀'].sort((a, b) =>
    Buffer.compare(Buffer.from(a), Buffer.from(b)),
  );
  expect(selected).toEqual(sorted.map(value => cities.flatMap((each, row) => (each === value ? [row] : []))));
});

test('the golden values are those of the rows it was made from', () => {
  // Its version wrote no times of ingestion.
  expect(columns).toEqual(expectedColumns(everyType, 300, { byTime: true }).slice(0, -1));
});
