import { fault } from '../base/fault.ts';
import type { Disk, DiskFile } from '../base/seams.ts';
import { closedFileName, readClosed } from './closed.ts';
import { KeyWindow, readKeys, writeKeys } from './keys.ts';
import {
  createFile,
  type LogComponents,
  type LogFile,
  type LogSettings,
  PartitionLog,
  unfinishedSuffix,
} from './log.ts';
import { baseOffsetOf, type FoundFile, scanFile } from './log-file.ts';
import type { LogRecord } from './record.ts';

/**
 * Opens a partition's log, or begins it at `startOffset`. Reads all of it once, to check it and to collect its keys.
 * @throws FaultError CORRUPT_LOG: damaged, or rows from `startOffset` on are missing. Nothing is changed then.
 */
export async function openLog(settings: LogSettings, components: LogComponents): Promise<PartitionLog> {
  const { folder, startOffset } = settings;
  const { disk, clock, log } = components;
  await makeDurableFolder(disk, folder);
  const keys = new KeyWindow();
  await readKeys(disk, folder, keys);
  let found: FoundFile[] = [];
  const names = await disk.list(folder);
  const logNames = names.filter(name => baseOffsetOf(name) !== null);
  for (const name of logNames) {
    const durableSizeBytes = name === logNames.at(-1) ? null : Number.POSITIVE_INFINITY;
    const file = await collectKeys(scanFile(disk, `${folder}/${name}`, durableSizeBytes), keys);
    const before = found.at(-1);
    if (before && before.endOffset !== file.baseOffset) {
      // Removals may survive a crash in any order; below the committed end they leave no hole that matters.
      if (file.baseOffset > startOffset) throw missingRows(folder, before.endOffset, file.baseOffset);
      found = [];
    }
    found.push(file);
  }
  const closedEnd = await readClosed(disk, folder);
  if (closedEnd !== null && closedEnd > startOffset && (found.at(-1)?.endOffset ?? startOffset) < closedEnd)
    throw missingRows(folder, found.at(-1)?.endOffset ?? startOffset, closedEnd);
  keys.expire(keys.nowMs(clock.nowMs()));
  if (found.length > 0 && found[0]!.baseOffset > startOffset)
    throw missingRows(folder, startOffset, found[0]!.baseOffset);
  const last = found.at(-1);
  if (last && last.endOffset < startOffset) {
    log.warn('the log ends before the committed rows do: it begins again after them', {
      folder,
      logEnd: last.endOffset,
      committedEnd: startOffset,
    });
    found = [];
  }
  if (keys.size > 0 && logNames.length > found.length) await writeKeys(disk, folder, keys);
  const stale = names.filter(
    name =>
      name.endsWith(unfinishedSuffix) ||
      (logNames.includes(name) && !found.some(file => file.path === `${folder}/${name}`)),
  );
  for (const name of stale) await disk.remove(`${folder}/${name}`);
  if (closedEnd !== null) await disk.remove(`${folder}/${closedFileName}`);

  const files: LogFile[] = found.map(({ path, salt, baseOffset, endOffset, sizeBytes }) => ({
    path,
    salt,
    baseOffset,
    endOffset,
    sizeBytes,
  }));
  let file: DiskFile;
  if (found.length === 0) {
    const { file: created, ...first } = await createFile(folder, startOffset, components);
    file = created;
    files.push(first);
  } else {
    file = await disk.open(last!.path, 'write');
    if (last!.tornBytes > 0) {
      log.warn('dropped the end of the log, which was never acknowledged', {
        path: last!.path,
        sizeBytes: last!.tornBytes,
      });
    }
    await file.truncate(last!.sizeBytes);
    await rewrite(file, last!.durableSizeBytes, last!.sizeBytes);
    await file.sync();
  }
  await disk.syncFolder(folder);
  return new PartitionLog(settings, components, keys, files, file, found.at(-1)?.closedCleanly ?? true);
}

/**
 * The last group may be in the operating system's memory only, and look written there although its sync failed: written
 * once more, the sync that follows is about it.
 */
async function rewrite(file: DiskFile, from: number, to: number): Promise<void> {
  const bytes = new Uint8Array(to - from);
  const size = await file.read(bytes, from);
  await file.write(bytes.subarray(0, size), from);
}

async function collectKeys(records: AsyncGenerator<LogRecord, FoundFile, void>, keys: KeyWindow): Promise<FoundFile> {
  for (;;) {
    const next = await records.next();
    if (next.done) return next.value;
    const { idempotencyKey, rowCount, rejectedCount, appendedAtMs } = next.value;
    if (idempotencyKey !== null)
      keys.add(idempotencyKey, { accepted: rowCount, rejected: rejectedCount, appendedAtMs });
  }
}

/** The folder and those above it that are new, each durable in its parent. */
async function makeDurableFolder(disk: Disk, path: string): Promise<void> {
  if (await disk.exists(path)) return;
  const parent = path.slice(0, Math.max(path.lastIndexOf('/'), 0));
  if (parent !== '') await makeDurableFolder(disk, parent);
  await disk.makeFolder(path);
  if (parent !== '') await disk.syncFolder(parent);
}

const missingRows = (folder: string, from: number, to: number): Error =>
  fault('CORRUPT_LOG', `${folder} lacks the rows of offsets ${from} to ${to}, which no published segment has`, {
    hint: 'files of the log were removed: restore them from a copy',
    details: { startOffset: from, endOffset: to },
  });
