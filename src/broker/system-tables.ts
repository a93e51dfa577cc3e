/** Tables of schema `system`: what Weir knows of itself, as rows made when a query starts. */

import { loadPartition } from '../catalog/table.ts';
import { batchOf } from '../column/builder.ts';
import { encodeBatch } from '../column/frame.ts';
import { DOUBLE, INT, LONG, STRING, TIMESTAMP } from '../column/type.ts';
import type { SystemTable } from '../sql/catalog.ts';
import { ingestionTables } from './ingestion-tables.ts';
import { column, type Definition, type SystemSources } from './system-source.ts';

const definitions: Readonly<Record<string, Definition>> = {
  'system.queries': {
    columns: [
      column('query_id', STRING),
      column('state', STRING),
      column('sql', STRING),
      column('started_at', TIMESTAMP),
      column('elapsed_ms', DOUBLE),
      column('rows_returned', LONG),
      column('rows_scanned', LONG),
      column('identity', STRING),
      column('error', STRING),
    ],
    async rows(sources) {
      return (await sources.queries()).map(query => [
        query.queryId,
        query.state,
        query.sql,
        query.startedAtMs,
        query.elapsedMs,
        BigInt(query.rowsReturned),
        BigInt(query.rowsScanned),
        query.identity,
        query.error,
      ]);
    },
  },
  'system.tables': {
    columns: [
      column('table', STRING),
      column('table_id', STRING),
      column('version', INT),
      column('columns', INT),
      column('segments', LONG),
      column('committed_rows', LONG),
      column('created_at', TIMESTAMP),
    ],
    async rows(sources) {
      return (await sources.tables()).map(({ definition, segments }) => [
        definition.name,
        definition.id,
        definition.version,
        definition.columns.length,
        BigInt(segments.length),
        BigInt(segments.reduce((sum, segment) => sum + segment.rowCount, 0)),
        definition.createdAtMs,
      ]);
    },
  },
  'system.segments': {
    columns: [
      column('table', STRING),
      column('segment', STRING),
      column('partition', INT),
      column('start_offset', LONG),
      column('end_offset', LONG),
      column('rows', LONG),
      column('size_bytes', LONG),
      column('min_time', TIMESTAMP),
      column('max_time', TIMESTAMP),
      column('generation', INT),
      column('table_version', INT),
      column('created_at', TIMESTAMP),
      column('state', STRING),
      column('cause', STRING),
    ],
    async rows(sources) {
      const causes = new Map((await sources.quarantine()).map(({ segmentId, cause }) => [segmentId, cause]));
      return (await sources.tables()).flatMap(({ definition, segments }) =>
        segments.map(segment => [
          definition.name,
          segment.id,
          segment.partition === loadPartition ? null : segment.partition,
          BigInt(segment.startOffset),
          BigInt(segment.endOffset),
          BigInt(segment.rowCount),
          BigInt(segment.sizeBytes),
          segment.minTimeMs,
          segment.maxTimeMs,
          segment.generation,
          segment.tableVersion,
          segment.createdAtMs,
          causes.has(segment.id) ? 'quarantined' : 'committed',
          causes.get(segment.id) ?? null,
        ]),
      );
    },
  },
  ...ingestionTables,
  'system.tasks': {
    columns: [
      column('task_id', STRING),
      column('kind', STRING),
      column('table', STRING),
      column('detail', STRING),
      column('state', STRING),
      column('done', LONG),
      column('total', LONG),
      column('unit', STRING),
      column('started_at', TIMESTAMP),
      column('finished_at', TIMESTAMP),
      column('error', STRING),
    ],
    async rows(sources) {
      return (await sources.tasks()).map(task => [
        task.taskId,
        task.kind,
        task.table,
        task.detail,
        task.state,
        BigInt(task.done),
        BigInt(task.total),
        task.unit,
        task.startedAtMs,
        task.finishedAtMs,
        task.error,
      ]);
    },
  },
  'system.shards': {
    columns: [
      column('shard', INT),
      column('arena_used_bytes', LONG),
      column('arena_capacity_bytes', LONG),
      column('segments_open', INT),
      column('consuming_rows', LONG),
      column('leases', INT),
    ],
    async rows(sources) {
      return (await sources.shards()).map(status => [
        status.shard,
        BigInt(status.arenaUsedBytes),
        BigInt(status.arenaCapacityBytes),
        status.segmentsOpen,
        BigInt(status.consuming.reduce((sum, { rowCount }) => sum + rowCount, 0)),
        status.leases,
      ]);
    },
  },
  'system.memory': {
    columns: [
      column('account', STRING),
      column('used_bytes', LONG),
      column('peak_bytes', LONG),
      column('limit_bytes', LONG),
    ],
    async rows(sources) {
      return sources
        .memory()
        .map(({ name, usedBytes, peakBytes, limitBytes }) => [
          name,
          BigInt(usedBytes),
          BigInt(peakBytes),
          BigInt(limitBytes),
        ]);
    },
  },
  'system.servers': {
    columns: [
      column('server', STRING),
      column('roles', STRING),
      column('address', STRING),
      column('version', STRING),
      column('state', STRING),
      column('segments_placed', LONG),
      column('segments_announced', LONG),
      column('size_bytes', LONG),
      column('started_at', TIMESTAMP),
      column('heartbeat_at', TIMESTAMP),
    ],
    async rows(sources) {
      return (await sources.servers()).map(server => [
        server.id,
        server.roles.join(', '),
        server.address,
        server.release,
        server.state,
        BigInt(server.segmentsPlaced),
        BigInt(server.segmentsAnnounced),
        BigInt(server.sizeBytes),
        server.startedAtMs,
        server.heartbeatAtMs,
      ]);
    },
  },
};

export const systemTables: readonly SystemTable[] = Object.entries(definitions).map(([name, { columns }]) => ({
  name,
  columns,
}));

/** A system table's rows now, as the frame of an `inline` node. */
export async function systemTableFrame(name: string, sources: SystemSources): Promise<Uint8Array> {
  const { columns, rows } = definitions[name]!;
  return encodeBatch(
    batchOf(
      columns.map(({ type }) => type),
      await rows(sources),
    ),
  );
}
