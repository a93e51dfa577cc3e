/** Columns of some of a column's rows. */
import type { Column, DictionaryColumn, FixedValues, RawColumn } from './column.ts';
import { isPresent } from './column.ts';

const elementsPerRow = ({ type }: Column): number => (type.name === 'DECIMAL' || type.name === 'INTERVAL' ? 2 : 1);

/**
 * Rows [from, to), in shared memory.
 * @param from A multiple of 8: validity is a bitmap.
 */
export function sliceColumn(column: Column, from: number, to: number): Column {
  if (from === 0 && to === column.length) return column;
  const length = to - from;
  const validity = column.validity?.subarray(from >> 3, (to + 7) >> 3) ?? null;
  switch (column.form) {
    case 'fixed': {
      const per = elementsPerRow(column);
      return { ...column, length, validity, values: column.values.subarray(from * per, to * per) as FixedValues };
    }
    case 'raw': {
      const start = column.offsets[from]!;
      const offsets = column.offsets.slice(from, to + 1);
      for (let row = 0; row <= length; row++) offsets[row]! -= start;
      return { ...column, length, validity, offsets, bytes: column.bytes.subarray(start, column.offsets[to]!) };
    }
    case 'dictionary':
      return { ...column, length, validity, codes: column.codes.subarray(from, to) };
  }
}

/** The rows named, in that order, in new memory but for a dictionary's entries. */
export function takeRows(column: Column, rows: Uint32Array): Column {
  const { length } = rows;
  const validity = takeValidity(column.validity, rows);
  switch (column.form) {
    case 'fixed': {
      const per = elementsPerRow(column);
      const Values = column.values.constructor as new (length: number) => FixedValues;
      const values = new Values(length * per);
      for (let row = 0; row < length; row++)
        for (let element = 0; element < per; element++)
          values[row * per + element] = column.values[rows[row]! * per + element]!;
      return { ...column, length, validity, values };
    }
    case 'raw':
      return gather(column, validity, rows);
    case 'dictionary':
      return { ...column, length, validity, codes: rows.map(row => column.codes[row]!) };
  }
}

function takeValidity(validity: Uint8Array | null, rows: Uint32Array): Uint8Array | null {
  if (validity === null) return null;
  const taken = new Uint8Array((rows.length + 7) >> 3);
  for (let row = 0; row < rows.length; row++) if (isPresent(validity, rows[row]!)) taken[row >> 3]! |= 1 << (row & 7);
  return taken;
}

/** The entries named as rows. */
function gather(pool: RawColumn | DictionaryColumn, validity: Uint8Array | null, entries: Uint32Array): RawColumn {
  const { length } = entries;
  const offsets = new Uint32Array(length + 1);
  for (let row = 0; row < length; row++) {
    const entry = entries[row]!;
    const size = isPresent(validity, row) ? pool.offsets[entry + 1]! - pool.offsets[entry]! : 0;
    offsets[row + 1] = offsets[row]! + size;
  }
  const bytes = new Uint8Array(offsets[length]!);
  for (let row = 0; row < length; row++) {
    const size = offsets[row + 1]! - offsets[row]!;
    const from = pool.offsets[entries[row]!]!;
    const to = offsets[row]!;
    if (size < 32) for (let index = 0; index < size; index++) bytes[to + index] = pool.bytes[from + index]!;
    else bytes.set(pool.bytes.subarray(from, from + size), to);
  }
  return { form: 'raw', type: pool.type, length, validity, offsets, bytes };
}

/** Entries, for each of which a dictionary must have so many rows to be worth being carried along. */
const rowsPerEntryMin = 2;

/**
 * A dictionary that foreign bytes made, as `DictionaryColumn` promises it: no entry twice. Raw where it is, or where its
 * entries are too many for its rows.
 * @param isDistinct Where that is known already.
 */
export function settleDictionary(column: DictionaryColumn, isDistinct = hasDistinctEntries(column)): Column {
  const entryCount = column.offsets.length - 1;
  if (isDistinct && entryCount * rowsPerEntryMin <= column.length) return column;
  return gather(column, column.validity, column.codes);
}

export function hasDistinctEntries({ offsets, bytes }: Pick<DictionaryColumn, 'offsets' | 'bytes'>): boolean {
  const seen = new Set<string>();
  for (let entry = 0; entry + 1 < offsets.length; entry++)
    seen.add(
      Buffer.from(bytes.buffer, bytes.byteOffset + offsets[entry]!, offsets[entry + 1]! - offsets[entry]!).toString(
        'latin1',
      ),
    );
  return seen.size === offsets.length - 1;
}
