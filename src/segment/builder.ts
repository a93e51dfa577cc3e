/** Rows of one partition's offset range → the files of a committed segment. */
import { assert } from '../base/assert.ts';
import { crc32c } from '../base/checksum.ts';
import type { ColumnDefinition, OffsetAccounts, SegmentEntry, TableDefinition, ZoneMap } from '../catalog/table.ts';
import { type ArrowBuffers, ArrowFileWriter, type BufferPlace } from '../column/arrow.ts';
import type { Column, FixedColumn } from '../column/column.ts';
import { sameType } from '../column/type.ts';
import { distinctIfAscending } from './ascent.ts';
import { blockCountOf, blockRowCount, type EncodedColumn, encodeColumn } from './encode.ts';
import { type BuiltIndex, buildIndex, wantedKinds } from './indexes.ts';
import {
  type BufferRef,
  columnsFile,
  columnsFormat,
  encodeManifest,
  type Manifest,
  type ManifestColumn,
  manifestFile,
  segmentKey,
} from './manifest.ts';
import { orderByTime } from './order.ts';
import { storedColumns } from './row-columns.ts';
import { settledIndexes } from './settled-indexes.ts';
import type { SegmentSink } from './sink.ts';
import { type CountedStatistics, countStatistics, encodeStatistics } from './statistics.ts';

export interface SegmentInput {
  readonly definition: TableDefinition;
  readonly segmentId: string;
  readonly partition: number;
  /** Stream offsets that the segment covers, [start, end). */
  readonly startOffset: number;
  readonly endOffset: number;
  readonly rowCount: number;
  /** Where the offsets went; goes into the entry as it is. Absent where every offset is a row. */
  readonly accounts?: OffsetAccounts;
  /**
   * Each of `storedColumns`, asked for once each, the time column first: at most two
   * are held at a time. All have `rowCount` rows in one order.
   */
  column(columnId: number): Column | Promise<Column>;
}

const generation = 1;

/**
 * Sorts the rows by the time column, encodes every column, writes the files; the manifest last. Memory: about the size
 * of the files and two input columns. Speed: about half a second for a million rows of ten columns.
 * @returns What the controller publishes.
 * @throws FaultError LIMIT_EXCEEDED, or what the sink throws; files already written are then orphans.
 */
export async function buildSegment(
  input: SegmentInput,
  sink: SegmentSink,
  options: { readonly createdAtMs: number },
): Promise<SegmentEntry> {
  const { definition, segmentId, rowCount } = input;
  const encoded: EncodedColumn[] = [];
  const indexes: BuiltIndex[] = [];
  const statistics: CountedStatistics[] = [];
  const sorted: boolean[] = [];
  const timeColumn = await pullTimeColumn(input);
  const order = timeColumn ? orderByTime(timeColumn) : null;
  for (const column of storedColumns(definition)) {
    const values = column.id === definition.timeColumnId ? timeColumn! : await pull(input, column);
    const each = encodeColumn(column, values, order);
    encoded.push(each);
    const distinctCount = distinctIfAscending(each, rowCount);
    sorted.push(distinctCount !== null);
    statistics.push(countStatistics(each, rowCount, distinctCount));
    for (const kind of wantedKinds({ ...column, ...each }, definition.indexes)) {
      indexes.push(buildIndex(kind, each, rowCount, generation));
    }
  }
  const { parts, columns, sizeBytes } = writeColumns(input, encoded, sorted);
  const put = (file: string, bytes: readonly Uint8Array[]) =>
    sink.put(segmentKey(definition.id, segmentId, file), bytes);
  await put(columnsFile, parts);
  await Promise.all(indexes.map(({ index, bytes }) => put(index.file, [bytes])));

  const time = timeRange(encoded.find(each => each.definition.id === definition.timeColumnId));
  const manifest: Manifest = {
    tableId: definition.id,
    tableVersion: definition.version,
    segmentId,
    generation,
    createdAtMs: options.createdAtMs,
    partition: input.partition,
    startOffset: input.startOffset,
    endOffset: input.endOffset,
    rowCount,
    ...time,
    columns,
    indexes: indexes.map(({ index }) => index),
    files: [
      { name: columnsFile, sizeBytes, crc: parts.reduce((crc, part) => crc32c(part, crc), 0) },
      ...indexes.map(({ index, bytes }) => ({ name: index.file, sizeBytes: bytes.length, crc: crc32c(bytes) })),
    ],
    statistics: encodeStatistics(statistics),
  };
  const manifestBytes = encodeManifest(manifest);
  await put(manifestFile(generation), [manifestBytes]);
  return {
    id: segmentId,
    tableId: definition.id,
    partition: input.partition,
    startOffset: input.startOffset,
    endOffset: input.endOffset,
    rowCount,
    ...(input.accounts && { accounts: input.accounts }),
    sizeBytes: manifest.files.reduce((sum, file) => sum + file.sizeBytes, manifestBytes.length),
    generation,
    tableVersion: definition.version,
    indexes: settledIndexes(
      definition,
      indexes.map(({ index }) => index),
    ),
    ...time,
    zones: Object.fromEntries(columns.map(({ id, zone }) => [id, zone])),
    createdAtMs: options.createdAtMs,
  };
}

