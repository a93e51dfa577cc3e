import { type FaultError, fault } from '../../base/fault.ts';
import type { FileBytes } from './types.ts';

/** Exactly these bytes of a file. @throws FaultError INVALID_ROWS where the file ends before them */
export async function readPart(file: FileBytes, position: number, sizeBytes: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(sizeBytes);
  let at = 0;
  while (at < sizeBytes) {
    const size = await file.read(bytes.subarray(at), position + at);
    if (size === 0) throw damaged(file, `ends at byte ${position + at}, inside of what it says it has`);
    at += size;
  }
  return bytes;
}

/** A file that is not what it says it is. */
export const damaged = (file: FileBytes, problem: string, cause?: unknown): FaultError =>
  fault(
    'INVALID_ROWS',
    `${file.name} ${problem}${cause instanceof Error ? `: ${cause.message}` : ''}`,
    { hint: 'the file may be cut off or damaged; compare its size and checksum with the original' },
    { cause },
  );
