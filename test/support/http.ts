/** Requests to a real process, with answers as they are: status and body. */
import { request } from 'node:http';
import type { Readable } from 'node:stream';

export interface HttpError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly position?: { readonly line: number; readonly column: number };
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface HttpAnswer {
  readonly status: number;
  /** `rows` of an answer, `error` of a failure, `accepted` of a push. */
  readonly body: {
    readonly rows?: readonly (readonly unknown[])[];
    readonly accepted?: number;
    readonly rejected?: number;
    readonly duplicate?: boolean;
    readonly complete?: boolean;
    readonly stats?: Readonly<Record<string, number>>;
    readonly error?: HttpError;
  };
}

async function answerOf(response: Response): Promise<HttpAnswer> {
  return { status: response.status, body: (await response.json()) as HttpAnswer['body'] };
}

/** `POST /v1/sql`. */
export async function postSql(
  url: string,
  sql: string,
  { signal, ...body }: { timeoutMs?: number; parameters?: readonly unknown[]; signal?: AbortSignal } = {},
): Promise<HttpAnswer> {
  return answerOf(
    await fetch(`${url}/v1/sql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ sql, ...body }),
      ...(signal ? { signal } : {}),
    }),
  );
}

/** `POST /v1/tables/{table}/rows` of objects as NDJSON, or of text in another format. */
export async function postRows(
  url: string,
  table: string,
  rows: readonly object[] | string | Uint8Array<ArrayBuffer>,
  { key, format = 'application/x-ndjson', strict = false }: { key?: string; format?: string; strict?: boolean } = {},
): Promise<HttpAnswer> {
  const body = Array.isArray(rows) ? rows.map(row => JSON.stringify(row)).join('\n') : (rows as string);
  return answerOf(
    await fetch(`${url}/v1/tables/${table}/rows${strict ? '?strict=true' : ''}`, {
      method: 'POST',
      headers: { 'content-type': format, ...(key === undefined ? {} : { 'idempotency-key': key }) },
      body,
    }),
  );
}

/** Seals and publishes what the table holds. */
export async function postCommit(url: string, table: string): Promise<HttpAnswer> {
  return answerOf(await fetch(`${url}/v1/tables/${table}/commit`, { method: 'POST' }));
}

export interface HeldQuery {
  readonly queryId: string;
  /** Reads the rest. */
  text(): Promise<string>;
  /** Closes the connection. */
  abandon(): void;
}

/** A query whose answer is begun and not read on: it runs until `text` or `abandon`. Its answer must be a large one. */
export function holdQuery(url: string, sql: string): Promise<HeldQuery> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${url}/v1/sql`,
      { method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/x-ndjson' }, agent: false },
      response => {
        if (response.statusCode !== 200) {
          void textOf(response).then(text => reject(new Error(text)), reject);
          return;
        }
        // Headers come with the first piece of the answer; what follows stays in the socket.
        response.pause();
        resolve({
          queryId: String(response.headers['x-request-id']),
          text: () => textOf(response),
          abandon: () => void sent.destroy(),
        });
      },
    );
    sent.on('error', reject);
    sent.end(JSON.stringify({ sql }));
  });
}

async function textOf(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += chunk;
  return text;
}

/** Asks again until the answer fits; vitest's own timeout ends it. */
export async function until<T>(ask: () => Promise<T>, fits: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (fits(answer)) return answer;
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}
