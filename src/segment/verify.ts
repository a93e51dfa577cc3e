/** Every byte of a committed segment against its checksums; with `deep`, what the bytes say against each other. */
import { crc32c } from '../base/checksum.ts';
import { toFault } from '../base/fault.ts';
import { cardinality, selectContainer } from '../bitmap/roaring.ts';
import type { SegmentEntry, ZoneMap } from '../catalog/table.ts';
import type { Column } from '../column/column.ts';
import { readStoredColumn } from './column-reader.ts';
import { blockCountOf, encodeColumn } from './encode.ts';
import { readEncodedColumn } from './encoded-reader.ts';
import type { OpenFiles } from './files.ts';
import { buildInverted, buildNulls, directoryEntrySizeBytes, indexHeaderSizeBytes } from './index-file.ts';
import { buildIndex } from './indexes.ts';
import {
  type BufferRef,
  columnsFile,
  type Manifest,
  type ManifestColumn,
  type ManifestFile,
  type ManifestIndex,
  manifestFile,
  segmentKey,
} from './manifest.ts';
import { readManifest } from './reader.ts';
import { encodeBound } from './zone.ts';

export interface SegmentProblem {
  /** The deep store's key. */
  readonly file: string;
  /** "column amount, block 3"; empty where it is the file as a whole. */
  readonly place: string;
  readonly what: string;
  /** Queries go round a damaged index, and not round damaged columns. */
  readonly part: 'columns' | 'index';
}

/** Bytes that are held at once of a file that is read through. */
const chunkSizeBytes = 1 << 22;

/**
 * Reads all of the segment's files. Awaits nothing of weight: for a thread of its own, or a command.
 * @param deep Also compares zone maps and indexes with the columns: reads every value, and holds a column at a time.
 * @returns Empty where all is well. Never throws for what is in the files.
 */
export function verifySegment(entry: SegmentEntry, files: OpenFiles, deep: boolean): readonly SegmentProblem[] {
  let manifest: Manifest;
  try {
    manifest = readManifest(entry, files);
  } catch (error) {
    const file = segmentKey(entry.tableId, entry.id, manifestFile(entry.generation));
    return [{ file, place: '', what: toFault(error).message, part: 'columns' }];
  }
  return new SegmentVerifier(entry, manifest, files).run(deep);
}

/** Names of the segment's index files that are not as they were written. Reads those alone. */
export const damagedIndexes = (entry: SegmentEntry, manifest: Manifest, files: OpenFiles): ReadonlySet<string> =>
  new SegmentVerifier(entry, manifest, files).damagedIndexes();

class SegmentVerifier {
  readonly #entry: SegmentEntry;
  readonly #manifest: Manifest;
  readonly #files: OpenFiles;
  readonly #problems: SegmentProblem[] = [];

  constructor(entry: SegmentEntry, manifest: Manifest, files: OpenFiles) {
    this.#entry = entry;
    this.#manifest = manifest;
    this.#files = files;
  }

  damagedIndexes(): ReadonlySet<string> {
    const { indexes, files } = this.#manifest;
    for (const index of indexes) this.#attempt(index.file, 'index', '', () => this.#indexParts(index));
    for (const file of files)
      if (file.name !== columnsFile) this.#attempt(file.name, 'index', '', () => this.#wholeFile(file, 'index'));
    return new Set(indexes.map(({ file }) => file).filter(file => !this.#isSound(file)));
  }

  run(deep: boolean): readonly SegmentProblem[] {
    const { columns, indexes, files } = this.#manifest;
    this.#attempt(manifestFile(this.#manifest.generation), 'columns', '', () => this.#compareWithEntry());
    for (const column of columns)
      this.#attempt(columnsFile, 'columns', `column ${column.name}`, () => this.#columnBuffers(column));
    for (const index of indexes)
      this.#attempt(index.file, 'index', `column ${index.columnId}`, () => this.#indexParts(index));
    // Buffers say where; the whole file says that there is nothing else.
    for (const file of files) {
      const part = file.name === columnsFile ? 'columns' : 'index';
      if (this.#isSound(file.name)) this.#attempt(file.name, part, '', () => this.#wholeFile(file, part));
    }
    if (deep && this.#problems.length === 0) for (const column of columns) this.#contents(column);
    this.#files.close(`${this.#manifest.tableId}/${this.#manifest.segmentId}/`);
    return this.#problems;
  }

  #attempt(file: string, part: SegmentProblem['part'], place: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#add(file, part, place, toFault(error).message);
    }
  }

  #add(file: string, part: SegmentProblem['part'], place: string, what: string): void {
    this.#problems.push({ file: this.#key(file), place, what, part });
  }

  #isSound(file: string): boolean {
    return !this.#problems.some(problem => problem.file === this.#key(file));
  }

