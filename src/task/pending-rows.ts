/** Rows that were read and are not yet in a segment. */
import { assert } from '../base/assert.ts';
import type { Batch, Column } from '../column/column.ts';
import { type ColumnPart, concatColumns } from '../column/concat.ts';

interface Part {
  readonly columns: readonly Column[];
  /** `[from, to)` of them. */
  readonly from: number;
  readonly to: number;
}

export class PendingRows {
  #parts: Part[] = [];
  rowCount = 0;
  readonly #buffers = new Set<ArrayBufferLike>();

  /** What the rows keep in memory; a dictionary that several batches share counts once. */
  get sizeBytes(): number {
    let sum = 0;
    for (const { byteLength } of this.#buffers) sum += byteLength;
    return sum;
  }

  /** @param skip Rows at its beginning that are left out. */
  add({ rowCount, columns }: Batch, skip = 0): void {
    if (skip >= rowCount) return;
    this.#push({ columns, from: skip, to: rowCount });
    this.rowCount += rowCount - skip;
  }

  /** The first rows, each column once; what is taken is given up. */
  take(rowCount: number): { readonly rowCount: number; column(index: number): Column } {
    assert(rowCount > 0 && rowCount <= this.rowCount, `${rowCount} of ${this.rowCount} rows are taken`);
    const taken: Part[] = [];
    const left: Part[] = [];
    let missing = rowCount;
    for (const part of this.#parts) {
      const count = Math.min(missing, part.to - part.from);
      missing -= count;
      if (count > 0) taken.push({ ...part, to: part.from + count });
      if (part.from + count < part.to) left.push({ ...part, from: part.from + count });
    }
    this.#parts = [];
    this.#buffers.clear();
    for (const part of left) this.#push(part);
    this.rowCount -= rowCount;
    return {
      rowCount,
      column(index) {
        const parts = taken.map((part): ColumnPart => ({ column: part.columns[index]!, rows: rowsOf(part, index) }));
        return concatColumns(parts[0]!.column.type, parts);
      },
    };
  }

  #push(part: Part): void {
    this.#parts.push(part);
    for (const column of part.columns) for (const array of arraysOf(column)) if (array) this.#buffers.add(array.buffer);
  }
}

/** null: all of them. */
function rowsOf({ columns, from, to }: Part, index: number): Uint32Array | null {
  if (from === 0 && to === columns[index]!.length) return null;
  const rows = new Uint32Array(to - from);
  for (let row = from; row < to; row++) rows[row - from] = row;
  return rows;
}

const arraysOf = (column: Column): readonly (ArrayBufferView | null)[] =>
  column.form === 'fixed'
    ? [column.values, column.validity]
    : [column.offsets, column.bytes, column.validity, column.form === 'dictionary' ? column.codes : null];
