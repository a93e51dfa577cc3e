/** A column over the time of its table: what rows have that were written before it was as it is. */
import { sameType, type Type, type Value } from '../column/type.ts';
import { widenValue } from '../column/widen.ts';
import type { ColumnDefinition, TableDefinition, ZoneMap } from './table.ts';

/** Of rows that were written without the column. */
export const missingValueOf = ({ defaultValue, missingValue }: ColumnDefinition): Value =>
  missingValue === undefined ? defaultValue : missingValue;

/** Rows that come without the column are not as those that were written without it: they must be given the default. */
export const hasChangedDefault = ({ defaultValue, missingValue }: ColumnDefinition): boolean =>
  missingValue !== undefined && !Object.is(defaultValue, missingValue);

/** The id of the next column; those of dropped columns are not given again, for old segments still have them. */
export const nextColumnIdOf = ({ columns, nextColumnId }: Pick<TableDefinition, 'columns' | 'nextColumnId'>): number =>
  nextColumnId ?? Math.max(...columns.map(({ id }) => id)) + 1;

/** Whether the column had the type before: rows of an older definition come so. */
export const wasOfType = ({ formerTypes = [] }: ColumnDefinition, type: Type): boolean =>
  formerTypes.some(former => sameType(former.type, type));

/** What a segment of a table version stores the column as. */
export const storedTypeOf = ({ type, formerTypes = [] }: ColumnDefinition, tableVersion: number): Type =>
  formerTypes.find(({ untilVersion }) => tableVersion < untilVersion)?.type ?? type;

/** A zone map of a column as it is stored, in the type that it is read as. */
export const widenZone = ({ nullCount, min, max }: ZoneMap, from: Type, to: Type): ZoneMap => ({
  nullCount,
  min: widenValue(min, from, to) as ZoneMap['min'],
  max: widenValue(max, from, to) as ZoneMap['max'],
});
