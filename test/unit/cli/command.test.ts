import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fault } from '../../../src/base/fault.ts';
import { systemClock } from '../../../src/base/system.ts';
import { defineTable } from '../../../src/catalog/validate.ts';
import { DOUBLE, LONG, STRING } from '../../../src/column/type.ts';
import type { LoadStatus } from '../../../src/wire/load-calls.ts';
import { runningLoad, startServer } from '../http/roles.ts';
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

  const finished: LoadStatus = {
    ...runningLoad,
    ...{ table: 'events', state: 'finished', rowsLoaded: 2, rowsRejected: 0, rejects: [], finishedAtMs: 2_000 },
  };

  beforeEach(() => {
    door.tables.length = 0;
    Object.assign(door.state, { started: runningLoad, load: finished });
    door.state.loads.length = 0;
    door.state.uploads.length = 0;
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
FROM LOG WITH (time_column = 'ts')`;
  const idOf = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');

  test('creates the table, shows the statement, sends the file, follows the load, sums up', async () => {
    await createBy(statement, 'events', async () => {
      const { out, err, exitCode } = await weir(['load', save('a.ndjson', text), '--table', 'events']);
      expect(err).toBe('note: a guess\n');
      expect(out).toMatch(/^CREATE TABLE "events" [^;]+;\n2 rows loaded into events in .* rows\/s\), 0 rejected\n$/);
      expect(out).toContain(statement);
      expect(exitCode).toBe(0);
      expect(door.state.uploads).toMatchObject([{ uploadId: idOf(text), offset: 0, totalBytes: text.length }]);
      expect(Buffer.from(door.state.uploads[0]!.bytes).toString()).toBe(text);
      expect(door.state.loads).toEqual([
        {
          ...{ table: 'events', files: [{ upload: idOf(text), name: join(folder, 'a.ndjson') }], options: {} },
          ...{ rejectsMax: null, replace: null, key: null, create: false },
        },
      ]);
    });
  });

  test('a dry run prints the statement and asks no server', async () => {
    const path = save('a.ndjson', text);
    const dry = ['load', path, '--table', 'events', '--dry-run', '--url', 'http://[::1]:1'];
    const { out, err, exitCode } = await weir(dry);
    expect([out, err, exitCode]).toEqual([`${statement};\n`, '', 0]);
    const other = await weir([...dry, '--time-column', 'user']);
    expect(other.err).toContain('user is no time of the files');
    expect(other.err).toContain('their times are ts');
  });

  test('what is known better is told to the server', async () => {
    addTable('t');
    const path = save('a.txt', 'x|1\ny|2\n');
    const flags = ['--format', 'csv', '--delimiter', '|', '--no-header', '--nested', 'flatten', '--max-rejects', '5'];
    await weir(['load', path, '--table', 't', ...flags, '--key', 'k', '--replace', '2024-01-01/2024-01-02']);
    expect(door.state.loads).toMatchObject([
      {
        options: { format: 'csv', delimiter: '|', header: false, nested: 'flatten' },
        ...{ rejectsMax: 5, key: 'k', replace: { fromMs: 1_704_067_200_000, toMs: 1_704_153_600_000 } },
      },
    ]);
    await weir(['load', path, '--table', 't', '--strict', '--again']);
    expect(door.state.loads[1]).toMatchObject({ rejectsMax: 0, key: expect.stringMatching(/^again-/) });
    expect((await weir(['load', path, '--table', 't', '--replace', '2024'])).err).toContain('FROM/TO');
  });

  test('several files, by patterns too, and standard input; what the server has is not sent again', async () => {
    addTable('t');
    save('p1.csv', 'a\n1\n');
    save('p2.csv', 'a\n2\n');
    await weir(['load', join(folder, 'p*.csv'), '-', '--table', 't'], { stdin: 'a\n3\n' });
    const names = [join(folder, 'p1.csv'), join(folder, 'p2.csv'), 'standard input'];
    expect(door.state.loads[0]!.files.map(file => 'name' in file && file.name)).toEqual(names);
    const sent = door.state.uploads.map(({ bytes }) => new TextDecoder().decode(bytes));
    expect(sent).toEqual(['a\n1\n', 'a\n2\n', 'a\n3\n']);
    await weir(['load', join(folder, 'p1.csv'), '--table', 't']);
    expect(door.state.uploads).toHaveLength(3);
    expect(door.state.loads).toHaveLength(2);
  });

  test('a large file is sent in parts', async () => {
    addTable('t');
    const large = `${JSON.stringify({ a: 'x'.repeat(900) })}\n`.repeat(12_000);
    await weir(['load', save('large.ndjson', large), '--table', 't']);
    expect(door.state.uploads.map(({ offset }) => offset)).toEqual([0, 4 << 20, 8 << 20]);
    expect(Buffer.concat(door.state.uploads.map(({ bytes }) => bytes)).toString()).toBe(large);
  });

  test('bad rows are named; what was loaded before is told apart', async () => {
    addTable('t');
    const rejects = [{ file: 'b.ndjson', line: 1_234, column: 'a', reason: 'not a LONG: "x"' }];
    door.state.load = { ...finished, rowsRejected: 3, rejects };
    const bad = await weir(['load', save('b.ndjson', text), '--table', 't']);
    expect(bad.out).toMatch(/^2 rows loaded into events .*, 3 rejected\n$/);
    expect(bad.err).toContain('line 1,234, a: not a LONG: "x"\nand 2 more rejected rows\n');
    expect(bad.exitCode).toBe(0);
    door.state.started = finished;
    const again = await weir(['load', save('b.ndjson', text), '--table', 't']);
    expect(again.out).toMatch(/^0 rows loaded into events\n2 rows had been loaded before \(--again/);
  });

  test.each([
    ['failed', '3 rows are rejected, and 0 may be', 'nothing became visible; without --strict'],
    ['interrupted', 'the disk is full', 'the same command goes on where it stopped'],
    ['cancelled', null, 'nothing became visible'],
  ] as const)('one that is %s ends with 1, and says what to do', async (state, error, hint) => {
    addTable('t');
    door.state.load = { ...finished, state, error };
    const { out, err, exitCode } = await weir(['load', save('b.ndjson', text), '--table', 't', '--strict']);
    expect([out, exitCode]).toEqual(['', 1]);
    expect(err).toContain(`error: the load is ${state}${error ? `: ${error}` : ''}\nhint: ${hint}`);
  });

  test('as JSON', async () => {
    addTable('t');
    const { out } = await weir(['load', save('b.ndjson', text), '--table', 't', '--json']);
    expect(JSON.parse(out)).toMatchObject({ id: runningLoad.id, state: 'finished', rowsLoaded: 2 });
    expect(out).not.toContain('location');
  });

  test('Ctrl-C says how to go on', async () => {
    addTable('t');
    door.state.load = runningLoad;
    const abort = new AbortController();
    const clock = {
      ...systemClock,
      async sleep() {
        abort.abort();
        abort.signal.throwIfAborted();
      },
    };
    const replaced = { untilInterrupted: () => abort.signal, clock };
    const { err, exitCode } = await weir(['load', save('b.ndjson', text), '--table', 't'], { replaced });
    expect(exitCode).toBe(130);
    expect(err).toContain('the same command goes on where this ended');
  });

  test('without the table, and not to create it', async () => {
    const { err, exitCode } = await weir(['load', save('b.ndjson', text), '--table', 'nowhere', '--no-create']);
    expect([err, exitCode]).toEqual([expect.stringContaining('UNKNOWN_TABLE'), 1]);
  });

  test('files that are none say what they are', async () => {
    const errorOf = async (path: string) => (await weir(['load', path, '--table', 't'])).err;
    expect(await errorOf(join(folder, 'none'))).toContain('there is no such file');
    expect(await errorOf(join(folder, 'none*'))).toContain('no file is called');
    expect(await errorOf(folder)).toContain('is no file');
    expect(await errorOf(save('empty', ''))).toContain('INVALID_ROWS');
    expect(await errorOf(save('cut.gz', gzipSync(text).subarray(0, 40)))).toContain('INVALID_ROWS');
  });

  test('on a terminal there is a bar', async () => {
    addTable('t');
    const { err } = await weir(['load', save('a.ndjson', text), '--table', 't'], { tty: true });
    expect(err).toContain('rows/s');
  });
});
