/** The benchmark of Kafka's suite, small: that it runs and its answers are right; what it measures means nothing. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { BenchRow } from '../../bench/row.ts';
import { requires } from '../support/requires.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

requires('kafka')('the benchmark of Kafka', () => {
  test('counts what was produced, and sees every marked message', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'weir-bench-'));
    try {
      const node = (...args: string[]) => execFileSync(process.execPath, args, { cwd: root, stdio: 'pipe' });
      node('.config/build.mjs', '--bench');
      const json = join(folder, 'rows.json');
      node('dist/bench/main.js', 'kafka', '--smoke', '--runs', '1', '--partitions', '3', '--json', json);
      const rows = JSON.parse(await readFile(json, 'utf8')) as BenchRow[];
      expect(rows.map(({ query, engine, answersEqual }) => [query, engine, answersEqual])).toEqual([
        ['consumed, 3 partitions', 'weir', true],
        ['consumed, 3 partitions', 'kafkajs', true],
        ['consumed and sealed, 3 partitions', 'weir', true],
        ['visible, at 2,000 messages/s', 'weir', true],
      ]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
