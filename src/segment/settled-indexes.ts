/** What the metadata says of a segment's indexes, and which of its files a later generation leaves behind. */
import type { SegmentEntry, SegmentIndex, TableDefinition } from '../catalog/table.ts';
import { OpenFiles, type SegmentFiles } from './files.ts';
import { generationOf, type ManifestIndex, manifestFile } from './manifest.ts';
import { readManifest } from './reader.ts';

/** Each index of the table: in which generation the segment got it, or 0 where it cannot have it. */
export const settledIndexes = (
  { indexes }: TableDefinition,
  built: readonly Pick<ManifestIndex, 'kind' | 'columnId' | 'file'>[],
): readonly SegmentIndex[] =>
  indexes.map(({ columnId, kind }) => {
    const index = built.find(each => each.columnId === columnId && each.kind === kind);
    return { columnId, kind, generation: index ? generationOf(index.file) : 0 };
  });

/**
 * @param next The same segment, of the same generation or a later one.
 * @throws FaultError CORRUPT_SEGMENT
 */
export function settleIndexes(
  entry: SegmentEntry,
  next: SegmentEntry,
  definition: TableDefinition,
  files: SegmentFiles,
): { readonly segment: SegmentEntry; readonly obsolete: readonly string[] } {
  const open = new OpenFiles(files);
  try {
    const manifest = readManifest(next, open);
    const segment = { ...next, indexes: settledIndexes(definition, manifest.indexes) };
    if (next.generation === entry.generation) return { segment, obsolete: [] };
    const named = new Set(manifest.files.map(({ name }) => name));
    const left = readManifest(entry, open).files.filter(({ name }) => !named.has(name));
    return { segment, obsolete: [manifestFile(entry.generation), ...left.map(({ name }) => name)] };
  } finally {
    open.close('');
  }
}
