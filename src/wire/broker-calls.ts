/** What is asked of a broker: statements. */
import type { TableChange, TableDefinition, TableDefinitionRequest } from '../catalog/table.ts';
import type { Type, Value } from '../column/type.ts';
import type { PartitionFreshness, Stream } from './calls.ts';

export interface QueryRequest {
  readonly queryId: string;
  readonly sql: string;
  readonly parameters: readonly Value[];
  readonly timeoutMs: number;
  readonly allowPartial: boolean;
  readonly identity: string;
  readonly timeZone: string;
}

/** Everything of an answer but its rows. The columns come with the first frame's header: see `BrokerCalls.query`. */
export interface QueryStats {
  rowsScanned: number;
  rowsMatched: number;
  rowsReturned: number;
  blocksScanned: number;
  blocksPruned: number;
  segmentsExpected: number;
  segmentsAnswered: number;
  segmentsScanned: number;
  segmentsPruned: number;
  memoryPeakBytes: number;
  filters: Record<string, number>;
  /** Time per phase. */
  parseMs: number;
  planMs: number;
  pinMs: number;
  runMs: number;
  totalMs: number;
}

export interface QueryTrailer {
  readonly complete: boolean;
  /** Scan units that nobody answered; only where the caller allowed partial answers. */
  readonly missing: readonly string[];
  readonly stats: QueryStats;
  /** By table name. */
  readonly freshness: Readonly<Record<string, TableFreshness>>;
}

export interface TableFreshness {
  readonly watermarkMs: number | null;
  readonly partitions: readonly PartitionFreshness[];
}

export interface ResultColumn {
  readonly name: string;
  readonly type: Type;
}

export interface RunningQuery {
  readonly queryId: string;
  readonly sql: string;
  readonly state: 'running' | 'finished' | 'failed' | 'cancelled';
  readonly startedAtMs: number;
  readonly elapsedMs: number;
  readonly rowsReturned: number;
  readonly rowsScanned: number;
  readonly identity: string;
  readonly error: string | null;
}

export type BrokerCalls = {
  /** First: what the statement is and its columns (parsed, bound, pinned, not yet run); then `fetch` streams the rows. */
  open: { in: QueryRequest; out: { columns: readonly ResultColumn[] } };
  fetch: { in: { queryId: string }; out: Stream<QueryTrailer> };
  /** Ends it wherever it is; false where no such query runs. */
  cancel: { in: { queryId: string }; out: { cancelled: boolean } };
  queries: { in: null; out: readonly RunningQuery[] };
  /** As CREATE TABLE does: a transform is bound to the columns before the controller is asked. */
  createTable: { in: { definition: TableDefinitionRequest; ifNotExists: boolean }; out: TableDefinition };
  /** As ALTER TABLE, CREATE INDEX and DROP INDEX do; a transform is bound to what the columns will be. */
  alterTable: { in: { table: string; changes: readonly TableChange[] }; out: TableDefinition };
};