  #key(file: string): string {
    return segmentKey(this.#manifest.tableId, this.#manifest.segmentId, file);
  }

  #compareWithEntry(): void {
    const { columns, minTimeMs, maxTimeMs, generation } = this.#manifest;
    const differ = (what: string, ours: unknown, theirs: unknown): void =>
      this.#add(manifestFile(generation), 'columns', '', `has ${what} ${ours}; the metadata says ${theirs}`);
    if (minTimeMs !== this.#entry.minTimeMs) differ('the least time', minTimeMs, this.#entry.minTimeMs);
    if (maxTimeMs !== this.#entry.maxTimeMs) differ('the greatest time', maxTimeMs, this.#entry.maxTimeMs);
    for (const { id, name, zone } of columns) {
      const known = this.#entry.zones[id];
      if (known && zoneText(known) !== zoneText(zone))
        differ(`the zone ${zoneText(zone)} of ${name}`, '', zoneText(known));
    }
  }

  #buffer(file: string, ref: BufferRef): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(ref.sizeBytes);
    this.#files.readExactly(this.#key(file), bytes, ref.offset);
    return bytes;
  }

  #checked(file: string, ref: BufferRef): Uint8Array {
    const bytes = this.#buffer(file, ref);
    if (crc32c(bytes) !== ref.crc)
      throw new Error(`bytes ${ref.offset} to ${ref.offset + ref.sizeBytes} fail their checksum`);
    return bytes;
  }

  #columnBuffers({ name, dictionary, blocks }: ManifestColumn): void {
    for (const ref of dictionary?.buffers ?? [])
      this.#attempt(columnsFile, 'columns', `column ${name}, dictionary`, () => this.#checked(columnsFile, ref));
    for (const [block, { buffers }] of blocks.entries())
      for (const ref of buffers)
        this.#attempt(columnsFile, 'columns', `column ${name}, block ${block}`, () => this.#checked(columnsFile, ref));
  }

  /** Bitmaps are followed to their ends; parts of other kinds are what their checksums say. */
  #indexParts({ kind, file, columnId, count, directory }: ManifestIndex): void {
    const entries = new DataView(this.#checked(file, directory).buffer);
    const words = new Uint32Array(2_048);
    for (let part = 0; part < count; part++)
      this.#attempt(file, 'index', `column ${columnId}, part ${part}`, () => {
        const at = part * directoryEntrySizeBytes;
        const [offset, sizeBytes, crc] = [0, 4, 8].map(field => entries.getUint32(at + field, true)) as [
          number,
          number,
          number,
        ];
        const bytes = this.#checked(file, { offset, sizeBytes, crc });
        if (kind !== 'inverted' && kind !== 'null') return;
        cardinality(bytes, 0, sizeBytes);
        for (let block = 0; block < blockCountOf(this.#manifest.rowCount); block++)
          selectContainer(bytes, 0, sizeBytes, block, words);
      });
  }

  #wholeFile({ name, sizeBytes, crc }: ManifestFile, part: SegmentProblem['part']): void {
    let actual = 0;
    for (let position = 0; position < sizeBytes; position += chunkSizeBytes)
      actual = crc32c(
        this.#buffer(name, { offset: position, sizeBytes: Math.min(chunkSizeBytes, sizeBytes - position), crc: 0 }),
        actual,
      );
    if (this.#files.isLonger(this.#key(name), sizeBytes))
      this.#add(name, part, '', `goes on after its ${sizeBytes} bytes`);
    if (crc !== undefined && actual !== crc)
      this.#add(name, part, '', 'fails its checksum outside of its buffers: in its header, footer or padding');
  }

  /** What no checksum tells: that zone maps bound the values, and that indexes are of these columns. */
  #contents(column: ManifestColumn): void {
    const { name, id } = column;
    this.#attempt(columnsFile, 'columns', `column ${name}`, () => {
      const values = readStoredColumn(this.#manifest, id, this.#files)!;
      const encoded = encodeColumn({ ...column, defaultValue: null }, values, null);
      for (const [block, { zone }] of encoded.blocks.entries())
        if (!covers(column.blocks[block]!.zone, zone))
          this.#add(
            columnsFile,
            'columns',
            `column ${name}, block ${block}`,
            `has values ${zoneText(zone)}; its zone map says ${zoneText(column.blocks[block]!.zone)}`,
          );
      for (const index of this.#manifest.indexes)
        if (index.columnId === id)
          this.#attempt(index.file, 'index', `column ${name}`, () => this.#compareIndex(index, values));
    });
  }

  #compareIndex(index: ManifestIndex, values: Column): void {
    const { sizeBytes } = this.#manifest.files.find(({ name }) => name === index.file)!;
    const actual = this.#buffer(index.file, { offset: 0, sizeBytes, crc: 0 });
    if (index.kind === 'range' || index.kind === 'bloom') {
      const column = readEncodedColumn(this.#manifest, index.columnId, this.#files)!;
      const { bytes } = buildIndex(index.kind, column, values.length, this.#manifest.generation);
      if (Buffer.compare(actual, bytes) !== 0) throw new Error('is not of the values that its column has');
      return;
    }
    const { validity } = values;
    const expected =
      index.kind === 'null'
        ? buildNulls(validity ?? new Uint8Array((values.length + 7) >> 3).fill(0xff), values.length)
        : values.form === 'dictionary'
          ? buildInverted(values.codes, validity, index.count)
          : null;
    if (expected === null) throw new Error('is over a column that has no dictionary');
    const rowsOf = (bytes: Uint8Array): string => bitmapsText(bytes, index.count, blockCountOf(values.length));
    if (Buffer.compare(actual, expected) !== 0 && rowsOf(actual) !== rowsOf(expected))
      throw new Error('names other rows than its column has');
  }
}

