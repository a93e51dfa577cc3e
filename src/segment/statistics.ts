/** What is worth knowing of a segment's columns without reading them (segments/README.md, statistics). */
import { fault } from '../base/fault.ts';
import { isPresent } from '../column/column.ts';
import { formatHex, formatUuid } from '../column/text.ts';
import { isPooled, type Type } from '../column/type.ts';
import { decimalOf } from '../column/value.ts';
import { hashPair } from '../kernel/hash.ts';
import { HyperLogLog } from '../sketch/hyperloglog.ts';
import { blockRows } from './block.ts';
import type { EncodedColumn } from './encode.ts';
import { hashBlock, lowSeed } from './hashes.ts';
import type { Manifest } from './manifest.ts';
import { type Bound, boundSizeBytesMax, decodeBound, encodeBound, lowerText } from './zone.ts';

export interface ColumnStatistics {
  readonly columnId: number;
  readonly nullCount: number;
  /** As in zone maps: conservative, null where unknown. */
  readonly min: Bound;
  readonly max: Bound;
  /** Values that are not NULL; null where nobody counted (INTERVAL). */
  readonly distinctCount: number | null;
  /** Else estimated, with a standard error of 1.6 %. */
  readonly distinctIsExact: boolean;
  /** Of a value that is not NULL; 0 where there is none. */
  readonly averageSizeBytes: number;
  /** Most frequent first, at most `topValuesMax`. Spelled as bounds of zone maps; UUID as text, BYTES as hexadecimal digits. */
  readonly topValues: readonly { readonly value: Bound; readonly count: number }[];
  /** Else counted in a sample of the rows and scaled up. */
  readonly topIsExact: boolean;
}

/** What the builder counts: the rest is in the column's zone. */
export type CountedStatistics = Omit<ColumnStatistics, 'columnId' | 'nullCount' | 'min' | 'max'>;

export const topValuesMax = 10;
/** Rows looked at for the most frequent values: one that every fiftieth row has is found 40 times, give or take 6. */
const sampleRowsMax = 2_048;
/** A value that a sample has fewer times is there by chance. */
const sampleCountMin = 3;
const uuidSizeBytes = 16;

/** @param ascendingDistinct Distinct values where the column ascends, for they were counted then; else null. */
export function countStatistics(
  column: EncodedColumn,
  rowCount: number,
  ascendingDistinct: number | null,
): CountedStatistics {
  const { type } = column.definition;
  if (column.encoding === 'dictionary') return countDictionary(column);
  const presentCount = rowCount - column.zone.nullCount;
  const averageSizeBytes = presentCount === 0 ? 0 : valueSizeBytes(column) / (isPooled(type) ? presentCount : 1);
  if (type.name === 'INTERVAL')
    return { distinctCount: null, distinctIsExact: false, averageSizeBytes, topValues: [], topIsExact: false };
  const sample = sampleValues(column, rowCount);
  const topValues = [...sample.counts.values()]
    .filter(({ count }) => sample.isWhole || count >= sampleCountMin)
    .sort((left, right) => right.count - left.count || left.firstRow - right.firstRow)
    .slice(0, topValuesMax)
    .map(({ count, firstRow }) => ({
      value: boundAt(column, firstRow),
      count: Math.round((count * presentCount) / sample.presentCount),
    }));
  const common = { averageSizeBytes, topValues, topIsExact: sample.isWhole };
  if (ascendingDistinct !== null) return { distinctCount: ascendingDistinct, distinctIsExact: true, ...common };
  if (sample.isWhole) return { distinctCount: sample.counts.size, distinctIsExact: true, ...common };
  if (type.name === 'BOOLEAN') return { distinctCount: sample.counts.size, distinctIsExact: false, ...common };
  return { distinctCount: estimateDistinct(column, rowCount, presentCount), distinctIsExact: false, ...common };
}

