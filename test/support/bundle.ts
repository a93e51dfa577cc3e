import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Makes a TypeScript file (and what it imports of `src`) one that plain Node runs, for tests that start a process and
 * kill it. Packages stay outside.
 * @param entry Path from the repository's root, `test/unit/meta/publisher.ts`.
 * @returns Path of the JavaScript file.
 */
export async function bundle(entry: string): Promise<string> {
  // Inside the repository, so that the bundle finds its packages; one folder an entry, so that test files never share one.
  const outDir = join(root, 'node_modules/.cache/weir-test', entry.replace(/\.ts$/, ''));
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    build: {
      ssr: entry,
      outDir,
      emptyOutDir: true,
      minify: false,
      target: 'node20',
      rollupOptions: { output: { entryFileNames: 'entry.mjs' } },
    },
  });
  return join(outDir, 'entry.mjs');
}
