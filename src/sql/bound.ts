/** What a statement means, names and types settled: plain data for the broker. */
import type { TableSettings } from '../catalog/table.ts';
import type { Type, Value } from '../column/type.ts';
import type { QueryPlan } from '../plan/node.ts';

/** A table without what the controller gives it (id, column ids, version, time of creation). */
export interface TableRequest {
  readonly name: string;
  readonly columns: readonly {
    readonly name: string;
    readonly type: Type;
    readonly nullable: boolean;
    readonly defaultValue?: Value;
  }[];
  readonly timeColumn: string | null;
  readonly indexes: readonly { readonly column: string; readonly kind: 'inverted' | 'range' | 'bloom' }[];
  readonly settings: Partial<TableSettings>;
}

export interface DescribedColumn {
  readonly name: string;
  readonly type: Type;
  readonly nullable: boolean;
}

export type BoundStatement =
  | { readonly kind: 'select'; readonly plan: QueryPlan }
  | { readonly kind: 'explain'; readonly plan: QueryPlan }
  | { readonly kind: 'createTable'; readonly request: TableRequest; readonly ifNotExists: boolean }
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
