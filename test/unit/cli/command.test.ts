import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fault } from '../../../src/base/fault.ts';
import { defineTable } from '../../../src/catalog/validate.ts';
import { DOUBLE, LONG, STRING } from '../../../src/column/type.ts';
import { startServer } from '../http/roles.ts';
import { runWeir } from './run-weir.ts';

let door: Awaited<ReturnType<typeof startServer>>;
let folder: string;
beforeAll(async () => {
  door = await startServer();
  folder = mkdtempSync(join(tmpdir(), 'weir-cli-'));
});
afterAll(async () => {
  await door.server.close();
  rmSync(folder, { recursive: true });
});

const weir = (args: readonly string[], options?: Parameters<typeof runWeir>[2]) => runWeir(door.url, args, options);

describe('weir sql', () => {
  beforeAll(() => {
    door.answers.set('SELECT * FROM t', {
      columns: [
        { name: 'merchant', type: STRING },
        { name: 'n', type: LONG },
        { name: 'rate', type: DOUBLE },
      ],
      parts: [
        [
          ['Café', 9007199254740993n, 0.5],
          ['日本', 7n, Number.NaN],
        ],
        [
          ['\u001b[31mred\n', null, 1],
          [null, -1n, 2],
        ],
      ],
    });
  });

  test('an aligned table, numbers to the right, controls shown, statistics beside', async () => {
    const { out, err, exitCode } = await weir(['sql', 'SELECT * FROM t'], { tty: true });
    expect(out).toBe(
      [
        ' merchant      |                n | rate',
        '---------------+------------------+------',
        ' Café          | 9007199254740993 |  0.5',
        ' 日本          |                7 |  NaN',
        ' \\x1b[31mred\\n |             NULL |    1',
        ' NULL          |               -1 |    2',
        '',
      ].join('\n'),
    );
    expect(err).toMatch(
      /^2 rows in \d.* \(1\.0 ms on the server; 5 of 10 scanned rows matched; 1 segment scanned, 0 pruned\)\n$/,
    );
    expect(exitCode).toBe(0);
  });

  test('ndjson is an object a row, with all digits', async () => {
    const { out } = await weir(['sql', 'SELECT * FROM t', '--format', 'ndjson']);
    expect(out.split('\n').slice(0, 2)).toEqual([
      '{"merchant":"Café","n":9007199254740993,"rate":0.5}',
      '{"merchant":"日本","n":7,"rate":"NaN"}',
    ]);
  });

  test('csv and json are the bytes of the server', async () => {
    expect((await weir(['sql', 'SELECT * FROM t', '--format', 'csv'])).out).toContain('Café,9007199254740993,0.5\r\n');
    const { out } = await weir(['sql', '-', '--format', 'json'], { stdin: 'SELECT * FROM t' });
    expect(out).toContain('"n","type":"LONG"');
    expect(out).toContain('9007199254740993');
  });

  test('a long answer keeps its widths and comes whole', async () => {
    const rows = Array.from({ length: 3000 }, (_, index) => [`m${index}`, BigInt(index), 0]);
    const columns = [
      { name: 'merchant', type: STRING },
      { name: 'n', type: LONG },
      { name: 'rate', type: DOUBLE },
    ];
    door.answers.set('long', { columns, parts: [rows, rows] });
    const { out } = await weir(['sql', 'long']);
    expect(out.trimEnd().split('\n')).toHaveLength(6002);
  });

  test('an error has a caret under its place, and a hint', async () => {
    const { out, err, exitCode } = await weir(['sql', 'SELECT mercant FROM payments']);
    expect(out).toBe('');
    expect(err).toBe(
      [
        'error: unknown column mercant (UNKNOWN_COLUMN)',
        '  1 | SELECT mercant FROM payments',
        '    |        ^',
        'hint: did you mean merchant?',
        '',
      ].join('\n'),
    );
    expect(exitCode).toBe(1);
  });

  test('a failure midway is a failure in every format', async () => {
    const rows = Array.from({ length: 2000 }, () => ['x'.repeat(100), 1n, 1]);
    const columns = [
      { name: 'merchant', type: STRING },
      { name: 'n', type: LONG },
      { name: 'rate', type: DOUBLE },
    ];
    door.answers.set('midway', { columns, parts: [rows, fault('UNAVAILABLE', 'a server left')] });
    for (const format of ['table', 'ndjson', 'csv', 'json']) {
      const { err, exitCode } = await weir(['sql', 'midway', '--format', format]);
      expect([format, exitCode]).toEqual([format, 1]);
      expect(err).toContain('error: ');
    }
  });

  test('no server: says so', async () => {
    const { err, exitCode } = await weir(['sql', 'SELECT 1', '--url', 'http://127.0.0.1:1']);
    expect(err).toMatch(/error: no answer from http:\/\/127\.0\.0\.1:1: .*\nhint: is weir running there/);
    expect(exitCode).toBe(1);
  });

  test('wrong options are refused', async () => {
    await expect(weir(['sql', 'SELECT 1', '--format', 'xml'])).rejects.toThrow('table, json, ndjson, csv');
    await expect(weir(['sql', 'SELECT 1', '--timeout', 'soon'])).rejects.toThrow('whole number of milliseconds');
    await expect(weir(['sql', 'SELECT 1', '--url', 'localhost'])).rejects.toThrow('http://');
  });
});

