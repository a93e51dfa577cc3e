/** What is asked of ingestion. */
import type { Fault } from '../base/fault.ts';
import type { SeekTarget } from '../catalog/table.ts';
import type { PartitionFreshness, PartitionRef } from './calls.ts';

export type RowFormat = 'ndjson' | 'json' | 'csv' | 'arrow';

export interface RejectedRow {
  /** 1-based in the request's input. */
  readonly line: number;
  /** Column's name, or null where the row as a whole is at fault. */
  readonly column: string | null;
  readonly reason: string;
}

export interface PushAnswer {
  readonly accepted: number;
  readonly rejected: number;
  /** The first 100. */
  readonly rejects: readonly RejectedRow[];
  /** True when the idempotency key was seen before: nothing was added; the counts are those of the first time. */
  readonly duplicate: boolean;
}

export type IngestCalls = {
  /** Resolves when the rows are durable and the next query sees them. `body` is transferred. */
  push: {
    in: { tableId: string; format: RowFormat; body: Uint8Array; strict: boolean; idempotencyKey: string | null };
    out: PushAnswer;
  };
  /** Rows already as columns (INSERT): `frame` holds a Batch whose column i is table column `columnIds[i]`. */
  insert: { in: { tableId: string; columnIds: readonly number[]; frame: Uint8Array }; out: { inserted: number } };
  /** Tables changed: open logs of new ones, drop those of dropped ones. */
  refresh: { in: null; out: null };
  /** Seals and publishes what the table's consuming segments hold now. */
  commit: { in: { tableId: string; partition?: number }; out: { segments: number } };
  /** Durable across restarts. A paused partition keeps what it has, and answers queries. @throws FaultError UNSUPPORTED for the embedded log */
  pause: { in: { tableId: string; partition: number | null }; out: null };
  resume: { in: { tableId: string; partition: number | null }; out: null };
  /** See `ControllerCalls.seek`. Refused (OFFSETS_LOST) where rows would be dropped that the stream no longer has. */
  seek: {
    in: { tableId: string; partition: number | null; to: SeekTarget };
    out: { partitions: readonly { readonly partition: number; readonly offset: number }[] };
  };
  state: { in: null; out: readonly IngestState[] };
  /** The reject logs' latest entries, oldest first; `tableId` null: of all tables. */
  rejects: { in: { tableId: string | null }; out: readonly RejectEntry[] };
};

/** One entry of a reject log: of a message (partition and offset) or of a push (line and key). */
export interface RejectEntry {
  readonly table: string;
  readonly atMs: number;
  readonly partition: number | null;
  readonly offset: number | null;
  readonly line: number | null;
  readonly idempotencyKey: string | null;
  readonly column: string | null;
  readonly reason: string;
  readonly text: string;
}

export interface IngestState extends PartitionRef {
  readonly table: string;
  readonly committedEnd: number;
  readonly source: 'log' | 'kafka';
  readonly freshness: PartitionFreshness;
  /** Visible, in no segment from before `committedEnd`. */
  readonly consumingRows: number;
  /** Since the process started. */
  readonly rowsIngested: number;
  readonly rowsRejected: number;
  readonly rowsFiltered: number;
  readonly offsetsLost: number;
  /** Of the embedded log; 0 for a stream. */
  readonly logSizeBytes: number;
  readonly lastFault: Fault | null;
  /** What happened that an operator wants to know though it healed: offsets lost, a topic made again; null: nothing. */
  readonly notice: string | null;
  /** Offset spans that did not add up, since the process started: an alarm. */
  readonly auditMismatches: number;
}
