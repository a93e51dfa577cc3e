/** What a statement means, names and types settled: plain data for the broker. */
import type { TableDefinitionRequest } from '../catalog/table.ts';
import type { Type, Value } from '../column/type.ts';
import type { QueryPlan } from '../plan/node.ts';

export interface DescribedColumn {
  readonly name: string;
  readonly type: Type;
  readonly nullable: boolean;
}

export type BoundStatement =
  | { readonly kind: 'select'; readonly plan: QueryPlan }
  | { readonly kind: 'explain'; readonly plan: QueryPlan }
  | { readonly kind: 'createTable'; readonly request: TableDefinitionRequest; readonly ifNotExists: boolean }
  /** `name` as stored, or as written where there is no such table and `ifExists`. */
  | { readonly kind: 'dropTable'; readonly name: string; readonly ifExists: boolean }
  | { readonly kind: 'showTables' }
  | { readonly kind: 'describe'; readonly table: string; readonly columns: readonly DescribedColumn[] }
  /** Cell i of a row is of table column `columnIds[i]`, already of its type. */
  | {
      readonly kind: 'insert';
      readonly tableId: string;
      readonly table: string;
      readonly columnIds: readonly number[];
      readonly types: readonly Type[];
      readonly rows: readonly (readonly Value[])[];
    };
