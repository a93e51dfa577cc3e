/**
 * manifest-<generation>.json (segments/README.md): encoded by the builder, parsed by the reader. Parsing trusts nothing:
 * whatever does not fit the specification is CORRUPT_SEGMENT, and every buffer lies inside its file with its exact size.
 */
import { crc32c } from '../base/checksum.ts';
import { fault } from '../base/fault.ts';
import { type IndexKind, loadPartition, type ZoneMap } from '../catalog/table.ts';
import { isPooled, type Type, typeNames } from '../column/type.ts';
import { blockRows } from './block.ts';
import { blockCountOf, blockRowCount, type Encoding } from './encode.ts';
import { orderedWordCount } from './ordered.ts';
import { type Bound, type BoundJson, decodeBound, encodeBound } from './zone.ts';

/** Version 1 had neither range and bloom indexes nor `sorted` and statistics. */
export const manifestVersion = 2;
const versionsRead: readonly unknown[] = [1, manifestVersion];
export const columnsFile = 'columns.arrow';
/** Of `columns.arrow` itself, which says so. */
export const columnsFormat = '1';
/** A segment file's key in the deep store. */
export const segmentKey = (tableId: string, segmentId: string, file: string): string =>
  `${tableId}/${segmentId}/${file}`;

export const manifestFile = (generation: number): string => `manifest-${generation}.json`;
export const indexFile = (kind: string, columnId: number, generation: number): string =>
  `index-${kind}-${columnId}-${generation}.bin`;

/** Of the name of an index or a manifest; 0 of any other. */
export const generationOf = (file: string): number =>
  Number(/^(?:index|manifest)-.*?(\d+)\.(?:bin|json)$/.exec(file)?.[1] ?? 0);

/** A manifest of 2^26 rows, 1,000 columns and long bounds is far below; anything larger is not one. */
export const manifestSizeBytesMax = 1 << 29;

/** Where a buffer lies in its file, and its CRC-32C. */
export interface BufferRef {
  readonly offset: number;
  readonly sizeBytes: number;
  readonly crc: number;
}

export interface ManifestBlock {
  readonly zone: ZoneMap;
  /** The validity bitmap if the zone has NULLs, then the data buffers. */
  readonly buffers: readonly BufferRef[];
}

export interface ManifestColumn {
  readonly id: number;
  readonly name: string;
  readonly type: Type;
  readonly nullable: boolean;
  readonly encoding: Encoding;
  readonly codeSizeBytes: 0 | 1 | 2 | 4;
  readonly dictionary: { readonly count: number; readonly buffers: readonly BufferRef[] } | null;
  readonly zone: ZoneMap;
  /** The column ascends over the segment's rows: numbers, then NaN, then NULL. */
  readonly sorted: boolean;
  /** Parsed when first asked for: most queries touch few columns. @throws FaultError CORRUPT_SEGMENT */
  readonly blocks: readonly ManifestBlock[];
}

export interface ManifestIndex {
  readonly kind: IndexKind | 'null';
  readonly columnId: number;
  readonly file: string;
  /** Parts of the file. */
  readonly count: number;
  readonly directory: BufferRef;
}

export interface ManifestFile {
  readonly name: string;
  readonly sizeBytes: number;
  /** Of the whole file, so that what no buffer covers is covered, too; absent from manifests of writers before it. */
  readonly crc?: number;
}

export interface Manifest {
  readonly tableId: string;
  readonly tableVersion: number;
  readonly segmentId: string;
  readonly generation: number;
  readonly createdAtMs: number;
  readonly partition: number;
  readonly startOffset: number;
  readonly endOffset: number;
  readonly rowCount: number;
  readonly minTimeMs: number | null;
  readonly maxTimeMs: number | null;
  readonly columns: readonly ManifestColumn[];
  readonly indexes: readonly ManifestIndex[];
  readonly files: readonly ManifestFile[];
  /** For `readStatistics`; null where nobody counted. */
  readonly statistics: string | null;
}

/** Bytes of `,"crc32c":"xxxxxxxx"}` and a newline. */
const trailerSizeBytes = 22;

const refJson = ({ offset, sizeBytes, crc }: BufferRef): [number, number, number] => [offset, sizeBytes, crc];
const zoneJson = ({ nullCount, min, max }: ZoneMap): [number, BoundJson, BoundJson] => [
  nullCount,
  encodeBound(min),
  encodeBound(max),
];

