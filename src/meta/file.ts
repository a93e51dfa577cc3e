/** The metadata file itself: whose it is, whether it is whole, and what SQLite's errors mean. */
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { type FaultError, fault } from '../base/fault.ts';
import { defineRowSum, findDamagedRows, hasChecksums } from './checksums.ts';
import { type MetaDatabase, migrate, migrations } from './schema.ts';
import { findWalDamage } from './wal.ts';

/** Marks the file as Weir's (`PRAGMA application_id`): "WEIR". */
const applicationId = 0x57454952;

/**
 * Before the file is opened: SQLite takes what is cut to almost nothing for a new file, one whose format it does not know
 * for one that may only be read, and forgets what a damaged log has.
 * @throws FaultError CORRUPT_METADATA
 */
export function checkBefore(path: string): void {
  if (path === ':memory:' || !existsSync(path)) return;
  const header = readHeader(path);
  // Made, and not yet written to.
  if (header.length === 0) return;
  if (header.length < headerSizeBytes) throw damaged(path, `it ends at byte ${header.length}`);
  const [write, read] = [header[18]!, header[19]!];
  if (![1, 2].includes(write) || ![1, 2].includes(read)) throw damaged(path, `its header has format ${write}, ${read}`);
  const damage = findWalDamage(path);
  if (damage !== null) throw damaged(path, damage);
}

const headerSizeBytes = 100;

function readHeader(path: string): Buffer {
  const descriptor = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(headerSizeBytes);
    return bytes.subarray(0, readSync(descriptor, bytes, 0, headerSizeBytes, 0));
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Everything that can be known of the file: pages, indexes, rows.
 * @returns The file's schema version.
 * @throws FaultError CORRUPT_METADATA, UNSUPPORTED
 */
export function prepare(connection: Sqlite.Database, path: string): number {
  connection.pragma('locking_mode = EXCLUSIVE');
  connection.pragma('journal_mode = WAL');
  connection.pragma('synchronous = FULL');
  connection.pragma('foreign_keys = ON');
  const damage = connection.pragma('integrity_check(1)', { simple: true }) as string;
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
  defineRowSum(connection);
  if (hasChecksums(connection)) {
    const rows = findDamagedRows(connection);
    if (rows.length > 0) throw damaged(path, `${rows.slice(0, 5).join('; ')}: not as it was written`);
  }
  return schemaVersion;
}

/** What of a file of this version is not as its migrations make it: SQLite believes whatever its schema says. */
export async function findStrangeSchema(connection: Sqlite.Database): Promise<string[]> {
  if (connection.pragma('user_version', { simple: true }) !== migrations.length) return [];
  const fresh = new Sqlite(':memory:');
  try {
    await migrate(new Kysely<MetaDatabase>({ dialect: new SqliteDialect({ database: fresh }) }), 0);
    const schemaOf = (file: Sqlite.Database): string[] =>
      file
        .prepare(`SELECT type || ' ' || name || ' on ' || tbl_name || ': ' || coalesce(sql, '') FROM sqlite_master`)
        .pluck()
        .all() as string[];
    const [expected, actual] = [schemaOf(fresh), schemaOf(connection)];
    return [
      ...actual.filter(text => !expected.includes(text)).map(text => `the schema has a strange ${text.slice(0, 200)}`),
      ...expected.filter(text => !actual.includes(text)).map(text => `the schema lacks ${text.slice(0, 200)}`),
    ];
  } finally {
    fresh.close();
  }
}

/** @throws FaultError CORRUPT_METADATA */
export async function checkSchema(connection: Sqlite.Database, path: string): Promise<void> {
  const [strange] = await findStrangeSchema(connection);
  if (strange !== undefined) throw damaged(path, strange);
}

/** SQLite's own errors as faults; others as they are. */
export function explain(error: unknown, path: string): unknown {
  if (!(error instanceof Sqlite.SqliteError)) return error;
  if (error.code.startsWith('SQLITE_BUSY') || error.code.startsWith('SQLITE_LOCKED'))
    return fault(
      'DATA_FOLDER_IN_USE',
      `${path} is open in another process`,
      { hint: 'stop the other one, or name another data folder with --data' },
      { cause: error },
    );
  // SQLITE_ERROR: statements are ours, so it is the schema that is not.
  if (error.code.startsWith('SQLITE_CORRUPT') || error.code === 'SQLITE_NOTADB' || error.code === 'SQLITE_ERROR')
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

export const damaged = (path: string, how: string, cause?: unknown): FaultError =>
  fault(
    'CORRUPT_METADATA',
    `${path} is damaged: ${how}`,
    { hint: 'restore the metadata file from a copy of the data folder; weir check tells what else is damaged' },
    { cause },
  );
