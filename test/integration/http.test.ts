/** Every route of the native API on a real process, by its bytes: what goes in and comes out, digit for digit. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { holdQuery, until } from '../support/http.ts';
import { startWeir, type WeirProcess } from '../support/weir-process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

let folder: string;
let weir: WeirProcess;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-http-'));
  weir = await startWeir({ args: ['--data', join(folder, 'data'), '--no-demo', '--shards', '2', '--memory', '512MB'] });
});
afterAll(async () => {
  await weir?.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Got {
  readonly status: number;
  readonly type: string | null;
  readonly text: string;
  /** Of small numbers only: `text` has every digit. */
  // biome-ignore lint/suspicious/noExplicitAny: answers of many shapes, each compared as a whole
  readonly json: any;
}

async function send(
  method: string,
  path: string,
  { body, ...headers }: Record<string, string> & { body?: string | Uint8Array<ArrayBuffer> } = {},
): Promise<Got> {
  const response = await fetch(weir.url + path, { method, headers, body: body ?? null, redirect: 'manual' });
  const text = await response.text();
  const type = response.headers.get('content-type');
  return { status: response.status, type, text, json: type?.startsWith('application/json') ? JSON.parse(text) : null };
}

const sql = (statement: string, accept = 'application/json', parameters = '[]'): Promise<Got> =>
  send('POST', '/v1/sql', {
    'content-type': 'application/json',
    accept,
    body: `{"sql": ${JSON.stringify(statement)}, "parameters": ${parameters}}`,
  });

type Body = string | Uint8Array<ArrayBuffer>;
const push = (
  table: string,
  type: string,
  body: Body,
  headers: Record<string, string> = {},
  query = '',
): Promise<Got> =>
  send('POST', `/v1/tables/${table}/rows${query}`, { 'content-type': type, ...headers, body } as never);

const ndjson = 'application/x-ndjson';
/** One more than a double can count to, and the ends of 64 bits. */
const exact = '9007199254740993';
const longs = [exact, '-9223372036854775808', '9223372036854775807'];

describe('a 64-bit integer keeps its digits', () => {
  beforeAll(async () => {
    expect((await sql('CREATE TABLE longs (source STRING, n LONG) FROM LOG')).status).toBe(200);
  });

  const objects = (source: string): string[] => longs.map(n => `{"source": "${source}", "n": ${n}}`);
  const bodies: Record<string, [type: string, body: Body, headers?: Record<string, string>]> = {
    NDJSON: [ndjson, objects('NDJSON').join('\n')],
    'a JSON array': ['application/json', `[${objects('a JSON array').join(',')}]`],
    CSV: ['text/csv', `source,n\r\n${longs.map(n => `CSV,${n}`).join('\r\n')}\r\n`],
    gzip: [ndjson, new Uint8Array(gzipSync(objects('gzip').join('\n'))), { 'content-encoding': 'gzip' }],
  };
  test.each(Object.keys(bodies))('pushed as %s', async source => {
    expect((await push('longs', ...bodies[source]!)).json).toEqual({
      accepted: 3,
      rejected: 0,
      rejects: [],
      duplicate: false,
    });
    const select = `SELECT n FROM longs WHERE source = '${source}' ORDER BY n`;
    const sorted = [longs[1], longs[0], longs[2]];
    expect((await sql(select)).text).toContain(`"rows":[\n${sorted.map(n => `[${n}]`).join(',\n')}]`);
    const lines = (await sql(select, ndjson)).text.split('\n');
    expect(lines.slice(1, 4)).toEqual(sorted.map(n => `[${n}]`));
    expect((await sql(select, 'text/csv')).text).toBe(`n\r\n${sorted.join('\r\n')}\r\n`);
  });

  test('inserted and compared as literals', async () => {
    const inserted = await sql(`INSERT INTO longs VALUES ${longs.map(n => `('INSERT', ${n})`).join(', ')}`);
    expect(inserted.json.rows).toEqual([[3]]);
    const found = await sql(`SELECT source FROM longs WHERE n = ${exact} ORDER BY source`);
    expect(found.json.rows.flat()).toEqual(['CSV', 'INSERT', 'NDJSON', 'a JSON array', 'gzip']);
    expect((await sql(`SELECT COUNT(*) FROM longs WHERE n = ${exact} - 1`)).json.rows).toEqual([[0]]);
    expect((await sql(`SELECT ${exact} AS a, ${exact} + 1 AS b`)).text).toContain(`[${exact},9007199254740994]`);
  });

  test('as a parameter', async () => {
    const found = await sql('SELECT DISTINCT n FROM longs WHERE n = ?', ndjson, `[${exact}]`);
    expect(found.text.split('\n')[1]).toBe(`[${exact}]`);
    expect((await sql('SELECT CAST($1 AS LONG) AS n', 'text/csv', `[${exact}]`)).text).toBe(`n\r\n${exact}\r\n`);
  });

  test('in aggregates, and after its segment is sealed', async () => {
    const largest = (): Promise<Got> =>
      sql(`SELECT MAX(n) AS a, MIN(n) AS b, SUM(n) FILTER (WHERE n = ${exact}) AS c FROM longs WHERE source = 'CSV'`);
    const before = await largest();
    expect(before.text).toContain(`[${longs[2]},${longs[1]},${exact}]`);
    expect((await send('POST', '/v1/tables/longs/commit')).json).toEqual({ segments: 1 });
    expect((await largest()).text).toContain(`[${longs[2]},${longs[1]},${exact}]`);
  });

  test('as the default of a column', async () => {
    const created = await send('POST', '/v1/tables', {
      'content-type': 'application/json',
      body: `{"name": "defaults", "columns": [{"name": "n", "type": "LONG", "default": ${exact}}, {"name": "s", "type": "STRING"}]}`,
    });
    expect([created.status, created.text]).toEqual([201, expect.stringContaining(`"default":${exact}`)]);
    await push('defaults', ndjson, '{"s": "x"}');
    expect((await sql('SELECT n FROM defaults', 'text/csv')).text).toBe(`n\r\n${exact}\r\n`);
  });
});

