import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, test } from 'vitest';
import { findProgram, isKafkaThere, kafkaHint } from './kafka-jars.ts';

export { kafkaJars, kafkaVersions } from './kafka-jars.ts';

interface Need {
  readonly isThere: () => boolean;
  /** What to do to have it. */
  readonly hint: string;
  /** By a package manager, so that CI has no excuse. */
  readonly installable: boolean;
}

const chromiumNames = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** For playwright-core's `executablePath`. */
export const chromiumPath = (): string | null => process.env.CHROMIUM_PATH ?? findProgram(...chromiumNames);

/** A file of real data that is too large to be kept with the code. Downloaded by hand, beside the clone. */
export const sharedData = (name: string): string =>
  fileURLToPath(new URL(`../../../shared/data/${name}`, import.meta.url));

/** Apicurio Registry, as `test/support/schema-registry/install` unpacks it. */
export const schemaRegistryJar = fileURLToPath(
  new URL('../../.cache/schema-registry/2.6.13.Final/apicurio-registry-app-2.6.13.Final-runner.jar', import.meta.url),
);

function hasPythonModule(name: string): boolean {
  try {
    execFileSync('python3', ['-c', `import ${name}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Root may mount, but in many containers not even root. */
function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'weir-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'weir-test', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(folder);
  }
}

const needs = {
  'resident memory': {
    isThere: () => existsSync('/proc/self/statm'),
    hint: 'Linux alone tells in /proc what another process has resident',
    installable: false,
  },
  chromium: {
    isThere: () => chromiumPath() !== null,
    hint: 'apt-get install chromium, or set CHROMIUM_PATH',
    installable: true,
  },
  pyarrow: { isThere: () => hasPythonModule('pyarrow'), hint: 'python3 -m pip install pyarrow', installable: true },
  kafka: {
    isThere: isKafkaThere,
    hint: kafkaHint,
    installable: true,
  },
  openssl: { isThere: () => findProgram('openssl') !== null, hint: 'apt-get install openssl', installable: true },
  schemaRegistry: {
    isThere: () => findProgram('java') !== null && existsSync(schemaRegistryJar),
    hint: 'bash test/support/schema-registry/install (needs Java 17 and Maven)',
    installable: true,
  },
  root: {
    isThere: () => process.getuid?.() === 0,
    hint: 'run as root, to start processes as another user',
    installable: false,
  },
  tmpfs: {
    isThere: canMount,
    hint: 'run as root of a Linux where mount -t tmpfs works',
    installable: false,
  },
  wikipedia: {
    isThere: () => existsSync(sharedData('wikiticker-2015-09-12-sampled.json.gz')),
    hint: "put Druid's tutorial file wikiticker-2015-09-12-sampled.json.gz into ../shared/data",
    installable: false,
  },
  githubEvents: {
    isThere: () => existsSync(sharedData('github-events-2021-07-21.json.gz')),
    hint: 'put github-events-2021-07-21.json.gz into ../shared/data',
    installable: false,
  },
} satisfies Record<string, Need>;

/**
 * `requires('chromium')('the page', () => …)` is `describe` where everything named is there. Elsewhere it skips, saying in
 * the name what is missing and how to get it. With WEIR_REQUIRE_ALL=1, as in CI, it fails instead; but for what no package
 * manager has.
 */
export function requires(...names: (keyof typeof needs)[]): (title: string, body: () => void) => void {
  const missing = names.map((name): Need => needs[name]).filter(need => !need.isThere());
  if (missing.length === 0) return (title, body) => void describe(title, body);
  const reason = `needs: ${missing.map(({ hint }) => hint).join('; ')}`;
  const mustFail = process.env.WEIR_REQUIRE_ALL === '1' && missing.some(need => need.installable);
  if (!mustFail) return (title, body) => void describe.skip(`${title} (${reason})`, body);
  return title =>
    void test(title, () => {
      throw new Error(reason);
    });
}
