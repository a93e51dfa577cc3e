/** The real file tree. */
import fs from 'node:fs/promises';
import { glob } from 'tinyglobby';
import { statOf } from './node-disk.ts';
import type { FileTree } from './seams.ts';

export const nodeFileTree: FileTree = {
  realPath: path => fs.realpath(path),
  async stat(path) {
    return statOf(await fs.stat(path, { bigint: true }));
  },
  async match(pattern, folder) {
    const paths = await glob(pattern, {
      cwd: folder,
      absolute: true,
      followSymbolicLinks: false,
      expandDirectories: false,
    });
    return paths.sort();
  },
  async freeBytes(folder) {
    const { bavail, bsize } = await fs.statfs(folder);
    return bavail * bsize;
  },
};
