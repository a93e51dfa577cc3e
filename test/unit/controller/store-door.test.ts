import fc from 'fast-check';
import { expect, test } from 'vitest';
import { storeDoor } from '../../../src/controller/store-door.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import { storeReadSizeBytesMax } from '../../../src/wire/cluster-calls.ts';
import { codeOf } from '../../support/cluster.ts';

const context = { signal: new AbortController().signal };
const segment = '0123456789ab/0123456789ab-0-0-abc';
const store = new MemoryStore();
await store.put(`${segment}/columns.arrow`, [new Uint8Array([1, 2, 3, 4])]);
const door = storeDoor(store);
const read = async (key: string, offset: number, sizeBytes: number) => door.read({ key, offset, sizeBytes }, context);

test('a range of a segment’s file', async () => {
  expect(await door.size({ key: `${segment}/columns.arrow` }, context)).toEqual({ sizeBytes: 4 });
  expect(await read(`${segment}/columns.arrow`, 1, 2)).toEqual({ bytes: new Uint8Array([2, 3]) });
});

test.each([
  '../meta/weir.sqlite',
  '/etc/passwd',
  `${segment}/../../../x`,
  `${segment}/..`,
  `${segment}/.hidden`,
  `${segment}/a/b`,
  segment,
  '',
  'ffffffffffff/0123456789ab-0-0-abc/columns.arrow',
])('%j is no key', async key => {
  expect(await codeOf(read(key, 0, 1))).toBe('INVALID_REQUEST');
});

test('no text leads out of the store', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string(), fc.webPath(), fc.anything()), async key => {
      expect(await codeOf(read(key as string, 0, 1))).toBe('INVALID_REQUEST');
    }),
  );
});

test.each([
  [-1, 1],
  [0.5, 1],
  [0, -1],
  [0, storeReadSizeBytesMax + 1],
  [Number.NaN, 1],
])('%d, %d is no range', async (offset, sizeBytes) => {
  expect(await codeOf(read(`${segment}/columns.arrow`, offset, sizeBytes))).toBe('INVALID_REQUEST');
});
