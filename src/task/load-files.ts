/** The files of a load, opened for reading. */
import { fault } from '../base/fault.ts';
import type { Disk, DiskFile } from '../base/seams.ts';
import type { LoadInput } from '../catalog/load.ts';
import type { FileBytes } from '../format/file/types.ts';

export interface LoadFilesComponents {
  readonly disk: Disk;
  /** Where uploads are, each under its id. */
  readonly uploadsFolder: string;
}

const pathOf = ({ kind, location }: LoadInput, uploadsFolder: string): string =>
  kind === 'path' ? location : `${uploadsFolder}/${location}`;

/**
 * Calls `work` with the open file, and closes it. Before and after, the file is the one that the load was asked for.
 * @throws FaultError NOT_FOUND, FORBIDDEN (this process may not read it), CONSTRAINT (it has changed)
 */
export async function withFile<T>(
  input: LoadInput,
  { disk, uploadsFolder }: LoadFilesComponents,
  work: (file: FileBytes) => Promise<T>,
): Promise<T> {
  const file = await disk.open(pathOf(input, uploadsFolder), 'read').catch(error => {
    throw explain(error, input);
  });
  try {
    await checkUnchanged(file, input);
    const { name, sizeBytes } = input;
    const result = await work({ name, sizeBytes, read: (into, position) => file.read(into, position) });
    await checkUnchanged(file, input);
    return result;
  } finally {
    await file.close();
  }
}

/** Opened for each read, of which there are few: a sample's. @throws FaultError as `withFile` */
export const sampledFile = (input: LoadInput, components: LoadFilesComponents): FileBytes => ({
  name: input.name,
  sizeBytes: input.sizeBytes,
  read: (into, position) => withFile(input, components, file => file.read(into, position)),
});

/** Of the file that is open: its path may be another's by now. An upload is named by its content, and nobody writes to it. */
async function checkUnchanged(file: DiskFile, { kind, name, fingerprint }: LoadInput): Promise<void> {
  if (kind === 'upload' || (await file.stat()).fingerprint === fingerprint) return;
  throw fault('CONSTRAINT', `${name} has changed since the load was asked for`, {
    hint: 'nothing of it became visible: ask for the load again, over files that nobody writes to',
  });
}

function explain(error: unknown, { name, kind }: LoadInput): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT')
    return fault('NOT_FOUND', `${name} is gone`, kind === 'upload' ? { hint: 'upload it again' } : {});
  if (code === 'EACCES' || code === 'EPERM')
    return fault('FORBIDDEN', `${name} cannot be read by the server's user`, { hint: 'see to its permissions' });
  return error;
}