function estimateDistinct(column: EncodedColumn, rowCount: number, presentCount: number): number {
  const sketch = new HyperLogLog();
  for (let block = 0; block < column.blocks.length; block++) sketch.add(hashBlock(column, rowCount, block, lowSeed));
  return Math.min(sketch.estimate(), presentCount);
}

function countDictionary({ definition: { type }, codes, validity, dictionary }: EncodedColumn): CountedStatistics {
  const { count, data } = dictionary!;
  const offsets = offsetsOf(data);
  const counts = new Uint32Array(count);
  for (let row = 0; row < codes!.length; row++)
    if (validity === null || isPresent(validity, row)) counts[codes![row]!]!++;
  let sizeBytes = 0;
  let presentCount = 0;
  const top: number[] = [];
  for (let code = 0; code < count; code++) {
    presentCount += counts[code]!;
    sizeBytes += counts[code]! * (offsets ? offsets[code + 1]! - offsets[code]! : uuidSizeBytes);
    if (top.length === topValuesMax && counts[code]! <= counts[top.at(-1)!]!) continue;
    let place = top.length;
    while (place > 0 && counts[top[place - 1]!]! < counts[code]!) place--;
    top.splice(place, 0, code);
    top.length = Math.min(top.length, topValuesMax);
  }
  return {
    distinctCount: count,
    distinctIsExact: true,
    averageSizeBytes: presentCount === 0 ? 0 : sizeBytes / presentCount,
    topValues: top.map(code => ({ value: textOf(type, data, code), count: counts[code]! })),
    topIsExact: true,
  };
}

/** Offsets of strings as columns.arrow has them; null where they are UUIDs, 16 bytes each. */
const offsetsOf = (data: readonly Uint8Array[]): Uint32Array | null =>
  data.length === 1 ? null : new Uint32Array(data[0]!.buffer, data[0]!.byteOffset, data[0]!.length / 4);

function textOf(type: Type, data: readonly Uint8Array[], entry: number): Bound {
  const bytes = data.at(-1)!;
  const offsets = offsetsOf(data);
  if (!offsets) return formatUuid(bytes, uuidSizeBytes * entry);
  const [start, end] = [offsets[entry]!, offsets[entry + 1]!];
  if (type.name !== 'BYTES') return lowerText(bytes, start, end);
  return formatHex(bytes.subarray(start, Math.min(end, start + boundSizeBytesMax)));
}

/** Of all values of a raw column, of one of a fixed one. */
function valueSizeBytes({ definition: { type }, blocks, zone }: EncodedColumn): number {
  switch (type.name) {
    case 'BOOLEAN':
      return 1 / 8;
    case 'INT':
    case 'DATE':
    case 'FLOAT':
      return 4;
    case 'LONG':
    case 'TIMESTAMP':
    case 'DOUBLE':
      return 8;
    case 'DECIMAL':
    case 'INTERVAL':
      return 16;
    default: {
      const sizeBytes = blocks.reduce((sum, { data }) => sum + data.at(-1)!.length, 0);
      // A UUID has its bytes also where it is NULL.
      return type.name === 'UUID' ? sizeBytes - uuidSizeBytes * zone.nullCount : sizeBytes;
    }
  }
}

interface Sample {
  readonly counts: ReadonlyMap<unknown, { count: number; readonly firstRow: number }>;
  readonly presentCount: number;
  readonly isWhole: boolean;
}

/** A row by chance out of each stretch of the segment, so that no rhythm of the rows misleads; NaN is not counted. */
function sampleValues(column: EncodedColumn, rowCount: number): Sample {
  const stride = Math.max(1, Math.ceil(rowCount / sampleRowsMax));
  const counts = new Map<unknown, { count: number; readonly firstRow: number }>();
  let presentCount = 0;
  for (let start = 0; start < rowCount; start += stride) {
    const row = start + (hashPair(start, rowCount) % Math.min(stride, rowCount - start));
    if (!isPresent(column.validity, row)) continue;
    presentCount++;
    const key = keyOf(column, row);
    if (Number.isNaN(key)) continue;
    const known = counts.get(key);
    if (known) known.count++;
    else counts.set(key, { count: 1, firstRow: row });
  }
  return { counts, presentCount, isWhole: stride === 1 };
}

