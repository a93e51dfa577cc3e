import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Runs once before the tests that start real processes: `dist` is then what the sources say. */
export default function setup(): void {
  execFileSync(process.execPath, [fileURLToPath(new URL('../../.config/build.mjs', import.meta.url))], {
    stdio: 'inherit',
  });
}
