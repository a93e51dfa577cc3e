/** `weir sql`: one statement, its answer on standard output. */
import { type AnswerStream, createClient, type WeirClient } from '../client/client.ts';
import { writeJson } from '../client/json.ts';
import type { AnswerTrailer } from '../client/types.ts';
import { type CommandIo, count, duration, plural, print } from './io.ts';
import { TableText } from './table-text.ts';

export const sqlFormats = ['table', 'json', 'ndjson', 'csv'] as const;
export type SqlFormat = (typeof sqlFormats)[number];

export interface SqlOptions {
  readonly url: string;
  readonly format: SqlFormat;
  readonly timeoutMs?: number;
  readonly allowPartial?: boolean;
}

/** @throws WeirError, OutputClosed */
export async function runSql(sql: string, options: SqlOptions, io: CommandIo): Promise<void> {
  const client = createClient(options.url);
  const startedMs = io.clock.monotonicMs();
  const elapsed = (): string => duration(io.clock.monotonicMs() - startedMs);
  // CSV and JSON are the server's own bytes; the others are made from its stream.
  if (options.format === 'csv' || options.format === 'json') {
    await printRaw(client, sql, options, io);
    io.stderr.write(`${elapsed()}\n`);
    return;
  }
  const answer = await client.stream(sql, options);
  const print = options.format === 'table' ? printTable : printObjects;
  const trailer = await print(answer, io);
  io.stderr.write(`${summary(answer, trailer, elapsed())}\n`);
  if (!trailer.complete) io.stderr.write(`warning: the answer is partial, without ${trailer.missing?.join(', ')}\n`);
}

async function printRaw(client: WeirClient, sql: string, options: SqlOptions, io: CommandIo): Promise<void> {
  const accept = options.format === 'csv' ? 'text/csv' : 'application/json';
  for await (const bytes of await client.raw(sql, accept, options)) await print(io.stdout, bytes);
}

/** The trailer, after `print` has seen all rows. */
async function drain(
  { rows }: AnswerStream,
  printRows: (rows: readonly (readonly unknown[])[]) => Promise<void>,
): Promise<AnswerTrailer> {
  try {
    for (;;) {
      const next = await rows.next();
      if (next.done) return next.value;
      await printRows(next.value);
    }
  } finally {
    await rows.return(undefined as never);
  }
}

async function printTable(answer: AnswerStream, { stdout }: CommandIo): Promise<AnswerTrailer> {
  const table = new TableText(answer.columns);
  const trailer = await drain(answer, rows => print(stdout, table.add(rows as never)));
  await print(stdout, table.end());
  return trailer;
}

/** An object a row. */
async function printObjects(answer: AnswerStream, { stdout }: CommandIo): Promise<AnswerTrailer> {
  const names = answer.columns.map(({ name }) => JSON.stringify(name));
  return drain(answer, rows =>
    print(
      stdout,
      rows.map(row => `{${row.map((cell, index) => `${names[index]}:${writeJson(cell)}`).join(',')}}\n`).join(''),
    ),
  );
}

/** `12 rows in 34.5 ms (30.1 ms on the server; 1,000 of 5,000 rows matched; 3 segments scanned, 37 pruned)` */
function summary({ columns }: AnswerStream, { stats }: AnswerTrailer, elapsed: string): string {
  const what = columns.length === 0 ? 'done' : plural(stats.rowsReturned, 'row');
  const details = [`${duration(stats.totalMs)} on the server`];
  if (stats.rowsScanned > 0)
    details.push(`${count(stats.rowsMatched)} of ${plural(stats.rowsScanned, 'scanned row')} matched`);
  if (stats.segmentsExpected > 0)
    details.push(`${plural(stats.segmentsScanned, 'segment')} scanned, ${count(stats.segmentsPruned)} pruned`);
  return `${what} in ${elapsed} (${details.join('; ')})`;
}
