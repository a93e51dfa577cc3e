/** The files that a command line names: paths, patterns, standard input. */
import { createHash } from 'node:crypto';
import { fault } from '../base/fault.ts';
import type { DiskFile } from '../base/seams.ts';
import type { FileBytes } from '../format/file/types.ts';
import type { CommandIo } from './io.ts';

export interface LocalFile extends FileBytes {
  close(): Promise<void>;
}

const readSizeBytes = 1 << 20;
const magic = /[*?[\]{}!()]/;

/**
 * A name that is a file's is that file; one that is not, and has a `*` or the like, is a pattern; `-` is standard input.
 * @throws FaultError NOT_FOUND, INVALID_REQUEST
 */
export async function openFiles(names: readonly string[], io: CommandIo): Promise<LocalFile[]> {
  const opened: LocalFile[] = [];
  try {
    for (const name of names) {
      if (name === '-') opened.push(await spoolStdin(io));
      else for (const path of await expand(name, io)) opened.push(await open(path, io));
    }
    return opened;
  } catch (error) {
    await Promise.all(opened.map(file => file.close()));
    throw error;
  }
}

async function expand(name: string, { files }: CommandIo): Promise<readonly string[]> {
  const stat = await files.stat(name).catch(() => null);
  if (stat || !magic.test(name)) return [name];
  const found = await files.match(name, '.');
  if (found.length === 0) throw fault('NOT_FOUND', `no file is called ${name}`);
  return found;
}

async function open(path: string, { disk }: CommandIo): Promise<LocalFile> {
  let file: DiskFile;
  try {
    file = await disk.open(path, 'read');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file' : message;
    throw fault('NOT_FOUND', `cannot read ${path}: ${reason}`, {}, { cause: error });
  }
  const { isFile, sizeBytes } = await file.stat();
  if (isFile) return fileOf(path, file, sizeBytes, () => file.close());
  await file.close();
  throw fault('INVALID_REQUEST', `${path} is no file`, { hint: `of a folder write a pattern: '${path}/*.csv'` });
}

const fileOf = (name: string, file: DiskFile, sizeBytes: number, close: () => Promise<void>): LocalFile => ({
  ...{ name, sizeBytes, close },
  read: (into, position) => file.read(into, position),
});

/** A load reads its files more than once, so what comes by a pipe becomes a temporary file. */
async function spoolStdin({ stdin, disk, temporaryPath }: CommandIo): Promise<LocalFile> {
  const path = temporaryPath();
  const file = await disk.open(path, 'create');
  let sizeBytes = 0;
  const close = async (): Promise<void> => {
    await file.close();
    await disk.remove(path);
  };
  try {
    for await (const part of stdin) {
      const bytes = Buffer.from(part);
      await file.write(bytes, sizeBytes);
      sizeBytes += bytes.length;
    }
    return fileOf('standard input', file, sizeBytes, close);
  } catch (error) {
    await close();
    throw error;
  }
}

/** SHA-256 of the content: what the server knows an upload by. */
export async function hashOf(file: FileBytes, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const buffer = new Uint8Array(readSizeBytes);
  for (let at = 0; at < file.sizeBytes; ) {
    signal.throwIfAborted();
    const size = await file.read(buffer, at);
    if (size === 0) break;
    hash.update(buffer.subarray(0, size));
    at += size;
  }
  return hash.digest('hex');
}
