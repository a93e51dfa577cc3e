/** What goes wrong around a real process: every error says what, where and how much; nothing that was acknowledged is lost. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { holdQuery, postCommit, postRows, postSql, until } from '../support/http.ts';
import { ask, startWeir, type WeirProcess } from '../support/weir-process.ts';

const main = fileURLToPath(new URL('../../dist/src/boot/main.js', import.meta.url));
const small = ['--no-demo', '--shards', '2', '--memory', '512MB'];

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'weir-faults-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const start = (folder: string, ...args: string[]): Promise<WeirProcess> =>
  startWeir({ args: ['--data', join(root, folder), ...small, ...args] });

/** A start that must fail: what it said, and its exit code. */
async function failToStart(...args: string[]): Promise<{ code: number; said: string }> {
  const child = spawn(process.execPath, [main, 'start', ...small, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  const [code] = (await once(child, 'close')) as [number];
  return { code, said };
}

const rowsOf = (first: number, count: number): { id: number; ts: string; name: string }[] =>
  Array.from({ length: count }, (_, row) => ({
    id: first + row,
    ts: new Date(1_700_000_000_000 + first + row).toISOString(),
    name: `name ${(first + row) % 7}`,
  }));

const createEvents = (table: string, settings = ''): string =>
  `CREATE TABLE ${table} (id LONG, ts TIMESTAMP, name STRING) FROM LOG WITH (time_column = 'ts'${settings})`;

/** Files anywhere below a folder. */
async function filesBelow(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return names.map(name => join(folder, name)).sort();
}

async function change(path: string, edit: (bytes: Buffer) => Buffer): Promise<void> {
  await writeFile(path, edit(await readFile(path)));
}

describe('a start that cannot be', () => {
  test('port in use: named, exit code 1, and the data folder is free again', async () => {
    const first = await start('port-1');
    try {
      const { port } = new URL(first.url);
      const { code, said } = await failToStart('--data', join(root, 'port-2'), '--http', `127.0.0.1:${port}`);
      expect(code).toBe(1);
      expect(said).toContain(`port ${port} of 127.0.0.1 is in use (PORT_IN_USE)`);
      expect(said).toContain('choose another with --http HOST:PORT');
      expect(said).not.toMatch(/\n\s+at /);
    } finally {
      expect(await first.stop()).toBe(0);
    }
    const second = await start('port-2');
    expect(await second.stop()).toBe(0);
  });

  test('data folder in use: the other process is named, and goes on', async () => {
    const first = await start('used');
    try {
      const { code, said } = await failToStart('--data', join(root, 'used'), '--http', '127.0.0.1:0');
      expect(code).toBe(1);
      expect(said).toContain(`is in use by process ${first.child.pid} (DATA_FOLDER_IN_USE)`);
      expect(said).toContain('another --data folder');
      expect(await ask(first.url, 'SELECT 1')).toEqual([[1]]);
    } finally {
      expect(await first.stop()).toBe(0);
    }
  });

  test('a data folder that is none', async () => {
    await writeFile(join(root, 'file'), 'not a folder');
    for (const folder of [join(root, 'file'), join(root, 'file/below')]) {
      const { code, said } = await failToStart('--data', folder, '--http', '127.0.0.1:0');
      expect(code).toBe(1);
      expect(said).toContain(folder);
      expect(said).toContain('--data');
      expect(said).not.toMatch(/\n\s+at /);
    }
  });

  test('damaged metadata', async () => {
    const folder = join(root, 'damaged-meta');
    await mkdir(join(folder, 'meta'), { recursive: true });
    await writeFile(join(folder, 'meta/weir.sqlite'), 'this is no database, and it is longer than a header'.repeat(40));
    const { code, said } = await failToStart('--data', folder, '--http', '127.0.0.1:0');
    expect(code).toBe(1);
    expect(said).toContain('weir.sqlite');
    expect(said).toContain('CORRUPT_METADATA');
  });

  test('settings that make no sense', async () => {
    for (const [flags, what] of [
      [['--memory', '1MB'], 'at least 512MB'],
      [['--http', 'nowhere:x'], 'HOST:PORT'],
    ] as const) {
      const { code, said } = await failToStart('--data', join(root, 'settings'), ...flags);
      expect(code).toBe(1);
      expect(said).toContain(what);
    }
  });
});

describe('requests that are wrong', () => {
  let weir: WeirProcess;
  beforeAll(async () => {
    weir = await start('requests');
    await ask(weir.url, createEvents('events'));
    await postRows(weir.url, 'events', rowsOf(0, 10));
  });
  afterAll(async () => {
    // Whatever was asked, the process lived through it.
    expect(await ask(weir.url, 'SELECT COUNT(*) FROM events')).toEqual([[10]]);
    expect(await weir.stop()).toBe(0);
  });

  test.each([
    ['SELECT idd FROM events', 400, 'UNKNOWN_COLUMN', 'idd', 8, 'did you mean id?'],
    ['SELECT id FROM event', 404, 'UNKNOWN_TABLE', 'event', 16, 'did you mean events?'],
    ["SELECT id FROM events WHERE id = 'x'", 400, 'INVALID_LITERAL', '"x"', 34, undefined],
    ['SELECT ts + true FROM events', 400, 'TYPE_MISMATCH', 'TIMESTAMP', undefined, undefined],
    ['SELECT name, COUNT(*) FROM events', 400, 'NOT_GROUPED', 'name', 8, 'GROUP BY'],
    ['SELECT lenght(name) FROM events', 400, 'UNKNOWN_FUNCTION', 'lenght', 8, 'did you mean length?'],
    ['SELECT id FORM events', 400, 'SYNTAX_ERROR', undefined, undefined, undefined],
    ['SELECT 1/0', 400, 'DIVISION_BY_ZERO', undefined, undefined, undefined],
    ['SELECT 9223372036854775807 + 1', 400, 'NUMERIC_OVERFLOW', undefined, undefined, undefined],
    ['SELECT ?', 400, 'INVALID_PARAMETER', undefined, undefined, undefined],
    ['CREATE TABLE events (id LONG) FROM LOG', 409, 'TABLE_EXISTS', 'events', undefined, 'IF NOT EXISTS'],
    ["INSERT INTO events (id) VALUES ('many')", 400, undefined, 'many', undefined, undefined],
  ] as const)('%s', async (sql, status, code, named, column, hint) => {
    const answer = await postSql(weir.url, sql);
    expect(answer).toMatchObject({ status, body: { error: { ...(code ? { code } : {}) } } });
    const error = answer.body.error!;
    if (named) expect(error.message).toContain(named);
    if (column) expect(error.position).toMatchObject({ line: 1, column });
    if (hint) expect(error.hint).toContain(hint);
  });

  test('a body too large: 413, with the limit', async () => {
    const limit = 20 << 20;
    const answer = await postRows(weir.url, 'events', new Uint8Array(limit + 1));
    expect(answer).toMatchObject({ status: 413, body: { error: { code: 'BODY_TOO_LARGE' } } });
    expect(answer.body.error!.message).toContain(String(limit));
    expect(answer.body.error!.hint).toContain('several requests');
    const statement = await postSql(weir.url, `SELECT '${'x'.repeat(4 << 20)}'`);
    expect(statement).toMatchObject({ status: 413, body: { error: { code: 'BODY_TOO_LARGE' } } });
    expect(statement.body.error!.message).toContain(String(4 << 20));
  });

  test('broken JSON: each bad line by number, the good ones stand unless strict', async () => {
    const text = '{"id": 100}\n{"id": 101\n{"id": "no number"}\n[]\n';
    const strict = await postRows(weir.url, 'events', text, { strict: true });
    expect(strict).toMatchObject({ status: 400, body: { error: { code: 'INVALID_ROWS' } } });
    expect(strict.body.error!.message).toContain('3 of 4 rows');
    expect(await ask(weir.url, 'SELECT COUNT(*) FROM events WHERE id = 100')).toEqual([[0]]);
    const bad = await postRows(weir.url, 'events', '{"id": 101\n{"id": "no number"}\n[]\n');
    expect(bad).toMatchObject({
      status: 200,
      body: { accepted: 0, rejected: 3, rejects: [{ line: 1 }, { line: 2, column: 'id' }, { line: 3 }] },
    });
    const response = await fetch(`${weir.url}/v1/sql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"sql": "SELECT 1"',
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 'INVALID_REQUEST' } });
  });

  test('rows for a table that is not there', async () => {
    const answer = await postRows(weir.url, 'event', rowsOf(0, 1));
    expect(answer).toMatchObject({
      status: 404,
      body: { error: { code: 'UNKNOWN_TABLE', hint: expect.stringContaining('events') } },
    });
  });
});

describe('limits of a query', () => {
  let weir: WeirProcess;
  const rowCount = 400_000;
  beforeAll(async () => {
    weir = await start('limits');
    await ask(weir.url, 'CREATE TABLE wide (id LONG, name STRING) FROM LOG');
    const lines = Array.from({ length: rowCount }, (_, row) => `${row},a name that nobody else has ${row}`);
    const csv = ['id,name', ...lines].join('\n');
    expect(await postRows(weir.url, 'wide', csv, { format: 'text/csv' })).toMatchObject({
      body: { accepted: rowCount },
    });
  });
  afterAll(async () => {
    expect(await ask(weir.url, 'SELECT COUNT(*), COUNT(DISTINCT id % 10) FROM wide')).toEqual([[rowCount, 10]]);
    expect(await weir.stop()).toBe(0);
  });

  const stateOf = async (queryId: string): Promise<unknown> =>
    (await ask(weir.url, 'SELECT state FROM system.queries WHERE query_id = ?', [queryId]))[0]?.[0];

  test('deadline: TIMEOUT with its number', async () => {
    const sql = "SELECT name, COUNT(*) FROM wide WHERE upper(name) LIKE '%9%7%' GROUP BY name ORDER BY 2, 1";
    const answer = await postSql(weir.url, sql, { timeoutMs: 1 });
    expect(answer).toMatchObject({
      status: 504,
      body: { error: { code: 'TIMEOUT', message: expect.stringContaining('1 ms'), details: { timeoutMs: 1 } } },
    });
    expect(await ask(weir.url, 'SELECT state FROM system.queries WHERE sql = ?', [sql])).toEqual([['failed']]);
  });

  test('memory budget: refused with its numbers, and other queries go on', async () => {
    const [answer, other] = await Promise.all([
      postSql(weir.url, 'SELECT name, COUNT(*) FROM wide GROUP BY name ORDER BY 2, 1 LIMIT 1'),
      postSql(weir.url, 'SELECT COUNT(*) FROM wide WHERE id < 1000'),
    ]);
    expect(answer).toMatchObject({ status: 503, body: { error: { code: 'MEMORY_BUDGET' } } });
    const { message, details, hint } = answer.body.error!;
    // By its own share, by what all queries have together, or by what the process has: each says how much that is.
    const numbers = Object.values(details!).filter(value => typeof value === 'number');
    expect(numbers.length).toBeGreaterThanOrEqual(2);
    for (const number of numbers) expect(message).toContain(String(number));
    expect(hint).toContain('--memory');
    expect(other.body.rows).toEqual([[1000]]);
  });

  test('DELETE /v1/queries/{id} ends it: the reader is told, system.queries says so', async () => {
    const held = await holdQuery(weir.url, 'SELECT * FROM wide');
    expect(await stateOf(held.queryId)).toBe('running');
    const response = await fetch(`${weir.url}/v1/queries/${held.queryId}`, { method: 'DELETE' });
    expect(await response.json()).toEqual({ queryId: held.queryId, cancelled: true });
    const last = (await held.text()).trimEnd().split('\n').at(-1)!;
    expect(JSON.parse(last)).toMatchObject({ error: { code: 'CANCELLED' } });
    expect(
      await until(
        () => stateOf(held.queryId),
        state => state !== 'running',
      ),
    ).toBe('cancelled');
    const again = await fetch(`${weir.url}/v1/queries/${held.queryId}`, { method: 'DELETE' });
    expect(again.status).toBe(404);
    expect(await again.json()).toMatchObject({ error: { code: 'UNKNOWN_QUERY' } });
  });

  test('closing the connection ends it', async () => {
    const held = await holdQuery(weir.url, 'SELECT * FROM wide');
    expect(await stateOf(held.queryId)).toBe('running');
    held.abandon();
    expect(
      await until(
        () => stateOf(held.queryId),
        state => state !== 'running',
      ),
    ).toBe('cancelled');
  });
});

describe('damaged files', () => {
  test('a flipped byte of a column: CORRUPT_SEGMENT names segment and column; all else is answered', async () => {
    let weir = await start('flip');
    await ask(weir.url, createEvents('events'));
    await ask(weir.url, createEvents('others'));
    for (const table of ['events', 'others']) {
      await postRows(weir.url, table, rowsOf(0, 1000));
      expect((await postCommit(weir.url, table)).status).toBe(200);
    }
    const [[segment]] = (await ask(weir.url, `SELECT segment FROM system.segments WHERE "table" = 'events'`)) as [
      [string],
    ];
    expect(await weir.stop()).toBe(0);

    const folder = (await filesBelow(join(root, 'flip/store'))).find(path => path.endsWith(segment))!;
    const manifest = JSON.parse(await readFile(join(folder, 'manifest-1.json'), 'utf8'));
    const column = manifest.columns.find((each: { name: string }) => each.name === 'id');
    // [null count, least, greatest, then offset, size and checksum of each buffer]
    const [, , , offset] = column.blocks[0];
    await change(join(folder, 'columns.arrow'), bytes => {
      bytes[offset + 8 * 500]! ^= 0x10;
      return bytes;
    });

    weir = await start('flip', '--log-level', 'error');
    try {
      const { status, body } = await postSql(weir.url, 'SELECT SUM(id) FROM events');
      expect(status).toBe(500);
      expect(body.error).toMatchObject({ code: 'CORRUPT_SEGMENT', hint: expect.stringContaining('restore') });
      expect(body.error!.message).toContain(segment);
      expect(body.error!.message).toContain('column id');
      // From then on no query reads it, whatever its columns; what does not need it is answered.
      await until(
        () => ask(weir.url, "SELECT segment FROM system.segments WHERE state = 'quarantined'"),
        rows => rows.length === 1 && rows[0]![0] === segment,
      );
      expect((await postSql(weir.url, 'SELECT name, COUNT(*) FROM events GROUP BY 1')).body.error!.code).toBe(
        'CORRUPT_SEGMENT',
      );
      expect(await ask(weir.url, 'SELECT SUM(id) FROM others')).toEqual([[499_500]]);
      expect(await postRows(weir.url, 'events', rowsOf(1000, 10))).toMatchObject({ body: { accepted: 10 } });
      const metrics = await (await fetch(`${weir.url}/metrics`)).text();
      expect(metrics).toMatch(/^weir_corrupt_buffers\{shard="\d"\} [1-9]/m);
      expect(metrics).toContain('weir_segments_quarantined{table="events"} 1');
      const health = await until(
        async () => (await fetch(`${weir.url}/health/ready`)).json(),
        verdict => !(verdict as { checks: { storage: { ok: boolean } } }).checks.storage.ok,
      );
      expect(health).toMatchObject({
        status: 'degraded',
        checks: { storage: { causes: [expect.stringContaining(segment)] } },
      });
      expect(weir.log().split('a segment is damaged')).toHaveLength(2);
      const gone = await fetch(`${weir.url}/v1/tables/events/segments/${segment}`, { method: 'DELETE' });
      expect(await gone.json()).toEqual({ table: 'events', segment, rowsDropped: 1000 });
      expect(await ask(weir.url, 'SELECT COUNT(*) FROM events')).toEqual([[10]]);
    } finally {
      expect(await weir.stop()).toBe(0);
    }
  });

  test('a segment file that is gone is named', async () => {
    let weir = await start('gone');
    await ask(weir.url, createEvents('events'));
    await postRows(weir.url, 'events', rowsOf(0, 100));
    await postCommit(weir.url, 'events');
    expect(await weir.stop()).toBe(0);
    const path = (await filesBelow(join(root, 'gone/store'))).find(name => name.endsWith('columns.arrow'))!;
    await rm(path);
    weir = await start('gone');
    try {
      const { status, body } = await postSql(weir.url, 'SELECT SUM(id) FROM events');
      expect(status).toBe(500);
      expect(body.error).toMatchObject({ code: 'CORRUPT_SEGMENT', message: expect.stringContaining('columns.arrow') });
      expect((await postSql(weir.url, 'SELECT 1')).status).toBe(200);
    } finally {
      expect(await weir.stop()).toBe(0);
    }
  });

  test('a torn end of the log after kill -9: what was acknowledged stays', async () => {
    let weir = await start('torn');
    await ask(weir.url, createEvents('events'));
    for (let batch = 0; batch < 5; batch++)
      expect(await postRows(weir.url, 'events', rowsOf(batch * 10, 10), { key: `b${batch}` })).toMatchObject({
        body: { accepted: 10 },
      });
    await weir.kill();
    const path = (await filesBelow(join(root, 'torn/log'))).find(name => name.endsWith('.log'))!;
    // The beginning of a record that never was: a write that the power cut short.
    await change(path, bytes => Buffer.concat([bytes, bytes.subarray(bytes.length - 300, bytes.length - 20)]));
    weir = await start('torn', '--log-level', 'warn');
    try {
      expect(await ask(weir.url, 'SELECT COUNT(*), COUNT(DISTINCT id), MAX(id) FROM events')).toEqual([[50, 50, 49]]);
      expect(await postRows(weir.url, 'events', rowsOf(40, 10), { key: 'b4' })).toMatchObject({
        body: { duplicate: true, accepted: 10 },
      });
      expect(await postRows(weir.url, 'events', rowsOf(50, 10), { key: 'b5' })).toMatchObject({
        body: { duplicate: false, accepted: 10 },
      });
      expect(await ask(weir.url, 'SELECT COUNT(*) FROM events')).toEqual([[60]]);
    } finally {
      expect(await weir.stop()).toBe(0);
    }
  });

  test('damage in the middle of the log fails its table with the cause; other tables and health go on', async () => {
    let weir = await start('rotten');
    await ask(weir.url, createEvents('events'));
    await ask(weir.url, createEvents('others'));
    for (let batch = 0; batch < 5; batch++) await postRows(weir.url, 'events', rowsOf(batch * 10, 10));
    await postRows(weir.url, 'others', rowsOf(0, 10));
    const state = (await (await fetch(`${weir.url}/v1/tables/events`)).json()) as { id: string };
    expect(await weir.stop()).toBe(0);
    const path = (await filesBelow(join(root, 'rotten/log', state.id))).find(name => name.endsWith('.log'))!;
    await change(path, bytes => {
      bytes[bytes.length >> 1]! ^= 1;
      return bytes;
    });
    weir = await start('rotten', '--log-level', 'error');
    try {
      expect(await ask(weir.url, 'SELECT COUNT(*) FROM others')).toEqual([[10]]);
      const refused = await postRows(weir.url, 'events', rowsOf(50, 1));
      expect(refused.body.error).toMatchObject({ code: 'CORRUPT_LOG', message: expect.stringContaining(path) });
      const query = await postSql(weir.url, 'SELECT COUNT(*) FROM events');
      expect(query.body.error?.code, 'a count without the damaged rows is no answer').toBeDefined();
      const health = await fetch(`${weir.url}/health/ready`);
      expect(health.status).toBe(200);
      expect(await health.json()).toMatchObject({
        status: 'degraded',
        checks: { ingestion: { ok: false, causes: [expect.stringContaining(path)] } },
      });
      expect(await (await fetch(`${weir.url}/metrics`)).text()).toContain(
        'weir_ingestion_failed{table="events",partition="0"} 1',
      );
      const line = weir
        .log()
        .split('\n')
        .find(text => text.includes('does not take rows'))!;
      expect(JSON.parse(line)).toMatchObject({ table: 'events', partition: 0, cause: expect.stringContaining(path) });
    } finally {
      expect(await weir.stop()).toBe(0);
    }
  });
});

describe('a clean end', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s while pushes are under way: exit code 0, a restart has what was acknowledged',
    async signal => {
      const folder = `clean-${signal}`;
      let weir = await start(folder);
      await ask(weir.url, createEvents('events', ', segment_rows = 2000'));
      const acknowledged: number[] = [];
      let next = 0;
      const pushers = Array.from({ length: 4 }, async () => {
        for (;;) {
          const first = 50 * next++;
          const answer = await postRows(weir.url, 'events', rowsOf(first, 50), { key: `b${first}` }).catch(() => null);
          if (answer?.status !== 200) return answer;
          acknowledged.push(first);
        }
      });
      await until(
        async () => acknowledged.length,
        count => count > 100,
      );
      const exited = once(weir.child, 'exit');
      weir.child.kill(signal);
      expect(await exited).toEqual([0, null]);
      // Refused ones say why, where the connection was still there to say it.
      for (const answer of await Promise.all(pushers))
        if (answer !== null) expect(answer.body.error?.code).toBe('SHUTTING_DOWN');

      weir = await start(folder);
      const seen = await ask(weir.url, 'SELECT id - id % 50, COUNT(*), COUNT(DISTINCT id) FROM events GROUP BY 1');
      expect(seen.filter(([, count, distinct]) => count !== 50 || distinct !== 50)).toEqual([]);
      const present = new Set(seen.map(([first]) => first));
      expect(acknowledged.filter(first => !present.has(first))).toEqual([]);
      expect(
        await postRows(weir.url, 'events', rowsOf(acknowledged[0]!, 50), { key: `b${acknowledged[0]}` }),
      ).toMatchObject({
        body: { duplicate: true, accepted: 50 },
      });
      expect(await weir.stop()).toBe(0);
      expect(await readdir(join(root, folder, 'lock'))).toEqual([]);
    },
  );

  test('a key holds over publication, truncation and restart', async () => {
    let weir = await start('keys');
    await ask(weir.url, createEvents('events'));
    const push = () => postRows(weir.url, 'events', rowsOf(0, 100), { key: 'once' });
    expect(await push()).toMatchObject({ body: { accepted: 100, duplicate: false } });
    await postCommit(weir.url, 'events');
    await until(
      () => ask(weir.url, 'SELECT log_size_bytes FROM system.ingestion'),
      rows => Number(rows[0]![0]) < 100,
    );
    expect(await push()).toMatchObject({ body: { accepted: 100, duplicate: true } });
    for (const end of ['stop', 'kill'] as const) {
      await weir[end]();
      weir = await start('keys');
      expect(await push()).toMatchObject({ body: { accepted: 100, duplicate: true } });
      expect(await ask(weir.url, 'SELECT COUNT(*) FROM events')).toEqual([[100]]);
    }
    await weir.stop();
  });
});