test('an answer has the forms that Accept asks for, with nulls, quotes and texts as they are', async () => {
  const select = `SELECT 'a,"b"' AS s, '' AS empty, CAST(NULL AS STRING) AS nothing, CAST(1.50 AS DECIMAL(10,2)) AS d,
    TIMESTAMP '2024-05-01 10:00:00.25' AS t, CAST('NaN' AS DOUBLE) AS f, 'é😀' AS u, TRUE AS b`;
  const json = await sql(select);
  expect(json.type).toBe('application/json; charset=utf-8');
  expect(json.json.columns.map(({ type }: { type: string }) => type)).toEqual(
    'STRING STRING STRING DECIMAL(10,2) TIMESTAMP DOUBLE STRING BOOLEAN'.split(' '),
  );
  const row = ['a,"b"', '', null, '1.50', '2024-05-01T10:00:00.250Z', 'NaN', 'é😀', true];
  expect(json.json).toMatchObject({ rows: [row], complete: true, freshness: {}, stats: { rowsReturned: 1 } });

  const lines = await sql(select, ndjson);
  const [header, first, trailer, ...rest] = lines.text.split('\n').map(line => (line === '' ? null : JSON.parse(line)));
  expect([header.columns, first, rest]).toEqual([json.json.columns, row, [null]]);
  expect(trailer).toMatchObject({ complete: true, stats: { rowsReturned: 1 }, queryId: header.queryId });

  const csv = await sql(select, 'text/csv');
  expect(csv.type).toMatch(/^text\/csv/);
  expect(csv.text).toBe('s,empty,nothing,d,t,f,u,b\r\n"a,""b""","",,1.50,2024-05-01T10:00:00.250Z,NaN,é😀,true\r\n');
  expect((await sql('SELECT 1', 'image/png')).json.error).toMatchObject({ code: 'INVALID_REQUEST' });
});

test('statements that are no queries answer with rows too, and count them', async () => {
  const created = await sql('CREATE TABLE noted (n LONG) FROM LOG');
  expect(created.json).toMatchObject({ rows: [['created table noted']], stats: { rowsReturned: 1 } });
  expect((await sql('SHOW TABLES', 'text/csv')).text).toMatch(/^table\r\n[\s\S]*noted\r\n/);
  const described = await sql('DESCRIBE noted');
  expect(described.json).toMatchObject({ rows: [['n', 'LONG', true]], stats: { rowsReturned: 1 } });
  expect((await sql('DROP TABLE noted')).json.rows).toEqual([['dropped table noted']]);
});

