/** What no compiler checks of the house: which room may look at which, where packages live, and what may not be left lying about. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Rooms from the ground up; each imports itself and those named, all of them above it in this list. Type-only imports count.
 * The table is ARCHITECTURE.md's: change both together, and only downward.
 */
const rooms: readonly (readonly [room: string, mayImport: string])[] = [
  ['base', ''],
  ['sketch', 'base'],
  ['kernel', 'base'],
  ['bitmap', 'base kernel'],
  ['column', 'base kernel'],
  ['catalog', 'base column'],
  ['format', 'base column catalog'],
  ['segment', 'base bitmap sketch kernel column catalog'],
  ['function', 'base sketch kernel column'],
  ['plan', 'base column catalog function'],
  ['sql', 'base column catalog function plan'],
  // `catalog`: a scan is given its table's definition, for the defaults of columns that a segment does not have.
  ['exec', 'base bitmap sketch kernel column catalog segment function plan'],
  ['store', 'base'],
  ['stream', 'base column catalog'],
  ['meta', 'base catalog'],
  ['wire', 'base column catalog plan'],
  ['access', 'base catalog'],
  // `catalog`: it opens partitions by their table's definition. `store`: it opens committed segments itself.
  ['shard', 'base bitmap kernel column catalog segment function plan exec store wire'],
  // `sql`: a transform is kept as the SQL that its table's owner wrote, and bound where it runs.
  // `column`, `format`: a load reads files into columns.
  ['task', 'base bitmap kernel column catalog format segment store wire'],
  ['ingest', 'base column catalog format segment plan sql exec store stream wire'],
  // `catalog`: who owns which block is a pure function of names, there for all who ask.
  ['server', 'base catalog segment store wire shard'],
  ['broker', 'base column catalog function sql plan exec wire access'],
  ['controller', 'base catalog meta store wire'],
  // A folder that no Weir runs on; the controller's room is not awake then.
  ['check', 'base catalog segment store stream meta'],
  // `sql`: a table that a load makes is shown as the statement that makes it.
  ['load', 'base column catalog sql wire'],
  ['client', ''],
  // `client`: the native API's answers are typed once, there, and the door promises to give them.
  ['http', 'base column catalog format wire access client'],
  ['pgwire', 'base column catalog sql wire access'],
  ['demo', 'base client'],
  // `catalog`, `stream`: `weir create` looks into a topic itself, before there is a table that would.
  ['cli', 'base column catalog format stream check client'],
  [
    'boot',
    'base bitmap sketch kernel column catalog format segment function plan sql exec store stream meta wire access shard ' +
      'task ingest server broker controller check load client http pgwire demo cli',
  ],
];

/** Each foreign package, and each part of Node that reaches outside the thread, belongs to the rooms named. */
const homes: Readonly<Record<string, string>> = {
  fastify: 'http',
  '@fastify/static': 'http',
  zod: 'http',
  'prom-client': 'http',
  chevrotain: 'sql',
  'apache-arrow': 'column',
  avsc: 'format',
  protobufjs: 'format',
  'better-sqlite3': 'meta',
  kysely: 'meta',
  pino: 'base',
  tinyglobby: 'base',
  '@node-rs/crc32': 'base',
  kafkajs: 'stream',
  // Codecs: what Kafka's batches are compressed with, files are, too.
  snappy: 'base',
  fzstd: 'base format',
  zstddec: 'base',
  koffi: 'boot',
  commander: 'cli boot',
  'cli-progress': 'cli',
  'node:worker_threads': 'wire boot',
  // `stream`: whether the holder of a log's lock still lives, only the operating system knows.
  'node:child_process': 'stream',
  'node:fs': 'base meta stream cli boot',
  'node:fs/promises': 'base cli boot',
  'node:http': 'http',
  'node:net': 'wire pgwire',
  'node:tls': 'wire',
  'node:vm': 'boot',
};

