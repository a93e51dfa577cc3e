/** What a statement means, names and types settled: plain data for the broker. */
import type { SeekTarget, TableChange, TableDefinitionRequest } from '../catalog/table.ts';
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
  /** `status` tells what was done. Without changes there is nothing to do, and no table. */
  | {
      readonly kind: 'alterTable';
      readonly table: string;
      readonly changes: readonly TableChange[];
      readonly status: string;
    }
  | { readonly kind: 'showTables' }
  /** PAUSE, RESUME, SEEK or COMMIT INGESTION. `partition` null: all of the table's. */
  | {
      readonly kind: 'ingestion';
      readonly action: 'pause' | 'resume' | 'commit' | 'seek';
      readonly tableId: string;
      readonly table: string;
      readonly partition: number | null;
      /** Of a seek; null otherwise. */
      readonly to: SeekTarget | null;
    }
  /** `sql` makes the same table again. */
  | { readonly kind: 'showCreateTable'; readonly sql: string }
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