/** A fingerprint of which rows are in which bitmap, whatever containers hold them. */
function bitmapsText(file: Uint8Array, count: number, blockCount: number): string {
  const view = new DataView(file.buffer, file.byteOffset);
  const words = new Uint32Array(2_048);
  const bytes = new Uint8Array(words.buffer);
  let crc = 0;
  for (let bitmap = 0; bitmap < count; bitmap++) {
    const at = indexHeaderSizeBytes + bitmap * directoryEntrySizeBytes;
    for (let block = 0; block < blockCount; block++) {
      selectContainer(file, view.getUint32(at, true), view.getUint32(at + 4, true), block, words.fill(0));
      crc = crc32c(bytes, crc);
    }
  }
  return String(crc);
}

const zoneText = ({ nullCount, min, max }: ZoneMap): string =>
  JSON.stringify([nullCount, encodeBound(min), encodeBound(max)]);

/** Bounds may be wider than the truth, never narrower; unknown ones bound nothing. */
function covers(zone: ZoneMap, truth: ZoneMap): boolean {
  if (zone.nullCount !== truth.nullCount) return false;
  const isBelow = (low: ZoneMap['min'], high: ZoneMap['min']): boolean =>
    typeof low === 'string' && typeof high === 'string'
      ? Buffer.compare(Buffer.from(low), Buffer.from(high)) <= 0
      : low! <= high!;
  if (zone.min !== null && truth.min !== null && !isBelow(zone.min, truth.min)) return false;
  return zone.max === null || (truth.max === null ? truth.min === null : isBelow(truth.max, zone.max));
}
