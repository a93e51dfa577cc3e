/** The metadata in one SQLite file: kysely over better-sqlite3. */

import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { Kysely, SqliteDialect, type Transaction } from 'kysely';
import { type FaultError, fault } from '../base/fault.ts';
import { denseAccounts } from '../catalog/accounts.ts';
import { decodeSegment, encodeDocument } from '../catalog/document.ts';
import type { LoadEntry } from '../catalog/load.ts';
import type { OffsetAccounts, Replacement, SegmentEntry, TableDefinition } from '../catalog/table.ts';
import { keepChecksums, sumAllRows } from './checksums.ts';
import { checkBefore, checkSchema, explain, prepare } from './file.ts';
import { type MetaDatabase, migrate, migrations } from './schema.ts';
import { loadState } from './state.ts';
import type { MetaAudit, MetaPartition, MetaQuarantine, MetaSeek, MetaServer, MetaState, MetaStore } from './store.ts';

/** Ids in one statement, below SQLite's limit of variables. */
const idsPerStatement = 1_000;

/**
 * Opens or creates the metadata file and brings it to this version's schema. One process at a time: the file stays locked
 * while it is open. Commits are synchronous on disk (WAL, `synchronous = FULL`).
 * @param path A file, whose folder is made where there is none; or ':memory:'.
 * @throws FaultError DATA_FOLDER_IN_USE, CORRUPT_METADATA, UNSUPPORTED (written by a newer Weir)
 */
export async function openSqliteMeta(path: string): Promise<MetaStore> {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
  checkBefore(path);
  const connection = new Sqlite(path, { timeout: 0 });
  try {
    const schemaVersion = prepare(connection, path);
    await checkSchema(connection, path);
    const db = new Kysely<MetaDatabase>({ dialect: new SqliteDialect({ database: connection }) });
    await migrate(db, schemaVersion);
    if (schemaVersion < migrations.length) sumAllRows(connection);
    keepChecksums(connection);
    return new SqliteMeta(db, path);
  } catch (error) {
    connection.close();
    throw explain(error, path);
  }
}

class SqliteMeta implements MetaStore {
  readonly #db: Kysely<MetaDatabase>;
  readonly #path: string;

  constructor(db: Kysely<MetaDatabase>, path: string) {
    this.#db = db;
    this.#path = path;
  }

  load(): Promise<MetaState> {
    return this.#run(loadState);
  }

