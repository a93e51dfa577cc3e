/** A committed segment: its manifest in memory, its columns and indexes in the arena as they are asked for. */
import { fault } from '../base/fault.ts';
import type { SegmentEntry, ZoneMap } from '../catalog/table.ts';
import type { Type } from '../column/type.ts';
import type {
  BitmapIndex,
  Block,
  BlockColumn,
  BloomIndex,
  RangeIndex,
  SegmentIndexes,
  SegmentReader,
} from './block.ts';
import { StoredBloom } from './bloom-index.ts';
import type { SegmentCache } from './cache.ts';
import { blockCountOf, blockRowCount } from './encode.ts';
import type { OpenFiles } from './files.ts';
import {
  type Manifest,
  type ManifestIndex,
  manifestFile,
  manifestSizeBytesMax,
  parseManifest,
  segmentKey,
} from './manifest.ts';
import { StoredRange } from './range-index.ts';
import { SegmentSource } from './source.ts';
import { StoredBitmaps } from './stored-bitmaps.ts';
import { StoredColumn } from './stored-column.ts';
import { StoredParts } from './stored-parts.ts';

/**
 * The manifest of the entry's generation, checked against what the entry says. About 20 µs for a small segment.
 * @throws FaultError CORRUPT_SEGMENT
 */
export function readManifest(entry: SegmentEntry, files: OpenFiles): Manifest {
  const key = segmentKey(entry.tableId, entry.id, manifestFile(entry.generation));
  const manifest = parseManifest(files.readWhole(key, manifestSizeBytesMax), key);
  for (const [name, ours, theirs] of [
    ['segment', manifest.segmentId, entry.id],
    ['table', manifest.tableId, entry.tableId],
    ['generation', manifest.generation, entry.generation],
    ['partition', manifest.partition, entry.partition],
    ['row count', manifest.rowCount, entry.rowCount],
    ['start offset', manifest.startOffset, entry.startOffset],
    ['end offset', manifest.endOffset, entry.endOffset],
  ] as const)
    if (ours !== theirs)
      throw fault('CORRUPT_SEGMENT', `${key} has ${name} ${ours}, the metadata says ${theirs}`, {
        hint: 'the file belongs to another segment, or the metadata to another data folder',
      });
  return manifest;
}

/**
 * Reads and checks the manifest, nothing else. O(columns × blocks).
 * @throws FaultError CORRUPT_SEGMENT
 */
export const openSegment = async (entry: SegmentEntry, files: OpenFiles, cache: SegmentCache): Promise<StoredSegment> =>
  new StoredSegment(readManifest(entry, files), files, cache);

export class StoredSegment implements SegmentReader {
  readonly id: string;
  readonly tableId: string;
  readonly partition: number;
  readonly rowCount: number;
  readonly consuming = false;
  readonly manifest: Manifest;
  readonly blocks: readonly StoredBlock[];
  readonly #source: SegmentSource;
  readonly #columns = new Map<number, StoredColumn>();
  readonly indexes: StoredIndexes;

