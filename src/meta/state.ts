/** All of the metadata, read in one transaction. */
import type { Transaction } from 'kysely';
import { decodeSegment, decodeTable } from '../catalog/document.ts';
import type { LoadEntry } from '../catalog/load.ts';
import type { Replacement, SegmentEntry } from '../catalog/table.ts';
import type { MetaDatabase } from './schema.ts';
import type { MetaPartition, MetaState, MetaTable } from './store.ts';

/** @throws FaultError CORRUPT_METADATA */
export async function loadState(transaction: Transaction<MetaDatabase>): Promise<MetaState> {
  const { version } = await transaction.selectFrom('state').select('version').executeTakeFirstOrThrow();
  const segments = await transaction
    .selectFrom('segments')
    .select('document')
    .orderBy('table_id')
    .orderBy('partition')
    .orderBy('start_offset')
    .execute();
  const loads = await transaction.selectFrom('loads').select('document').orderBy('rowid').execute();
  const quarantine = await transaction.selectFrom('quarantine').selectAll().execute();
  const servers = await transaction.selectFrom('servers').selectAll().orderBy('id').execute();
  return {
    version,
    tables: await loadTables(transaction),
    segments: segments.map(row => decodeSegment(row.document)),
    loads: loads.map(row => JSON.parse(row.document) as LoadEntry),
    staged: await loadStaged(transaction),
    quarantine: quarantine.map(row => ({ segmentId: row.segment_id, cause: row.cause, atMs: row.at_ms })),
    servers: servers.map(row => ({
      id: row.id,
      registeredAtMs: row.registered_at_ms,
      draining: row.draining !== 0,
    })),
  };
}

async function loadTables(transaction: Transaction<MetaDatabase>): Promise<MetaTable[]> {
  const tables = await transaction.selectFrom('tables').select(['id', 'document', 'paused']).orderBy('rowid').execute();
  const partitions = await transaction.selectFrom('partitions').selectAll().orderBy('partition').execute();
  const replacements = await transaction.selectFrom('replacements').selectAll().orderBy('sequence').execute();
  const partitionsOf = new Map<string, MetaPartition[]>(tables.map(row => [row.id, []]));
  for (const row of partitions)
    partitionsOf.get(row.table_id)!.push({
      committedEnd: row.committed_end,
      paused: row.paused !== 0,
      streamId: row.stream_id,
      epoch: row.epoch,
    });
  return tables.map(row => ({
    definition: decodeTable(row.document),
    paused: row.paused !== 0,
    partitions: partitionsOf.get(row.id)!,
    replacements: replacements
      .filter(({ table_id }) => table_id === row.id)
      .map(({ document }) => JSON.parse(document) as Replacement),
  }));
}

async function loadStaged(transaction: Transaction<MetaDatabase>): Promise<Record<string, SegmentEntry[]>> {
  const rows = await transaction
    .selectFrom('staged_segments')
    .select(['load_id', 'document'])
    .orderBy('rowid')
    .execute();
  const staged: Record<string, SegmentEntry[]> = {};
  for (const { load_id, document } of rows) {
    staged[load_id] ??= [];
    staged[load_id].push(decodeSegment(document));
  }
  return staged;
}