export function encodeManifest(manifest: Manifest): Uint8Array {
  const { columns, indexes, files, statistics, ...rest } = manifest;
  const document = {
    format: 'weir-segment',
    version: manifestVersion,
    ...rest,
    blockRows,
    columns: columns.map(column => ({
      id: column.id,
      name: column.name,
      type: column.type,
      nullable: column.nullable,
      encoding: column.encoding,
      ...(column.dictionary && {
        codeSizeBytes: column.codeSizeBytes,
        dictionary: { count: column.dictionary.count, buffers: column.dictionary.buffers.map(refJson) },
      }),
      zone: zoneJson(column.zone),
      ...(column.sorted && { sorted: true }),
      blocks: column.blocks.map(block => [...zoneJson(block.zone), ...block.buffers.flatMap(refJson)]),
    })),
    indexes: indexes.map(index => ({ ...index, directory: refJson(index.directory) })),
    files,
    ...(statistics !== null && { statistics }),
  };
  const body = new TextEncoder().encode(JSON.stringify(document).slice(0, -1));
  const trailer = `,"crc32c":"${crc32c(body).toString(16).padStart(8, '0')}"}\n`;
  return Buffer.concat([body, new TextEncoder().encode(trailer)]);
}

type Json = Readonly<Record<string, unknown>>;

/** @throws FaultError CORRUPT_SEGMENT naming `name` and what is wrong. */
export function parseManifest(bytes: Uint8Array, name: string): Manifest {
  const parser = new ManifestParser(name);
  return parser.manifest(parser.document(bytes));
}

/** One manifest at a time: knows the name for messages, and the file's sizes and row count once it has read them. */
class ManifestParser {
  readonly #name: string;
  #rowCount = 0;
  readonly #fileSizes = new Map<string, number>();

  constructor(name: string) {
    this.#name = name;
  }

  document(bytes: Uint8Array): Json {
    const bodySize = bytes.length - trailerSizeBytes;
    if (bodySize < 2) this.#fail('is too short');
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const crc = crc32c(bytes.subarray(0, bodySize)).toString(16).padStart(8, '0');
    if (text.toString('latin1', bodySize) !== `,"crc32c":"${crc}"}\n`) this.#fail('fails its checksum');
    try {
      return JSON.parse(text.toString('utf8')) as Json;
    } catch {
      return this.#fail('is not JSON');
    }
  }

  manifest(json: Json): Manifest {
    if (json.format !== 'weir-segment') this.#fail(`has format ${JSON.stringify(json.format)}`);
    if (!versionsRead.includes(json.version))
      this.#fail(`has version ${JSON.stringify(json.version)}; this Weir reads versions ${versionsRead.join(', ')}`);
    if (json.blockRows !== blockRows) this.#fail(`has blocks of ${JSON.stringify(json.blockRows)} rows`);
    this.#rowCount = this.#count(json.rowCount, 'rowCount', 2 ** 32 - 1);
    const files = this.#list(json.files, 'files').map(each => {
      const file = this.#object(each, 'a file');
      const entry: ManifestFile = {
        name: this.#text(file.name, 'a file name'),
        sizeBytes: this.#count(file.sizeBytes, 'a file size'),
        ...(file.crc !== undefined && { crc: this.#count(file.crc, 'a file checksum', 2 ** 32 - 1) }),
      };
      this.#fileSizes.set(entry.name, entry.sizeBytes);
      return entry;
    });
    const columns = this.#list(json.columns, 'columns').map(each => this.#column(this.#object(each, 'a column')));
    if (columns.length === 0) this.#fail('has no columns');
    return {
      tableId: this.#text(json.tableId, 'tableId'),
      tableVersion: this.#count(json.tableVersion, 'tableVersion'),
      segmentId: this.#text(json.segmentId, 'segmentId'),
      generation: this.#count(json.generation, 'generation'),
      createdAtMs: this.#integer(json.createdAtMs, 'createdAtMs'),
      partition: json.partition === loadPartition ? loadPartition : this.#count(json.partition, 'partition'),
      startOffset: this.#count(json.startOffset, 'startOffset'),
      endOffset: this.#count(json.endOffset, 'endOffset'),
      rowCount: this.#rowCount,
      minTimeMs: json.minTimeMs === null ? null : this.#integer(json.minTimeMs, 'minTimeMs'),
      maxTimeMs: json.maxTimeMs === null ? null : this.#integer(json.maxTimeMs, 'maxTimeMs'),
      columns,
      indexes: this.#list(json.indexes, 'indexes').map(each => this.#index(this.#object(each, 'an index'), columns)),
      files,
      statistics: json.statistics === undefined ? null : this.#text(json.statistics, 'statistics'),
    };
  }

