/** Batch loads over HTTP and by the command, against the real process: kills, replaced ranges, files that mean ill. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createClient, type WeirClient } from '../../src/client/client.ts';
import type { LoadInfo, LoadOptions } from '../../src/client/types.ts';
import { eventually } from '../support/eventually.ts';
import { until } from '../support/http.ts';
import { ask, startWeir, type WeirProcess } from '../support/weir-process.ts';

const main = fileURLToPath(new URL('../../dist/src/boot/main.js', import.meta.url));
const vega = fileURLToPath(new URL('../../node_modules/vega-datasets/data', import.meta.url));

let root: string;
let inFolder: string;
let weir: WeirProcess;
let client: WeirClient;

const start = async (): Promise<void> => {
  const folders = ['--load-from', inFolder, '--load-from', vega];
  weir = await startWeir({ args: ['--data', join(root, 'data'), '--no-demo', '--shards', '2', ...folders] });
  client = createClient(weir.url);
};
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'weir-loads-'));
  inFolder = join(root, 'in');
  await mkdir(inFolder);
  await start();
}, 60_000);
afterAll(async () => {
  await weir?.stop();
  await rm(root, { recursive: true, force: true });
});
beforeEach(async () => {
  for (const { name } of await client.tables()) await client.dropTable(name);
});

/** The exit code and what it printed, whether it failed or not. */
async function command(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [main, ...args, '--url', weir.url]);
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout, err: stderr };
  }
}

const ended = (id: string): Promise<LoadInfo> =>
  eventually(async () => {
    const load = await client.load(id);
    expect(load.state).not.toBe('running');
    return load;
  }, 30_000);
const load = async (options: LoadOptions): Promise<LoadInfo> => ended((await client.startLoad(options)).load.id);
const save = async (name: string, content: string | Uint8Array): Promise<string> => {
  await writeFile(join(inFolder, name), content);
  return join(inFolder, name);
};
const rowsOf = (from: number, to: number, day = 1): object[] =>
  Array.from({ length: to - from }, (_, index) => ({
    ts: new Date(Date.UTC(2024, 0, day) + ((from + index) % 86_400) * 1_000).toISOString(),
    x: from + index,
    name: `name ${(from + index) % 100}`,
  }));
const ndjson = (rows: readonly object[]): string => rows.map(row => `${JSON.stringify(row)}\n`).join('');
const errorOf = async (options: LoadOptions): Promise<string> => {
  try {
    const { error, state } = await load(options);
    return `${state}: ${error}`;
  } catch (error) {
    return `${(error as { code: string }).code}: ${(error as Error).message}`;
  }
};

describe('kill -9 in the middle of a load', () => {
  test('the same load goes on where it stopped, and adds nothing twice; what is not whole is not seen', async () => {
    await client.query(
      "CREATE TABLE flights (date TIMESTAMP, delay LONG, distance LONG, origin STRING, destination STRING) FROM LOG WITH (time_column = 'date', segment_rows = 150000)",
    );
    const options = { table: 'flights', files: [{ path: join(vega, 'flights-3m.parquet') }] };
    const { load: first } = await client.startLoad(options);
    let loaded = 0;
    for (let kill = 0; kill < 2; kill++) {
      const before = loaded;
      await until(
        () => client.load(first.id),
        now => now.rowsLoaded > before || now.state === 'finished',
      );
      await weir.kill();
      await start();
      const found = await client.load(first.id);
      expect(found.state).toBe('interrupted');
      expect(found.rowsLoaded).toBeGreaterThan(before);
      loaded = found.rowsLoaded;
      expect(await ask(weir.url, 'SELECT COUNT(*) FROM flights')).toEqual([[0]]);
      expect((await client.startLoad(options)).load.id).toBe(first.id);
    }
    expect(await ended(first.id)).toMatchObject({ state: 'finished', rowsLoaded: 3_000_000 });
    const totals = [[3_000_000, 20_003_603]];
    expect(await ask(weir.url, 'SELECT COUNT(*), SUM(delay) FROM flights')).toEqual(totals);
    expect((await client.startLoad(options)).load).toMatchObject({ id: first.id, state: 'finished' });
    await weir.kill();
    await start();
    expect(await ask(weir.url, 'SELECT COUNT(*), SUM(delay) FROM flights')).toEqual(totals);
  }, 120_000);

  test('the command goes on too', async () => {
    const path = await save('kill.ndjson', ndjson(rowsOf(0, 300_000)));
    await client.query('CREATE TABLE killed (ts TIMESTAMP, x LONG, name STRING) FROM LOG WITH (segment_rows = 20000)');
    const gone = new AbortController();
    const args = [main, 'load', path, '--table', 'killed', '--url', weir.url];
    const run = promisify(execFile)(process.execPath, args, { signal: gone.signal }).catch(() => {});
    await until(
      () => client.loads(),
      loads => loads.some(({ table, rowsLoaded }) => table === 'killed' && rowsLoaded > 0),
    );
    await weir.kill();
    gone.abort();
    await run;
    await start();
    const again = await command('load', path, '--table', 'killed');
    expect([again.code, again.out]).toEqual([0, expect.stringContaining('300,000 rows loaded into killed')]);
    const counts = await ask(weir.url, 'SELECT COUNT(*), COUNT(DISTINCT x), SUM(x) FROM killed');
    expect(counts).toEqual([[300_000, 300_000, (300_000 * 299_999) / 2]]);
    const third = await command('load', path, '--table', 'killed');
    expect(third.out).toMatch(/^0 rows loaded into killed\n300,000 rows had been loaded before/);
    // Uploads go with their loads.
    expect((await client.loads()).filter(({ table }) => table === 'killed')).toHaveLength(1);
  }, 120_000);
});

