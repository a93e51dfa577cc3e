import { expect, test } from 'vitest';
import { OpenFiles } from '../../../src/segment/files.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';

async function openFiles(countMax: number) {
  const store = new MemoryStore();
  for (const key of ['t/a/1', 't/a/2', 't/b/1']) await store.put(key, [new TextEncoder().encode(`bytes of ${key}`)]);
  const log: string[] = [];
  const files = new OpenFiles(
    {
      openSync(key) {
        const file = store.openSync(key);
        log.push(`open ${key}`);
        return { ...file, close: () => log.push(`close ${key}`) };
      },
    },
    countMax,
  );
  const read = (key: string): string => {
    const into = new Uint8Array(5);
    files.readExactly(key, into, 9);
    return new TextDecoder().decode(into);
  };
  return { files, log, read };
}

test('files stay open until others are used more', async () => {
  const { log, read } = await openFiles(2);
  expect(['t/a/1', 't/a/2', 't/a/1', 't/b/1', 't/a/1'].map(read)).toEqual([
    't/a/1',
    't/a/2',
    't/a/1',
    't/b/1',
    't/a/1',
  ]);
  expect(log).toEqual(['open t/a/1', 'open t/a/2', 'open t/b/1', 'close t/a/2']);
});

test('a dropped segment lets go of its files alone', async () => {
  const { files, log, read } = await openFiles(9);
  ['t/a/1', 't/a/2', 't/b/1'].map(read);
  log.length = 0;
  files.close('t/a/');
  expect(log).toEqual(['close t/a/1', 'close t/a/2']);
});

test('what is short, missing or too large is corrupt', async () => {
  const { files, log } = await openFiles(9);
  expect(() => files.readExactly('t/a/1', new Uint8Array(6), 9)).toThrow('t/a/1 ends at byte 14, 1 too early');
  expect(() => files.readExactly('t/c/1', new Uint8Array(1), 0)).toThrow('t/c/1 is missing');
  expect(files.readWhole('t/a/1', 100).length).toBe(14);
  expect(log.at(-1)).toBe('close t/a/1');
});

test('a whole file may be of any size up to the limit', async () => {
  const store = new MemoryStore();
  const large = new Uint8Array(200_000).fill(7);
  await store.put('t/large', [large]);
  const files = new OpenFiles(store);
  expect(Buffer.compare(files.readWhole('t/large', 1 << 20), large)).toBe(0);
  expect(() => files.readWhole('t/large', 1 << 17)).toThrow('larger than 131072 bytes');
});
