/** ALTER TABLE as JSON. */
import { changeTable } from '../catalog/change.ts';
import { findColumn } from '../catalog/name.ts';
import type { TableChange, TableDefinition } from '../catalog/table.ts';
import type { AlterAction } from '../client/types.ts';
import { valueOfCell } from './json-model.ts';
import { parseType } from './json-type.ts';

/** Each is read against the table as those before leave it. @throws FaultError of `changeTable`, INVALID_LITERAL */
export function changesOfRequest(table: TableDefinition, actions: readonly AlterAction[]): TableChange[] {
  const changes: TableChange[] = [];
  let changed = table;
  for (const action of actions) {
    const change = changeOf(changed, action);
    changed = changeTable(changed, [change]);
    changes.push(change);
  }
  return changes;
}

function changeOf(table: TableDefinition, action: AlterAction): TableChange {
  switch (action.action) {
    case 'addColumn': {
      const { name, type: text, nullable = true, default: cell = null, ifNotExists = false } = action;
      const type = parseType(text);
      return { kind: 'addColumn', name, type, nullable, defaultValue: valueOfCell(cell, type, name), ifNotExists };
    }
    case 'dropColumn':
      return { kind: 'dropColumn', column: action.column, ifExists: action.ifExists ?? false };
    case 'renameColumn':
      return { kind: 'renameColumn', column: action.column, to: action.to };
    case 'setType':
      return { kind: 'setType', column: action.column, type: parseType(action.type) };
    case 'setDefault': {
      const { name, type } = findColumn(table, action.column);
      return { kind: 'setDefault', column: action.column, defaultValue: valueOfCell(action.default, type, name) };
    }
    case 'dropDefault':
      return { kind: 'setDefault', column: action.column, defaultValue: null };
    case 'dropNotNull':
      return { kind: 'dropNotNull', column: action.column };
  }
}
