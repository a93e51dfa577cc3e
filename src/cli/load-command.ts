/** `weir load`: files into a table, which is created from what the files hold where it is not there. */
import { randomUUID } from 'node:crypto';
import { fault } from '../base/fault.ts';
import { createClient, type WeirClient } from '../client/client.ts';
import { WeirError } from '../client/error.ts';
import { writeJson } from '../client/json.ts';
import type { LoadInfo, StartedLoad } from '../client/types.ts';
import { inferFile } from '../format/file/infer-file.ts';
import { sniffFile } from '../format/file/sniff.ts';
import type { FileFormat, FileOptions, FileShape, InferredFileTable, NestedReading } from '../format/file/types.ts';
import { createTableText } from './create-text.ts';
import { type CommandIo, count, duration, plural, print } from './io.ts';
import { hashOf, type LocalFile, openFiles } from './load-files.ts';
import { createProgress } from './progress.ts';
import { withRetries } from './retry.ts';
import { showControls } from './text.ts';

export interface LoadOptions {
  readonly url: string;
  readonly table: string;
  readonly format?: FileFormat;
  readonly delimiter?: string;
  /** False: the first record is a row as the others. */
  readonly header?: boolean;
  readonly nested?: NestedReading;
  /** `FROM/TO`. */
  readonly replace?: string;
  readonly timeColumn?: string;
  readonly create: boolean;
  readonly dryRun: boolean;
  readonly strict: boolean;
  readonly maxRejects?: number;
  readonly key?: string;
  /** Once more, although the same was loaded before. */
  readonly again: boolean;
  readonly json: boolean;
}

/** Of one request: below what the smallest server takes, and a second of a slow line. */
const partSizeBytes = 4 << 20;
const pollMs = 200;
/** Rejects that are printed. */
const rejectsShownMax = 10;
/** Of a shell: ended by Ctrl-C. */
const interruptedExitCode = 130;

/** Results go to standard output, all else to standard error. @throws FaultError, WeirError */
export async function runLoad(names: readonly string[], options: LoadOptions, io: CommandIo): Promise<void> {
  const startedMs = io.clock.monotonicMs();
  const client = createClient(options.url);
  const signal = io.untilInterrupted();
  const files = await openFiles(names, io);
  try {
    if (options.dryRun) {
      await print(io.stdout, shown(await statementOf(files, options, io)));
      return;
    }
    await ensureTable(client, files, options, io);
    const uploads = await upload(client, files, signal, io);
    const { load: started, notes } = await withRetries(io.clock, signal, () =>
      client.startLoad({ ...requestOf(options), files: uploads }),
    );
    tell(notes, io);
    const wasThere = started.state === 'finished';
    const load = wasThere ? started : await follow(client, started, signal, io);
    await report(load, wasThere, io.clock.monotonicMs() - startedMs, options, io);
  } catch (error) {
    if (!signal.aborted) throw error;
    io.stderr.write(
      'interrupted: the same command goes on where this ended; a load that has begun goes on by itself\n',
    );
    io.setExitCode(interruptedExitCode);
  } finally {
    await Promise.all(files.map(file => file.close()));
  }
}

const fileOptionsOf = ({ format, delimiter, header, nested }: LoadOptions): FileOptions => ({
  ...(format !== undefined && { format }),
  ...(delimiter !== undefined && { delimiter: delimiter === '\\t' ? '\t' : delimiter }),
  ...(header === false && { header }),
  ...(nested !== undefined && { nested }),
});

function requestOf(options: LoadOptions) {
  const { table, replace, strict, maxRejects, again } = options;
  const key = options.key ?? (again ? `again-${randomUUID()}` : undefined);
  const range = replace === undefined ? null : replace.split('/');
  if (range && range.length !== 2)
    throw fault('INVALID_REQUEST', `--replace ${replace} is no range`, {
      hint: 'write FROM/TO: 2024-01-01/2024-01-02',
    });
  return {
    ...{ table, ...fileOptionsOf(options), rejectsMax: strict ? 0 : (maxRejects ?? null) },
    ...(key !== undefined && { key }),
    ...(range && { replace: { from: range[0]!, to: range[1]! } }),
  };
}

async function infer(files: readonly LocalFile[], options: LoadOptions): Promise<InferredFileTable> {
  const shapes: FileShape[] = [];
  for (const file of files) shapes.push(await sniffFile(file, fileOptionsOf(options)));
  const inferred = await inferFile(files, shapes);
  const { timeColumn } = options;
  if (timeColumn === undefined) return inferred;
  const column = inferred.columns.find(({ name }) => name === timeColumn);
  if (column?.type.name === 'TIMESTAMP' || column?.type.name === 'DATE') return { ...inferred, timeColumn };
  throw fault('INVALID_REQUEST', `${timeColumn} is no time of the files`, {
    hint: `their times are ${
      inferred.columns
        .filter(({ type }) => type.name === 'TIMESTAMP' || type.name === 'DATE')
        .map(({ name }) => name)
        .join(', ') || 'none'
    }`,
  });
}

