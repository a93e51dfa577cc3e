/**
 * The typed client of the native API: `fetch` and nothing else, for Node and the browser. 64-bit integers arrive exact
 * (see `json.ts`); an answer that broke off is an error, never a short answer.
 */
import { isErrorBody, WeirError } from './error.ts';
import { parseJson, writeJson } from './json.ts';
import type {
  AlterAction,
  Answer,
  AnswerTrailer,
  Cell,
  ColumnInfo,
  CreateIndex,
  CreateTable,
  ErrorBody,
  Health,
  IngestionPartition,
  LoadInfo,
  LoadOptions,
  LoadProposal,
  PushResult,
  QueryInfo,
  Row,
  RowFormat,
  SeekResult,
  SeekTarget,
  SegmentInfo,
  ServerInfo,
  StartedLoad,
  TableInfo,
  TaskInfo,
  UploadState,
} from './types.ts';

export interface QueryOptions {
  readonly parameters?: readonly Cell[];
  readonly timeoutMs?: number;
  readonly allowPartial?: boolean;
  /** 1 to 64 of `A-Z a-z 0-9 . _ : -`; the server chooses one where there is none. */
  readonly queryId?: string;
  /** Aborting cancels the query on the server. */
  readonly signal?: AbortSignal;
}

export interface PushOptions {
  /** The same key twice adds the rows once. */
  readonly idempotencyKey?: string;
  /** One bad row refuses all. */
  readonly strict?: boolean;
  /** `body` is compressed already. */
  readonly gzip?: boolean;
  readonly signal?: AbortSignal;
}

export interface AnswerStream {
  readonly columns: readonly ColumnInfo[];
  readonly queryId: string;
  /** Groups of rows as they arrive; returns the trailer after the last. Leaving the loop early cancels the query. */
  readonly rows: AsyncGenerator<readonly Row[], AnswerTrailer, void>;
}

export interface WeirClient {
  readonly url: string;
  /** The whole answer. @throws WeirError */
  query(sql: string, options?: QueryOptions): Promise<Answer>;
  /** The answer as it comes, in bounded memory. @throws WeirError, also from `rows` */
  stream(sql: string, options?: QueryOptions): Promise<AnswerStream>;
  /** The answer's bytes as the server writes them; the stream fails if the answer breaks off. */
  raw(
    sql: string,
    accept: 'application/json' | 'text/csv' | 'application/x-ndjson',
    options?: QueryOptions,
  ): Promise<ReadableStream<Uint8Array>>;
  /** Resolves when the rows are durable and the next query sees them. */
  push(
    table: string,
    body: string | Uint8Array<ArrayBuffer>,
    format: RowFormat,
    options?: PushOptions,
  ): Promise<PushResult>;
  tables(): Promise<readonly TableInfo[]>;
  table(name: string): Promise<TableInfo>;
  createTable(definition: CreateTable): Promise<TableInfo>;
  dropTable(name: string): Promise<void>;
  /** All of the actions, or none. */
  alterTable(name: string, actions: readonly AlterAction[]): Promise<TableInfo>;
  /** Built in the background: see `tasks`. */
  createIndex(table: string, index: CreateIndex): Promise<TableInfo>;
  dropIndex(table: string, index: string): Promise<TableInfo>;
  segments(table: string): Promise<readonly SegmentInfo[]>;
  /** Seals and publishes the consuming rows of the table, or of one partition. */
  commit(table: string, partition?: number): Promise<{ readonly segments: number }>;
  /** A table of Kafka stops, or goes on, reading its topic: all partitions, or one. Durable. */
  pause(table: string, partition?: number): Promise<void>;
  resume(table: string, partition?: number): Promise<void>;
  /** Where a table of Kafka goes on reading. */
  seek(table: string, to: SeekTarget, partition?: number): Promise<SeekResult>;
  /** Of all tables, or of one. */
  ingestion(table?: string): Promise<readonly IngestionPartition[]>;
  /** Begins a load, or goes on with the one of its key; `load` tells how it goes. */
  startLoad(options: LoadOptions): Promise<StartedLoad>;
  /** Looks into the files, and changes nothing. */
  proposeLoad(options: LoadOptions): Promise<LoadProposal>;
  loads(): Promise<readonly LoadInfo[]>;
  load(id: string): Promise<LoadInfo>;
  /** Nothing of it becomes visible. */
  cancelLoad(id: string): Promise<LoadInfo>;
  /** @param id The SHA-256 of the file's content, as 64 hexadecimal digits. */
  uploadState(id: string): Promise<UploadState>;
  /** The part at `offset`, which is where the upload ends so far; 64 MiB at most. */
  putUpload(
    id: string,
    offset: number,
    totalBytes: number,
    bytes: Uint8Array<ArrayBuffer>,
    signal?: AbortSignal,
  ): Promise<UploadState>;
  /** What runs in the background, after what ended lately. */
  tasks(): Promise<readonly TaskInfo[]>;
  queries(): Promise<readonly QueryInfo[]>;
  /** False where no such query runs. */
  cancel(queryId: string): Promise<boolean>;
  /** The processes of the cluster. */
  servers(): Promise<readonly ServerInfo[]>;
  /** Places a server's segments elsewhere; it leaves when others hold them. */
  drain(serverId: string): Promise<void>;
  /** What `/health/ready` says, whether ready or not. */
  health(): Promise<Health>;
}

