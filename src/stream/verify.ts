/** Every byte of a partition's log, its keys and its table's reject log, while nobody has them open. Nothing is changed. */
import { toFault } from '../base/fault.ts';
import type { Disk } from '../base/seams.ts';
import { checkBatch, decodeBatch } from '../column/frame.ts';
import { closedFileName, readClosed } from './closed.ts';
import { KeyWindow, keysFileName, readKeys } from './keys.ts';
import { baseOffsetOf, type FoundFile, scanFile } from './log-file.ts';
import { parseReject, rejectFileNames } from './rejects.ts';

export interface LogProblem {
  readonly file: string;
  /** "byte 4096"; empty where it is the file as a whole. */
  readonly place: string;
  readonly what: string;
}

export interface VerifiedLog {
  readonly problems: readonly LogProblem[];
  readonly recordCount: number;
  readonly sizeBytes: number;
  /** Rows from the committed end on. */
  readonly rowCount: number;
  /** Bytes behind the last whole record: of a write that a crash cut short, and nobody was told of. */
  readonly tornBytes: number;
}

/**
 * @param folder `log/<tableId>/<partition>`.
 * @param committedEnd What is from here on is nowhere else; null where that is not known.
 */
export async function verifyLog(disk: Disk, folder: string, committedEnd: number | null): Promise<VerifiedLog> {
  const problems: LogProblem[] = [];
  const logNames = (await disk.list(folder)).filter(name => baseOffsetOf(name) !== null);
  let recordCount = 0;
  let sizeBytes = 0;
  let tornBytes = 0;
  let end: number | null = null;
  for (const name of logNames) {
    const file = `${folder}/${name}`;
    const isLast = name === logNames.at(-1);
    try {
      const found = await verifyFile(disk, file, isLast, () => recordCount++);
      sizeBytes += found.sizeBytes;
      tornBytes = found.tornBytes;
      if (found.baseOffset !== baseOffsetOf(name))
        problems.push({ file, place: 'header', what: `begins at offset ${found.baseOffset}, which is not its name` });
      if (end !== null && end !== found.baseOffset && (committedEnd === null || found.baseOffset > committedEnd))
        problems.push({ file, place: '', what: `the rows of offsets ${end} to ${found.baseOffset} are not there` });
      if (end === null && committedEnd !== null && found.baseOffset > committedEnd)
        problems.push({
          file,
          place: '',
          what: `the rows of offsets ${committedEnd} to ${found.baseOffset} are not there`,
        });
      end = found.endOffset;
    } catch (error) {
      const { message, details } = toFault(error);
      problems.push({ file, place: details?.position === undefined ? '' : `byte ${details.position}`, what: message });
      // What follows it cannot be compared with it.
      end = null;
      committedEnd = null;
    }
  }
  try {
    const closedEnd = await readClosed(disk, folder);
    if (closedEnd !== null && problems.length === 0 && closedEnd > Math.max(end ?? 0, committedEnd ?? 0))
      problems.push({
        file: logNames.length === 0 ? folder : `${folder}/${logNames.at(-1)}`,
        ...{ place: '', what: `the rows of offsets ${end ?? 0} to ${closedEnd} are not there` },
      });
  } catch (error) {
    problems.push({ file: `${folder}/${closedFileName}`, place: '', what: toFault(error).message });
  }
  try {
    await readKeys(disk, folder, new KeyWindow());
  } catch (error) {
    problems.push({ file: `${folder}/${keysFileName}`, place: '', what: toFault(error).message });
  }
  const rowCount = end === null ? 0 : Math.max(0, end - (committedEnd ?? end));
  return { problems, recordCount, sizeBytes, rowCount, tornBytes };
}

async function verifyFile(disk: Disk, path: string, isLast: boolean, count: () => void): Promise<FoundFile> {
  // What is behind the last file's end may be a write that a crash cut short.
  const records = scanFile(disk, path, isLast ? null : Number.POSITIVE_INFINITY);
  for (;;) {
    const next = await records.next();
    if (next.done) return next.value;
    count();
    if (next.value.rowCount > 0) checkBatch(decodeBatch(next.value.frame));
  }
}

/** Lines of a table's reject log that are not as they were written; the last one may have been cut short by a crash. */
export async function verifyRejects(
  disk: Disk,
  folder: string,
): Promise<{ readonly problems: readonly LogProblem[]; readonly tornFiles: readonly string[] }> {
  const problems: LogProblem[] = [];
  const tornFiles: string[] = [];
  for (const name of rejectFileNames) {
    const path = `${folder}/${name}`;
    if (!(await disk.exists(path))) continue;
    const file = await disk.open(path, 'read');
    try {
      const bytes = new Uint8Array(await file.sizeBytes());
      const lines = new TextDecoder().decode(bytes.subarray(0, await file.read(bytes, 0))).split('\n');
      if (lines.at(-1) !== '') tornFiles.push(path);
      for (const [index, line] of lines.slice(0, -1).entries())
        if (parseReject(line) === null)
          problems.push({ file: path, place: `line ${index + 1}`, what: 'is damaged, or was cut short by a crash' });
    } finally {
      await file.close();
    }
  }
  return { problems, tornFiles };
}
