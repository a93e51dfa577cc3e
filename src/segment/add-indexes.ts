/** Indexes for segments that are there already: the next generation of a segment. */
import { assert } from '../base/assert.ts';
import { crc32c } from '../base/checksum.ts';
import type { SegmentEntry, TableDefinition } from '../catalog/table.ts';
import { readEncodedColumn } from './encoded-reader.ts';
import { OpenFiles, type SegmentFiles } from './files.ts';
import { buildIndex, wantedKinds } from './indexes.ts';
import {
  columnsFile,
  encodeManifest,
  generationOf,
  type Manifest,
  type ManifestIndex,
  manifestFile,
  segmentKey,
} from './manifest.ts';
import { readManifest } from './reader.ts';
import type { SegmentSink } from './sink.ts';
import { damagedIndexes } from './verify.ts';

/** A sink that can also say what was written: files of an attempt that was never published keep their names. */
export interface GenerationSink extends SegmentSink {
  /** Names right under a folder. */
  list(folder: string): Promise<string[]>;
}

/**
 * Builds the indexes that a table's definition asks for and a segment does not have, or has damaged, and leaves out those
 * that it no longer asks for: new files, and a manifest that names them beside those that stay. Nothing that is there changes, so readers of
 * the old generation go on. Memory: one column and one of its indexes.
 * @returns What the controller publishes in the entry's place; the entry itself where there is nothing to do.
 * @throws FaultError CORRUPT_SEGMENT, or what the sink throws; files already written are then orphans.
 */
export async function addIndexes(
  entry: SegmentEntry,
  definition: TableDefinition,
  files: SegmentFiles,
  sink: GenerationSink,
): Promise<SegmentEntry> {
  assert(entry.tableId === definition.id, `segment ${entry.id} is not of table ${definition.id}`);
  const open = new OpenFiles(files);
  try {
    const manifest = readManifest(entry, open);
    const damaged = damagedIndexes(entry, manifest, open);
    const kept = manifest.indexes.filter(index => isWanted(index, definition) && !damaged.has(index.file));
    const missing = missingIndexes(manifest.columns, kept, definition);
    if (missing.length === 0 && kept.length === manifest.indexes.length) return entry;
    const folder = `${entry.tableId}/${entry.id}`;
    const generation = Math.max(entry.generation, ...(await sink.list(folder)).map(generationOf)) + 1;
    const put = (file: string, bytes: Uint8Array) => sink.put(segmentKey(entry.tableId, entry.id, file), [bytes]);
    const indexes = [...kept];
    const files = new Map(manifest.files.map(file => [file.name, file]));
    for (const { columnId, kinds } of missing) {
      const column = readEncodedColumn(manifest, columnId, open)!;
      for (const kind of kinds) {
        const built = buildIndex(kind, column, manifest.rowCount, generation);
        await put(built.index.file, built.bytes);
        indexes.push(built.index);
        const { file: name } = built.index;
        files.set(name, { name, sizeBytes: built.bytes.length, crc: crc32c(built.bytes) });
      }
    }
    const names = [columnsFile, ...indexes.map(({ file }) => file)];
    const next: Manifest = {
      ...manifest,
      generation,
      indexes,
      files: names.map(name => files.get(name)!),
    };
    const bytes = encodeManifest(next);
    await put(manifestFile(generation), bytes);
    return {
      ...entry,
      generation,
      sizeBytes: next.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, bytes.length),
    };
  } finally {
    open.close('');
  }
}

/** The null index is asked for by nobody, and stays. */
const isWanted = ({ kind, columnId }: ManifestIndex, { indexes }: TableDefinition): boolean =>
  kind === 'null' || indexes.some(index => index.columnId === columnId && index.kind === kind);

function missingIndexes(
  columns: Manifest['columns'],
  indexes: Manifest['indexes'],
  definition: TableDefinition,
): { readonly columnId: number; readonly kinds: readonly ManifestIndex['kind'][] }[] {
  return columns
    .map(column => ({
      columnId: column.id,
      kinds: wantedKinds(column, definition.indexes).filter(
        kind => !indexes.some(index => index.columnId === column.id && index.kind === kind),
      ),
    }))
    .filter(({ kinds }) => kinds.length > 0);
}