export interface ClientOptions {
  /** Another `fetch`; the global one by default. */
  readonly fetch?: typeof fetch;
}

const contentTypes: Readonly<Record<RowFormat, string>> = {
  ndjson: 'application/x-ndjson',
  json: 'application/json',
  csv: 'text/csv',
  arrow: 'application/vnd.apache.arrow.stream',
};

/** @param url Of the server: `http://127.0.0.1:8090`, or `''` for a page that the server itself serves. */
export function createClient(url: string, options: ClientOptions = {}): WeirClient {
  const base = url.replace(/\/+$/, '');
  const fetchFrom = options.fetch ?? ((input, init) => fetch(input, init));

  async function send(method: string, path: string, init: RequestInit = {}): Promise<Response> {
    try {
      return await fetchFrom(`${base}${path}`, { ...init, method });
    } catch (error) {
      if (init.signal?.aborted) throw error;
      throw connectionFailed(base, error);
    }
  }

  /** The JSON of a good answer. @throws WeirError for any other */
  async function ask<T>(method: string, path: string, init?: RequestInit): Promise<T> {
    const response = await send(method, path, init);
    const body = await readJson(response, init?.signal ?? null);
    if (!response.ok || isErrorBody(body)) throw errorOf(response, body);
    return body as T;
  }

  async function sendSql(sql: string, accept: string, options: QueryOptions): Promise<Response> {
    const { parameters, timeoutMs, allowPartial } = options;
    const headers: Record<string, string> = { 'content-type': 'application/json', accept };
    if (options.queryId !== undefined) headers['x-request-id'] = options.queryId;
    const body = writeJson({ sql, parameters, timeoutMs, allowPartial });
    const response = await send('POST', '/v1/sql', { headers, body, signal: options.signal ?? null });
    if (!response.ok) throw errorOf(response, await readJson(response, options.signal ?? null));
    return response;
  }

  const tablePath = (table: string, rest = ''): string => `/v1/tables/${encodeURIComponent(table)}${rest}`;

  const sendAs = <T>(method: string, path: string, body: object): Promise<T> =>
    ask(method, path, { headers: { 'content-type': 'application/json' }, body: writeJson(body) });

  const steer = <T>(table: string, action: string, body: object): Promise<T> =>
    sendAs('POST', tablePath(table, `/ingestion/${action}`), body);

  return {
    url: base,
    async query(sql, options = {}) {
      const response = await sendSql(sql, 'application/json', options);
      const body = await readJson(response, options.signal ?? null);
      if (isErrorBody(body)) throw errorOf(response, body);
      return body as Answer;
    },
    async stream(sql, options = {}) {
      const response = await sendSql(sql, 'application/x-ndjson', options);
      const lines = readLines(response, options.signal ?? null);
      const first = await lines.next();
      if (first.done) throw connectionLost(null);
      const [header, ...already] = first.value as [{ columns: readonly ColumnInfo[]; queryId: string }, ...unknown[]];
      if (isErrorBody(header)) throw errorOf(response, header);
      if (!header.columns) throw badAnswer(response);
      return { columns: header.columns, queryId: header.queryId, rows: readRows(response, lines, already) };
    },
    async raw(sql, accept, options = {}) {
      const response = await sendSql(sql, accept, options);
      if (!response.body) throw badAnswer(response);
      return response.body as ReadableStream<Uint8Array>;
    },
    push(table, body, format, options = {}) {
      const headers: Record<string, string> = { 'content-type': contentTypes[format] };
      if (options.idempotencyKey !== undefined) headers['idempotency-key'] = options.idempotencyKey;
      if (options.gzip) headers['content-encoding'] = 'gzip';
      const path = tablePath(table, options.strict ? '/rows?strict=true' : '/rows');
      return ask('POST', path, { headers, body, signal: options.signal ?? null });
    },
    tables: async () => (await ask<{ tables: readonly TableInfo[] }>('GET', '/v1/tables')).tables,
    table: name => ask('GET', tablePath(name)),
    createTable: definition => sendAs('POST', '/v1/tables', definition),
    async dropTable(name) {
      await ask('DELETE', tablePath(name));
    },
    alterTable: (name, actions) => sendAs('PATCH', tablePath(name), { actions }),
    createIndex: (table, index) => sendAs('POST', tablePath(table, '/indexes'), index),
    dropIndex: (table, index) => ask('DELETE', tablePath(table, `/indexes/${encodeURIComponent(index)}`)),
    tasks: async () => (await ask<{ tasks: readonly TaskInfo[] }>('GET', '/v1/tasks')).tasks,
    segments: async table =>
      (await ask<{ segments: readonly SegmentInfo[] }>('GET', tablePath(table, '/segments'))).segments,
    commit: (table, partition) => steer(table, 'commit', { partition }),
    async pause(table, partition) {
      await steer(table, 'pause', { partition });
    },
    async resume(table, partition) {
      await steer(table, 'resume', { partition });
    },
    seek: (table, to, partition) => steer(table, 'seek', { partition, to }),
    ingestion: async table => {
      const path = table === undefined ? '/v1/ingestion' : tablePath(table, '/ingestion');
      return (await ask<{ partitions: readonly IngestionPartition[] }>('GET', path)).partitions;
    },
    startLoad: options => sendAs('POST', '/v1/loads', options),
    proposeLoad: options => sendAs('POST', '/v1/loads', { ...options, dryRun: true }),
    loads: async () => (await ask<{ loads: readonly LoadInfo[] }>('GET', '/v1/loads')).loads,
    load: id => ask('GET', `/v1/loads/${encodeURIComponent(id)}`),
    cancelLoad: id => ask('DELETE', `/v1/loads/${encodeURIComponent(id)}`),
    uploadState: id => ask('GET', `/v1/uploads/${encodeURIComponent(id)}`),
    putUpload: (id, offset, totalBytes, bytes, signal) =>
      ask('PUT', `/v1/uploads/${encodeURIComponent(id)}?offset=${offset}&size=${totalBytes}`, {
        headers: { 'content-type': 'application/octet-stream' },
        body: bytes,
        signal: signal ?? null,
      }),
    queries: async () => (await ask<{ queries: readonly QueryInfo[] }>('GET', '/v1/queries')).queries,
    async cancel(queryId) {
      try {
        await ask('DELETE', `/v1/queries/${encodeURIComponent(queryId)}`);
        return true;
      } catch (error) {
        if (error instanceof WeirError && error.code === 'UNKNOWN_QUERY') return false;
        throw error;
      }
    },
    servers: async () => (await ask<{ servers: readonly ServerInfo[] }>('GET', '/v1/servers')).servers,
    async drain(serverId) {
      await ask('POST', `/v1/servers/${encodeURIComponent(serverId)}/drain`);
    },
    async health() {
      const response = await send('GET', '/health/ready');
      const body = await readJson(response, null);
      if (isErrorBody(body)) throw errorOf(response, body);
      return body as Health;
    },
  };
}

