/** Columns that were widened since a segment was written: it stores the narrower type, and is read as the wider one. */
import { widenZone } from '../catalog/column.ts';
import type { ZoneMap } from '../catalog/table.ts';
import { dayMs } from '../column/text.ts';
import { sameType, type Type } from '../column/type.ts';
import type { Vector } from '../column/vector.ts';
import type { Block } from '../segment/block.ts';

/** What is known of the block's column, in the type that the scan reads it as. */
export function zoneOf(
  block: Pick<Block, 'segment' | 'zone'>,
  { id, type }: { readonly id: number; readonly type: Type },
): ZoneMap | null {
  const zone = block.zone(id);
  const stored = zone && block.segment.columnType(id);
  return stored ? widenZone(zone!, stored, type) : zone;
}

/** INT, LONG, FLOAT and DOUBLE are alike in vectors; days become milliseconds, whole numbers unscaled decimals. */
export function widenVector(vector: Vector, from: Type, to: Type): Vector {
  if (sameType(from, to)) return vector;
  if (from.name === 'DATE' && vector.form === 'number')
    return { ...vector, values: vector.values.subarray(0, vector.length).map(day => day * dayMs) };
  if (to.name !== 'DECIMAL' || (vector.form !== 'number' && vector.form !== 'bigint')) return vector;
  const factor = 10n ** BigInt(to.scale!);
  const { length, nulls, values } = vector;
  return { form: 'wide', length, nulls, values: Array.from({ length }, (_, row) => BigInt(values[row]!) * factor) };
}
