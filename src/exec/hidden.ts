/** Rows that a replacement hides, as one more conjunct of a scan's filter, for the units that have such rows. */
import { missingValueOf } from '../catalog/column.ts';
import type { RowMask } from '../catalog/replacement.ts';
import { type TableDefinition, virtualColumns } from '../catalog/table.ts';
import { LONG } from '../column/type.ts';
import type { ScanColumn } from './block-input.ts';
import type { BlockPredicate } from './filter.ts';

const dayMs = 86_400_000;

const offsetColumn: ScanColumn = { id: virtualColumns.offset, type: LONG, missingValue: null };

/** The filter, and that no mask hides the row; a filter of null holds for every row. */
export function withoutHidden(
  filter: BlockPredicate | null,
  masks: readonly RowMask[],
  definition: TableDefinition,
): BlockPredicate | null {
  const time = definition.columns.find(({ id }) => id === definition.timeColumnId);
  if (masks.length === 0 || !time) return filter;
  const column = { id: time.id, type: time.type, missingValue: missingValueOf(time) };
  const visible = masks.map(mask => isVisible(mask, column));
  const conjuncts = filter === null ? [] : filter.kind === 'and' ? filter.args : [filter];
  const args = [...conjuncts, ...visible];
  return args.length === 1 ? args[0]! : { kind: 'and', args };
}

/** NULL is in no range of time, so such rows stay. A DATE is the midnight that it begins with. */
function isVisible({ fromMs, toMs, offsetBelow }: RowMask, column: ScanColumn): BlockPredicate {
  const unitMs = column.type.name === 'DATE' ? dayMs : 1;
  const low = BigInt(Math.ceil(fromMs / unitMs));
  const high = BigInt(Math.ceil(toMs / unitMs)) - 1n;
  const args: BlockPredicate[] = [
    { kind: 'null', column, negated: false },
    { kind: 'range', column, low, high, negated: true, nan: false },
  ];
  if (offsetBelow !== null)
    args.push({
      ...{ kind: 'range', column: offsetColumn, low: BigInt(offsetBelow), high: 2n ** 63n - 1n },
      ...{ negated: false, nan: false },
    });
  return { kind: 'or', args };
}