/** Parts of Node that compute and touch nothing outside: any room. */
const pureParts =
  /^node:(assert|async_hooks|buffer|crypto|events|os|path|perf_hooks|process|readline|stream|string_decoder|timers|url|util|v8|zlib)(\/|$)/;

interface Source {
  /** From the repository's root. */
  readonly path: string;
  readonly text: string;
}

/** Files under a top-level folder or the file of that name. */
function sources(...tops: string[]): Source[] {
  const found: Source[] = [];
  const visit = (path: string): void => {
    if (/(^|\/)(node_modules|dist|\.git|golden|data)$/.test(path)) return;
    for (const entry of readdirSync(join(root, path), { withFileTypes: true }))
      if (entry.isDirectory()) visit(join(path, entry.name));
      else add(join(path, entry.name));
  };
  const add = (path: string): void => {
    if (/\.(ts|tsx|mts|js|mjs|json|css|html|md|slt|sh|yml)$|(^|\/)run$/.test(path))
      found.push({ path, text: readFileSync(join(root, path), 'utf8') });
  };
  for (const top of tops)
    if (!existsSync(join(root, top))) continue;
    else if (/\.[a-z]+$/.test(top) && !top.startsWith('.')) add(top);
    else visit(top);
  return found;
}

interface Import {
  readonly path: string;
  readonly typeOnly: boolean;
  /** A path from the repository's root without leading dots, or a package. */
  readonly target: string;
  readonly local: boolean;
}

const importPattern =
  /\b(?:(?:import|export)(?<type>\s+type)?\s[^'";]*?\bfrom\s*|import\s*\(?\s*|new URL\((?=\s*['"][^'"\n]+\.[jt]s['"])\s*)(?<quote>['"])(?<target>[^'"\n]+)\k<quote>/g;

function importsOf({ path, text }: Source): Import[] {
  return Array.from(text.matchAll(importPattern), ({ groups }) => {
    const target = groups!.target!;
    const local = target.startsWith('.');
    return {
      path,
      typeOnly: groups!.type !== undefined,
      target: local ? relative(root, resolve(root, dirname(path), target)) : target,
      local,
    };
  });
}

const roomOf = (path: string): string => /^src\/([^/]+)\//.exec(path)?.[1] ?? '';
const packageOf = (target: string): string =>
  target.startsWith('@')
    ? target.split('/').slice(0, 2).join('/')
    : target.startsWith('node:')
      ? target
      : target.split('/')[0]!;

const code = sources('src', 'test', 'bench', 'web', '.config').filter(({ path }) => /\.(ts|tsx|mjs)$/.test(path));
const inSrc = code.filter(({ path }) => path.startsWith('src/'));
const srcImports = inSrc.flatMap(importsOf);

describe('the importer of this test', () => {
  const check = (text: string, ...targets: string[]) =>
    expect(
      importsOf({ path: 'src/a/b.ts', text }).map(each => (each.typeOnly ? `type ${each.target}` : each.target)),
    ).toEqual(targets);
  test('sees every way to import', () => {
    check(`import { x } from '../c/d.ts';`, 'src/c/d.ts');
    check(`import type { x } from '../c/d.ts';`, 'type src/c/d.ts');
    check(`import {\n  x,\n  type y,\n} from '../c/d.ts';`, 'src/c/d.ts');
    check(`import 'x/y';`, 'x/y');
    check(`export * from '../c/d.ts';\nexport type { x } from './e.ts';`, 'src/c/d.ts', 'type src/a/e.ts');
    check(`const x = await import('../c/d.ts');`, 'src/c/d.ts');
    check(`new Worker(new URL('../c/d.ts', import.meta.url))`, 'src/c/d.ts');
    check(`new URL('../c', import.meta.url)`);
    check(`type X = import('../c/d.ts').Y;`, 'src/c/d.ts');
  });
});