  constructor(manifest: Manifest, files: OpenFiles, cache: SegmentCache) {
    this.id = manifest.segmentId;
    this.tableId = manifest.tableId;
    this.partition = manifest.partition;
    this.rowCount = manifest.rowCount;
    this.manifest = manifest;
    this.#source = new SegmentSource(manifest, files, cache);
    for (const column of manifest.columns)
      this.#columns.set(column.id, new StoredColumn(column, manifest.rowCount, this.#source));
    this.indexes = new StoredIndexes(manifest, this.#source);
    this.blocks = Array.from(
      { length: blockCountOf(manifest.rowCount) },
      (_, index) => new StoredBlock(this, index, this.#columns, cache),
    );
  }

  columnType(columnId: number): Type | null {
    return this.#columns.get(columnId)?.type ?? null;
  }

  /** Gives its arena memory and files back. The reader, its blocks and indexes must not be used again. */
  close(): void {
    for (const column of this.#columns.values()) column.release();
    this.indexes.release();
    this.#source.close();
  }
}

class StoredIndexes implements SegmentIndexes {
  readonly #manifest: Manifest;
  /** By kind and column. */
  readonly #parts = new Map<string, StoredParts>();

  constructor(manifest: Manifest, source: SegmentSource) {
    this.#manifest = manifest;
    for (const index of manifest.indexes) {
      const fileSizeBytes = manifest.files.find(file => file.name === index.file)!.sizeBytes;
      this.#parts.set(`${index.kind} ${index.columnId}`, new StoredParts(index, fileSizeBytes, source));
    }
  }

  inverted(columnId: number): BitmapIndex | null {
    const parts = this.#partsOf('inverted', columnId);
    return parts && new StoredBitmaps(parts);
  }

  nulls(columnId: number): BitmapIndex | null {
    const parts = this.#partsOf('null', columnId);
    return parts && new StoredBitmaps(parts);
  }

  range(columnId: number): RangeIndex | null {
    const parts = this.#partsOf('range', columnId);
    return parts && new StoredRange(parts, this.#column(columnId).type);
  }

  bloom(columnId: number): BloomIndex | null {
    const parts = this.#partsOf('bloom', columnId);
    return parts && new StoredBloom(parts, this.#column(columnId).type, blockCountOf(this.#manifest.rowCount));
  }

  isSorted(columnId: number): boolean {
    return this.#manifest.columns.some(({ id, sorted }) => id === columnId && sorted);
  }

  release(): void {
    for (const parts of this.#parts.values()) parts.release();
  }

  #partsOf(kind: ManifestIndex['kind'], columnId: number): StoredParts | null {
    return this.#parts.get(`${kind} ${columnId}`) ?? null;
  }

  #column(columnId: number): Manifest['columns'][number] {
    return this.#manifest.columns.find(({ id }) => id === columnId)!;
  }
}

class StoredBlock implements Block {
  readonly segment: StoredSegment;
  readonly index: number;
  readonly rowCount: number;
  readonly #columns: ReadonlyMap<number, StoredColumn>;
  readonly #cache: SegmentCache;

  constructor(segment: StoredSegment, index: number, columns: ReadonlyMap<number, StoredColumn>, cache: SegmentCache) {
    this.segment = segment;
    this.index = index;
    this.rowCount = blockRowCount(segment.rowCount, index);
    this.#columns = columns;
    this.#cache = cache;
  }

  zone(columnId: number): ZoneMap | null {
    return this.#columns.get(columnId)?.zone(this.index) ?? null;
  }

  readSizeBytes(columnId: number): number {
    return this.#columns.get(columnId)?.readSizeBytes(this.index) ?? 0;
  }

  /** Reads in one synchronous stretch, at once where there is room, else in the next turn (see cache.ts). */
  async load(columnIds: readonly number[]): Promise<void> {
    if (this.#bring(columnIds)) return;
    await this.#cache.nextTurn();
    if (!this.#bring(columnIds)) throw this.#noRoom(`${columnIds.length} columns`);
  }

  column(columnId: number): BlockColumn | null {
    const column = this.#columns.get(columnId);
    if (!column) return null;
    const block = column.bring(this.index);
    if (!block) throw this.#noRoom(column.name);
    return block;
  }

  #bring(columnIds: readonly number[]): boolean {
    for (const id of columnIds) {
      const column = this.#columns.get(id);
      if (column && !column.bring(this.index)) return false;
    }
    return true;
  }

  #noRoom(what: string): Error {
    const { usedBytes } = this.#cache.stats;
    const { capacityBytes } = this.#cache.arena;
    return fault(
      'MEMORY_BUDGET',
      `no room for ${what} of one block: the shard's memory has ${capacityBytes} bytes, ${usedBytes} of them cached columns in use`,
      { hint: 'raise --memory, or ask for fewer columns', details: { capacityBytes, usedBytes } },
    );
  }
}