describe('a range that is replaced while rows are pushed', () => {
  test('rows from before are hidden at once, late ones are not; every query sees all of it or nothing', async () => {
    await client.query(
      "CREATE TABLE days (ts TIMESTAMP, x LONG, name STRING) FROM LOG WITH (time_column = 'ts', segment_rows = 3000)",
    );
    const path = await save('day.ndjson', ndjson(rowsOf(1_000_000, 1_010_000)));
    // Of the day that is replaced, and of the next one.
    await client.push('days', ndjson(rowsOf(0, 5_000)), 'ndjson');
    await client.push('days', ndjson(rowsOf(5_000, 7_000, 2)), 'ndjson');
    const stop = new AbortController();
    let late = 0;
    const replace = { from: '2024-01-01', to: '2024-01-02' };
    const { load: started } = await client.startLoad({ table: 'days', files: [{ path }], replace });
    const pushing = (async () => {
      while (!stop.signal.aborted) {
        await client.push('days', ndjson(rowsOf(2_000_000 + late, 2_000_050 + late)), 'ndjson');
        late += 50;
      }
    })();
    const groups =
      'SELECT COUNT(*) FILTER (WHERE x < 5000), COUNT(*) FILTER (WHERE x >= 1000000 AND x < 2000000), COUNT(*) FILTER (WHERE x >= 5000 AND x < 7000) FROM days';
    const seen = new Set<string>();
    for (let isOver = false; !isOver; ) {
      isOver = (await client.load(started.id)).state !== 'running';
      seen.add(JSON.stringify((await ask(weir.url, groups))[0]));
    }
    await client.commit('days');
    stop.abort();
    await pushing;
    expect([...seen].every(row => row === '[5000,0,2000]' || row === '[0,10000,2000]')).toBe(true);
    expect(seen).toContain('[0,10000,2000]');
    expect(late).toBeGreaterThan(0);
    const whole = async () => {
      expect(await ask(weir.url, groups)).toEqual([[0, 10_000, 2_000]]);
      expect(await ask(weir.url, 'SELECT COUNT(*) FROM days WHERE x >= 2000000')).toEqual([[late]]);
      expect(await ask(weir.url, 'SELECT COUNT(*) FROM days')).toEqual([[12_000 + late]]);
    };
    await whole();
    await client.commit('days');
    await whole();
    await weir.kill();
    await start();
    await whole();
    // The day once more, now with half of the rows: the loaded ones are hidden as well.
    const half = await save('half.ndjson', ndjson(rowsOf(1_000_000, 1_005_000)));
    expect(await load({ table: 'days', files: [{ path: half }], replace })).toMatchObject({ state: 'finished' });
    expect(await ask(weir.url, groups)).toEqual([[0, 5_000, 2_000]]);
    expect(await ask(weir.url, 'SELECT COUNT(*) FROM days WHERE x >= 2000000')).toEqual([[0]]);
  }, 60_000);

  test('by the command', async () => {
    const path = await save('first.csv', 'ts,x\n2024-01-01T10:00:00Z,1\n2024-01-02T10:00:00Z,2\n');
    expect((await command('load', path, '--table', 'c')).code).toBe(0);
    const other = await save('second.csv', 'ts,x\n2024-01-01T11:00:00Z,3\n');
    const run = await command('load', other, '--table', 'c', '--replace', '2024-01-01/2024-01-02');
    expect(run.out).toContain('1 row loaded into c');
    expect(await ask(weir.url, 'SELECT x FROM c ORDER BY x')).toEqual([[2], [3]]);
  });
});

