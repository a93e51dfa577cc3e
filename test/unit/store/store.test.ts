import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterAll, expect, test } from 'vitest';
import { nodeDisk } from '../../../src/base/node-disk.ts';
import type { Disk, DiskFile } from '../../../src/base/seams.ts';
import type { DeepStore } from '../../../src/store/deep-store.ts';
import { DiskStore } from '../../../src/store/disk-store.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';

const folder = await mkdtemp(`${tmpdir()}/weir-store-`);
afterAll(() => rm(folder, { recursive: true }));

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const fault = (code: string) => expect.objectContaining({ fault: expect.objectContaining({ code }) });

const stores: Record<string, () => Promise<DeepStore>> = {
  memory: async () => new MemoryStore(),
  disk: async () => new DiskStore(nodeDisk, await mkdtemp(`${folder}/root-`)),
};

for (const [name, make] of Object.entries(stores)) {
  test(`${name}: what was put is got, whole and in part`, async () => {
    const store = await make();
    const large = new Uint8Array(3_000_000).map((_, index) => index % 251);
    await store.put('t/s/columns.arrow', [bytes('hello '), bytes(''), bytes('world'), large, bytes('end')]);
    expect(await store.get('t/s/columns.arrow', 6, 5)).toEqual(bytes('world'));
    expect(Buffer.compare(await store.get('t/s/columns.arrow', 11, large.length), large)).toBe(0);
    expect(await store.get('t/s/columns.arrow', 11 + large.length, 3)).toEqual(bytes('end'));
    const file = store.openSync('t/s/columns.arrow');
    const into = new Uint8Array(5);
    expect(file.readSync(into, 6)).toBe(5);
    expect(into).toEqual(bytes('world'));
    expect(file.readSync(into, 11 + large.length)).toBe(3);
    file.close();
  });

  test(`${name}: a key is written once`, async () => {
    const store = await make();
    await store.put('t/s/a', [bytes('1')]);
    await expect(store.put('t/s/a', [bytes('2')])).rejects.toThrow('t/s/a exists already');
    expect(await store.get('t/s/a', 0, 1)).toEqual(bytes('1'));
  });

  test(`${name}: what is missing or short is a fault`, async () => {
    const store = await make();
    await store.put('t/s/a', [bytes('123')]);
    expect(await store.size('t/s/a')).toBe(3);
    await expect(store.size('t/s/b')).rejects.toEqual(fault('NOT_FOUND'));
    await expect(store.get('t/s/b', 0, 1)).rejects.toEqual(fault('NOT_FOUND'));
    await expect(store.get('t/s/a', 2, 2)).rejects.toEqual(fault('CORRUPT_SEGMENT'));
    expect(() => store.openSync('t/s/b')).toThrow(fault('NOT_FOUND'));
  });

  test(`${name}: lists names right under a folder, removes branches`, async () => {
    const store = await make();
    for (const key of ['t/s1/a', 't/s1/b', 't/s2/a', 'u/s/a']) await store.put(key, [bytes('x')]);
    expect(await store.list('')).toEqual(['t', 'u']);
    expect(await store.list('t')).toEqual(['s1', 's2']);
    expect(await store.list('t/s1')).toEqual(['a', 'b']);
    expect(await store.list('nowhere')).toEqual([]);
    await store.remove('t/s1');
    await store.remove('t/s1');
    expect(await store.list('t')).toEqual(['s2']);
    await expect(store.get('t/s1/a', 0, 1)).rejects.toEqual(fault('NOT_FOUND'));
    expect(await store.get('t/s2/a', 0, 1)).toEqual(bytes('x'));
  });

  test(`${name}: keys never leave the root`, async () => {
    const store = await make();
    for (const key of ['../x', '/x', 'a/../b', '', 'a//b', '.hidden', 'a/b.tmp', 'a\0b']) {
      await expect(store.put(key, [])).rejects.toThrow('is not a key');
      expect(() => store.openSync(key)).toThrow('is not a key');
    }
  });
}

/** The real disk, and what it was told, in order. */
function recordingDisk(log: string[], root: string): Disk {
  const name = (path: string): string => path.slice(root.length) || '/';
  return {
    ...nodeDisk,
    async open(path, mode): Promise<DiskFile> {
      const file = await nodeDisk.open(path, mode);
      const sync = file.sync.bind(file);
      file.sync = () => {
        log.push(`sync ${name(path)}`);
        return sync();
      };
      return file;
    },
    rename(from, to) {
      log.push(`rename ${name(from)} ${name(to)}`);
      return nodeDisk.rename(from, to);
    },
    syncFolder(path) {
      log.push(`sync folder ${name(path)}`);
      return nodeDisk.syncFolder(path);
    },
  };
}

test('disk: a put is synced before it is named, and every new folder in its parent', async () => {
  const root = await mkdtemp(`${folder}/root-`);
  const log: string[] = [];
  const store = new DiskStore(recordingDisk(log, root), root);
  await store.put('t/s/a', [bytes('1')]);
  expect(log).toEqual([
    'sync folder /',
    'sync folder /t',
    'sync /t/s/a.tmp',
    'rename /t/s/a.tmp /t/s/a',
    'sync folder /t/s',
  ]);
});

test('disk: what a crash left unfinished is neither listed nor in the way', async () => {
  const root = await mkdtemp(`${folder}/root-`);
  const store = new DiskStore(nodeDisk, root);
  await store.put('t/s/a', [bytes('1')]);
  await writeFile(`${root}/t/s/b.tmp`, 'half of an earlier and longer attempt');
  expect(await store.list('t/s')).toEqual(['a']);
  await store.put('t/s/b', [bytes('2')]);
  expect(await readdir(`${root}/t/s`)).toEqual(['a', 'b']);
  await expect(store.get('t/s/b', 0, 2)).rejects.toEqual(fault('CORRUPT_SEGMENT'));
});
