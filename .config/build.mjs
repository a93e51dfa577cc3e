/**
 * Builds what is missing or stale, and nothing else: `dist/src` (the server), `dist/web` (the page), and with `--bench`
 * `dist/bench`. A part is stale when a file that it is made from was added, removed or written since; looking costs a few
 * milliseconds, so `npm start` always looks.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

const parts = {
  server: {
    inputs: ['src', 'tsconfig.json', '.config', 'package-lock.json'],
    clears: ['dist/src'],
    output: 'dist/src/boot/main.js',
    command: ['typescript/bin/tsc', '-p', '.config/tsconfig.build.json'],
  },
  page: {
    inputs: ['web', 'src/client', '.config', 'package-lock.json'],
    clears: ['dist/web'],
    output: 'dist/web/index.html',
    command: ['vite/bin/vite.js', 'build', 'web', '--logLevel', 'warn'],
  },
  bench: {
    inputs: ['src', 'bench', 'test/support', 'tsconfig.json', '.config', 'package-lock.json'],
    clears: ['dist/bench'],
    output: 'dist/bench/main.js',
    command: ['typescript/bin/tsc', '-p', '.config/tsconfig.bench.json'],
  },
};

/**
 * @param {readonly (keyof typeof parts)[]} names
 * @throws {Error} where a compiler refuses; it has said why on stderr.
 */
export function build(names = ['server', 'page']) {
  for (const name of names) {
    const { inputs, clears, output, command } = parts[name];
    const stamp = join(root, 'dist', `.${name}`);
    const signature = signatureOf(inputs);
    if (existsSync(join(root, output)) && existsSync(stamp) && readFileSync(stamp, 'utf8') === signature) continue;
    process.stderr.write(`building the ${name}…\n`);
    for (const folder of clears) rmSync(join(root, folder), { recursive: true, force: true });
    const [script, ...flags] = command;
    execFileSync(process.execPath, [join(root, 'node_modules', script), ...flags], {
      cwd: root,
      stdio: ['ignore', 2, 2],
    });
    mkdirSync(join(root, 'dist'), { recursive: true });
    if (name === 'server') chmodSync(join(root, output), 0o755);
    writeFileSync(stamp, signature);
  }
}

/** Of the files' names, sizes and times of writing. */
function signatureOf(inputs) {
  const hash = createHash('sha256');
  const visit = path => {
    const stat = statSync(join(root, path), { throwIfNoEntry: false });
    if (stat === undefined) return;
    if (!stat.isDirectory()) hash.update(`${path}\0${stat.size}\0${stat.mtimeMs}\n`);
    else for (const name of readdirSync(join(root, path)).sort()) visit(join(path, name));
  };
  for (const path of inputs) visit(path);
  return hash.digest('hex');
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    build(process.argv.includes('--bench') ? ['server', 'bench'] : undefined);
  } catch {
    process.exitCode = 1;
  }
}