/** Equal for equal values. */
function keyOf(column: EncodedColumn, row: number): unknown {
  if (!isPooled(column.definition.type)) return boundAt(column, row);
  const { data } = column.blocks[Math.floor(row / blockRows)]!;
  const offsets = offsetsOf(data);
  const at = row % blockRows;
  const [start, end] = offsets ? [offsets[at]!, offsets[at + 1]!] : [uuidSizeBytes * at, uuidSizeBytes * (at + 1)];
  const bytes = data.at(-1)!;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1', start, end);
}

function boundAt({ definition: { type }, blocks }: EncodedColumn, row: number): Bound {
  const { data } = blocks[Math.floor(row / blockRows)]!;
  const at = row % blockRows;
  const view = new DataView(data[0]!.buffer, data[0]!.byteOffset, data[0]!.length);
  switch (type.name) {
    case 'BOOLEAN':
      return (data[0]![at >> 3]! >>> (at & 7)) & 1;
    case 'INT':
    case 'DATE':
      return view.getInt32(4 * at, true);
    case 'LONG':
      return view.getBigInt64(8 * at, true);
    case 'TIMESTAMP':
      return Number(view.getBigInt64(8 * at, true));
    case 'FLOAT':
      return view.getFloat32(4 * at, true);
    case 'DOUBLE':
      return view.getFloat64(8 * at, true);
    case 'DECIMAL':
      return decimalOf(view.getBigInt64(16 * at, true), view.getBigInt64(16 * at + 8, true));
    default:
      return textOf(type, data, at);
  }
}

/** One text for all columns, in their order: JSON within the manifest's, so that opening a segment skips it as one string. */
export const encodeStatistics = (columns: readonly CountedStatistics[]): string =>
  JSON.stringify(
    columns.map(({ distinctCount, distinctIsExact, averageSizeBytes, topValues, topIsExact }) => [
      ...[distinctCount, +distinctIsExact, Math.round(averageSizeBytes * 1_000) / 1_000, +topIsExact],
      topValues.flatMap(({ value, count }) => [encodeBound(value), count]),
    ]),
  );

/**
 * By column id; empty for segments of writers that counted nothing.
 * @throws FaultError CORRUPT_SEGMENT
 */
export function readStatistics(manifest: Manifest): ReadonlyMap<number, ColumnStatistics> {
  const found = new Map<number, ColumnStatistics>();
  if (manifest.statistics === null) return found;
  const lists = parse(manifest.statistics);
  if (!Array.isArray(lists) || lists.length !== manifest.columns.length) throw strange(manifest);
  for (const [index, { id, zone }] of manifest.columns.entries()) {
    const list: unknown = lists[index];
    if (!Array.isArray(list)) throw strange(manifest);
    const [distinctCount, distinctIsExact, averageSizeBytes, topIsExact, top] = list as unknown[];
    if (!(distinctCount === null || isCount(distinctCount)) || !(Number(averageSizeBytes) >= 0) || !Array.isArray(top))
      throw strange(manifest);
    const topValues = Array.from({ length: top.length / 2 }, (_, place) => {
      const value = decodeBound(top[2 * place]);
      const count: unknown = top[2 * place + 1];
      if (value === undefined || !isCount(count)) throw strange(manifest);
      return { value, count };
    });
    found.set(id, {
      columnId: id,
      ...zone,
      distinctCount,
      distinctIsExact: distinctIsExact === 1,
      averageSizeBytes: Number(averageSizeBytes),
      topValues,
      topIsExact: topIsExact === 1,
    });
  }
  return found;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const strange = ({ segmentId }: Manifest): Error =>
  fault('CORRUPT_SEGMENT', `segment ${segmentId} has strange statistics`, {
    hint: 'the file was damaged or cut, or another program wrote it',
  });
