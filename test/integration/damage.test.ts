/**
 * Any byte of any file of a data folder, flipped or cut off: `weir check` finds it, Weir starts if the damage concerns one
 * table alone, and each answer is right or names what is damaged.
 */
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FaultError, toFault } from '../../src/base/fault.ts';
import { checkDataFolder } from '../../src/boot/check.ts';
import { folders } from '../../src/boot/folders.ts';
import type { CheckReport } from '../../src/check/report.ts';
import { openSqliteMeta } from '../../src/meta/sqlite.ts';
import { type Cluster, openCluster } from '../support/cluster.ts';
import { seededRandom } from '../support/random.ts';
import { runWeir } from '../unit/cli/run-weir.ts';

const tables = ['events', 'others'] as const;
const queries = [
  'SELECT COUNT(*), SUM(id), MIN(ts), MAX(ts), COUNT(city), MAX(note), SUM(amount) FROM $t',
  "SELECT COUNT(*), SUM(id) FROM $t WHERE city = 'Rome'",
  'SELECT city, COUNT(*) FROM $t GROUP BY city ORDER BY city',
  'SELECT note FROM $t WHERE id IN (3, 33, 53) ORDER BY id',
  'SELECT COUNT(*), MIN($offset), MAX($offset) FROM $t',
] as const;

let root: string;
let original: string;
let whole: Record<string, string>;
/** By name, the ids of their folders. */
const ids: Record<string, string> = {};

async function open<T>(folder: string, work: (cluster: Cluster) => Promise<T>): Promise<T> {
  const meta = await openSqliteMeta(folders(folder).meta);
  try {
    const cluster = await openCluster({ folder, meta, shardCount: 1, arenaBytes: 16 << 20 });
    try {
      return await work(cluster);
    } finally {
      await cluster.close();
    }
  } finally {
    await meta.close();
  }
}

const rowsOf = (first: number, count: number): string =>
  Array.from({ length: count }, (_, row) => first + row)
    .map(id =>
      JSON.stringify({
        ...{ id, ts: new Date(1_700_000_000_000 + id * 1000).toISOString(), amount: id / 4 },
        ...{ city: ['Rome', 'Oslo', null][id % 3], note: `${'n'.repeat(id % 7)}${id}` },
      }),
    )
    .join('\n');

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'weir-damage-'));
  original = join(root, 'original');
  await open(original, async cluster => {
    for (const table of tables)
      await cluster.query(
        `CREATE TABLE ${table} (ts TIMESTAMP, id LONG, city STRING, note STRING, amount DECIMAL(10, 2)) FROM LOG ` +
          "WITH (time_column = 'ts', index = 'city: inverted')",
      );
    for (const { name, id } of (await cluster.controller.call('catalog', null)).tables) {
      ids[name] = id;
      const push = (text: string, idempotencyKey: string) => {
        const body = new TextEncoder().encode(text);
        return cluster.ingest.call('push', { tableId: id, format: 'ndjson', body, strict: false, idempotencyKey });
      };
      for (const first of [0, 20]) {
        await push(rowsOf(first, 20), `k${first}`);
        await cluster.commit(name);
      }
      await push(`${rowsOf(40, 10)}\n{"id": "no number"}`, 'k40');
      await push(rowsOf(50, 5), 'k50');
    }
  });
  whole = (await answersOf(await copyOf())).answers;
});
afterAll(() => rm(root, { recursive: true, force: true }));

let copies = 0;
async function copyOf(): Promise<string> {
  const copy = join(root, `copy-${copies++}`);
  await cp(original, copy, { recursive: true });
  return copy;
}

interface Outcome {
  /** By query; a fault's code where it failed. */
  readonly answers: Record<string, string>;
  readonly faults: readonly FaultError['fault'][];
}

async function answersOf(folder: string): Promise<Outcome> {
  const answers: Record<string, string> = {};
  const faults: FaultError['fault'][] = [];
  await open(folder, async cluster => {
    for (const table of tables)
      for (const query of queries) {
        const sql = query.replace('$t', table);
        try {
          const { rows } = await cluster.query(sql);
          answers[sql] = JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? `${value}n` : value));
        } catch (error) {
          expect(error).toBeInstanceOf(FaultError);
          faults.push((error as FaultError).fault);
          answers[sql] = (error as FaultError).fault.code;
        }
      }
  });
  return { answers, faults };
}

const filesOf = async (folder: string): Promise<string[]> => {
  const names = await readdir(folder, { recursive: true });
  const files: string[] = [];
  for (const name of names.sort()) if ((await stat(join(folder, name))).isFile()) files.push(name);
  return files;
};

const check = (folder: string): Promise<CheckReport> => checkDataFolder(folder, { deep: false, onProgress: () => {} });

test('a whole folder has no problems, deep or not', async () => {
  const report = await checkDataFolder(original, { deep: true, onProgress: () => {} });
  expect(report).toMatchObject({ problems: [], tables: 2, segments: 4, rows: 80, logRows: 30, orphans: [] });
  const { out, exitCode } = await runWeir('http://nowhere', ['check', '--data', original]);
  expect(out).toContain('2 tables, 4 segments with 80 rows');
  expect(out).toContain('no damage');
  expect(exitCode).toBe(0);
});

