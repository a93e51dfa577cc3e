/** `system.ingestion`, `system.rejects` and `system.audit`: where partitions stand, and where their messages went. */
import type { OffsetAccounts } from '../catalog/table.ts';
import { BOOLEAN, DOUBLE, INT, LONG, STRING, TIMESTAMP } from '../column/type.ts';
import { column, type Definition } from './system-source.ts';

const whole = (value: number | null): bigint | null => (value === null ? null : BigInt(value));

/** Kinds of offsets, which add up to the span; then the rows. */
const spans = ['taken', 'filtered', 'rejected', 'control', 'aborted', 'gaps', 'lost', 'skipped'] as const;
const spanOf = (accounts: OffsetAccounts): number => spans.reduce((sum, kind) => sum + accounts[kind], 0);

export const ingestionTables: Readonly<Record<string, Definition>> = {
  'system.ingestion': {
    columns: [
      column('table', STRING),
      column('partition', INT),
      column('source', STRING),
      column('state', STRING),
      column('cause', STRING),
      column('notice', STRING),
      column('committed_offset', LONG),
      column('ingested_offset', LONG),
      column('end_offset', LONG),
      column('lag_offsets', LONG),
      column('lag_ms', DOUBLE),
      column('observed_at', TIMESTAMP),
      column('watermark', TIMESTAMP),
      column('rows_ingested', LONG),
      column('rows_filtered', LONG),
      column('rows_rejected', LONG),
      column('offsets_lost', LONG),
      column('audit_mismatches', LONG),
      column('log_size_bytes', LONG),
      column('last_error', STRING),
    ],
    async rows(sources) {
      return (await sources.ingestion()).map(state => {
        const { freshness } = state;
        return [
          state.table,
          state.partition,
          state.source,
          freshness.state,
          freshness.cause,
          state.notice,
          whole(state.committedEnd),
          whole(freshness.ingestedOffset),
          whole(freshness.endOffset),
          whole(Math.max(0, freshness.endOffset - freshness.ingestedOffset)),
          freshness.lagMs,
          freshness.observedAtMs,
          freshness.watermarkMs,
          whole(state.rowsIngested),
          whole(state.rowsFiltered),
          whole(state.rowsRejected),
          whole(state.offsetsLost),
          whole(state.auditMismatches),
          whole(state.logSizeBytes),
          state.lastFault?.message ?? null,
        ];
      });
    },
  },
  'system.rejects': {
    columns: [
      column('table', STRING),
      column('at', TIMESTAMP),
      column('partition', INT),
      column('offset', LONG),
      column('line', LONG),
      column('idempotency_key', STRING),
      column('column', STRING),
      column('reason', STRING),
      column('text', STRING),
    ],
    async rows(sources) {
      return (await sources.rejects()).map(entry => [
        entry.table,
        entry.atMs,
        entry.partition,
        whole(entry.offset),
        whole(entry.line),
        entry.idempotencyKey,
        entry.column,
        entry.reason,
        entry.text,
      ]);
    },
  },
  'system.audit': {
    columns: [
      column('table', STRING),
      column('table_id', STRING),
      column('partition', INT),
      column('kind', STRING),
      column('segment', STRING),
      column('start_offset', LONG),
      column('end_offset', LONG),
      column('span', LONG),
      column('balanced', BOOLEAN),
      ...spans.map(kind => column(kind, LONG)),
      column('rows_in', LONG),
      column('rows_out', LONG),
      column('at', TIMESTAMP),
    ],
    async rows(sources) {
      const [entries, tables] = await Promise.all([sources.audit(), sources.tables()]);
      const names = new Map(tables.map(({ definition }) => [definition.id, definition.name]));
      return entries.map(entry => {
        // A seek back leads to what is read again: it settles no offsets of its own.
        const span = Math.max(0, entry.endOffset - entry.startOffset);
        return [
          names.get(entry.tableId) ?? null,
          entry.tableId,
          entry.partition,
          entry.kind,
          entry.segmentId,
          whole(entry.startOffset),
          whole(entry.endOffset),
          whole(span),
          span === spanOf(entry.accounts),
          ...spans.map(kind => whole(entry.accounts[kind])),
          whole(entry.accounts.rowsIn),
          whole(entry.accounts.rowsOut),
          entry.atMs,
        ];
      });
    },
  },
};
