/** What a load's files hold, out of a sample of each. */
import { inferFile } from '../format/file/infer-file.ts';
import { sniffFile } from '../format/file/sniff.ts';
import type { FileOptions, FileShape } from '../format/file/types.ts';
import type { InferredFiles } from '../wire/load-calls.ts';
import type { TaskCalls } from '../wire/task-calls.ts';
import { type LoadFilesComponents, sampledFile } from './load-files.ts';

/** @throws FaultError as `TaskCalls.inferFiles` */
export async function inferFiles(
  { inputs, options }: TaskCalls['inferFiles']['in'],
  components: LoadFilesComponents,
): Promise<InferredFiles> {
  const files = inputs.map(input => sampledFile(input, components));
  const shapes: FileShape[] = [];
  for (const file of files) shapes.push(await sniffFile(file, options as FileOptions));
  return inferFile(files, shapes);
}
