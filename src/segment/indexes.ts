/** Which indexes a column of a segment gets, and their files. */
import { unreachable } from '../base/assert.ts';
import { crc32c } from '../base/checksum.ts';
import type { IndexDefinition, IndexKind } from '../catalog/table.ts';
import { isPooled, type Type } from '../column/type.ts';
import { buildBloom } from './bloom-index.ts';
import type { EncodedColumn, Encoding } from './encode.ts';
import { buildInverted, buildNulls, directoryEntrySizeBytes, indexHeaderSizeBytes } from './index-file.ts';
import { indexFile, type ManifestColumn, type ManifestIndex } from './manifest.ts';
import { orderedWordCount } from './ordered.ts';
import { buildRange } from './range-index.ts';

export interface BuiltIndex {
  readonly index: ManifestIndex;
  readonly bytes: Uint8Array;
}

/**
 * Kinds that a table's definition asks for of a column, as far as it can have them in the type and form that the segment
 * stores; and the null index, where there are NULLs.
 */
export function wantedKinds(
  { id, type, encoding, zone }: Pick<ManifestColumn, 'id' | 'type' | 'encoding' | 'zone'>,
  indexes: readonly IndexDefinition[],
): ManifestIndex['kind'][] {
  const asked = indexes.filter(index => index.columnId === id).map(({ kind }) => kind);
  const kinds = asked.filter(kind => canHave[kind](type, encoding));
  return zone.nullCount > 0 ? [...kinds, 'null'] : kinds;
}

const canHave: Readonly<Record<IndexKind, (type: Type, encoding: Encoding) => boolean>> = {
  inverted: (_, encoding) => encoding === 'dictionary',
  range: type => orderedWordCount(type) !== null,
  bloom: type => orderedWordCount(type) !== null || (isPooled(type) && type.name !== 'JSON'),
};

/** @param kind One that the column can have. */
export function buildIndex(
  kind: ManifestIndex['kind'],
  column: EncodedColumn,
  rowCount: number,
  generation: number,
): BuiltIndex {
  const { count, bytes } = buildParts(kind, column, rowCount);
  const columnId = column.definition.id;
  const sizeBytes = count * directoryEntrySizeBytes;
  const crc = crc32c(bytes.subarray(indexHeaderSizeBytes, indexHeaderSizeBytes + sizeBytes));
  const directory = { offset: indexHeaderSizeBytes, sizeBytes, crc };
  return { index: { kind, columnId, file: indexFile(kind, columnId, generation), count, directory }, bytes };
}

function buildParts(kind: ManifestIndex['kind'], column: EncodedColumn, rowCount: number) {
  const { codes, dictionary, validity, blocks } = column;
  switch (kind) {
    case 'inverted':
      return { count: dictionary!.count, bytes: buildInverted(codes!, validity, dictionary!.count) };
    case 'null':
      return { count: 1, bytes: buildNulls(validity!, rowCount) };
    case 'range':
      return { count: blocks.length, bytes: buildRange(column, rowCount) };
    case 'bloom':
      return buildBloom(column, rowCount);
    default:
      return unreachable(kind);
  }
}