describe('weir load', () => {
  const save = (name: string, content: string | Uint8Array): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const text = '{"ts":"2024-01-02T03:04:05Z","user":"a","n":1}\n{"ts":"2024-01-02T03:04:06Z","user":"b","n":2.5}\n';
  const columns = [{ name: 'a', type: STRING, nullable: true }];
  const addTable = (name: string): void => {
    const request = { name, columns, timeColumn: null, indexes: [], settings: {} };
    door.tables.push(defineTable(request, { id: '0000000000aa', createdAtMs: 0 }));
  };

  beforeEach(() => {
    door.tables.length = 0;
    door.pushes.length = 0;
    door.state.pushAnswer = { accepted: 2, rejected: 0, rejects: [], duplicate: false };
  });

  /** The statement that `load` runs creates the table, as a broker would. */
  const createBy = async (statement: string, name: string, run: () => Promise<unknown>): Promise<void> => {
    door.answers.set(statement, {
      columns: [],
      parts: [
        async () => {
          addTable(name);
        },
      ],
    });
    await run();
  };

  const statement = `CREATE TABLE "events" (
  "ts"   TIMESTAMP NOT NULL,
  "user" STRING,
  "n"    DOUBLE
)
FROM LOG
WITH (time_column = 'ts')`;

  test('creates the table, shows the statement, pushes, sums up', async () => {
    await createBy(statement, 'events', async () => {
      const { out, err, exitCode } = await weir(['load', save('a.ndjson', text), '--table', 'events']);
      expect(err).toBe('');
      expect(out).toMatch(/^CREATE TABLE "events" [^;]+;\n2 rows loaded into events in .* rows\/s\), 0 rejected\n$/);
      expect(out).toContain(statement);
      expect(exitCode).toBe(0);
      expect(new TextDecoder().decode(door.pushes[0]!.body)).toBe(text);
    });
  });

  test('gzip is known by its bytes; the same content has the same key', async () => {
    addTable('t');
    await weir(['load', save('plain.log', text), '--table', 't']);
    await weir(['load', save('packed.dat', gzipSync(text)), '--table', 't']);
    expect(new TextDecoder().decode(door.pushes[1]!.body)).toBe(text);
    expect(door.pushes[1]!.idempotencyKey).toBe(door.pushes[0]!.idempotencyKey);
    expect(door.pushes[0]!.idempotencyKey).toMatch(/^load-[0-9a-f]{32}-0$/);
  });

  test('a large file goes in chunks of whole lines, each with its key; rejects keep their line in the file', async () => {
    addTable('t');
    const line = `${JSON.stringify({ a: 'x'.repeat(900) })}\n`;
    const large = line.repeat(12_000);
    const rejects = [{ line: 3, column: 'a', reason: 'not a LONG: "x"' }];
    door.state.pushAnswer = { accepted: 9, rejected: 1, rejects, duplicate: false };
    const { out, err, exitCode } = await weir(['load', save('large.ndjson', large), '--table', 't']);
    expect(door.pushes).toHaveLength(3);
    const bodies = door.pushes.map(({ body }) => new TextDecoder().decode(body));
    expect(bodies.join('')).toBe(large);
    for (const body of bodies) expect(body.endsWith('\n')).toBe(true);
    expect(new Set(door.pushes.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(3);
    expect(out).toMatch(/^27 rows loaded into t .*, 3 rejected\n$/);
    const lineOfSecond = bodies[0]!.split('\n').length - 1 + 3;
    expect(err).toContain(`line ${lineOfSecond.toLocaleString('en-US')}, a: not a LONG: "x"\n`);
    expect(exitCode).toBe(0);
  });

  test('what was loaded before is told apart', async () => {
    addTable('t');
    door.state.pushAnswer = { accepted: 2, rejected: 1, rejects: [], duplicate: true };
    const { out } = await weir(['load', save('b.ndjson', text), '--table', 't']);
    expect(out).toMatch(/^0 rows loaded into t .*\n2 rows had been loaded before\n$/);
  });

  test('strict: a bad row ends it with 1', async () => {
    addTable('t');
    door.state.pushAnswer = fault('INVALID_ROWS', 'line 2: not a LONG');
    const { err, exitCode } = await weir(['load', save('b.ndjson', text), '--table', 't', '--strict']);
    expect(err).toContain('error: line 2: not a LONG (INVALID_ROWS)');
    expect(exitCode).toBe(1);
    expect(door.pushes[0]!.strict).toBe(true);
  });

  test('files that are none say what they are', async () => {
    addTable('t');
    const errorOf = async (path: string) => (await weir(['load', path, '--table', 't'])).err;
    expect(await errorOf(join(folder, 'none'))).toContain('there is no such file');
    expect(await errorOf(save('empty', ''))).toContain('the file is empty');
    expect(await errorOf(save('array.json', ' [{"a":1}]'))).toContain("jq -c '.[]'");
    expect(await errorOf(save('cut.gz', gzipSync(text).subarray(0, 40)))).toContain('no whole gzip');
  });

  test('on a terminal there is a bar', async () => {
    addTable('t');
    const { err } = await weir(['load', save('a.ndjson', text), '--table', 't'], { tty: true });
    expect(err).toContain('rows/s');
  });
});