/** Which files a folder of this kind has; each is damaged at so many places. */
const kinds: readonly (readonly [RegExp, number])[] = [
  [/columns\.arrow$/, 8],
  [/index-.*\.bin$/, 3],
  [/manifest-1\.json$/, 4],
  [/\.log$/, 8],
  [/keys\.checkpoint$/, 4],
  [/closed$/, 4],
  [/rejects\.ndjson$/, 4],
  [/weir\.sqlite$/, 25],
];

/** What one change to one file must lead to. */
async function mustBeFound(name: string, edit: (bytes: Buffer) => Buffer, where: string): Promise<void> {
  const copy = await copyOf();
  const path = join(copy, name);
  await writeFile(path, edit(await readFile(path)));
  const { problems, tornEnds } = await check(copy);
  let outcome: Outcome | null = null;
  try {
    outcome = await answersOf(copy);
  } catch (error) {
    // Only the metadata concerns all.
    expect([name, where, toFault(error).kind]).toEqual([expect.stringMatching(/sqlite$/), where, 'corrupt']);
  }
  const isMeta = name.endsWith('weir.sqlite');
  // A byte of the metadata that is in no page in use: all is as it was.
  if (isMeta && problems.length === 0) expect([where, outcome?.answers]).toEqual([where, whole]);
  else {
    // The last bytes of a log are its mark, of no row: damaged, they look as if they had been cut short.
    expect([name, where, problems.length + tornEnds.length > 0]).toEqual([name, where, true]);
    if (!isMeta) expect(problems.every(({ file }) => file.endsWith(name))).toBe(true);
  }
  for (const [sql, answer] of Object.entries(outcome?.answers ?? {})) {
    if (answer === whole[sql]) continue;
    expect([name, where, sql, answer]).toEqual([name, where, sql, expect.stringMatching(/^CORRUPT_(SEGMENT|LOG)$/)]);
    // The other table answers.
    expect(name).toContain(ids[tables.find(table => sql.includes(table))!]!);
  }
  // The file; or the folder of a log that lacks its end.
  const [named, folder] = [name.slice(name.lastIndexOf('/') + 1), name.slice(0, name.lastIndexOf('/'))];
  for (const { message } of outcome?.faults ?? [])
    expect([message, message.includes(named) || message.includes(`${folder} lacks`)]).toEqual([message, true]);
  await rm(copy, { recursive: true });
}

test.each(kinds)(
  '%s: flipped bytes',
  async (kind, places) => {
    const random = seededRandom(places);
    const files = (await filesOf(original)).filter(name => kind.test(name));
    expect(files.length).toBeGreaterThan(0);
    for (const name of files.slice(0, 3)) {
      const size = (await stat(join(original, name))).size;
      for (let place = 0; place < places; place++) {
        const at = place === 0 ? 0 : place === 1 ? size - 1 : Math.floor(random.next() * size);
        await mustBeFound(
          name,
          bytes => {
            bytes[at]! ^= 1 << (place % 8);
            return bytes;
          },
          `byte ${at} of ${size}`,
        );
      }
    }
  },
  120_000,
);

test.each(kinds)(
  '%s: cut short',
  async kind => {
    const files = (await filesOf(original)).filter(name => kind.test(name));
    // Of nothing at all a database is made anew: the controller sees what lies beside it.
    for (const name of files.slice(0, 2))
      for (const part of [0, 0.4, 0.97])
        if (!(part === 0 && name.endsWith('rejects.ndjson')))
          await mustBeFound(name, bytes => bytes.subarray(0, Math.floor(part * bytes.length)), `cut at ${part}`);
  },
  60_000,
);

test('a file that is gone is found', async () => {
  for (const name of (await filesOf(original)).filter(each => !/lock|rejects|keys|closed/.test(each))) {
    const copy = await copyOf();
    await rm(join(copy, name));
    const { problems } = await check(copy);
    expect([name, problems.length > 0]).toEqual([name, true]);
  }
});

test('weir check names each place, what follows and what to do; as JSON too; exit code 1', async () => {
  const copy = await copyOf();
  const name = (await filesOf(copy)).find(each => each.endsWith('columns.arrow'))!;
  const bytes = await readFile(join(copy, name));
  const manifest = JSON.parse(await readFile(join(copy, name.replace('columns.arrow', 'manifest-1.json')), 'utf8'));
  const offset = manifest.columns.find((each: { name: string }) => each.name === 'id').blocks[0].at(-3);
  bytes[offset]! ^= 1;
  await writeFile(join(copy, name), bytes);
  const { out, exitCode } = await runWeir('http://nowhere', ['check', '--data', copy]);
  expect(exitCode).toBe(1);
  const [line, , last] = out.trimEnd().split('\n');
  for (const part of [
    name,
    'column id, block 0',
    'fail their checksum',
    'that need its 20 rows fail',
    'DELETE /v1/tables/',
  ])
    expect(line).toContain(part);
  expect(last).toBe('1 problem');
  const json = await runWeir('http://nowhere', ['check', '--data', copy, '--json']);
  expect(JSON.parse(json.out)).toMatchObject({ problems: [{ place: 'column id, block 0' }], segments: 4 });
  expect(await runWeir('http://nowhere', ['check', '--data', join(root, 'nothing')])).toMatchObject({ exitCode: 1 });
});
