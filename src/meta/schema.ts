/** The tables of the metadata database, and how an older file becomes a newer one. */
import { type Generated, type Kysely, sql } from 'kysely';

export interface MetaDatabase {
  /** One row: the metadata version. */
  state: { version: number };
  /** `document`: see `catalog/document`. `name` is unique as it is spelled. `rowid` ascends with creation. */
  tables: { rowid: Generated<number>; id: string; name: string; document: string; paused: Generated<number> };
  /** `stream_id`: which topic the offsets are of; null: the embedded log, or unknown. */
  partitions: {
    table_id: string;
    partition: number;
    committed_end: number;
    paused: Generated<number>;
    stream_id: string | null;
    epoch: Generated<number>;
  };
  segments: {
    id: string;
    table_id: string;
    partition: number;
    start_offset: number;
    end_offset: number;
    document: string;
  };
  /** Ranges of offsets in the order in which they were settled; `accounts` is JSON (`OffsetAccounts`). */
  audit: {
    rowid: Generated<number>;
    table_id: string;
    partition: number;
    kind: 'segment' | 'seek' | 'restart' | 'drop';
    segment_id: string | null;
    start_offset: number;
    end_offset: number;
    accounts: string;
    at_ms: number;
  };
  /** `document`: a `LoadEntry`. */
  loads: { rowid: Generated<number>; id: string; table_id: string; document: string };
  staged_segments: { rowid: Generated<number>; id: string; load_id: string; document: string };
  /** `document`: a `Replacement`. */
  replacements: { table_id: string; sequence: number; document: string };
  quarantine: { segment_id: string; cause: string; at_ms: number };
  servers: { id: string; registered_at_ms: number; draining: number };
}

type Migration = (db: Kysely<MetaDatabase>) => Promise<void>;

async function createVersion1(db: Kysely<MetaDatabase>): Promise<void> {
  await db.schema
    .createTable('state')
    .addColumn('version', 'integer', column => column.notNull())
    .execute();
  await db.insertInto('state').values({ version: 0 }).execute();
  await db.schema
    .createTable('tables')
    .addColumn('id', 'text', column => column.primaryKey())
    .addColumn('name', 'text', column => column.notNull().unique())
    .addColumn('document', 'text', column => column.notNull())
    .execute();
  await db.schema
    .createTable('partitions')
    .addColumn('table_id', 'text', column => column.notNull().references('tables.id').onDelete('cascade'))
    .addColumn('partition', 'integer', column => column.notNull())
    .addColumn('committed_end', 'integer', column => column.notNull())
    .addPrimaryKeyConstraint('partitions_key', ['table_id', 'partition'])
    .execute();
  await db.schema
    .createTable('segments')
    .addColumn('id', 'text', column => column.primaryKey())
    .addColumn('table_id', 'text', column => column.notNull())
    .addColumn('partition', 'integer', column => column.notNull())
    .addColumn('start_offset', 'integer', column => column.notNull())
    .addColumn('end_offset', 'integer', column => column.notNull())
    .addColumn('document', 'text', column => column.notNull())
    .addForeignKeyConstraint(
      'segments_partition',
      ['table_id', 'partition'],
      'partitions',
      ['table_id', 'partition'],
      foreignKey => foreignKey.onDelete('cascade'),
    )
    .execute();
  await db.schema
    .createIndex('segments_order')
    .unique()
    .on('segments')
    .columns(['table_id', 'partition', 'start_offset'])
    .execute();
}

/** Streams: partitions come while running, are paused and moved, and their offsets are accounted for. */
async function addStreams(db: Kysely<MetaDatabase>): Promise<void> {
  await db.schema
    .alterTable('tables')
    .addColumn('paused', 'integer', column => column.notNull().defaultTo(0))
    .execute();
  await db.schema
    .alterTable('partitions')
    .addColumn('paused', 'integer', column => column.notNull().defaultTo(0))
    .execute();
  await db.schema.alterTable('partitions').addColumn('stream_id', 'text').execute();
  await db.schema
    .alterTable('partitions')
    .addColumn('epoch', 'integer', column => column.notNull().defaultTo(0))
    .execute();
  // A topic that is made again begins again at offset 0: the order is no longer unique.
  await db.schema.dropIndex('segments_order').execute();
  await db.schema
    .createIndex('segments_order')
    .on('segments')
    .columns(['table_id', 'partition', 'start_offset'])
    .execute();
  await db.schema
    .createTable('audit')
    .addColumn('table_id', 'text', column => column.notNull().references('tables.id').onDelete('cascade'))
    .addColumn('partition', 'integer', column => column.notNull())
    .addColumn('kind', 'text', column => column.notNull())
    .addColumn('segment_id', 'text')
    .addColumn('start_offset', 'integer', column => column.notNull())
    .addColumn('end_offset', 'integer', column => column.notNull())
    .addColumn('accounts', 'text', column => column.notNull())
    .addColumn('at_ms', 'integer', column => column.notNull())
    .execute();
  await db.schema.createIndex('audit_table').on('audit').columns(['table_id', 'partition']).execute();
}

