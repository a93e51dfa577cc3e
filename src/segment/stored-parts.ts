import { assert } from '../base/assert.ts';
import type { Resident } from './cache.ts';
import { directoryEntrySizeBytes } from './index-file.ts';
import type { BufferRef, ManifestIndex } from './manifest.ts';
import type { SegmentSource } from './source.ts';

/** No part. */
const directory = -1;

/** Bytes at hand: `bytes[at .. at + sizeBytes)`, at a multiple of 8, until the next await. */
export interface Part {
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly sizeBytes: number;
}

/**
 * An index file, read one part at a time when it is first asked for, so that a rare value costs a few bytes of a large
 * index. Its methods read again what was evicted: it may be kept across awaits.
 */
export class StoredParts {
  readonly index: ManifestIndex;
  readonly #fileSizeBytes: number;
  readonly #source: SegmentSource;
  /** By part; the directory under its own number. */
  readonly #parts = new Map<number, { readonly resident: Resident; readonly sizeBytes: number }>();
  /** What passed its checksum once. */
  readonly #verified = new Set<number>();

  constructor(index: ManifestIndex, fileSizeBytes: number, source: SegmentSource) {
    this.index = index;
    this.#fileSizeBytes = fileSizeBytes;
    this.#source = source;
  }

  part(number: number): Part {
    assert(number >= 0 && number < this.index.count, `part ${number} of ${this.index.count}`);
    return this.#known(number) ?? this.#read(number, this.#place(number), `part ${number}`);
  }

  /** What asking for a part would read: 0 where it is at hand. */
  readSizeBytes(number: number): number {
    const known = this.#parts.get(number);
    return known && known.resident.address !== 0 ? 0 : this.#place(number).sizeBytes;
  }

  corrupt(number: number, why: string): Error {
    return this.#source.corrupt(`index ${this.index.file}`, `has a part ${number} that ${why}`);
  }

  release(): void {
    for (const { resident } of this.#parts.values()) this.#source.cache.release(resident);
  }

  /** Where a part is, by the directory. */
  #place(number: number): BufferRef {
    const { bytes, at } = this.#known(directory) ?? this.#read(directory, this.index.directory, 'directory');
    const view = new DataView(bytes.buffer, bytes.byteOffset + at + number * directoryEntrySizeBytes);
    const offset = view.getUint32(0, true);
    const sizeBytes = view.getUint32(4, true);
    if (offset + sizeBytes > this.#fileSizeBytes)
      throw this.#source.corrupt(`index ${this.index.file}`, `has part ${number} at ${offset}, outside the file`);
    return { offset, sizeBytes, crc: view.getUint32(8, true) };
  }

  #known(number: number): Part | null {
    const known = this.#parts.get(number);
    if (!known || known.resident.address === 0) return null;
    const { cache } = this.#source;
    cache.touch(known.resident);
    return { bytes: cache.arena.u8, at: known.resident.address, sizeBytes: known.sizeBytes };
  }

  /** Into the arena, or where that is full of what this turn needs, into memory for this one use. */
  #read(number: number, ref: BufferRef, what: string): Part {
    const { cache } = this.#source;
    const { sizeBytes } = ref;
    const resident = cache.allocate(sizeBytes);
    // Whole words, so that bits can be looked at as words.
    const part = resident
      ? { bytes: cache.arena.u8, at: resident.address, sizeBytes }
      : { bytes: new Uint8Array((sizeBytes + 3) & ~3), at: 0, sizeBytes };
    try {
      const into = part.bytes.subarray(part.at, part.at + sizeBytes);
      this.#source.read(
        this.index.file,
        ref,
        into,
        this.#verified.has(number),
        `index of column ${this.index.columnId}, ${what}`,
      );
    } catch (error) {
      if (resident) cache.release(resident);
      throw error;
    }
    this.#verified.add(number);
    if (resident) this.#parts.set(number, { resident, sizeBytes });
    return part;
  }
}
