/** Statement → `BoundStatement`: what the broker runs. */
import { unreachable } from '../base/assert.ts';
import { fault } from '../base/fault.ts';
import type { Value } from '../column/type.ts';
import type { Statement } from './ast.ts';
import { bindAlterTable, bindCreateIndex, bindDropIndex } from './bind-alter.ts';
import type { StatementContext } from './bind-expression.ts';
import { bindIngestion } from './bind-ingestion.ts';
import { bindInsert } from './bind-insert.ts';
import { planQuery } from './bind-query.ts';
import { bindCreateTable } from './bind-table.ts';
import type { BoundStatement, DescribedColumn } from './bound.ts';
import { findTable, resolveStoredTable, resolveTable, type SqlCatalog } from './catalog.ts';
import { createTableText } from './create-text.ts';
import { finishPlan } from './optimize/optimize.ts';

export interface BindOptions {
  readonly catalog: SqlCatalog;
  /** Values of `?` or `$1`…, in order. They take the type of their context; numbers for a TIMESTAMP are milliseconds. */
  readonly parameters: readonly Value[];
  /** `NOW()` of the whole statement. */
  readonly nowMs: number;
  /** IANA name, for CURRENT_DATE and functions that ask for it. */
  readonly timeZone: string;
}

/**
 * Names, types and, for a query, the plan. Pure: the same statement and options give the same plan.
 * @throws {FaultError} of kind `invalid` or `exhausted`, with the position in the SQL and, where one is near, a suggestion.
 */
export function bindStatement(statement: Statement, options: BindOptions): BoundStatement {
  const { catalog, parameters, nowMs, timeZone } = options;
  if (parameters.length !== statement.parameterCount)
    throw fault(
      'INVALID_PARAMETER',
      `the statement has ${statement.parameterCount} parameters, and ${parameters.length} values are given`,
    );
  const functionContext = { nowMs, timeZone };
  const plan = (query: Extract<Statement, { kind: 'query' }>['query']) =>
    planQuery(query, {
      ...options,
      finish: (bound, subplans) => finishPlan(bound, subplans, functionContext),
    });
  const constants: StatementContext = {
    ...functionContext,
    parameters,
    bindSubquery: (_query, _outer, position) => {
      throw fault('UNSUPPORTED', 'a subquery cannot be used here', { position });
    },
  };
  switch (statement.kind) {
    case 'query':
      return { kind: 'select', plan: plan(statement.query) };
    case 'explain':
      return { kind: 'explain', plan: plan(statement.query) };
    case 'createTable': {
      const { ifNotExists } = statement;
      return { kind: 'createTable', request: bindCreateTable(statement, constants), ifNotExists };
    }
    case 'dropTable': {
      const { name, ifExists } = statement;
      if (ifExists && findTable(catalog, name) === null) return { kind: 'dropTable', name: name.text, ifExists };
      return { kind: 'dropTable', name: resolveStoredTable(catalog, name).name, ifExists };
    }
    case 'alterTable':
      return bindAlterTable(statement, catalog, constants);
    case 'createIndex':
      return bindCreateIndex(statement, catalog);
    case 'dropIndex':
      return bindDropIndex(statement, catalog);
    case 'showTables':
      return { kind: 'showTables' };
    case 'describe': {
      const found = resolveTable(catalog, statement.name);
      const isStored = found.kind === 'table';
      const { name, columns } = isStored ? found.definition : found.table;
      return { kind: 'describe', table: name, columns: columns.map(describeColumn) };
    }
    case 'showCreateTable':
      return { kind: 'showCreateTable', sql: createTableText(resolveStoredTable(catalog, statement.name)) };
    case 'ingestion':
      return bindIngestion(statement, catalog, functionContext);
    case 'insert':
      return bindInsert(statement, catalog, constants);
    default:
      return unreachable(statement);
  }
}

const describeColumn = (
  column: Omit<DescribedColumn, 'nullable'> & { readonly nullable?: boolean },
): DescribedColumn => ({
  name: column.name,
  type: column.type,
  nullable: column.nullable ?? true,
});
