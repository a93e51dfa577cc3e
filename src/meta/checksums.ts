/**
 * A checksum of every row of every table, beside them in `checksums`: SQLite has none, and would give a flipped digit of an
 * offset or a letter of a document back as it is. Triggers of the connection keep them, so no statement need know of them.
 */
import type Sqlite from 'better-sqlite3';
import { crc32c } from '../base/checksum.ts';

const table = 'checksums';

const rowSum = (...values: unknown[]): number => crc32c(Buffer.from(JSON.stringify(values)));

const namesOf = (connection: Sqlite.Database): string[] =>
  connection
    .prepare(`SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> ?`)
    .pluck()
    .all(table) as string[];

/** The row's sum as SQL, over all of its columns in their order. */
function sumOf(connection: Sqlite.Database, name: string, row: string): string {
  const columns = connection.prepare(`SELECT name FROM pragma_table_info(?)`).pluck().all(name) as string[];
  return `row_sum(${columns.map(column => `${row}."${column}"`).join(', ')})`;
}

export function defineRowSum(connection: Sqlite.Database): void {
  connection.function('row_sum', { varargs: true, deterministic: true }, rowSum);
}

export const hasChecksums = (connection: Sqlite.Database): boolean =>
  connection.prepare(`SELECT count(*) FROM main.sqlite_master WHERE name = ?`).pluck().get(table) !== 0;

/** From now on the sums follow the rows, as long as this connection is the one that writes. */
export function keepChecksums(connection: Sqlite.Database): void {
  for (const name of namesOf(connection)) {
    const remove = `DELETE FROM ${table} WHERE name = '${name}' AND row = old.rowid;`;
    const add = `INSERT INTO ${table} VALUES ('${name}', new.rowid, ${sumOf(connection, name, 'new')});`;
    connection.exec(`
      CREATE TEMP TRIGGER "${name}_added" AFTER INSERT ON main."${name}" BEGIN ${add} END;
      CREATE TEMP TRIGGER "${name}_changed" AFTER UPDATE ON main."${name}" BEGIN ${remove} ${add} END;
      CREATE TEMP TRIGGER "${name}_removed" AFTER DELETE ON main."${name}" BEGIN ${remove} END;`);
  }
}

/** The sums of what is there now: after a change of the schema, which they depend on. */
export function sumAllRows(connection: Sqlite.Database): void {
  connection.exec(`DELETE FROM ${table}`);
  for (const name of namesOf(connection))
    connection.exec(
      `INSERT INTO ${table} SELECT '${name}', rowid, ${sumOf(connection, name, `"${name}"`)} FROM "${name}"`,
    );
}

/** Rows that are not what was written, and sums whose row is gone: `segments, row 17`. */
export function findDamagedRows(connection: Sqlite.Database): string[] {
  const damaged: string[] = [];
  const names = namesOf(connection);
  for (const name of names) {
    const rows = connection
      .prepare(
        `SELECT t.rowid FROM "${name}" t LEFT JOIN ${table} c ON c.name = '${name}' AND c.row = t.rowid
         WHERE c.crc IS NOT ${sumOf(connection, name, 't')}
         UNION SELECT c.row FROM ${table} c WHERE c.name = '${name}' AND c.row NOT IN (SELECT rowid FROM "${name}")`,
      )
      .pluck()
      .all() as number[];
    damaged.push(...rows.map(row => `${name}, row ${row}`));
  }
  const strange = connection.prepare(`SELECT DISTINCT name FROM ${table}`).pluck().all() as string[];
  damaged.push(...strange.filter(name => !names.includes(name)).map(name => `${table} of ${name}`));
  return damaged;
}
