/** What tables of schema `system` are made of. */
import type { AccountState } from '../base/accounts.ts';
import type { TableSnapshot } from '../catalog/table.ts';
import type { Type, Value } from '../column/type.ts';
import type { RunningQuery } from '../wire/broker-calls.ts';
import type { MemberEntry } from '../wire/cluster-calls.ts';
import type { AuditEntry, QuarantinedSegment, TaskEntry } from '../wire/controller-calls.ts';
import type { IngestState, RejectEntry } from '../wire/ingest-calls.ts';
import type { ShardStatus } from '../wire/shard-calls.ts';

/** What the rows are made of; each is asked for only when a query reads its table. */
export interface SystemSources {
  queries(): Promise<readonly RunningQuery[]>;
  tables(): Promise<readonly TableSnapshot[]>;
  ingestion(): Promise<readonly IngestState[]>;
  rejects(): Promise<readonly RejectEntry[]>;
  audit(): Promise<readonly AuditEntry[]>;
  tasks(): Promise<readonly TaskEntry[]>;
  quarantine(): Promise<readonly QuarantinedSegment[]>;
  shards(): Promise<readonly ShardStatus[]>;
  memory(): readonly AccountState[];
  servers(): Promise<readonly MemberEntry[]>;
}

export interface Definition {
  readonly columns: readonly { readonly name: string; readonly type: Type }[];
  rows(sources: SystemSources): Promise<Value[][]>;
}

export const column = (name: string, type: Type): { name: string; type: Type } => ({ name, type });
