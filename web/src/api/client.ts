/** The server that served this page, and what it says. */
import { createClient } from '../../../src/client/client.ts';
import { WeirError } from '../../../src/client/error.ts';
import type { AnswerTrailer, Cell, ColumnInfo, Row } from '../../../src/client/types.ts';

export type {
  Cell,
  ColumnInfo,
  IngestionPartition,
  KafkaSource,
  PartitionFreshness,
  Row,
  SeekTarget,
  SegmentInfo,
  Stats,
  TableColumn,
  TableFreshness,
  TableInfo,
} from '../../../src/client/types.ts';
export { WeirError };

export const client = createClient(globalThis.location?.origin ?? '');

/** Rows that the page takes of one answer: some 100 MB of the browser's memory at twenty columns. More is for a download. */
export const rowCountMax = 200_000;

/** An answer as the page holds it. */
export interface Answer {
  readonly sql: string;
  readonly columns: readonly ColumnInfo[];
  readonly rows: readonly Row[];
  /** null where the page stopped reading at `rowCountMax` rows: there were more. */
  readonly trailer: AnswerTrailer | null;
  /** From the request to the last row taken. */
  readonly elapsedMs: number;
}

/**
 * Reads an answer row group by row group.
 * @param onRows Told how many rows came so far.
 * @throws WeirError; an AbortError after `signal`, which also cancels the query on the server.
 */
export async function readAnswer(
  sql: string,
  signal: AbortSignal,
  onRows: (rowCount: number) => void = () => {},
): Promise<Answer> {
  const startedAtMs = performance.now();
  const stream = await client.stream(sql, { signal });
  const rows: Row[] = [];
  let trailer: AnswerTrailer | null = null;
  try {
    for (let next = await stream.rows.next(); ; next = await stream.rows.next()) {
      if (next.done) {
        trailer = next.value;
        break;
      }
      const room = rowCountMax - rows.length;
      for (const row of next.value.slice(0, room)) rows.push(row);
      if (next.value.length > room) break;
      onRows(rows.length);
    }
  } finally {
    await stream.rows.return(undefined as never);
  }
  return { sql, columns: stream.columns, rows, trailer, elapsedMs: performance.now() - startedAtMs };
}

/** The whole answer as CSV, however long, as the server writes it. */
export async function readCsv(sql: string): Promise<Blob> {
  return new Response(await client.raw(sql, 'text/csv')).blob();
}

/** What a call of the client threw, as what it nearly always is. */
export const toWeirError = (error: unknown): WeirError =>
  error instanceof WeirError ? error : new WeirError({ error: { code: 'PAGE_ERROR', message: String(error) } });

/** As SQL spells a text. */
export const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** As SQL spells a name: quoted where it must be. */
export const quoteName = (name: string): string =>
  /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;

export type Value = Cell;
