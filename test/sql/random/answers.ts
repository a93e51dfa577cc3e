/** Answers of two engines, brought to common cells. */
import { formatDecimal } from '../../../src/column/text.ts';
import type { Type, Value } from '../../../src/column/type.ts';

/** Doubles are numbers, other numbers their exact digits; everything else is text with its kind. */
export type Cell = null | boolean | number | string;

/** Sums and quotients of doubles may differ by the order of rounding. */
const relativeTolerance = 1e-12;

/** `12.30` and `12.3` are one number. */
export const exactDigits = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);

export function weirCell(type: Type, value: Value): Cell {
  if (value === null || typeof value === 'boolean') return value;
  switch (type.name) {
    case 'INT':
    case 'LONG':
      return String(value);
    case 'DECIMAL':
      return exactDigits(formatDecimal(value as bigint, type.scale!));
    case 'DOUBLE':
    case 'FLOAT':
      return value as number;
    case 'TIMESTAMP':
    case 'DATE':
      return `${type.name} ${value}`;
    default:
      return `${type.name} ${JSON.stringify(value)}`;
  }
}

function sameCell(left: Cell, right: Cell): boolean {
  if (left === right) return true;
  if (typeof left !== 'number' || typeof right !== 'number') return false;
  return Math.abs(left - right) <= relativeTolerance * Math.max(Math.abs(left), Math.abs(right));
}

const sortText = (row: readonly Cell[]): string =>
  row.map(cell => (typeof cell === 'number' ? (cell + 0).toPrecision(9) : String(cell))).join('|');

/** Where two answers first differ, for a reader; null where they are the same. */
export function difference(left: readonly Cell[][], right: readonly Cell[][], isOrdered: boolean): string | null {
  if (left.length !== right.length) return `${left.length} rows against ${right.length}`;
  const order = (rows: readonly Cell[][]): readonly Cell[][] =>
    isOrdered ? rows : rows.toSorted((a, b) => (sortText(a) < sortText(b) ? -1 : 1));
  const others = order(right);
  for (const [index, row] of order(left).entries())
    if (!row.every((cell, column) => sameCell(cell, others[index]![column]!)))
      return `row ${index}: ${JSON.stringify(row)} against ${JSON.stringify(others[index])}`;
  return null;
}
