import { assert } from '../base/assert.ts';
import { cardinality, selectContainer } from '../bitmap/roaring.ts';
import type { InvertedIndex } from './block.ts';
import type { Resident } from './cache.ts';
import { directoryEntrySizeBytes } from './index-file.ts';
import type { BufferRef, ManifestIndex } from './manifest.ts';
import type { SegmentSource } from './source.ts';

/** No code. */
const directory = -1;

/** Bytes at hand: `bytes[at .. at + sizeBytes)`, until the next await. */
interface Part {
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly sizeBytes: number;
}

/**
 * A file of bitmaps, read one bitmap at a time when it is first asked for, so that one rare value costs a few bytes of a
 * large index. Its methods read again what was evicted: it may be kept across awaits.
 */
export class StoredIndex implements InvertedIndex {
  readonly #index: ManifestIndex;
  readonly #fileSizeBytes: number;
  readonly #source: SegmentSource;
  /** By code; the directory under its own number. */
  readonly #parts = new Map<number, { readonly resident: Resident; readonly sizeBytes: number }>();
  /** What passed its checksum once. */
  readonly #verified = new Set<number>();

  constructor(index: ManifestIndex, fileSizeBytes: number, source: SegmentSource) {
    this.#index = index;
    this.#fileSizeBytes = fileSizeBytes;
    this.#source = source;
  }

  cardinality(code: number): number {
    const { bytes, at, sizeBytes } = this.#bitmap(code);
    return cardinality(bytes, at, sizeBytes);
  }

  select(code: number, blockIndex: number, words: Uint32Array): void {
    const { bytes, at, sizeBytes } = this.#bitmap(code);
    selectContainer(bytes, at, sizeBytes, blockIndex, words);
  }

  release(): void {
    for (const { resident } of this.#parts.values()) this.#source.cache.release(resident);
  }

  #bitmap(code: number): Part {
    assert(code >= 0 && code < this.#index.count, `code ${code} of ${this.#index.count}`);
    return this.#known(code) ?? this.#read(code, this.#place(code), `bitmap ${code}`);
  }

  /** Where a bitmap is, by the directory. */
  #place(code: number): BufferRef {
    const { bytes, at } = this.#known(directory) ?? this.#read(directory, this.#index.directory, 'directory');
    const view = new DataView(bytes.buffer, bytes.byteOffset + at + code * directoryEntrySizeBytes);
    const offset = view.getUint32(0, true);
    const sizeBytes = view.getUint32(4, true);
    if (offset + sizeBytes > this.#fileSizeBytes)
      throw this.#source.corrupt(`index ${this.#index.file}`, `has bitmap ${code} at ${offset}, outside the file`);
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
    const part = resident
      ? { bytes: cache.arena.u8, at: resident.address, sizeBytes }
      : { bytes: new Uint8Array(sizeBytes), at: 0, sizeBytes };
    try {
      const into = part.bytes.subarray(part.at, part.at + sizeBytes);
      this.#source.read(
        this.#index.file,
        ref,
        into,
        this.#verified.has(number),
        `column ${this.#index.columnId}, ${what}`,
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
