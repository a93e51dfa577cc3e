/** All of a metadata file that nobody has open, page by page and row by row. The file itself is only read. */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { toFault } from '../base/fault.ts';
import { defineRowSum, findDamagedRows, hasChecksums } from './checksums.ts';
import { findStrangeSchema } from './file.ts';
import { openSqliteMeta } from './sqlite.ts';
import type { MetaAudit, MetaState } from './store.ts';
import { findWalDamage } from './wal.ts';

export interface VerifiedMeta {
  /** One line for each place that is damaged. */
  readonly problems: readonly string[];
  /** What it says; null where it cannot be read as a whole. */
  readonly content: { readonly state: MetaState; readonly audit: readonly MetaAudit[] } | null;
}

/** SQLite names so many places; more say no more. */
const problemsMax = 100;

/** @throws what the disk throws where there is no file, or no room for a copy of it. */
export async function verifyMeta(path: string): Promise<VerifiedMeta> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-check-'));
  const copy = join(folder, 'weir.sqlite');
  try {
    const walDamage = findWalDamage(path);
    for (const suffix of ['', '-wal']) if (existsSync(path + suffix)) copyFileSync(path + suffix, copy + suffix);
    const problems = walDamage === null ? [] : [walDamage];
    problems.push(...(await verifyFile(copy)));
    // SQLite forgets what is behind a damaged frame: here too, only to read the rest.
    if (walDamage !== null) rmSync(`${copy}-wal`, { force: true });
    return { problems, content: await read(copy, problems) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function verifyFile(path: string): Promise<string[]> {
  let connection: Sqlite.Database | null = null;
  try {
    connection = new Sqlite(path);
    const pages = connection.pragma(`integrity_check(${problemsMax})`) as { readonly integrity_check: string }[];
    const damaged = pages.map(row => row.integrity_check).filter(text => text !== 'ok');
    if (damaged.length > 0) return damaged;
    const lost = connection.pragma('foreign_key_check') as { readonly table: string; readonly rowid: number }[];
    defineRowSum(connection);
    return [
      ...(await findStrangeSchema(connection)),
      ...lost.map(({ table, rowid }) => `${table}, row ${rowid} is of something that is not there`),
      ...(hasChecksums(connection) ? findDamagedRows(connection) : []).map(row => `${row} is not as it was written`),
    ];
  } catch (error) {
    return [toFault(error).message];
  } finally {
    connection?.close();
  }
}

async function read(path: string, problems: string[]): Promise<VerifiedMeta['content']> {
  try {
    const meta = await openSqliteMeta(path);
    try {
      return { state: await meta.load(), audit: await meta.audit(null) };
    } finally {
      await meta.close();
    }
  } catch (error) {
    if (problems.length === 0) problems.push(toFault(error).message);
    return null;
  }
}
