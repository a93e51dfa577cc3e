/**
 * Typed columns of a format that has them (Arrow, Parquet) → columns of a target, a column at a time. A column of the very
 * type passes as it is; any other's values are cast one by one, each as its text would be.
 */
import type { ColumnDefinition } from '../catalog/table.ts';
import type { Batch, Column, FixedColumn } from '../column/column.ts';
import { isPresent } from '../column/column.ts';
import { jsonOf } from '../column/json-value.ts';
import { settleDictionary, takeRows } from '../column/take.ts';
import { dayMs, timestampMsMax } from '../column/text.ts';
import { isPooled, LONG, sameType } from '../column/type.ts';
import { putValue, valueSizeBytes } from './column-values.ts';
import { FieldNames } from './field-names.ts';
import { castTextSizeMax, excerptSizeBytes, rejectsKeptMax, rowSizeBytesMax } from './limits.ts';
import { notNull } from './row-sink.ts';
import { createSink } from './sinks.ts';
import type { Decoded, DecodeTarget, Reject } from './target.ts';

export interface SourceColumn {
  /** One name; of a member of an object the names on the way to it. */
  readonly path: readonly string[];
  readonly column: Column;
}

/**
 * @param rowCount Of each source.
 * @param firstRow Number of the first row, from 0: rejects name rows by theirs, from 1.
 */
export function castColumns(
  sources: readonly SourceColumn[],
  rowCount: number,
  target: DecodeTarget,
  firstRow: number,
): Decoded {
  const names = new FieldNames(target);
  const chosen: (SourceColumn | undefined)[] = new Array(target.columns.length);
  let ignoredValues = 0;
  for (const source of sources) {
    const index = names.findWithin(source.path);
    const isExact = target.columns[index]?.name === source.path[0];
    if (index < 0) ignoredValues += rowCount;
    else if (chosen[index] === undefined || isExact) chosen[index] = source;
  }
  const faults = new RowFaults(sources, rowCount, firstRow);
  const columns = target.columns.map((column, index) => {
    const source = chosen[index];
    if (source === undefined) return defaultColumn(column, rowCount, faults);
    return castColumn(source.column, column, rowCount, faults, names.readings[index]?.times ?? null);
  });
  checkRowSizes(columns, rowCount, faults);
  const batch = faults.without({ rowCount, columns });
  const { rejected, rejects } = faults;
  return { batch, accepted: batch.rowCount, rejected, rejects, ignoredValues };
}

/** Rows that cannot stand, each for its first reason. */
class RowFaults {
  rejected = 0;
  readonly rejects: Reject[] = [];
  readonly #sources: readonly SourceColumn[];
  readonly #rowCount: number;
  readonly #firstRow: number;
  #failed: Uint8Array | null = null;

  constructor(sources: readonly SourceColumn[], rowCount: number, firstRow: number) {
    this.#sources = sources;
    this.#rowCount = rowCount;
    this.#firstRow = firstRow;
  }