/** Batch loads, damaged segments, several servers. */
async function addLoads(db: Kysely<MetaDatabase>): Promise<void> {
  // Segments of loads are of no partition: SQLite drops a foreign key only by making the table anew.
  await db.schema.alterTable('segments').renameTo('segments_2').execute();
  await db.schema.dropIndex('segments_order').execute();
  await db.schema
    .createTable('segments')
    .addColumn('id', 'text', column => column.primaryKey())
    .addColumn('table_id', 'text', column => column.notNull().references('tables.id').onDelete('cascade'))
    .addColumn('partition', 'integer', column => column.notNull())
    .addColumn('start_offset', 'integer', column => column.notNull())
    .addColumn('end_offset', 'integer', column => column.notNull())
    .addColumn('document', 'text', column => column.notNull())
    .execute();
  const columns = sql.raw('id, table_id, partition, start_offset, end_offset, document');
  await sql`INSERT INTO segments (${columns}) SELECT ${columns} FROM segments_2`.execute(db);
  await db.schema.dropTable('segments_2').execute();
  await db.schema
    .createIndex('segments_order')
    .on('segments')
    .columns(['table_id', 'partition', 'start_offset'])
    .execute();
  await db.schema
    .createTable('loads')
    .addColumn('id', 'text', column => column.primaryKey())
    .addColumn('table_id', 'text', column => column.notNull().references('tables.id').onDelete('cascade'))
    .addColumn('document', 'text', column => column.notNull())
    .execute();
  await db.schema
    .createTable('staged_segments')
    .addColumn('id', 'text', column => column.primaryKey())
    .addColumn('load_id', 'text', column => column.notNull().references('loads.id').onDelete('cascade'))
    .addColumn('document', 'text', column => column.notNull())
    .execute();
  await db.schema
    .createTable('replacements')
    .addColumn('table_id', 'text', column => column.notNull().references('tables.id').onDelete('cascade'))
    .addColumn('sequence', 'integer', column => column.notNull())
    .addColumn('document', 'text', column => column.notNull())
    .addPrimaryKeyConstraint('replacements_key', ['table_id', 'sequence'])
    .execute();
  await db.schema
    .createTable('quarantine')
    .addColumn('segment_id', 'text', column => column.primaryKey().references('segments.id').onDelete('cascade'))
    .addColumn('cause', 'text', column => column.notNull())
    .addColumn('at_ms', 'integer', column => column.notNull())
    .execute();
  await db.schema
    .createTable('servers')
    .addColumn('id', 'text', column => column.primaryKey())
    .addColumn('registered_at_ms', 'integer', column => column.notNull())
    .addColumn('draining', 'integer', column => column.notNull().defaultTo(0))
    .execute();
}

/** See `checksums.ts`, which fills it. */
async function addChecksums(db: Kysely<MetaDatabase>): Promise<void> {
  await sql`CREATE TABLE checksums (name TEXT NOT NULL, row INTEGER NOT NULL, crc INTEGER NOT NULL, PRIMARY KEY (name, row)) WITHOUT ROWID`.execute(
    db,
  );
}

/** Migration i takes a file from schema version i to i + 1. Only ever append: files of every version are out there. */
export const migrations: readonly Migration[] = [createVersion1, addStreams, addLoads, addChecksums];

/** SQLite keeps it in the file's header (`PRAGMA user_version`); 0 is an empty file. */
export async function migrate(db: Kysely<MetaDatabase>, fromVersion: number): Promise<void> {
  for (let version = fromVersion; version < migrations.length; version++)
    await db.transaction().execute(async transaction => {
      await migrations[version]!(transaction);
      await sql`PRAGMA user_version = ${sql.raw(String(version + 1))}`.execute(transaction);
    });
}
