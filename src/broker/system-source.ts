/** What tables of schema `system` are made of. */
import type { TableSnapshot } from '../catalog/table.ts';
import type { Type, Value } from '../column/type.ts';
import type { AuditEntry, IngestState, RejectEntry, RunningQuery, ShardStatus } from '../wire/calls.ts';

/** What the rows are made of; each is asked for only when a query reads its table. */
export interface SystemSources {
  queries(): Promise<readonly RunningQuery[]>;
  tables(): Promise<readonly TableSnapshot[]>;
  ingestion(): Promise<readonly IngestState[]>;
  rejects(): Promise<readonly RejectEntry[]>;
  audit(): Promise<readonly AuditEntry[]>;
  shards(): Promise<readonly ShardStatus[]>;
}

export interface Definition {
  readonly columns: readonly { readonly name: string; readonly type: Type }[];
  rows(sources: SystemSources): Promise<Value[][]>;
}

export const column = (name: string, type: Type): { name: string; type: Type } => ({ name, type });
