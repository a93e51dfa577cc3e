/**
 * Where a log ended when it was closed in good order. A log that was cut off afterwards would look like one whose last
 * writes a crash cut short; this tells it. Removed when the log is opened, so a crash never meets an end that is later.
 */
import { crc32c } from '../base/checksum.ts';
import { fault } from '../base/fault.ts';
import type { Disk } from '../base/seams.ts';

export const closedFileName = 'closed';
const magic = 0x444e_4557; // "WEND"
const version = 1;
const sizeBytes = 20;

/** Durable once it resolves. */
export async function writeClosed(disk: Disk, folder: string, endOffset: number): Promise<void> {
  const bytes = new Uint8Array(sizeBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic, true);
  view.setUint32(4, version, true);
  view.setBigUint64(8, BigInt(endOffset), true);
  view.setUint32(16, crc32c(bytes.subarray(0, 16)), true);
  const path = `${folder}/${closedFileName}`;
  const file = await disk.open(`${path}.tmp`, 'write');
  try {
    await file.truncate(0);
    await file.write(bytes, 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(`${path}.tmp`, path);
  await disk.syncFolder(folder);
}

/** null where the log was not closed in good order. @throws FaultError CORRUPT_LOG */
export async function readClosed(disk: Disk, folder: string): Promise<number | null> {
  const path = `${folder}/${closedFileName}`;
  if (!(await disk.exists(path))) return null;
  const file = await disk.open(path, 'read');
  try {
    const bytes = new Uint8Array(sizeBytes + 1);
    const size = await file.read(bytes, 0);
    const view = new DataView(bytes.buffer);
    if (
      size === sizeBytes &&
      view.getUint32(0, true) === magic &&
      view.getUint32(4, true) === version &&
      view.getUint32(16, true) === crc32c(bytes.subarray(0, 16))
    )
      return Number(view.getBigUint64(8, true));
    throw fault('CORRUPT_LOG', `${path} fails its checksum`, {
      hint: 'the rows are in the other files: remove this one; it only tells whether they were cut off',
    });
  } finally {
    await file.close();
  }
}