/** Rows of an NDJSON answer: arrays until the trailer, which is an object. */
async function* readRows(
  response: Response,
  lines: AsyncGenerator<unknown[], void, void>,
  already: readonly unknown[],
): AsyncGenerator<readonly Row[], AnswerTrailer, void> {
  try {
    for (let group = already; ; ) {
      const last = group.at(-1);
      if (last !== undefined && !Array.isArray(last)) {
        if (group.length > 1) yield group.slice(0, -1) as Row[];
        // To the body's end: a connection closed before it is lost to the next request, and a browser calls the request
        // failed. What happens to it past the trailer takes nothing from the answer.
        await lines.next().catch(() => {});
        if (isErrorBody(last)) throw errorOf(response, last);
        return last as AnswerTrailer;
      }
      if (group.length > 0) yield group as Row[];
      const next = await lines.next();
      if (next.done) throw connectionLost(null);
      group = next.value;
    }
  } finally {
    await lines.return();
  }
}

/** Whole lines, parsed, in groups as they arrive. Ending early closes the connection. */
async function* readLines(response: Response, signal: AbortSignal | null): AsyncGenerator<unknown[], void, void> {
  if (!response.body) return;
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(error => {
        throw signal?.aborted ? error : connectionLost(error);
      });
      rest += decoder.decode(value, { stream: !done });
      const end = done ? rest.length : rest.lastIndexOf('\n');
      if (end > 0) {
        const lines = rest.slice(0, end).split('\n');
        rest = rest.slice(end + 1);
        yield lines.filter(line => line !== '').map(line => parseLine(line, done));
      }
      if (done) return;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function parseLine(line: string, atEnd: boolean): unknown {
  try {
    return parseJson(line);
  } catch (error) {
    if (atEnd) throw connectionLost(error);
    throw new WeirError({ error: { code: 'BAD_ANSWER', message: 'a line of the answer is no JSON' } }, 0, {
      cause: error,
    });
  }
}

/**
 * A JSON body. One that breaks off is an error: the error that the server wrote before it closed the connection, if it did.
 */
async function readJson(response: Response, signal: AbortSignal | null): Promise<unknown> {
  const decoder = new TextDecoder();
  let text = '';
  try {
    const reader = (response.body as ReadableStream<Uint8Array> | null)?.getReader();
    while (reader) {
      const { done, value } = await reader.read();
      text += decoder.decode(value, { stream: !done });
      if (done) break;
    }
  } catch (error) {
    if (signal?.aborted) throw error;
    const body = parseOrNull(text);
    throw isErrorBody(body) ? errorOf(response, body) : connectionLost(error);
  }
  const body = parseOrNull(text);
  if (body === null) throw badAnswer(response);
  return body;
}

function parseOrNull(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return null;
  }
}

const errorOf = (response: Response, body: unknown): WeirError =>
  isErrorBody(body) ? new WeirError(body as ErrorBody, response.status) : badAnswer(response);

const badAnswer = (response: Response): WeirError =>
  new WeirError(
    {
      error: {
        code: 'BAD_ANSWER',
        message: `${response.url || 'the server'} answered ${response.status} with something that is not Weir's`,
        hint: 'check the URL',
      },
    },
    response.status,
  );

const connectionLost = (cause: unknown): WeirError =>
  new WeirError({ error: { code: 'CONNECTION_LOST', message: 'the answer broke off before its end' } }, 0, { cause });

function connectionFailed(url: string, cause: unknown): WeirError {
  const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause);
  return new WeirError(
    {
      error: {
        code: 'CONNECTION_FAILED',
        message: `no answer from ${url}: ${reason || 'connection refused'}`,
        hint: 'is weir running there? start it with: npm start',
      },
    },
    0,
    { cause },
  );
}