test('good rows stand, bad ones are named; strict refuses all; a key adds once', async () => {
  await sql('CREATE TABLE pushed (n LONG, s STRING NOT NULL) FROM LOG');
  const mixed = '{"n": 1, "s": "a"}\n{"n": "x", "s": "b"}\n\nnonsense\n{"n": 2}\n{"n": 3, "s": "c"}\n';
  const answer = await push('pushed', ndjson, mixed);
  expect(answer.json).toMatchObject({ accepted: 2, rejected: 3 });
  expect(answer.json.rejects).toEqual([
    { line: 2, column: 'n', reason: '"x" is not a LONG' },
    { line: 4, column: null, reason: expect.any(String) },
    { line: 5, column: 's', reason: expect.stringContaining('NOT NULL') },
  ]);
  const strict = await push('pushed', ndjson, mixed, {}, '?strict=true');
  expect([strict.status, strict.json.error.code]).toEqual([400, 'INVALID_ROWS']);
  expect(strict.json.error.message).toContain('3 of 5 rows');
  expect((await push('pushed', ndjson, mixed, {}, '?strict=perhaps')).json.error.code).toBe('INVALID_PARAMETER');

  const key = { 'idempotency-key': 'once' };
  expect((await push('pushed', 'text/csv', 'n,s\n7,k\n', key)).json).toMatchObject({ accepted: 1, duplicate: false });
  expect((await push('pushed', 'text/csv', 'n,s\n7,k\n', key)).json).toMatchObject({ accepted: 1, duplicate: true });
  expect((await sql('SELECT COUNT(*), SUM(n) FROM pushed')).json.rows).toEqual([[3, 11]]);

  expect((await push('pushed', 'text/plain', 'n\n1')).json.error.code).toBe('INVALID_REQUEST');
  const unknown = await push('pushd', ndjson, '{}');
  expect([unknown.status, unknown.json.error]).toMatchObject([
    404,
    { code: 'UNKNOWN_TABLE', hint: 'did you mean pushed?' },
  ]);
});

test('a table over HTTP: created, listed, sealed, its segments and partitions shown, dropped', async () => {
  const definition = {
    name: 'visits',
    columns: [
      { name: 'ts', type: 'TIMESTAMP', nullable: false },
      { name: 'page', type: 'STRING' },
    ],
    timeColumn: 'ts',
    indexes: [{ column: 'page', kind: 'inverted' }],
    settings: { segmentRows: 100_000 },
  };
  const asJson = { 'content-type': 'application/json', body: JSON.stringify(definition) };
  expect((await send('POST', '/v1/tables', asJson)).status).toBe(201);
  expect((await send('POST', '/v1/tables', asJson)).json.error.code).toBe('TABLE_EXISTS');
  await push('visits', ndjson, '{"ts": "2024-05-01T10:00:00Z", "page": "/"}\n{"ts": "2024-05-01T10:00:01Z"}');

  const shown = {
    name: 'visits',
    timeColumn: 'ts',
    indexes: definition.indexes,
    rows: 2,
    consumingRows: 2,
    segments: 0,
  };
  expect((await send('GET', '/v1/tables/visits')).json).toMatchObject(shown);
  const { tables } = (await send('GET', '/v1/tables')).json;
  expect(tables.find(({ name }: { name: string }) => name === 'visits')).toMatchObject(shown);
  const partition = async (): Promise<unknown> =>
    (await send('GET', '/v1/ingestion')).json.partitions.find(({ table }: { table: string }) => table === 'visits');
  expect(await partition()).toMatchObject({ partition: 0, committedEnd: 0, rowsIngested: 2, lastFault: null });

  expect((await send('POST', '/v1/tables/visits/commit')).json).toEqual({ segments: 1 });
  expect((await send('POST', '/v1/tables/visits/commit')).json).toEqual({ segments: 0 });
  const { segments } = (await send('GET', '/v1/tables/visits/segments')).json;
  expect(segments).toMatchObject([
    { partition: 0, startOffset: 0, endOffset: 2, rows: 2, minTimeMs: 1_714_557_600_000, maxTimeMs: 1_714_557_601_000 },
  ]);
  expect((await send('GET', '/v1/tables/visits')).json).toMatchObject({ rows: 2, consumingRows: 0, segments: 1 });
  expect(await partition()).toMatchObject({ committedEnd: 2 });

  expect((await send('DELETE', '/v1/tables/visits')).json).toEqual({ table: 'visits', dropped: true });
  for (const [method, path] of [
    ['DELETE', ''],
    ['GET', ''],
    ['GET', '/segments'],
    ['POST', '/commit'],
  ] as const)
    expect((await send(method, `/v1/tables/visits${path}`)).json.error.code).toBe('UNKNOWN_TABLE');
});

