/**
 * Copies of the deep store's files on this machine's disk, laid out alike: `<table>/<segment>/<file>`. A file is written under
 * another name first, and a segment's manifest last: a manifest that is there says that all of its generation is.
 */
import { fault } from '../base/fault.ts';
import type { Disk } from '../base/seams.ts';
import { parseSegmentId, tableIdPattern } from '../catalog/segment-id.ts';
import { segmentKey } from '../segment/manifest.ts';
import type { PlacedSegment } from '../wire/cluster-calls.ts';

const unfinishedSuffix = '.tmp';
const manifestPattern = /^manifest-(\d{1,9})\.json$/;
const fileNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,100}$/;

export class CacheFolder {
  readonly #disk: Disk;
  readonly #root: string;

  /** @param root Made on first use. */
  constructor(disk: Disk, root: string) {
    this.#disk = disk;
    this.#root = root;
  }

  /** Segments that are there whole, in their latest generation. What was being written when the process ended is removed. */
  async segments(): Promise<PlacedSegment[]> {
    const found: PlacedSegment[] = [];
    for (const tableId of await this.#disk.list(this.#root)) {
      if (!tableIdPattern.test(tableId)) continue;
      for (const id of await this.#disk.list(`${this.#root}/${tableId}`)) {
        if (parseSegmentId(id)?.tableId !== tableId) continue;
        const generation = await this.#generationOf(`${this.#root}/${tableId}/${id}`);
        if (generation !== null) found.push({ id, tableId, generation });
      }
    }
    return found;
  }

  /** Whether the file is there, in that size. */
  async has({ tableId, id }: PlacedSegment, file: string, sizeBytes: number): Promise<boolean> {
    const path = this.#path(tableId, id, file);
    if (!(await this.#disk.exists(path))) return false;
    const opened = await this.#disk.open(path, 'read');
    try {
      return (await opened.sizeBytes()) === sizeBytes;
    } finally {
      await opened.close();
    }
  }

  /** Writes the pieces one after another. There as a whole when it resolves, and not at all where it rejects. @throws Error of the disk (ENOSPC) */
  async write({ tableId, id }: PlacedSegment, file: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
    const path = this.#path(tableId, id, file);
    const unfinished = path + unfinishedSuffix;
    await this.#disk.makeFolder(`${this.#root}/${tableId}/${id}`);
    await this.#disk.remove(unfinished);
    try {
      const opened = await this.#disk.open(unfinished, 'create');
      try {
        let position = 0;
        for await (const piece of pieces) {
          await opened.write(piece, position);
          position += piece.length;
        }
        // A name that outlives a power cut without its bytes would be found damaged, and fetched again: avoidable.
        await opened.sync();
      } finally {
        await opened.close();
      }
      await this.#disk.rename(unfinished, path);
    } catch (error) {
      await this.#disk.remove(unfinished).catch(() => {});
      throw error;
    }
  }

  /** The files that were written are there after a power cut: a manifest that follows never outlives them. */
  async sync({ tableId, id }: PlacedSegment): Promise<void> {
    await this.#disk.syncFolder(`${this.#root}/${tableId}/${id}`);
  }

  async remove({ tableId, id }: PlacedSegment): Promise<void> {
    await this.#disk.remove(`${this.#root}/${tableId}/${id}`);
  }

  async #generationOf(folder: string): Promise<number | null> {
    let latest: number | null = null;
    for (const file of await this.#disk.list(folder)) {
      if (file.endsWith(unfinishedSuffix)) await this.#disk.remove(`${folder}/${file}`);
      const match = manifestPattern.exec(file);
      if (match) latest = Math.max(latest ?? 0, Number(match[1]));
    }
    return latest;
  }

  /** Names come from another process: none leaves the folder. @throws FaultError CORRUPT_SEGMENT */
  #path(tableId: string, id: string, file: string): string {
    if (parseSegmentId(id)?.tableId !== tableId || !fileNamePattern.test(file) || file.endsWith(unfinishedSuffix))
      throw fault(
        'CORRUPT_SEGMENT',
        `${JSON.stringify(segmentKey(tableId, id, file)).slice(0, 200)} is no file of a segment`,
      );
    return `${this.#root}/${segmentKey(tableId, id, file)}`;
  }
}
