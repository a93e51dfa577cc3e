/** DuckDB, in this process. */
import { type DuckDBConnection, DuckDBInstance, DuckDBTimestampValue, type DuckDBValue } from '@duckdb/node-api';
import type { Cell, CellRow } from './answers.ts';

export interface DuckDb {
  readonly version: string;
  readonly connection: DuckDBConnection;
  /** The whole answer, as rows of common values. */
  ask(sql: string): Promise<CellRow[]>;
  close(): void;
}

export async function openDuckDb(
  path: string,
  options: { readonly threads: number; readonly readOnly?: boolean },
): Promise<DuckDb> {
  const instance = await DuckDBInstance.create(path, options.readOnly ? { access_mode: 'READ_ONLY' } : {});
  const connection = await instance.connect();
  await connection.run(`SET threads = ${options.threads}`);
  const ask = async (sql: string): Promise<CellRow[]> =>
    (await connection.runAndReadAll(sql)).getRows().map(row => row.map(cellOf));
  return {
    version: String((await ask('SELECT version()'))[0]![0]),
    connection,
    ask,
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

function cellOf(value: DuckDBValue): Cell {
  if (value instanceof DuckDBTimestampValue) return Number(value.micros / 1000n);
  if (value === null || ['bigint', 'number', 'string', 'boolean'].includes(typeof value)) return value as Cell;
  throw new Error(`DuckDB answered a value that is not compared here: ${String(value)}`);
}
