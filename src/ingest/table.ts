import type { Fault } from '../base/fault.ts';
import type { TableDefinition } from '../catalog/table.ts';
import type { RejectLog } from '../stream/rejects.ts';
import type { PartitionEntry } from '../wire/controller-calls.ts';
import type { IngestState } from '../wire/ingest-calls.ts';
import type { PartitionRows } from './rows.ts';

/** A table that is ingested here, whatever its source. */
export interface IngestTable {
  readonly definition: TableDefinition;
  readonly states: readonly IngestState[];
  readonly rejects: RejectLog;
  /** The metadata changed: takes up partitions that it does not have yet, and the definition. One call at a time. */
  follow(definition: TableDefinition, entries: readonly PartitionEntry[]): Promise<void>;
  /** Looks after ages and failures. Never throws. */
  tick(): Promise<void>;
  /** Of its partitions, the one with most rows in its consuming segment. */
  readonly largest: PartitionRows | null;
  /** Publishes what is visible now; resolves with the number of segments. `partition` null: of all. @throws FaultError */
  commit(partition: number | null): Promise<number>;
  stop(): Promise<void>;
  /** The table is gone: so are its rows. */
  drop(): Promise<void>;
}

/** Before any partition is known, the topic itself stands for them, as partition −1. */
export const topicState = ({ id, name }: TableDefinition, cause: Fault, observedAtMs: number): IngestState => ({
  ...{ tableId: id, partition: -1, table: name, source: 'kafka', committedEnd: 0 },
  freshness: {
    ...{ partition: -1, ingestedOffset: 0, endOffset: 0, observedAtMs, lagMs: 0, watermarkMs: null },
    ...{ state: 'failed', cause: cause.message },
  },
  ...{ consumingRows: 0, rowsIngested: 0, rowsRejected: 0, rowsFiltered: 0, offsetsLost: 0, logSizeBytes: 0 },
  ...{ lastFault: cause, notice: null, auditMismatches: 0 },
});
