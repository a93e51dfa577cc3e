/** The tables of the metadata database, and how an older file becomes a newer one. */
import { type Generated, type Kysely, sql } from 'kysely';

export interface MetaDatabase {
  /** One row: the metadata version. */
  state: { version: number };
  /** `document`: see `catalog/document`. `name` is unique as it is spelled. `rowid` ascends with creation. */
  tables: { rowid: Generated<number>; id: string; name: string; document: string };
  partitions: { table_id: string; partition: number; committed_end: number };
  segments: {
    id: string;
    table_id: string;
    partition: number;
    start_offset: number;
    end_offset: number;
    document: string;
  };
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

/** Migration i takes a file from schema version i to i + 1. Only ever append: files of every version are out there. */
export const migrations: readonly Migration[] = [createVersion1];

/** SQLite keeps it in the file's header (`PRAGMA user_version`); 0 is an empty file. */
export async function migrate(db: Kysely<MetaDatabase>, fromVersion: number): Promise<void> {
  for (let version = fromVersion; version < migrations.length; version++)
    await db.transaction().execute(async transaction => {
      await migrations[version]!(transaction);
      await sql`PRAGMA user_version = ${sql.raw(String(version + 1))}`.execute(transaction);
    });
}
