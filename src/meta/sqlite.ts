/** The metadata in one SQLite file: kysely over better-sqlite3. */

import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { Kysely, SqliteDialect, type Transaction } from 'kysely';
import { type FaultError, fault } from '../base/fault.ts';
import { denseAccounts } from '../catalog/accounts.ts';
import { decodeSegment, decodeTable, encodeDocument } from '../catalog/document.ts';
import type { OffsetAccounts, SegmentEntry, TableDefinition } from '../catalog/table.ts';
import { type MetaDatabase, migrate, migrations } from './schema.ts';
import type { MetaAudit, MetaPartition, MetaSeek, MetaState, MetaStore, MetaTable } from './store.ts';

/** Marks the file as Weir's (`PRAGMA application_id`): "WEIR". */
const applicationId = 0x57454952;

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
  const connection = new Sqlite(path, { timeout: 0 });
  try {
    const schemaVersion = prepare(connection, path);
    const db = new Kysely<MetaDatabase>({ dialect: new SqliteDialect({ database: connection }) });
    await migrate(db, schemaVersion);
    return new SqliteMeta(db, path);
  } catch (error) {
    connection.close();
    throw explain(error, path);
  }
}

/** @returns The file's schema version. */
function prepare(connection: Sqlite.Database, path: string): number {
  connection.pragma('locking_mode = EXCLUSIVE');
  connection.pragma('journal_mode = WAL');
  connection.pragma('synchronous = FULL');
  connection.pragma('foreign_keys = ON');
  const damage = connection.pragma('quick_check(1)', { simple: true }) as string;
  if (damage !== 'ok') throw damaged(path, damage);
  const schemaVersion = connection.pragma('user_version', { simple: true }) as number;
  const owner = connection.pragma('application_id', { simple: true }) as number;
  const isEmpty = connection.prepare('SELECT count(*) FROM sqlite_master').pluck().get() === 0;
  if (!isEmpty && owner !== applicationId)
    throw fault('CORRUPT_METADATA', `${path} is a SQLite file, but not Weir's metadata`, {
      hint: 'name another data folder with --data',
    });
  if (schemaVersion > migrations.length)
    throw fault(
      'UNSUPPORTED',
      `${path} has schema version ${schemaVersion}, and this Weir knows ${migrations.length}`,
      {
        hint: 'it was written by a newer Weir: start that one',
      },
    );
  connection.pragma(`application_id = ${applicationId}`);
  return schemaVersion;
}

/** SQLite's own errors as faults; others as they are. */
function explain(error: unknown, path: string): unknown {
  if (!(error instanceof Sqlite.SqliteError)) return error;
  if (error.code.startsWith('SQLITE_BUSY') || error.code.startsWith('SQLITE_LOCKED'))
    return fault(
      'DATA_FOLDER_IN_USE',
      `${path} is open in another process`,
      { hint: 'stop the other one, or name another data folder with --data' },
      { cause: error },
    );
  if (error.code.startsWith('SQLITE_CORRUPT') || error.code === 'SQLITE_NOTADB')
    return damaged(path, error.message, error);
  if (error.code === 'SQLITE_FULL')
    return fault(
      'DISK_FULL',
      'the disk is full: the metadata was not changed',
      { hint: 'free space in the data folder' },
      { cause: error },
    );
  return error;
}

const damaged = (path: string, how: string, cause?: unknown): FaultError =>
  fault(
    'CORRUPT_METADATA',
    `${path} is damaged: ${how}`,
    { hint: 'restore the metadata file from a backup' },
    { cause },
  );

class SqliteMeta implements MetaStore {
  readonly #db: Kysely<MetaDatabase>;
  readonly #path: string;

  constructor(db: Kysely<MetaDatabase>, path: string) {
    this.#db = db;
    this.#path = path;
  }

  async load(): Promise<MetaState> {
    return this.#run(async transaction => {
      const { version } = await transaction.selectFrom('state').select('version').executeTakeFirstOrThrow();
      const tables = await transaction
        .selectFrom('tables')
        .select(['id', 'document', 'paused'])
        .orderBy('rowid')
        .execute();
      const partitions = await transaction.selectFrom('partitions').selectAll().orderBy('partition').execute();
      const segments = await transaction
        .selectFrom('segments')
        .select('document')
        .orderBy('table_id')
        .orderBy('partition')
        .orderBy('start_offset')
        .execute();
      const byTable = new Map<string, MetaPartition[]>(tables.map(row => [row.id, []]));
      for (const row of partitions)
        byTable.get(row.table_id)!.push({
          committedEnd: row.committed_end,
          paused: row.paused !== 0,
          streamId: row.stream_id,
          epoch: row.epoch,
        });
      return {
        version,
        tables: tables.map(
          (row): MetaTable => ({
            definition: decodeTable(row.document),
            paused: row.paused !== 0,
            partitions: byTable.get(row.id)!,
          }),
        ),
        segments: segments.map(row => decodeSegment(row.document)),
      };
    });
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
      await transaction
        .insertInto('segments')
        .values({
          id,
          table_id: tableId,
          partition,
          start_offset: startOffset,
          end_offset: endOffset,
          document: encodeDocument(segment),
        })
        .execute();
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

  async dropSegments(segmentIds: readonly string[]): Promise<number> {
    return this.#change(transaction => deleteSegments(transaction, segmentIds));
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

async function deleteSegments(transaction: Transaction<MetaDatabase>, segmentIds: readonly string[]): Promise<void> {
  for (let first = 0; first < segmentIds.length; first += idsPerStatement)
    await transaction
      .deleteFrom('segments')
      .where('id', 'in', segmentIds.slice(first, first + idsPerStatement))
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