async function statementOf(files: readonly LocalFile[], options: LoadOptions, io: CommandIo): Promise<string> {
  const inferred = await infer(files, options);
  tell(inferred.notes, io);
  return createTableText(options.table, inferred);
}

const shown = (statement: string): string => `${statement.split('\n').map(showControls).join('\n')};\n`;

const tell = (notes: readonly string[], { stderr }: CommandIo): void => {
  for (const note of notes) stderr.write(`note: ${showControls(note)}\n`);
};

async function ensureTable(
  client: WeirClient,
  files: readonly LocalFile[],
  options: LoadOptions,
  io: CommandIo,
): Promise<void> {
  try {
    await client.table(options.table);
    return;
  } catch (error) {
    if (!(error instanceof WeirError && error.code === 'UNKNOWN_TABLE') || !options.create) throw error;
  }
  const statement = await statementOf(files, options, io);
  if (!options.json) await print(io.stdout, shown(statement));
  await client.query(statement);
}

/** What the server does not have yet of the files. A file that it has by its content is not sent. */
async function upload(client: WeirClient, files: readonly LocalFile[], signal: AbortSignal, io: CommandIo) {
  const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const progress = createProgress(io, 'sending', totalBytes);
  const uploads: { upload: string; name: string }[] = [];
  let sentBytes = 0;
  try {
    for (const file of files) {
      const id = await hashOf(file, signal);
      let state = await withRetries(io.clock, signal, () => client.uploadState(id));
      while (!state.isWhole) {
        signal.throwIfAborted();
        const { receivedBytes } = state;
        const part = new Uint8Array(Math.min(partSizeBytes, file.sizeBytes - receivedBytes));
        const size = await file.read(part, receivedBytes);
        state = await withRetries(io.clock, signal, () =>
          client.putUpload(id, receivedBytes, file.sizeBytes, part.subarray(0, size), signal),
        );
        progress.update(sentBytes + state.receivedBytes, null);
      }
      sentBytes += file.sizeBytes;
      uploads.push({ upload: id, name: file.name });
    }
    return uploads;
  } finally {
    progress.stop();
  }
}

/** Until nobody works on the load any more. */
async function follow(
  client: WeirClient,
  started: StartedLoad['load'],
  signal: AbortSignal,
  io: CommandIo,
): Promise<LoadInfo> {
  const progress = createProgress(io, 'loading', started.bytesTotal);
  try {
    for (let load = started; ; ) {
      if (load.state !== 'running') return load;
      await io.clock.sleep(pollMs, signal);
      load = await withRetries(io.clock, signal, () => client.load(started.id));
      progress.update(load.bytesRead, load.rowsRead);
    }
  } finally {
    progress.stop();
  }
}

async function report(
  load: LoadInfo,
  wasThere: boolean,
  elapsedMs: number,
  { json, strict }: LoadOptions,
  io: CommandIo,
): Promise<void> {
  const { state, table, rowsLoaded, rowsRejected, error } = load;
  if (json) await print(io.stdout, `${writeJson(load)}\n`);
  else if (wasThere)
    await print(
      io.stdout,
      `0 rows loaded into ${table}\n${plural(rowsLoaded, 'row')} had been loaded before (--again loads them once more)\n`,
    );
  else if (state === 'finished') {
    const rate = count(Math.round((rowsLoaded * 1000) / Math.max(1, elapsedMs)));
    await print(
      io.stdout,
      `${plural(rowsLoaded, 'row')} loaded into ${table} in ${duration(elapsedMs)} (${rate} rows/s), ${count(rowsRejected)} rejected\n`,
    );
  }
  tellRejects(load, io);
  if (state === 'finished') return;
  const hint = {
    interrupted: 'the same command goes on where it stopped',
    failed: strict ? 'nothing became visible; without --strict bad rows are left out' : 'nothing became visible',
    cancelled: 'nothing became visible',
    running: '',
  }[state];
  io.stderr.write(`error: the load is ${state}${error === null ? '' : `: ${showControls(error)}`}\nhint: ${hint}\n`);
  io.setExitCode(1);
}

function tellRejects({ rejects, rowsRejected, files }: LoadInfo, { stderr }: CommandIo): void {
  const shown = rejects.slice(0, rejectsShownMax);
  for (const { file, line, column, reason } of shown) {
    const where = files.length > 1 ? `${showControls(file)}, ` : '';
    stderr.write(
      `${where}line ${count(line)}${column === null ? '' : `, ${showControls(column)}`}: ${showControls(reason)}\n`,
    );
  }
  if (rowsRejected > shown.length) stderr.write(`and ${plural(rowsRejected - shown.length, 'more rejected row')}\n`);
}