  async createTable(definition: TableDefinition): Promise<number> {
    const { id, name, source } = definition;
    return this.#change(async transaction => {
      const taken = await transaction.selectFrom('tables').select('id').where('name', '=', name).executeTakeFirst();
      if (taken !== undefined) throw fault('TABLE_EXISTS', `table ${name} exists`);
      await transaction
        .insertInto('tables')
        .values({ id, name, document: encodeDocument(definition) })
        .execute();
      if (source.kind !== 'log') return;
      for (let partition = 0; partition < source.partitionCount; partition++)
        await transaction
          .insertInto('partitions')
          .values({ table_id: id, partition, committed_end: 0, stream_id: null })
          .execute();
    });
  }

  async updateTable(definition: TableDefinition): Promise<number> {
    return this.#change(async transaction => {
      const { numUpdatedRows } = await transaction
        .updateTable('tables')
        .set({ name: definition.name, document: encodeDocument(definition) })
        .where('id', '=', definition.id)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) throw unknownTable(definition.id);
    });
  }

  async addPartitions(tableId: string, first: number, partitions: readonly MetaPartition[]): Promise<number> {
    return this.#change(async transaction => {
      for (const [index, { committedEnd, paused, streamId }] of partitions.entries())
        await transaction
          .insertInto('partitions')
          .values({
            table_id: tableId,
            partition: first + index,
            committed_end: committedEnd,
            paused: Number(paused),
            stream_id: streamId,
          })
          .execute();
    });
  }

  async setPaused(tableId: string, partition: number | null, paused: boolean): Promise<number> {
    return this.#change(async transaction => {
      if (partition === null)
        await transaction
          .updateTable('tables')
          .set({ paused: Number(paused) })
          .where('id', '=', tableId)
          .execute();
      let partitions = transaction
        .updateTable('partitions')
        .set({ paused: Number(paused) })
        .where('table_id', '=', tableId);
      if (partition !== null) partitions = partitions.where('partition', '=', partition);
      await partitions.execute();
    });
  }

  async seek({ tableId, partition, committedEnd, streamId, dropSegmentIds, audit }: MetaSeek): Promise<number> {
    return this.#change(async transaction => {
      await deleteSegments(transaction, dropSegmentIds);
      const { numUpdatedRows } = await transaction
        .updateTable('partitions')
        .set(eb => ({ committed_end: committedEnd, stream_id: streamId, epoch: eb('epoch', '+', 1) }))
        .where('table_id', '=', tableId)
        .where('partition', '=', partition)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) throw unknownTable(tableId);
      await insertAudit(transaction, audit);
    });
  }

  async audit(tableId: string | null): Promise<readonly MetaAudit[]> {
    return this.#run(async transaction => {
      let query = transaction.selectFrom('audit').selectAll().orderBy('rowid');
      if (tableId !== null) query = query.where('table_id', '=', tableId);
      return (await query.execute()).map(row => ({
        tableId: row.table_id,
        partition: row.partition,
        kind: row.kind,
        segmentId: row.segment_id,
        startOffset: row.start_offset,
        endOffset: row.end_offset,
        accounts: JSON.parse(row.accounts) as OffsetAccounts,
        atMs: row.at_ms,
      }));
    });
  }

  async dropTable(tableId: string): Promise<number> {
    return this.#change(async transaction => {
      const { numDeletedRows } = await transaction.deleteFrom('tables').where('id', '=', tableId).executeTakeFirst();
      if (numDeletedRows === 0n) throw unknownTable(tableId);
    });
  }

  async publish(segment: SegmentEntry): Promise<number> {
    const { id, tableId, partition, startOffset, endOffset } = segment;
    return this.#change(async transaction => {
      const found = await transaction
        .selectFrom('partitions')
        .select('committed_end')
        .where('table_id', '=', tableId)
        .where('partition', '=', partition)
        .executeTakeFirst();
      if (found === undefined) throw unknownTable(tableId);
      if (found.committed_end !== startOffset) throw notNext(segment, found.committed_end);
      await insertSegment(transaction, segment);
      await transaction
        .updateTable('partitions')
        .set({ committed_end: endOffset })
        .where('table_id', '=', tableId)
        .where('partition', '=', partition)
        .execute();
      const { accounts = denseAccounts(segment), createdAtMs: atMs } = segment;
      await insertAudit(transaction, {
        ...{ tableId, partition, kind: 'segment', segmentId: id, startOffset, endOffset },
        ...{ accounts, atMs },
      });
    });
  }

  async dropSegments(segmentIds: readonly string[], audit?: MetaAudit): Promise<number> {
    return this.#change(async transaction => {
      await deleteSegments(transaction, segmentIds);
      if (audit) await insertAudit(transaction, audit);
    });
  }

  async replaceSegments(removedIds: readonly string[], added: SegmentEntry): Promise<number> {
    return this.#change(async transaction => {
      const removed = await deleteSegments(transaction, removedIds);
      if (removed !== removedIds.length)
        throw fault('INVALID_REQUEST', `${removedIds.length - removed} of the segments to replace are gone`, {
          hint: 'they were dropped meanwhile: look at what there is, and try again',
        });
      await insertSegment(transaction, added);
    });
  }

  async updateSegment(segment: SegmentEntry): Promise<number> {
    return this.#change(async transaction => {
      const { numUpdatedRows } = await transaction
        .updateTable('segments')
        .set({ document: encodeDocument(segment) })
        .where('id', '=', segment.id)
        .executeTakeFirst();
      if (numUpdatedRows === 0n)
        throw fault('INVALID_REQUEST', `segment ${segment.id} is gone`, { hint: 'it was dropped meanwhile' });
    });
  }

  async putLoad(load: LoadEntry): Promise<number> {
    return this.#change(async transaction => {
      await upsertLoad(transaction, load);
      if (load.state !== 'running')
        await transaction.deleteFrom('staged_segments').where('load_id', '=', load.id).execute();
    });
  }

  async stageSegment(load: LoadEntry, segment: SegmentEntry): Promise<number> {
    return this.#change(async transaction => {
      await upsertLoad(transaction, load);
      await transaction
        .insertInto('staged_segments')
        .values({ id: segment.id, load_id: load.id, document: encodeDocument(segment) })
        .execute();
    });
  }

  async finishLoad(
    load: LoadEntry,
    replacement: Replacement | null,
    dropSegmentIds: readonly string[],
  ): Promise<number> {
    return this.#change(async transaction => {
      await upsertLoad(transaction, load);
      const staged = await transaction
        .deleteFrom('staged_segments')
        .where('load_id', '=', load.id)
        .returning('document')
        .execute();
      await deleteSegments(transaction, dropSegmentIds);
      for (const { document } of staged)
        await insertSegment(transaction, { ...decodeSegment(document), loadSequence: load.sequence! });
      if (replacement)
        await transaction
          .insertInto('replacements')
          .values({
            table_id: load.tableId,
            sequence: replacement.sequence,
            document: JSON.stringify(replacement),
          })
          .execute();
    });
  }

  async removeLoads(loadIds: readonly string[]): Promise<number> {
    return this.#change(async transaction => {
      await transaction.deleteFrom('loads').where('id', 'in', loadIds).execute();
    });
  }

  async removeReplacements(tableId: string, sequences: readonly number[]): Promise<number> {
    return this.#change(async transaction => {
      await transaction
        .deleteFrom('replacements')
        .where('table_id', '=', tableId)
        .where('sequence', 'in', sequences)
        .execute();
    });
  }

  async putQuarantine({ segmentId, cause, atMs }: MetaQuarantine): Promise<number> {
    return this.#change(async transaction => {
      await transaction
        .insertInto('quarantine')
        .values({ segment_id: segmentId, cause, at_ms: atMs })
        .onConflict(conflict => conflict.column('segment_id').doUpdateSet({ cause }))
        .execute();
    });
  }

  async removeQuarantine(segmentIds: readonly string[]): Promise<number> {
    return this.#change(async transaction => {
      await transaction.deleteFrom('quarantine').where('segment_id', 'in', segmentIds).execute();
    });
  }

  async putServer({ id, registeredAtMs, draining }: MetaServer): Promise<number> {
    return this.#change(async transaction => {
      await transaction
        .insertInto('servers')
        .values({ id, registered_at_ms: registeredAtMs, draining: Number(draining) })
        .onConflict(conflict => conflict.column('id').doUpdateSet({ draining: Number(draining) }))
        .execute();
    });
  }

  async removeServer(id: string): Promise<number> {
    return this.#change(async transaction => {
      await transaction.deleteFrom('servers').where('id', '=', id).execute();
    });
  }

  async trimAudit(beforeMs: number): Promise<number> {
    return this.#change(async transaction => {
      await transaction.deleteFrom('audit').where('at_ms', '<', beforeMs).execute();
    });
  }

  async close(): Promise<void> {
    await this.#db.destroy();
  }

  /** One transaction that counts the metadata version up, or nothing at all. */
  #change(work: (transaction: Transaction<MetaDatabase>) => Promise<void>): Promise<number> {
    return this.#run(async transaction => {
      await work(transaction);
      const { version } = await transaction
        .updateTable('state')
        .set(eb => ({ version: eb('version', '+', 1) }))
        .returning('version')
        .executeTakeFirstOrThrow();
      return version;
    });
  }

  async #run<T>(work: (transaction: Transaction<MetaDatabase>) => Promise<T>): Promise<T> {
    try {
      return await this.#db.transaction().execute(work);
    } catch (error) {
      throw explain(error, this.#path);
    }
  }
}

