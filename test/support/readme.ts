/** README as a program: its `sh` blocks, pasted into bash. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Blocks of the section of that title, in order. */
export async function readmeBlocks(title: string): Promise<string[]> {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const section = readme.split(/^## /m).find(text => text.startsWith(`${title}\n`));
  if (section === undefined) throw new Error(`README has no section ${title}`);
  return [...section.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(match => match[1]!);
}

export interface Stage {
  /** Where the text says http://127.0.0.1:8090, this process listens elsewhere. */
  readonly url: string;
  /** And the broker, where it says localhost:9092. */
  readonly broker?: string;
  /** A folder of programs that the text takes for granted. */
  readonly programs?: string;
}

/** What it printed, results before the rest. @throws Error where a command failed */
export async function paste(block: string, { url, broker, programs }: Stage): Promise<string> {
  const script = block
    .replaceAll('http://127.0.0.1:8090', url)
    .replaceAll('localhost:9092', broker ?? 'localhost:9092');
  const path = programs === undefined ? process.env.PATH : `${programs}${delimiter}${process.env.PATH}`;
  const { stdout, stderr } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: root,
    env: { ...process.env, PATH: path, WEIR_URL: url },
  });
  return stdout + stderr;
}

/** For `test.each`: what a block is called, and its index. */
export const named = (blocks: readonly string[]): (readonly [string, number])[] =>
  blocks.map((block, index) => [block.trim().split('\n')[0]!.slice(0, 80), index] as const);
