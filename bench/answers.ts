/** Two engines' answers to one query, brought to common values and compared. */

/** An answer's cell: integers exact, doubles as they are, times in milliseconds since 1970. */
export type Cell = null | bigint | number | string | boolean;

export type CellRow = readonly Cell[];

/** Sums of doubles differ by the order in which they were added. */
const relativeTolerance = 1e-9;

function sameCell(left: Cell, right: Cell): boolean {
  if (typeof left === 'number' || typeof right === 'number') {
    if (typeof left !== 'number' || typeof right !== 'number') return false;
    if (left === right || (Number.isNaN(left) && Number.isNaN(right))) return true;
    return Math.abs(left - right) <= relativeTolerance * Math.max(Math.abs(left), Math.abs(right));
  }
  return left === right;
}

/** Says where two answers differ first; null where they are equal. Row order counts: the queries say ORDER BY. */
export function difference(left: readonly CellRow[], right: readonly CellRow[]): string | null {
  if (left.length !== right.length) return `${left.length} rows against ${right.length}`;
  for (const [index, row] of left.entries()) {
    const other = right[index]!;
    if (row.length !== other.length) return `row ${index} has ${row.length} columns against ${other.length}`;
    for (const [column, cell] of row.entries())
      if (!sameCell(cell, other[column]!))
        return `row ${index}, column ${column}: ${String(cell)} against ${String(other[column])}`;
  }
  return null;
}