/** @returns How many were there. */
async function deleteSegments(transaction: Transaction<MetaDatabase>, segmentIds: readonly string[]): Promise<number> {
  let count = 0;
  for (let first = 0; first < segmentIds.length; first += idsPerStatement) {
    const { numDeletedRows } = await transaction
      .deleteFrom('segments')
      .where('id', 'in', segmentIds.slice(first, first + idsPerStatement))
      .executeTakeFirst();
    count += Number(numDeletedRows);
  }
  return count;
}

const insertSegment = (transaction: Transaction<MetaDatabase>, segment: SegmentEntry): Promise<unknown> =>
  transaction
    .insertInto('segments')
    .values({
      id: segment.id,
      table_id: segment.tableId,
      partition: segment.partition,
      start_offset: segment.startOffset,
      end_offset: segment.endOffset,
      document: encodeDocument(segment),
    })
    .execute();

async function upsertLoad(transaction: Transaction<MetaDatabase>, load: LoadEntry): Promise<void> {
  const document = JSON.stringify(load);
  await transaction
    .insertInto('loads')
    .values({ id: load.id, table_id: load.tableId, document })
    .onConflict(conflict => conflict.column('id').doUpdateSet({ document }))
    .execute();
}

const insertAudit = (transaction: Transaction<MetaDatabase>, entry: MetaAudit): Promise<unknown> =>
  transaction
    .insertInto('audit')
    .values({
      table_id: entry.tableId,
      partition: entry.partition,
      kind: entry.kind,
      segment_id: entry.segmentId,
      start_offset: entry.startOffset,
      end_offset: entry.endOffset,
      accounts: JSON.stringify(entry.accounts),
      at_ms: entry.atMs,
    })
    .execute();

const unknownTable = (tableId: string): FaultError =>
  fault('UNKNOWN_TABLE', `there is no table with id ${tableId}`, { hint: 'it was dropped' });

const notNext = ({ id, startOffset, partition }: SegmentEntry, committedEnd: number): FaultError =>
  fault(
    'INVALID_REQUEST',
    `segment ${id} starts at offset ${startOffset}, but partition ${partition} is committed up to ${committedEnd}`,
    { hint: 'resume from the committed end', details: { committedEnd } },
  );
