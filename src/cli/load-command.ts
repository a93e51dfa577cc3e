/** `weir load`: a file of events into a table, which is created from what the file holds where it is not there. */
import { createHash } from 'node:crypto';
import { fault } from '../base/fault.ts';
import type { Clock } from '../base/seams.ts';
import { createClient, type WeirClient } from '../client/client.ts';
import { WeirError } from '../client/error.ts';
import type { PushResult } from '../client/types.ts';
import { inferColumns } from '../format/infer.ts';
import { type Chunk, decompress, readFile, splitLines } from './chunks.ts';
import { createTableText } from './create-text.ts';
import { type CommandIo, count, duration, plural, print } from './io.ts';
import { createProgress } from './progress.ts';
import { showControls } from './text.ts';

export interface LoadOptions {
  readonly url: string;
  readonly table: string;
  readonly strict: boolean;
}

/** Chunks from which a table is inferred: types that show only after 16 MiB of events give rejects, which are named. */
const sampleChunksMax = 4;
/** Pushes under way: one is read while another is made durable. */
const pushesMax = 2;
/** A server that restarts is back within seconds. */
const triesMax = 8;
const backoffMsMin = 200;
/** Rejects that are printed. */
const rejectsShownMax = 10;

interface Totals {
  accepted: number;
  rejected: number;
  /** Rows of chunks that were loaded before. */
  repeated: number;
  rejects: { readonly line: number; readonly column: string | null; readonly reason: string }[];
}

/**
 * The same file twice adds its rows once: a chunk's idempotency key is made of its content and its place in the file.
 * @throws FaultError, WeirError; with `strict`, at the first chunk with a bad row (the chunks before it stay)
 */
export async function runLoad(path: string, options: LoadOptions, io: CommandIo): Promise<void> {
  const client = createClient(options.url);
  const startedMs = io.clock.monotonicMs();
  const file = await openFile(path, io);
  const totals: Totals = { accepted: 0, rejected: 0, repeated: 0, rejects: [] };
  try {
    let bytesRead = 0;
    const bytes = readFile(file, size => {
      bytesRead = size;
    });
    const chunks = splitLines(decompress(bytes));
    const sample = await takeSample(chunks);
    await ensureTable(client, options.table, sample, io);
    const progress = createProgress(io, await file.sizeBytes());
    try {
      const push = async (chunk: Chunk): Promise<void> => {
        add(totals, chunk, await pushChunk(client, options, chunk, io.clock));
        progress.update(bytesRead, totals.accepted + totals.repeated);
      };
      await pushAll(sample, chunks, push);
    } finally {
      progress.stop();
    }
  } finally {
    await file.close();
  }
  await report(totals, options.table, io.clock.monotonicMs() - startedMs, io);
}

async function openFile(path: string, { disk }: CommandIo) {
  try {
    return await disk.open(path, 'read');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file' : message;
    throw fault('NOT_FOUND', `cannot read ${path}: ${reason}`, {}, { cause: error });
  }
}

async function takeSample(chunks: AsyncGenerator<Chunk>): Promise<Chunk[]> {
  const sample: Chunk[] = [];
  while (sample.length < sampleChunksMax) {
    const next = await chunks.next();
    if (next.done) break;
    sample.push(next.value);
  }
  const first = sample[0]?.bytes.find(byte => byte > 0x20);
  if (first === undefined) throw fault('INVALID_ROWS', 'the file is empty');
  if (first === 0x5b)
    throw fault('INVALID_ROWS', 'the file is a JSON array, not NDJSON', { hint: "convert it: jq -c '.[]' FILE" });
  return sample;
}

async function ensureTable(client: WeirClient, table: string, sample: readonly Chunk[], io: CommandIo): Promise<void> {
  try {
    await client.table(table);
    return;
  } catch (error) {
    if (!(error instanceof WeirError && error.code === 'UNKNOWN_TABLE')) throw error;
  }
  const inferred = inferColumns(Buffer.concat(sample.map(({ bytes }) => bytes)));
  if (inferred.columns.length === 0)
    throw fault('INVALID_ROWS', 'no line of the file is a JSON object', { hint: 'the file must be NDJSON' });
  const statement = createTableText(table, inferred);
  await print(io.stdout, `${showLines(statement)};\n`);
  await client.query(statement);
}

const showLines = (text: string): string => text.split('\n').map(showControls).join('\n');

/** Every chunk, a few at once; the first failure ends it. */
async function pushAll(
  sample: readonly Chunk[],
  chunks: AsyncGenerator<Chunk>,
  push: (chunk: Chunk) => Promise<void>,
): Promise<void> {
  const underWay: Promise<void>[] = [];
  const start = async (chunk: Chunk): Promise<void> => {
    if (underWay.length === pushesMax) await underWay.shift();
    const pushed = push(chunk);
    // Whoever awaits it sees the failure; until then it is not unhandled.
    pushed.catch(() => {});
    underWay.push(pushed);
  };
  try {
    for (const chunk of sample) await start(chunk);
    for await (const chunk of chunks) await start(chunk);
    await Promise.all(underWay);
  } finally {
    await Promise.allSettled(underWay);
  }
}

async function pushChunk(
  client: WeirClient,
  { table, strict }: LoadOptions,
  { index, bytes }: Chunk,
  clock: Clock,
): Promise<PushResult> {
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
  const idempotencyKey = `load-${digest}-${index}`;
  for (let attempt = 1; ; attempt++) {
    try {
      return await client.push(table, bytes, 'ndjson', { idempotencyKey, strict });
    } catch (error) {
      if (!(error instanceof WeirError) || !error.retryable || attempt === triesMax) throw error;
      await clock.sleep(backoffMsMin * 2 ** (attempt - 1));
    }
  }
}

function add(totals: Totals, chunk: Chunk, { accepted, rejected, rejects, duplicate }: PushResult): void {
  if (duplicate) {
    // Its rejects were told the first time.
    totals.repeated += accepted;
    return;
  }
  totals.accepted += accepted;
  totals.rejected += rejected;
  for (const { line, column, reason } of rejects) {
    if (totals.rejects.length === rejectsShownMax) return;
    totals.rejects.push({ line: chunk.firstLine + line - 1, column, reason });
  }
}

async function report(totals: Totals, table: string, elapsedMs: number, { stdout, stderr }: CommandIo): Promise<void> {
  const { accepted, rejected, repeated, rejects } = totals;
  const rate = count(Math.round((accepted * 1000) / Math.max(1, elapsedMs)));
  await print(
    stdout,
    `${plural(accepted, 'row')} loaded into ${table} in ${duration(elapsedMs)} (${rate} rows/s), ${count(rejected)} rejected\n`,
  );
  if (repeated > 0) await print(stdout, `${plural(repeated, 'row')} had been loaded before\n`);
  for (const { line, column, reason } of rejects)
    stderr.write(`line ${count(line)}${column === null ? '' : `, ${showControls(column)}`}: ${showControls(reason)}\n`);
  if (rejected > rejects.length) stderr.write(`and ${plural(rejected - rejects.length, 'more rejected row')}\n`);
}
