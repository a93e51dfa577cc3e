import { decimalOf } from '../column/value.ts';
import type { ArenaViews } from '../kernel/arena.ts';
import type { BlockColumn, ValueRange } from '../segment/block.ts';

/**
 * Rows `[start, end)` of a column that ascends over `[0, presentCount)`, with NaN behind all numbers, whose values lie in a
 * range; `end` may be below `start`. O(log rows).
 */
export function searchSorted(
  { low, high, nan }: ValueRange,
  column: BlockColumn,
  arena: ArenaViews,
  presentCount: number,
): readonly [start: number, end: number] {
  const valueAt = valuesOf(column, arena);
  const firstRow = (holds: (value: number | bigint) => boolean): number => {
    let from = 0;
    let to = presentCount;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const value = valueAt(middle);
      if (Number.isNaN(value) || holds(value)) to = middle;
      else from = middle + 1;
    }
    return from;
  };
  return [firstRow(value => value >= low), nan ? presentCount : firstRow(value => value > high)];
}

function valuesOf({ form, address, base }: BlockColumn, arena: ArenaViews): (row: number) => number | bigint {
  switch (form) {
    case 'i32':
      return row => base + arena.i32[address / 4 + row]!;
    case 'i64':
      return row => arena.i64[address / 8 + row]!;
    case 'f32':
      return row => arena.f32[address / 4 + row]!;
    case 'f64':
      return row => arena.f64[address / 8 + row]!;
    case 'i128':
      return row => decimalOf(arena.i64[address / 8 + 2 * row]!, arena.i64[address / 8 + 2 * row + 1]!);
    default:
      throw new Error(`a range over a column of form ${form}`);
  }
}
