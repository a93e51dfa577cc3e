import { missingValueOf } from '../catalog/column.ts';
import type { TableDefinition } from '../catalog/table.ts';
import type { Node } from '../plan/node.ts';
import type { ScanColumn } from './block-input.ts';

/** What a scan reads of its table, with what it finds where a segment does not have a column. */
export const scanColumnsOf = (
  { columns }: Pick<Extract<Node, { kind: 'scan' }>, 'columns'>,
  definition: TableDefinition,
): ScanColumn[] =>
  columns.map(({ id, type }) => {
    const column = definition.columns.find(each => each.id === id);
    return { id, type, missingValue: column ? missingValueOf(column) : null };
  });
