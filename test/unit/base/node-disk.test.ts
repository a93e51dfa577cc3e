import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterAll, expect, test } from 'vitest';
import { nodeDisk } from '../../../src/base/node-disk.ts';

const folder = await mkdtemp(`${tmpdir()}/weir-disk-`);
afterAll(() => rm(folder, { recursive: true }));

test('a file is written, read, cut and closed', async () => {
  const path = `${folder}/file`;
  const file = await nodeDisk.open(path, 'create');
  await file.write(Uint8Array.of(1, 2, 3, 4), 0);
  await file.write(Uint8Array.of(9), 6);
  await file.sync();
  expect(await file.sizeBytes()).toBe(7);
  const into = new Uint8Array(10);
  expect(await file.read(into, 2)).toBe(5);
  expect([...into.subarray(0, 5)]).toEqual([3, 4, 0, 0, 9]);
  expect(file.readSync(into, 6)).toBe(1);
  await file.truncate(2);
  expect(file.readSync(into, 0)).toBe(2);
  await file.close();
  expect(() => file.readSync(into, 0)).toThrow(`${path} is closed`);
});

test('modes: read wants a file, write keeps it, create refuses it', async () => {
  const path = `${folder}/modes`;
  await expect(nodeDisk.open(path, 'read')).rejects.toMatchObject({ code: 'ENOENT' });
  expect(() => nodeDisk.openSync(path)).toThrow('ENOENT');
  const made = await nodeDisk.open(path, 'write');
  await made.write(Uint8Array.of(5), 0);
  await made.close();
  await expect(nodeDisk.open(path, 'create')).rejects.toMatchObject({ code: 'EEXIST' });
  const again = await nodeDisk.open(path, 'write');
  expect(await again.sizeBytes()).toBe(1);
  await again.close();
  const synchronous = nodeDisk.openSync(path);
  expect(synchronous.readSync(new Uint8Array(4), 0)).toBe(1);
  await synchronous.close();
});

test('folders: made whole, listed in order, renamed, removed with what is in them', async () => {
  await nodeDisk.makeFolder(`${folder}/a/b`);
  await nodeDisk.makeFolder(`${folder}/a/b`);
  for (const name of ['2', '1']) await (await nodeDisk.open(`${folder}/a/${name}`, 'create')).close();
  await nodeDisk.syncFolder(`${folder}/a`);
  expect(await nodeDisk.list(`${folder}/a`)).toEqual(['1', '2', 'b']);
  expect(await nodeDisk.list(`${folder}/none`)).toEqual([]);
  await nodeDisk.rename(`${folder}/a/1`, `${folder}/a/2`);
  expect(await nodeDisk.exists(`${folder}/a/1`)).toBe(false);
  await nodeDisk.remove(`${folder}/a`);
  await nodeDisk.remove(`${folder}/a`);
  expect(await nodeDisk.exists(`${folder}/a/b`)).toBe(false);
});
