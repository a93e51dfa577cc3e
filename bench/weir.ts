/** Weir as its users have it: a process of its own, asked over HTTP. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { parseJson } from '../src/client/json.ts';
import type { Answer } from '../src/client/types.ts';
import type { Cell, CellRow } from './answers.ts';

/** `dist/src/boot/main.js`, beside `dist/bench`. */
const main = fileURLToPath(new URL('../src/boot/main.js', import.meta.url));

export interface Weir {
  readonly url: string;
  readonly child: ChildProcess;
  /** What it printed so far. */
  output(): string;
  /** From the process's start to the line that says it is ready. */
  readonly readyMs: number;
  /** Over one connection that is kept. @throws Error with the answer's, where it is one. */
  ask(sql: string): Promise<Answer>;
  /** Ctrl-C; resolves when it is gone. */
  stop(): Promise<void>;
}

export interface WeirOptions {
  readonly dataFolder: string;
  /** Of `weir start`, after `--data` and `--http`. */
  readonly flags?: readonly string[];
  /** Of Node; unless told, those of WEIR_NODE_FLAGS: `--cpu-prof` shows where each thread's time goes. */
  readonly nodeFlags?: readonly string[];
}

const flagsFromOutside = (): string[] => (process.env.WEIR_NODE_FLAGS ?? '').split(' ').filter(flag => flag !== '');

export async function startWeir({
  dataFolder,
  flags = [],
  nodeFlags = flagsFromOutside(),
}: WeirOptions): Promise<Weir> {
  const startedMs = performance.now();
  const child = spawn(
    process.execPath,
    [...nodeFlags, main, 'start', '--data', dataFolder, '--http', '127.0.0.1:0', ...flags],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  let errors = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const exited = once(child, 'exit');
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const match = /Weir is ready: (https?:\/\/[^/\s]+)\//.exec(output);
      if (match) resolve(match[1]!);
    });
    void exited.then(([code, signal]) =>
      reject(new Error(`weir ended with ${signal ?? `code ${code}`}: ${output}${errors}`)),
    );
  });
  const readyMs = performance.now() - startedMs;
  const { ask, close } = connectWeir(url);
  return {
    ...{ url, child, readyMs, ask },
    output: () => output,
    async stop() {
      close();
      child.kill('SIGINT');
      await exited;
    },
  };
}

/** Another connection to one that runs. */
export function connectWeir(url: string): Pick<Weir, 'ask'> & { close(): void } {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    async ask(sql) {
      const { status, text } = await post(agent, `${url}/v1/sql`, JSON.stringify({ sql, timeoutMs: 300_000 }));
      if (status !== 200) throw new Error(`${sql}: ${text}`);
      return parseJson(text) as Answer;
    },
    close: () => agent.destroy(),
  };
}

/** `fetch` costs a millisecond of its own: plain `http` leaves the time to the server. */
function post(agent: Agent, url: string, body: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = request(url, { agent, method: 'POST', headers }, response => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => resolve({ status: response.statusCode!, text: Buffer.concat(parts).toString('utf8') }));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** An answer's rows as common values. */
export function cellsOf({ columns, rows }: Pick<Answer, 'columns' | 'rows'>): CellRow[] {
  return rows.map(row => row.map((value, index) => cellOf(columns[index]!.type, value)));
}

function cellOf(type: string, value: unknown): Cell {
  if (value === null) return null;
  switch (type) {
    case 'LONG':
    case 'INT':
      return BigInt(value as number | bigint);
    case 'DOUBLE':
    case 'FLOAT':
      return Number(value);
    case 'TIMESTAMP':
      return Date.parse(value as string);
    default:
      return value as Cell;
  }
}
