/**
 * Uploads: files that clients sent, in `<data>/uploads`, each under the SHA-256 of its content. They come in parts, in
 * order; one that is whole is known by `<id>`, one that is not by `<id>.part`. Names that clients give never become paths.
 */
import { createHash } from 'node:crypto';
import { fault } from '../base/fault.ts';
import type { Clock, Disk, DiskFile, FileTree, Log } from '../base/seams.ts';
import type { LoadInput } from '../catalog/load.ts';
import { hashSizeBytes, uploadAgeMsMax, uploadCountMax, uploadReserveBytes, uploadSizeBytesMax } from './limits.ts';

export interface UploadState {
  readonly receivedBytes: number;
  /** It is there as its id says, and a load may name it. */
  readonly isWhole: boolean;
}

export interface UploadsComponents {
  readonly clock: Clock;
  readonly log: Log;
  readonly disk: Disk;
  readonly files: FileTree;
}

const idPattern = /^[0-9a-f]{64}$/;

export class Uploads {
  readonly #folder: string;
  readonly #components: UploadsComponents;
  /** By id: when somebody last asked for it or added to it, since the start. */
  readonly #touchedMs = new Map<string, number>();
  /** By id: resolves when the last part that came is written. Parts of one upload are written one after another. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(folder: string, components: UploadsComponents) {
    this.#folder = folder;
    this.#components = components;
  }

  /** @throws FaultError INVALID_REQUEST for what is no id */
  async state(id: string): Promise<UploadState> {
    this.#touch(id);
    const whole = await this.#sizeOf(this.#path(id));
    if (whole !== null) return { receivedBytes: whole, isWhole: true };
    return { receivedBytes: (await this.#sizeOf(this.#partPath(id))) ?? 0, isWhole: false };
  }

  /**
   * The part at `offset`, which is where the upload ends so far; the one that makes it whole checks its content.
   * @throws FaultError INVALID_REQUEST (another offset, another content), LIMIT_EXCEEDED, DISK_FULL
   */
  put(id: string, offset: number, totalBytes: number, bytes: Uint8Array): Promise<UploadState> {
    this.#touch(id);
    const turn = (this.#turns.get(id) ?? Promise.resolve())
      .catch(() => {})
      .then(() => this.#append(id, offset, totalBytes, bytes));
    this.#turns.set(id, turn);
    return turn.finally(() => {
      if (this.#turns.get(id) === turn) this.#turns.delete(id);
    });
  }

  /** @throws FaultError NOT_FOUND */
  async input(id: string, name: string): Promise<LoadInput> {
    const { isWhole, receivedBytes: sizeBytes } = await this.state(id);
    if (!isWhole)
      throw fault('NOT_FOUND', `upload ${id} is not whole, or not there`, { hint: 'upload the file again' });
    return { kind: 'upload', location: id, name, sizeBytes, fingerprint: id };
  }

  /**
   * Removes those that no load needs any more, and those that nobody came back for.
   * @param inUse By id: null while a load may read it, else when the last load that did ended.
   */
  async sweep(inUse: ReadonlyMap<string, number | null>): Promise<void> {
    const { clock, disk, log } = this.#components;
    for (const name of await disk.list(this.#folder)) {
      const id = name.replace(/\.part$/, '');
      if (!idPattern.test(id) || this.#turns.has(id) || inUse.get(id) === null) continue;
      const touchedMs = this.#touchedMs.get(id);
      // What an earlier process left counts from this one's start.
      if (touchedMs === undefined) this.#touchedMs.set(id, clock.nowMs());
      const endedMs = inUse.get(id);
      const isDone = endedMs !== undefined && endedMs! >= (touchedMs ?? 0);
      if (!isDone && clock.nowMs() - (touchedMs ?? clock.nowMs()) < uploadAgeMsMax) continue;
      await disk.remove(`${this.#folder}/${name}`);
      this.#touchedMs.delete(id);
      log.info('removed an upload', { upload: id });
    }
  }

  async #append(id: string, offset: number, totalBytes: number, bytes: Uint8Array): Promise<UploadState> {
    const { disk } = this.#components;
    const { receivedBytes, isWhole } = await this.state(id);
    if (isWhole) return { receivedBytes, isWhole };
    if (totalBytes > uploadSizeBytesMax)
      throw fault('LIMIT_EXCEEDED', `an upload of ${totalBytes} bytes; at most ${uploadSizeBytesMax} are taken`, {
        hint: 'send it in several files, or let the server read it where it is: --load-from FOLDER',
      });
    if (offset !== receivedBytes || offset + bytes.length > totalBytes)
      throw fault(
        'INVALID_REQUEST',
        `bytes ${offset} to ${offset + bytes.length} of ${totalBytes} do not follow the ${receivedBytes} that are there`,
        { hint: 'ask for the state of the upload, and go on there', details: { receivedBytes } },
      );
    if (receivedBytes === 0) await this.#begin();
    await this.#checkRoom(bytes.length);
    const file = await disk.open(this.#partPath(id), 'write');
    try {
      await file.write(bytes, offset).catch(async error => {
        // Half a part would be in the way of the next attempt.
        await file.truncate(offset).catch(() => {});
        throw error;
      });
      if (offset + bytes.length === totalBytes) {
        await this.#checkContent(file, id, totalBytes);
        await file.sync();
      }
    } finally {
      await file.close();
    }
    if (offset + bytes.length < totalBytes) return { receivedBytes: offset + bytes.length, isWhole: false };
    await disk.rename(this.#partPath(id), this.#path(id));
    await disk.syncFolder(this.#folder);
    return { receivedBytes: totalBytes, isWhole: true };
  }

  async #begin(): Promise<void> {
    const { disk } = this.#components;
    await disk.makeFolder(this.#folder);
    const count = (await disk.list(this.#folder)).length;
    if (count >= uploadCountMax)
      throw fault('LIMIT_EXCEEDED', `there are ${count} uploads`, {
        hint: 'they go when their loads have ended, or after a day',
      });
  }

  async #checkRoom(sizeBytes: number): Promise<void> {
    const freeBytes = await this.#components.files.freeBytes(this.#folder);
    if (freeBytes - sizeBytes >= uploadReserveBytes) return;
    throw fault('DISK_FULL', `the data folder's disk has ${freeBytes} bytes left`, {
      hint: `${uploadReserveBytes} bytes stay free for pushes: free space, or let the server read the file where it is`,
      details: { freeBytes, uploadReserveBytes },
    });
  }

  /** An upload of other content than its id says begins again. */
  async #checkContent(file: DiskFile, id: string, sizeBytes: number): Promise<void> {
    const hash = createHash('sha256');
    const buffer = new Uint8Array(hashSizeBytes);
    for (let at = 0; at < sizeBytes; ) {
      const size = await file.read(buffer, at);
      if (size === 0) break;
      hash.update(buffer.subarray(0, size));
      at += size;
    }
    const digest = hash.digest('hex');
    if (digest === id) return;
    await file.truncate(0);
    throw fault('INVALID_REQUEST', `the upload's SHA-256 is ${digest}, not ${id}`, {
      hint: 'the file changed while it was sent, or the id is not that of its content: send it again from the start',
    });
  }

  async #sizeOf(path: string): Promise<number | null> {
    const { disk } = this.#components;
    if (!(await disk.exists(path))) return null;
    const file = await disk.open(path, 'read');
    try {
      return await file.sizeBytes();
    } finally {
      await file.close();
    }
  }

  #touch(id: string): void {
    if (!idPattern.test(id))
      throw fault('INVALID_REQUEST', `${id.slice(0, 80)} is no upload's id`, {
        hint: "an upload's id is the SHA-256 of the file's content: 64 hexadecimal digits in lower case",
      });
    this.#touchedMs.set(id, this.#components.clock.nowMs());
  }

  #path(id: string): string {
    return `${this.#folder}/${id}`;
  }

  #partPath(id: string): string {
    return `${this.#folder}/${id}.part`;
  }
}