  #column(json: Json): ManifestColumn {
    const name = this.#text(json.name, 'a column name');
    const type = this.#type(json.type, name);
    const encoding = this.#oneOf(
      json.encoding,
      isPooled(type) ? pooledEncodings : fixedEncodings,
      `${name}'s encoding`,
    );
    const codeSizeBytes =
      encoding === 'dictionary' ? this.#oneOf(json.codeSizeBytes, codeSizes, `${name}'s code size`) : 0;
    const blocks = memoise(() => this.#blocks(json.blocks, name, type, encoding, codeSizeBytes));
    return {
      id: this.#integer(json.id, `${name}'s id`),
      name,
      type,
      nullable: json.nullable === true,
      encoding,
      codeSizeBytes,
      dictionary: encoding === 'dictionary' ? this.#dictionary(json.dictionary, type, name, codeSizeBytes) : null,
      zone: this.#zone(this.#list(json.zone, `${name}'s zone`), this.#rowCount, type, name),
      sorted: json.sorted === true,
      get blocks() {
        return blocks();
      },
    };
  }

  #blocks(value: unknown, name: string, type: Type, encoding: Encoding, codeSizeBytes: number): ManifestBlock[] {
    const blocks = this.#list(value, `${name}'s blocks`);
    if (blocks.length !== blockCountOf(this.#rowCount)) this.#fail(`has ${blocks.length} blocks of ${name}`);
    return blocks.map((each, index) => {
      const list = this.#list(each, `a block of ${name}`);
      const rowCount = blockRowCount(this.#rowCount, index);
      const zone = this.#zone(list, rowCount, type, name);
      const sizes = dataSizes(type, encoding, codeSizeBytes, rowCount);
      if (zone.nullCount > 0) sizes.unshift((rowCount + 7) >> 3);
      return { zone, buffers: this.#refs(list, 3, sizes, columnsFile, name) };
    });
  }

  #dictionary(value: unknown, type: Type, name: string, codeSizeBytes: number) {
    const json = this.#object(value, `${name}'s dictionary`);
    const count = this.#count(json.count, `${name}'s dictionary count`, 2 ** (8 * codeSizeBytes));
    const list = this.#list(json.buffers, `${name}'s dictionary buffers`).flat();
    const sizes = type.name === 'UUID' ? [16 * count] : [4 * (count + 1), anySize];
    return { count, buffers: this.#refs(list, 0, sizes, columnsFile, name) };
  }

  #index(json: Json, columns: readonly ManifestColumn[]): ManifestIndex {
    const kind = this.#oneOf(json.kind, indexKinds, 'an index kind');
    const columnId = this.#integer(json.columnId, 'an index column');
    const column = columns.find(each => each.id === columnId);
    const file = this.#text(json.file, 'an index file');
    const count = this.#count(json.count, `${file}'s count`);
    if (!column || !this.#isCountOf(kind, count, column)) this.#fail(`has a misplaced index ${file}`);
    const directory = this.#refs(this.#list(json.directory, `${file}'s directory`), 0, [12 * count], file, file)[0]!;
    return { kind, columnId, file, count, directory };
  }

  #isCountOf(kind: ManifestIndex['kind'], count: number, column: ManifestColumn): boolean {
    switch (kind) {
      case 'inverted':
        return count === column.dictionary?.count;
      case 'null':
        return count === 1;
      case 'range':
        return count === blockCountOf(this.#rowCount) && orderedWordCount(column.type) !== null;
      case 'bloom':
        // The table, and a page at least.
        return count >= 2;
    }
  }

  /** Triples of offset, size and crc from position `from` of a list. */
  #refs(list: readonly unknown[], from: number, sizes: readonly number[], file: string, name: string): BufferRef[] {
    const fileSize = this.#fileSizes.get(file);
    if (fileSize === undefined) this.#fail(`does not list ${file}`);
    if (list.length !== from + 3 * sizes.length) this.#fail(`lists ${list.length} numbers for buffers of ${name}`);
    return sizes.map((size, index) => {
      const offset = list[from + 3 * index] as number;
      const sizeBytes = list[from + 3 * index + 1] as number;
      const crc = list[from + 3 * index + 2] as number;
      const holds =
        Number.isSafeInteger(offset) &&
        offset >= 0 &&
        Number.isSafeInteger(sizeBytes) &&
        (size === anySize ? sizeBytes >= 0 : sizeBytes === size) &&
        offset + sizeBytes <= fileSize &&
        crc >>> 0 === crc;
      if (!holds) this.#fail(`has buffer ${index} of ${name} at ${offset}, ${sizeBytes} bytes`);
      return { offset, sizeBytes, crc };
    });
  }

  #zone(list: readonly unknown[], rowCount: number, type: Type, name: string): ZoneMap {
    const min = decodeBound(list[1]);
    const max = decodeBound(list[2]);
    if (min === undefined || max === undefined || !isBoundOf(min, type) || !isBoundOf(max, type))
      this.#fail(`has a strange zone of ${name}`);
    return { nullCount: this.#count(list[0], `${name}'s null count`, rowCount), min, max };
  }

  #type(value: unknown, name: string): Type {
    const json = this.#object(value, `${name}'s type`);
    const typeName = this.#oneOf(json.name, typeNames, `${name}'s type`);
    if (typeName !== 'DECIMAL') return { name: typeName };
    return {
      name: typeName,
      precision: this.#count(json.precision, `${name}'s precision`, 38),
      scale: this.#count(json.scale, `${name}'s scale`, 38),
    };
  }

  #fail(what: string): never {
    throw fault('CORRUPT_SEGMENT', `${this.#name} ${what}`, {
      hint: 'the file was damaged or cut, or another program wrote it',
    });
  }

  #object(value: unknown, what: string): Json {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) this.#fail(`has no ${what}`);
    return value as Json;
  }

  #list(value: unknown, what: string): readonly unknown[] {
    if (!Array.isArray(value)) this.#fail(`has no list of ${what}`);
    return value;
  }

  #text(value: unknown, what: string): string {
    if (typeof value !== 'string' || value === '') this.#fail(`has no ${what}`);
    return value;
  }

  #integer(value: unknown, what: string): number {
    if (!Number.isSafeInteger(value)) this.#fail(`has ${JSON.stringify(value)} for ${what}`);
    return value as number;
  }

  #count(value: unknown, what: string, max = Number.MAX_SAFE_INTEGER): number {
    const count = this.#integer(value, what);
    if (count < 0 || count > max) this.#fail(`has ${count} for ${what}`);
    return count;
  }

  #oneOf<T>(value: unknown, allowed: readonly T[], what: string): T {
    if (!allowed.includes(value as T)) this.#fail(`has ${JSON.stringify(value)} for ${what}`);
    return value as T;
  }
}