describe('over HTTP', () => {
  test('propose, create, poll, patterns, several files, rows of loads', async () => {
    await save('p-1.csv', 'ts,country,n\n2024-01-01T00:00:00Z,DE,1\n2024-01-01T00:00:01Z,US,2\n');
    await save('p-2.csv', 'ts,country,n\n2024-01-01T00:00:02Z,DE,x\n2024-01-01T00:00:03Z,FR,4\n');
    const files = [{ path: `${inFolder}/p-*.csv` }];
    const proposal = await client.proposeLoad({ table: 'p', files: [files[0]!], format: 'csv' });
    expect(proposal.statement).toContain('CREATE TABLE p (');
    expect(await client.tables()).toEqual([]);
    await expect(client.startLoad({ table: 'p', files })).rejects.toMatchObject({ code: 'UNKNOWN_TABLE' });
    await client.query('CREATE TABLE p (ts TIMESTAMP, country STRING, n LONG) FROM LOG');
    const { load: started } = await client.startLoad({ table: 'p', files });
    const finished = await ended(started.id);
    expect(finished).toMatchObject({
      ...{ state: 'finished', table: 'p', rowsLoaded: 3, rowsRejected: 1, bytesRead: finished.bytesTotal },
      rejects: [{ file: join(inFolder, 'p-2.csv'), line: 2, column: 'n' }],
    });
    expect(JSON.stringify(finished)).not.toContain('fingerprint');
    expect(await ask(weir.url, 'SELECT country, n, "$partition", "$offset" FROM p ORDER BY n')).toEqual([
      ['DE', 1, null, 0],
      ['US', 2, null, 1],
      ['FR', 4, null, 2],
    ]);
    expect(
      await ask(weir.url, 'SELECT COUNT(*) FROM p WHERE "$partition" IS NULL AND "$segment" LIKE \'%-L-0-%\''),
    ).toEqual([[3]]);
    expect(await ask(weir.url, 'SELECT partition, rows FROM system.segments')).toEqual([[null, 3]]);
    expect(
      await ask(weir.url, "SELECT kind, state, unit FROM system.tasks WHERE kind = 'load' AND \"table\" = 'p'"),
    ).toEqual([['load', 'finished', 'bytes']]);
    expect(await client.table('p')).toMatchObject({ rows: 3, segments: 1, consumingRows: 0 });
    // A push after a load goes on in its own partition.
    await client.push('p', '{"n": 9}', 'ndjson');
    await client.commit('p');
    expect(await ask(weir.url, 'SELECT COUNT(*) FROM p')).toEqual([[4]]);
  });

  test('one reject too many: nothing becomes visible', async () => {
    const path = await save('bad.ndjson', '{"x": 1}\n{"x": "no"}\n');
    await client.query('CREATE TABLE strict (x LONG) FROM LOG');
    expect(await errorOf({ table: 'strict', files: [{ path }], rejectsMax: 0 })).toBe(
      'failed: 1 rows are rejected, and 0 may be',
    );
    expect(await ask(weir.url, 'SELECT COUNT(*) FROM strict')).toEqual([[0]]);
    expect((await client.loads()).at(-1)).toMatchObject({ rowsRejected: 1, rejects: [{ line: 2, column: 'x' }] });
    const strict = await command('load', path, '--table', 'strict', '--strict');
    expect([strict.code, strict.err]).toEqual([1, expect.stringContaining('the load is failed')]);
    expect((await command('load', path, '--table', 'strict')).out).toContain('1 row loaded into strict');
  });

  test('a load is cancelled', async () => {
    await client.query('CREATE TABLE cancelled (date TIMESTAMP, delay LONG) FROM LOG WITH (segment_rows = 50000)');
    const { load: started } = await client.startLoad({
      ...{ table: 'cancelled', files: [{ path: join(vega, 'flights-3m.parquet') }] },
    });
    await until(
      () => client.load(started.id),
      ({ rowsLoaded }) => rowsLoaded > 0,
    );
    expect(await client.cancelLoad(started.id)).toMatchObject({ state: 'cancelled' });
    expect(await ask(weir.url, 'SELECT COUNT(*) FROM cancelled')).toEqual([[0]]);
    await expect(client.load('none')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('an upload', async () => {
    const content = new TextEncoder().encode('x\n1\n2\n');
    const id = createHash('sha256').update(content).digest('hex');
    expect(await client.uploadState(id)).toEqual({ receivedBytes: 0, isWhole: false });
    await client.putUpload(id, 0, content.length, content.subarray(0, 3));
    await expect(
      client.startLoad({ table: 'u', files: [{ upload: id, name: 'u.csv' }], create: true }),
    ).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await client.putUpload(id, 3, content.length, content.subarray(3))).toMatchObject({ isWhole: true });
    expect(await readFile(join(root, 'data', 'uploads', id))).toEqual(Buffer.from(content));
    const loaded = await load({ table: 'u', files: [{ upload: id, name: '../../u.csv' }], create: true });
    expect(loaded).toMatchObject({ state: 'finished', rowsLoaded: 2 });
    expect(await ask(weir.url, 'SELECT SUM(x) FROM u')).toEqual([[3]]);
    await expect(client.putUpload('../x', 0, 1, new Uint8Array(1))).rejects.toMatchObject({ code: expect.any(String) });
    expect(await readdir(join(root, 'data'))).not.toContain('x');
  });
});

describe('files that mean ill, or are not what they say', () => {
  const into = (path: string): LoadOptions => ({ table: 'ill', files: [{ path }], create: true });

  test('paths', async () => {
    await symlink('/etc/passwd', join(inFolder, 'passwd.csv'));
    expect(await errorOf(into(join(inFolder, 'passwd.csv')))).toMatch(/^FORBIDDEN: .*not in a folder/);
    expect(await errorOf(into('/etc/passwd'))).toMatch(/^FORBIDDEN/);
    expect(await errorOf(into(`${inFolder}/../data/meta/weir.sqlite`))).toMatch(/^INVALID_REQUEST/);
    expect(await errorOf(into(join(inFolder, 'none.csv')))).toMatch(/^NOT_FOUND/);
    expect(await errorOf(into(inFolder))).toMatch(/^INVALID_REQUEST: .*is no file/);
    expect(await client.tables()).toEqual([]);
  });

  test('a server that was told of no folder reads none', async () => {
    const bare = await startWeir({ args: ['--data', join(root, 'bare'), '--no-demo', '--shards', '1'] });
    try {
      const started = createClient(bare.url).startLoad(into(join(vega, 'airports.csv')));
      await expect(started).rejects.toMatchObject({ code: 'FORBIDDEN', hint: expect.stringContaining('--load-from') });
    } finally {
      await bare.stop();
    }
  });

  test('truncated files, other files', async () => {
    const gzip = gzipSync(ndjson(rowsOf(0, 200_000)));
    const cut = await save('cut.ndjson.gz', gzip.subarray(0, gzip.length - 1_000));
    expect(await errorOf(into(cut))).toMatch(/^failed: .*gzip/);
    expect(await ask(weir.url, 'SELECT COUNT(*) FROM ill')).toEqual([[0]]);
    const parquet = await save('cut.parquet', await readFile(join(vega, 'flights-3m.parquet')));
    await truncate(parquet, 1_000_000);
    expect(await errorOf(into(parquet))).toMatch(/^INVALID_ROWS/);
    expect(await errorOf(into(await save('image.csv', await readFile(join(vega, '7zip.png')))))).toMatch(
      /^(INVALID_ROWS|UNSUPPORTED)/,
    );
    expect(await errorOf(into(await save('empty.csv', '')))).toMatch(/^INVALID_ROWS/);
    await client.query('CREATE TABLE other (completely STRING, different LONG NOT NULL) FROM LOG');
    const options = { ...into(join(vega, 'airports.csv')), table: 'other' };
    expect(await errorOf(options)).toMatch(/^INVALID_ROWS: no field of the files is a column of table other/);
    const needs = { ...into(await save('half.csv', 'completely\nx\n')), table: 'other' };
    expect(await errorOf(needs)).toMatch(/^INVALID_ROWS: table other needs different/);
    expect(await ask(weir.url, 'SELECT 1')).toEqual([[1]]);
  });

  test('a file that changes while it is loaded', async () => {
    const path = await save('changing.ndjson', ndjson(rowsOf(0, 300_000)));
    await client.query('CREATE TABLE ill (ts TIMESTAMP, x LONG, name STRING) FROM LOG WITH (segment_rows = 20000)');
    const { load: started } = await client.startLoad({ table: 'ill', files: [{ path }] });
    await until(
      () => client.load(started.id),
      ({ rowsLoaded }) => rowsLoaded > 0,
    );
    await writeFile(path, ndjson([{ x: 1 }]), { flag: 'a' });
    expect(await ended(started.id)).toMatchObject({ state: 'failed', error: expect.stringContaining('has changed') });
    expect(await ask(weir.url, 'SELECT COUNT(*) FROM ill')).toEqual([[0]]);
  });
});