  add(row: number, column: string | null, reason: string): void {
    this.#failed ??= new Uint8Array(this.#rowCount);
    if (this.#failed[row] === 1) return;
    this.#failed[row] = 1;
    this.rejected++;
    if (this.rejects.length < rejectsKeptMax)
      this.rejects.push({ line: this.#firstRow + row + 1, column, reason, text: this.#textOf(row) });
  }

  /** The row as JSON, its start. */
  #textOf(row: number): string {
    let text = '';
    for (const { path, column } of this.#sources) {
      if (text.length > excerptSizeBytes) break;
      const value = valueSizeBytes(column, row) > excerptSizeBytes ? '"…"' : jsonOf(column, row);
      text += `${text === '' ? '{' : ','}${JSON.stringify(path.join('.'))}:${value}`;
    }
    return `${text}}`.slice(0, excerptSizeBytes);
  }

  without(batch: Batch): Batch {
    const failed = this.#failed;
    this.rejects.sort((a, b) => a.line - b.line);
    if (failed === null) return batch;
    const rows = new Uint32Array(batch.rowCount - this.rejected);
    let count = 0;
    for (let row = 0; row < batch.rowCount; row++) if (failed[row] === 0) rows[count++] = row;
    return { rowCount: count, columns: batch.columns.map(column => takeRows(column, rows)) };
  }
}

function defaultColumn(column: ColumnDefinition, rowCount: number, faults: RowFaults): Column {
  const { name, type, nullable, defaultValue } = column;
  const sink = createSink(type, Math.max(8, rowCount));
  for (let row = 0; row < rowCount; row++) {
    sink.value(defaultValue, row);
    if (defaultValue === null && !nullable)
      faults.add(row, name, 'is missing, and the column is NOT NULL without a default');
  }
  return sink.build(rowCount);
}

type Times = Parameters<typeof createSink>[2];

function castColumn(source: Column, to: ColumnDefinition, rowCount: number, faults: RowFaults, times: Times): Column {
  if (!to.nullable && source.validity !== null)
    for (let row = 0; row < rowCount; row++) if (!isPresent(source.validity, row)) faults.add(row, to.name, notNull);
  const same = asItIs(source, to);
  if (same !== null) return same;
  const sink = createSink(to.type, Math.max(8, rowCount), times);
  let left = castTextSizeMax;
  for (let row = 0; row < rowCount; row++) {
    if (!isPresent(source.validity, row)) {
      sink.null(row);
      continue;
    }
    left -= valueSizeBytes(source, row);
    const reason =
      left < 0
        ? `more than ${castTextSizeMax} bytes of text would be made of these rows`
        : putValue(source, row, sink, row);
    if (reason === null) continue;
    faults.add(row, to.name, reason);
    sink.rewind(row);
    sink.null(row);
  }
  return sink.build(rowCount);
}

/** The column itself where all its values fit as they are, else null. */
function asItIs(source: Column, { type }: ColumnDefinition): Column | null {
  if (source.form !== 'fixed') {
    if (!sameType(source.type, type)) return null;
    return source.form === 'dictionary' ? settleDictionary(source) : source;
  }
  if (source.type.name === 'INT' && type.name === 'LONG') return widened(source);
  return sameType(source.type, type) && isInRange(source) ? source : null;
}

function widened({ values, length, validity }: FixedColumn): FixedColumn {
  const words = new Int32Array(length * 2);
  for (let row = 0; row < length; row++) {
    const value = values[row] as number;
    words[row * 2] = value;
    words[row * 2 + 1] = value >> 31;
  }
  return { form: 'fixed', type: LONG, length, validity, values: new BigInt64Array(words.buffer) };
}

/** The upper 32 bits of milliseconds within `timestampMsMax`, and a little more than it: then each value is looked at. */
const timestampHighMax = Math.floor(timestampMsMax / 2 ** 32) - 1;

/** False where a value may be outside of what its type holds. */
function isInRange({ type, values, length, validity }: FixedColumn): boolean {
  const isThere = (row: number): boolean => isPresent(validity, row);
  if (type.name === 'TIMESTAMP') {
    const words = new Int32Array(values.buffer, values.byteOffset, length * 2);
    for (let row = 0; row < length; row++) {
      const high = words[row * 2 + 1]!;
      if ((high > timestampHighMax || high < -timestampHighMax) && isThere(row)) return false;
    }
  } else if (type.name === 'DATE') {
    const daysMax = timestampMsMax / dayMs;
    for (let row = 0; row < length; row++) if (Math.abs(values[row] as number) > daysMax && isThere(row)) return false;
  } else if (type.name === 'DECIMAL') {
    const words = values as BigInt64Array;
    const limit = 10n ** BigInt(type.precision!);
    for (let row = 0; row < length; row++) {
      const high = words[row * 2 + 1]!;
      const low = words[row * 2]!;
      // Of one sign and 64 bits: precisions from 19 on hold all of those.
      if (type.precision! >= 19 && high === low >> 63n) continue;
      const value = (high << 64n) | BigInt.asUintN(64, low);
      if ((value >= limit || value <= -limit) && isThere(row)) return false;
    }
  }
  return true;
}

/** As for rows of text: what is larger is no row. */
function checkRowSizes(columns: readonly Column[], rowCount: number, faults: RowFaults): void {
  const pooled = columns.filter(({ type }) => isPooled(type));
  const sizeMax = pooled.reduce((sum, column) => sum + largestEntry(column), 0);
  if (sizeMax <= rowSizeBytesMax) return;
  for (let row = 0; row < rowCount; row++) {
    const size = pooled.reduce((sum, column) => sum + valueSizeBytes(column, row), 0);
    if (size > rowSizeBytesMax)
      faults.add(row, null, `the row has ${size} bytes, more than the limit of ${rowSizeBytesMax}`);
  }
}

function largestEntry(column: Column): number {
  if (column.form === 'fixed') return 0;
  const { offsets } = column;
  let largest = 0;
  for (let entry = 0; entry + 1 < offsets.length; entry++)
    largest = Math.max(largest, offsets[entry + 1]! - offsets[entry]!);
  return largest;
}