test('a query that runs is listed, ends by its id, and stays listed for a while', async () => {
  await sql('CREATE TABLE wide (s STRING) FROM LOG');
  const line = `{"s": "${'x'.repeat(1000)}"}\n`;
  expect((await push('wide', ndjson, line.repeat(20_000))).json.accepted).toBe(20_000);
  const held = await holdQuery(weir.url, 'SELECT s FROM wide');
  const listed = async (): Promise<{ state: string; sql: string }> =>
    (await send('GET', '/v1/queries')).json.queries.find(
      ({ queryId }: { queryId: string }) => queryId === held.queryId,
    );
  expect(await listed()).toMatchObject({ state: 'running', sql: 'SELECT s FROM wide', error: null });
  expect((await send('DELETE', `/v1/queries/${held.queryId}`)).json).toEqual({
    queryId: held.queryId,
    cancelled: true,
  });
  expect((await held.text()).trimEnd().split('\n').at(-1)).toContain('"code":"CANCELLED"');
  expect((await until(listed, ({ state }) => state !== 'running')).state).toBe('cancelled');
  const again = await send('DELETE', `/v1/queries/${held.queryId}`);
  expect([again.status, again.json.error.code]).toEqual([404, 'UNKNOWN_QUERY']);
});

test('a segment whose blocks are dealt to several shards counts once', async () => {
  await sql('CREATE TABLE dealt (n LONG) FROM LOG');
  const numbers = Array.from({ length: 50_000 }, (_, n) => n).join('\n');
  for (let batch = 0; batch < 4; batch++) await push('dealt', 'text/csv', `n\n${numbers}\n`);
  expect((await send('POST', '/v1/tables/dealt/commit')).json).toEqual({ segments: 1 });
  // The consuming segment is the second: empty, so nothing of it is scanned.
  const { json } = await sql('SELECT COUNT(*), MAX(n) FROM dealt WHERE n >= 0');
  expect(json.rows).toEqual([[200_000, 49_999]]);
  expect(json.stats).toMatchObject({ rowsScanned: 200_000, blocksScanned: 4, segmentsScanned: 1 });
  expect(json.stats.segmentsScanned + json.stats.segmentsPruned).toBe(json.stats.segmentsExpected);
  const none = (await sql('SELECT COUNT(*) FROM dealt WHERE n < 0')).json;
  expect([none.rows, none.stats.segmentsScanned, none.stats.blocksScanned]).toEqual([[[0]], 0, 0]);
});

describe('documentation', () => {
  test('has every route of the door, and no other', async () => {
    const { json: document } = await send('GET', '/openapi.json');
    const documented = Object.entries(document.paths as Record<string, Record<string, unknown>>).flatMap(
      ([path, methods]) => Object.keys(methods).map(method => `${method} ${path}`),
    );
    const sources = (await readdir(join(root, 'src/http'))).filter(name =>
      /(sql|table|ingestion|load|task|cluster|operate)-routes\.ts$/.test(name),
    );
    const texts = await Promise.all(sources.map(name => readFile(join(root, 'src/http', name), 'utf8')));
    const routes = texts.flatMap(text =>
      [...text.matchAll(/app\.(get|post|put|patch|delete)(?:<[^(]*>)?\(\s*'([^']+)'/g)].map(
        ([, method, path]) => `${method} ${path!.replace(/:(\w+)/g, '{$1}')}`,
      ),
    );
    expect(routes.length).toBeGreaterThan(10);
    expect(documented.sort()).toEqual(routes.sort());
  });

  test('its references lead somewhere', async () => {
    const { text, json: document } = await send('GET', '/openapi.json');
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g))
      expect(Object.keys(document.components.schemas)).toContain(name);
  });

  test('the page shows a command that works as pasted', async () => {
    const { text, type } = await send('GET', '/docs');
    expect(type).toMatch(/^text\/html/);
    const command = /<pre>(curl [^<]*)<\/pre>/.exec(text)![1]!.replaceAll('&quot;', '"').replace('payments', 'longs');
    const { stdout } = await promisify(execFile)('bash', ['-c', command]);
    expect(JSON.parse(stdout)).toMatchObject({ complete: true });
  });
});

