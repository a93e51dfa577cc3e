/** Files on the server's disk that a load may read: those in folders that the operator named, and no other. */
import { resolve } from 'node:path';
import { fault } from '../base/fault.ts';
import type { FileTree } from '../base/seams.ts';
import type { LoadInput } from '../catalog/load.ts';
import { loadFilesMax, pathLengthMax } from './limits.ts';

const magic = /[*?[\]{}!()]/;
/** Also inside of a choice. */
const wayUp = /(^|[/{,(|])\.\.($|[/},)|])/;

/**
 * The files of a path or pattern, sorted by path. Links are followed to where they end, which must be in an allowed folder
 * too; nothing is looked at, and nothing is told of, what lies elsewhere.
 * @param folders Absolute.
 * @throws FaultError FORBIDDEN, NOT_FOUND, INVALID_REQUEST, LIMIT_EXCEEDED
 */
export async function findFiles(path: string, folders: readonly string[], files: FileTree): Promise<LoadInput[]> {
  if (folders.length === 0)
    throw fault('FORBIDDEN', 'this server reads no files of its own disk', {
      hint: 'start it with --load-from FOLDER, or upload the file: weir load does',
    });
  if (path.length > pathLengthMax || path.includes('\0'))
    throw fault('INVALID_REQUEST', `a path of ${path.length} characters is none`, {
      hint: `a path has at most ${pathLengthMax} characters, and no NUL`,
    });
  if (!path.startsWith('/') || wayUp.test(path))
    throw fault('INVALID_REQUEST', `${path.slice(0, 200)} is not absolute, or goes up`, {
      hint: 'write the whole path, without ..',
    });
  const allowed = await realFolders(folders, files);
  if (!isWithin(resolve(path), [...folders, ...allowed])) throw forbidden(path, folders);
  const direct = await inputOf(path, path, allowed, folders, files).catch(error => {
    if (magic.test(path) && isMissing(error)) return null;
    throw explain(error, path);
  });
  return direct ? [direct] : matches(path, allowed, folders, files);
}

async function matches(
  pattern: string,
  allowed: readonly string[],
  folders: readonly string[],
  files: FileTree,
): Promise<LoadInput[]> {
  const parts = pattern.split('/');
  const fixed = parts.slice(
    0,
    parts.findIndex(part => magic.test(part)),
  );
  const folder = await files.realPath(fixed.join('/') || '/').catch(error => {
    throw explain(error, fixed.join('/'));
  });
  if (!isWithin(folder, allowed)) throw forbidden(pattern, folders);
  const paths = await files.match(parts.slice(fixed.length).join('/'), folder);
  if (paths.length === 0) throw fault('NOT_FOUND', `no file is called ${pattern}`);
  if (paths.length > loadFilesMax)
    throw fault('LIMIT_EXCEEDED', `${pattern} stands for ${paths.length} files`, {
      hint: `a load takes at most ${loadFilesMax}: load them in several`,
    });
  const inputs: LoadInput[] = [];
  for (const path of paths) inputs.push(await inputOf(path, path, allowed, folders, files));
  return inputs;
}

async function inputOf(
  path: string,
  name: string,
  allowed: readonly string[],
  folders: readonly string[],
  files: FileTree,
): Promise<LoadInput> {
  const location = await files.realPath(path);
  if (!isWithin(location, allowed)) throw forbidden(path, folders);
  const { isFile, sizeBytes, fingerprint } = await files.stat(location);
  if (!isFile)
    throw fault('INVALID_REQUEST', `${path} is no file`, { hint: 'of a folder write a pattern: FOLDER/*.parquet' });
  return { kind: 'path', location, name, sizeBytes, fingerprint };
}

/** One that is not there allows nothing. */
async function realFolders(folders: readonly string[], files: FileTree): Promise<string[]> {
  const found = await Promise.all(folders.map(folder => files.realPath(folder).catch(() => null)));
  return found.filter(folder => folder !== null);
}

const isWithin = (path: string, folders: readonly string[]): boolean =>
  folders.some(folder => path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`));

const forbidden = (path: string, folders: readonly string[]) =>
  fault('FORBIDDEN', `${path} is not in a folder that loads may read`, {
    hint: `the server was started with --load-from ${folders.join(' --load-from ')}`,
  });

const isMissing = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');

function explain(error: unknown, path: string): unknown {
  if (isMissing(error)) return fault('NOT_FOUND', `there is no file ${path}`);
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EACCES' || code === 'EPERM')
    return fault('FORBIDDEN', `${path} cannot be read by the server's user`, { hint: 'see to its permissions' });
  if (code === 'ELOOP' || code === 'ENAMETOOLONG') return fault('INVALID_REQUEST', `${path} is no path: ${code}`);
  return error;
}
