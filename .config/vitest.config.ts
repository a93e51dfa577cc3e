import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const support = (name: string) => fileURLToPath(new URL(`../test/support/${name}`, import.meta.url));

/** Where CI wants the counts, as JSON. */
const report = process.env.WEIR_TEST_REPORT;
const jsonTo = (outputFile: string): [string, { outputFile: string }] => ['json', { outputFile }];

/** Tests inside the runner's own processes. */
const inside = {
  pool: 'forks' as const,
  isolate: false,
  maxWorkers: 2,
  testTimeout: 30_000,
  setupFiles: [support('fast-check.ts')],
};

/** Tests that start real processes: one file at a time, after the others, on a fresh build. */
const processes = {
  pool: 'forks' as const,
  fileParallelism: false,
  testTimeout: 120_000,
  hookTimeout: 120_000,
  globalSetup: [support('build.ts')],
  sequence: { groupOrder: 1 },
};

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    reporters: ['default', support('skipped.ts'), ...(report === undefined ? [] : [jsonTo(report)])],
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts', 'test/tidy.test.ts'], ...inside } },
      { test: { name: 'sim', include: ['test/sim/**/*.test.ts'], ...inside } },
      { test: { name: 'sql', include: ['test/sql/**/*.test.ts'], ...inside } },
      { test: { name: 'integration', include: ['test/integration/**/*.test.ts'], ...processes } },
      { test: { name: 'web', include: ['test/web/**/*.test.ts'], ...processes } },
    ],
  },
});
