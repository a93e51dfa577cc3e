/** The real program as a child process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../dist/src/boot/main.js', import.meta.url));

export interface WeirProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** What it printed on standard output so far. */
  output(): string;
  /** What it printed on standard error so far: its log. */
  log(): string;
  /** Ctrl-C, and its exit code. */
  stop(): Promise<number | null>;
  /** `kill -9`, and waits until it is gone. */
  kill(): Promise<void>;
}

/**
 * Starts `weir start …args` (HTTP on any free port unless told) and resolves when it has printed its URL.
 * @throws Error with what it printed, where it ends before that.
 */
export async function startWeir({
  args = [],
  env = {},
}: {
  args?: readonly string[];
  env?: Readonly<Record<string, string>>;
} = {}): Promise<WeirProcess> {
  const http = args.includes('--http') ? [] : ['--http', '127.0.0.1:0'];
  const child = spawn(process.execPath, [main, 'start', ...http, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let output = '';
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const exited = once(child, 'exit');
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const match = /Weir is ready: (https?:\/\/[^/\s]+)\//.exec(output);
      if (match) resolve(match[1]!);
    });
    void exited.then(([code]) => reject(new Error(`weir ended with code ${code}: ${output}${errors}`)));
  });
  return {
    url,
    child,
    output: () => output,
    log: () => errors,
    async stop() {
      child.kill('SIGINT');
      const [code] = await exited;
      return code as number | null;
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** The answer's rows, or an Error with the fault's code and message. */
export async function ask(url: string, sql: string, parameters: readonly unknown[] = []): Promise<unknown[][]> {
  const response = await fetch(`${url}/v1/sql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sql, parameters }),
  });
  const body = (await response.json()) as { rows: unknown[][]; error?: { code: string; message: string } };
  if (body.error) throw new Error(`${body.error.code}: ${body.error.message}`);
  return body.rows;
}
