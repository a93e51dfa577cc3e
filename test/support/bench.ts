import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchRow } from '../../bench/row.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The rows of a suite that ran small: that it runs and its answers are right; what it measures means nothing. */
export async function smoke(suite: string, ...flags: readonly string[]): Promise<readonly BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-bench-'));
  try {
    const node = (...args: string[]) => execFileSync(process.execPath, args, { cwd: root, stdio: 'pipe' });
    node('.config/build.mjs', '--bench');
    const json = join(folder, 'rows.json');
    node('dist/bench/main.js', suite, '--smoke', '--runs', '1', ...flags, '--json', json);
    return JSON.parse(await readFile(json, 'utf8')) as BenchRow[];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
