/** What is asked of the builder: a low-priority thread beside ingestion. */
import type { OffsetAccounts, SegmentEntry, TableDefinition } from '../catalog/table.ts';

export type BuilderCalls = {
  /** Pulls the rolled segment's columns from its shard, builds it, puts it into the deep store. Nothing is published. */
  build: {
    in: {
      definition: TableDefinition;
      partition: number;
      startOffset: number;
      endOffset: number;
      rowCount: number;
      accounts: OffsetAccounts;
      shard: number;
    };
    /** `rowsIn`: rows that were pulled; a rollup makes fewer of them. */
    out: { segment: SegmentEntry; rowsIn: number };
  };
};