async function pull(input: SegmentInput, definition: ColumnDefinition): Promise<Column> {
  const column = await input.column(definition.id);
  assert(column.length === input.rowCount, `${definition.name} has ${column.length} of ${input.rowCount} rows`);
  assert(sameType(column.type, definition.type), `${definition.name} comes as ${column.type.name}`);
  return column;
}

async function pullTimeColumn(input: SegmentInput): Promise<FixedColumn | null> {
  const definition = input.definition.columns.find(each => each.id === input.definition.timeColumnId);
  if (!definition) return null;
  const column = await pull(input, definition);
  assert(column.form === 'fixed', 'a time column is TIMESTAMP or DATE');
  return column;
}

/** Lays out columns.arrow and tells where each buffer went. */
function writeColumns(input: SegmentInput, encoded: readonly EncodedColumn[], sorted: readonly boolean[]) {
  const writer = new ArrowFileWriter(
    encoded.map(({ definition, codeSizeBytes }) => ({ ...definition, codeSizeBytes })),
    {
      'weir.format': columnsFormat,
      'weir.table_id': input.definition.id,
      'weir.table_version': String(input.definition.version),
      'weir.segment_id': input.segmentId,
    },
  );
  const dictionaries = encoded.map(({ definition, dictionary }) => {
    if (!dictionary) return null;
    const places = writer.addDictionary(definition.id, dictionary.count, dictionary.data);
    return { count: dictionary.count, buffers: refsOf(places, dictionary.data) };
  });
  const blocks: { zone: ZoneMap; buffers: readonly BufferRef[] }[][] = encoded.map(() => []);
  for (let index = 0; index < blockCountOf(input.rowCount); index++) {
    const batch: ArrowBuffers[] = encoded.map(each => {
      const { zone, validity, data } = each.blocks[index]!;
      return { nullCount: zone.nullCount, validity, data };
    });
    writer.addBatch(blockRowCount(input.rowCount, index), batch).forEach((places, column) => {
      const { validity, data } = batch[column]!;
      const buffers = refsOf(places, validity ? [validity, ...data] : data);
      blocks[column]!.push({ zone: encoded[column]!.blocks[index]!.zone, buffers });
    });
  }
  writer.finish();
  const columns: ManifestColumn[] = encoded.map((each, index) => ({
    id: each.definition.id,
    name: each.definition.name,
    type: each.definition.type,
    nullable: each.definition.nullable,
    encoding: each.encoding,
    codeSizeBytes: each.codeSizeBytes,
    dictionary: dictionaries[index]!,
    zone: each.zone,
    sorted: sorted[index]!,
    blocks: blocks[index]!,
  }));
  return { parts: writer.parts, sizeBytes: writer.sizeBytes, columns };
}

const refsOf = (places: readonly BufferPlace[], buffers: readonly Uint8Array[]): readonly BufferRef[] =>
  places.map((place, index) => ({ ...place, crc: crc32c(buffers[index]!) }));

const dayMs = 86_400_000;

function timeRange(column: EncodedColumn | undefined): { minTimeMs: number | null; maxTimeMs: number | null } {
  const min = column?.zone.min ?? null;
  const max = column?.zone.max ?? null;
  if (typeof min !== 'number' || typeof max !== 'number') return { minTimeMs: null, maxTimeMs: null };
  if (column!.definition.type.name !== 'DATE') return { minTimeMs: min, maxTimeMs: max };
  return { minTimeMs: min * dayMs, maxTimeMs: max * dayMs + dayMs - 1 };
}
