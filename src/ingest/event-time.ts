import type { TableDefinition } from '../catalog/table.ts';
import { type Batch, isPresent } from '../column/column.ts';
import { dayMs } from '../column/text.ts';

/** Largest value of the table's time column in a batch whose column i is `columnIds[i]`; null where there is none. O(rows). */
export function maxEventTimeMs(definition: TableDefinition, columnIds: readonly number[], batch: Batch): number | null {
  const column = batch.columns[columnIds.indexOf(definition.timeColumnId ?? Number.NaN)];
  if (column?.form !== 'fixed') return null;
  let max = Number.NEGATIVE_INFINITY;
  if (column.values instanceof BigInt64Array) {
    // Halves of 32 bits: reading those makes no bigint. Exact, for a timestamp is within ±2^53.
    const words = new Int32Array(column.values.buffer, column.values.byteOffset, column.length * 2);
    for (let row = 0; row < column.length; row++) {
      if (!isPresent(column.validity, row)) continue;
      const ms = words[row * 2 + 1]! * 4_294_967_296 + (words[row * 2]! >>> 0);
      if (ms > max) max = ms;
    }
  } else {
    for (let row = 0; row < column.length; row++)
      if (isPresent(column.validity, row)) max = Math.max(max, Number(column.values[row]) * dayMs);
  }
  return max === Number.NEGATIVE_INFINITY ? null : max;
}