function memoise<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

const fixedEncodings: readonly Encoding[] = ['plain'];
const pooledEncodings: readonly Encoding[] = ['raw', 'dictionary'];
const codeSizes = [1, 2, 4] as const;
const indexKinds = ['inverted', 'null', 'range', 'bloom'] as const;
function isBoundOf(bound: Bound, type: Type): boolean {
  if (bound === null) return true;
  switch (type.name) {
    case 'LONG':
    case 'DECIMAL':
      return typeof bound === 'bigint';
    case 'STRING':
      return typeof bound === 'string';
    case 'UUID':
    case 'JSON':
    case 'BYTES':
    case 'INTERVAL':
      return false;
    case 'FLOAT':
    case 'DOUBLE':
      return typeof bound === 'number';
    default:
      return Number.isSafeInteger(bound);
  }
}

/** Stands for the size of the bytes of strings, which their offsets tell. */
const anySize = -1;

/** Sizes of a block's data buffers. */
function dataSizes(type: Type, encoding: Encoding, codeSizeBytes: number, rowCount: number): number[] {
  if (encoding === 'dictionary') return [rowCount * codeSizeBytes];
  switch (type.name) {
    case 'BOOLEAN':
      return [(rowCount + 7) >> 3];
    case 'INT':
    case 'DATE':
    case 'FLOAT':
      return [rowCount * 4];
    case 'LONG':
    case 'TIMESTAMP':
    case 'DOUBLE':
      return [rowCount * 8];
    case 'DECIMAL':
    case 'UUID':
      return [rowCount * 16];
    case 'INTERVAL':
      return [rowCount * 4, rowCount * 4, rowCount * 8];
    case 'STRING':
    case 'JSON':
    case 'BYTES':
      return [(rowCount + 1) * 4, anySize];
  }
}
