import { assert } from '../base/assert.ts';
import { crc32c } from '../base/checksum.ts';
import { fault } from '../base/fault.ts';
import type { SegmentCache } from './cache.ts';
import type { OpenFiles } from './files.ts';
import { type BufferRef, type Manifest, segmentKey } from './manifest.ts';

/** Reads buffers of one segment's files, and checks each the first time. */
export class SegmentBuffers {
  readonly segmentId: string;
  readonly #tableId: string;
  readonly #files: OpenFiles;

  constructor(manifest: Manifest, files: OpenFiles) {
    this.segmentId = manifest.segmentId;
    this.#tableId = manifest.tableId;
    this.#files = files;
  }

  /** Fills `into`, whose length is the buffer's. `what` names it in messages: "column amount, block 3". */
  read(file: string, ref: BufferRef, into: Uint8Array, verified: boolean, what: string): void {
    assert(into.length === ref.sizeBytes, 'a buffer is read whole');
    this.#files.readExactly(segmentKey(this.#tableId, this.segmentId, file), into, ref.offset);
    if (verified) return;
    const crc = crc32c(into);
    if (crc !== ref.crc)
      throw this.corrupt(what, `fails its checksum in ${file}: ${hex(crc)} instead of ${hex(ref.crc)}`);
  }

  corrupt(what: string, why: string): Error {
    return fault('CORRUPT_SEGMENT', `segment ${this.segmentId}, ${what} ${why}`, {
      hint: 'the disk or a program damaged the file: restore it from a copy of the data folder',
      details: { segment: this.segmentId },
    });
  }

  /** Forgets the segment's open files. */
  close(): void {
    this.#files.close(`${this.#tableId}/${this.segmentId}/`);
  }
}

/** The buffers of a segment that a shard has open: what is read of them is kept in its cache. */
export class SegmentSource extends SegmentBuffers {
  readonly cache: SegmentCache;

  constructor(manifest: Manifest, files: OpenFiles, cache: SegmentCache) {
    super(manifest, files);
    this.cache = cache;
  }

  override corrupt(what: string, why: string): Error {
    this.cache.corruptCount++;
    return super.corrupt(what, why);
  }
}

const hex = (crc: number): string => crc.toString(16).padStart(8, '0');