test('the root leads to the page; addresses inside it are the page; elsewhere nothing is', async () => {
  for (const path of ['/', '/ui']) {
    const response = await fetch(weir.url + path, { redirect: 'manual' });
    expect([response.status, response.headers.get('location')]).toEqual([302, '/ui/']);
  }
  const page = await send('GET', '/ui/', { accept: 'text/html' });
  expect(page.text).toContain('<div id="root">');
  expect((await send('GET', '/ui/tables/longs', { accept: 'text/html' })).text).toBe(page.text);
  const missing = await send('GET', '/v2/nothing');
  expect([missing.status, missing.json.error.code, missing.text.endsWith('\n')]).toEqual([404, 'NOT_FOUND', true]);
});

test('health and metrics', async () => {
  expect((await send('GET', '/health/live')).json).toEqual({ status: 'live' });
  expect((await send('GET', '/health/ready')).json).toMatchObject({
    status: 'ready',
    checks: { queries: { ok: true } },
  });
  const { text, type } = await send('GET', '/metrics');
  expect(type).toMatch(/^text\/plain/);
  expect(text).toMatch(/^weir_table_rows\{table="longs"\} \d+$/m);
});

test('another site cannot ask', async () => {
  const body = { 'content-type': 'application/json', body: '{"sql": "SELECT 1"}' };
  const refused = await send('POST', '/v1/sql', { ...body, origin: 'http://elsewhere.example' });
  expect([refused.status, refused.json.error.code]).toEqual([403, 'FORBIDDEN']);
  const asForm = await send('POST', '/v1/sql', { ...body, 'content-type': 'text/plain' });
  expect(asForm.json.error.code).toBe('INVALID_REQUEST');
});

describe('the command line', () => {
  const weirCommand = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
    new Promise(resolve => {
      execFile(
        process.execPath,
        [join(root, 'dist/src/boot/main.js'), ...args],
        { env: { ...process.env, WEIR_URL: weir.url } },
        (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
      );
    });

  test('sql in each format', async () => {
    const statement = `SELECT ${exact} AS n, 'a,b' AS s, CAST(NULL AS LONG) AS z`;
    const printed = async (format: string): Promise<string> =>
      (await weirCommand('sql', statement, '--format', format)).stdout;
    expect(await printed('table')).toMatch(
      new RegExp(`^ +n +\\| s +\\| +z\\n-+\\+-+\\+-+\\n ${exact} \\| a,b \\| NULL\\n$`),
    );
    expect(await printed('csv')).toBe(`n,s,z\r\n${exact},"a,b",\r\n`);
    expect(await printed('ndjson')).toBe(`{"n":${exact},"s":"a,b","z":null}\n`);
    expect(await printed('json')).toContain(`"rows":[\n[${exact},"a,b",null]],"complete":true`);
  });

  test('a mistake is shown where it is, and ends with 1', async () => {
    const { code, stdout, stderr } = await weirCommand('sql', 'SELECT source,\n  m\nFROM lngs', '--url', weir.url);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toBe(
      'error: unknown table lngs (UNKNOWN_TABLE)\n  3 | FROM lngs\n    |      ^\nhint: did you mean longs?\n',
    );
    const nobody = await weirCommand('sql', 'SELECT 1', '--url', 'http://127.0.0.1:9');
    expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringContaining('CONNECTION_FAILED')]);
  });

  test('load of a compressed file: schema inferred, rejects named, nothing twice', async () => {
    const path = join(folder, 'edits.ndjson.gz');
    await writeFile(path, gzipSync('{"time": "2024-05-01T00:00:00Z", "added": 31}\nnonsense\n'));
    const first = await weirCommand('load', path, '--table', 'edits');
    expect(first.stdout).toMatch(
      /^CREATE TABLE "edits" \([\s\S]*"added" LONG[\s\S]*1 row loaded into edits .*, 1 rejected\n$/,
    );
    expect([first.code, first.stderr]).toEqual([0, expect.stringContaining('line 2: ')]);
    const second = await weirCommand('load', path, '--table', 'edits');
    expect(second.stdout).toMatch(/^0 rows loaded into edits\n1 row had been loaded before/);
    await writeFile(path, gzipSync(`{"time": "2024-05-01T00:00:07Z", "added": ${exact}}\n`));
    await weirCommand('load', path, '--table', 'edits');
    const { stdout } = await weirCommand('sql', 'SELECT added FROM edits ORDER BY 1', '--format', 'csv');
    expect(stdout).toBe(`added\r\n31\r\n${exact}\r\n`);
    const missing = await weirCommand('load', join(folder, 'none'), '--table', 'edits');
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('there is no such file')]);
  });
});