describe('rooms', () => {
  test('are listed from the ground up', () => {
    const seen = new Set<string>();
    for (const [room, mayImport] of rooms) {
      for (const below of mayImport.split(' ').filter(Boolean)) expect(seen, `${room} names ${below}`).toContain(below);
      seen.add(room);
    }
  });

  test('hold every source file', () => {
    const known = rooms.map(([room]) => room);
    expect(inSrc.map(({ path }) => path).filter(path => !known.includes(roomOf(path)))).toEqual([]);
  });

  test('look only downward', () => {
    const allowed = new Map(rooms.map(([room, mayImport]) => [room, mayImport.split(' ')]));
    const upward = srcImports
      .filter(({ local }) => local)
      .map(each => ({ ...each, from: roomOf(each.path), to: roomOf(each.target) }))
      .filter(({ from, to }) => from !== to && !allowed.get(from)?.includes(to))
      .map(({ path, target }) => `${path} must not import ${target}`);
    expect(upward).toEqual([]);
  });

  test('are all on the map', () => {
    const map = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
    const existing = new Set(inSrc.map(({ path }) => roomOf(path)));
    expect([...existing].filter(room => !map.includes(`\`${room}\``))).toEqual([]);
  });
});

test('a foreign package lives in its home room', () => {
  const astray = srcImports
    .filter(({ local }) => !local)
    .map(each => ({ ...each, name: packageOf(each.target) }))
    .filter(({ name, path }) => !pureParts.test(name) && !homes[name]?.split(' ').includes(roomOf(path)))
    .map(({ name, path }) => `${path}: ${name} belongs to ${homes[name] ?? 'no room yet'}`);
  expect(astray).toEqual([]);
});

// The client as a whole, not its types alone: it has no dependencies, and the page is one more user of the native API.
test('the page knows of Weir only its client', () => {
  const strays = code
    .filter(({ path }) => path.startsWith('web/'))
    .flatMap(importsOf)
    .filter(({ local, target }) => local && !target.startsWith('web/') && !target.startsWith('src/client/'))
    .map(({ path, target }) => `${path} must not import ${target}`);
  expect(strays).toEqual([]);
});

/** Longer files have a second reason to exist. */
const lineCountMax = 600;

test('no file is too long', () => {
  const long = code
    .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > lineCountMax)
    .map(({ path, lines }) => `${path} has ${lines} lines, more than ${lineCountMax}`);
  expect(long).toEqual([]);
});

/** Where a pattern stands, as `path:line: text`; in all files but this one, which names them. */
function findings(files: readonly Source[], pattern: RegExp): string[] {
  return files
    .filter(({ path }) => path !== 'test/tidy.test.ts')
    .flatMap(({ path, text }) =>
      text.split('\n').flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
    );
}

describe('nothing is left lying about', () => {
  test('no test is focused or switched off', () => {
    // `requires` alone may skip: by name, saying what is missing, and never in CI.
    const tests = code.filter(({ path }) => path !== 'test/support/requires.ts');
    expect(findings(tests, /\b(describe|suite|test|it)(\.\w+)*\.(only|skip|todo|skipIf|runIf|fails)\b/)).toEqual([]);
  });

  test('no work is put off in a comment', () => {
    expect(findings(code, /\b(TODO|FIXME|XXX|HACK)\b/)).toEqual([]);
  });

  test('no path of a machine', () => {
    const texts = [
      ...code,
      ...sources(
        '.ci',
        'docs',
        'deploy',
        'segments/README.md',
        'README.md',
        'ARCHITECTURE.md',
        'CONTRIBUTING.md',
        'package.json',
      ),
    ];
    expect(findings(texts, /(?<![\w.])\/(root|home|work|Users)\/\w/)).toEqual([]);
  });

  test('no registry in package-lock.json: whoever installs asks their own', () => {
    expect(readFileSync(join(root, 'package-lock.json'), 'utf8')).not.toMatch(/"resolved"|https?:\/\/[^"]*\.tgz/);
  });
});
