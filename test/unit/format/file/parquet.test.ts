import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { INT, JSON_TYPE, LONG, STRING } from '../../../../src/column/type.ts';
import { sniffFile } from '../../../../src/format/file/sniff.ts';
import { requires } from '../../../support/requires.ts';
import { target } from '../table.ts';
import { diskFile, load, readAll } from './files.ts';

let folder: string;
let duck: Awaited<ReturnType<DuckDBInstance['connect']>>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weir-parquet-'));
  duck = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const write = async (query: string, options = ''): Promise<string> => {
  const path = join(folder, 'duck.parquet');
  await duck.run(`COPY (${query}) TO '${path}' (FORMAT parquet${options})`);
  return path;
};

/** Ten thousand rows of what DuckDB has types for, some NULL, over several row groups. */
const everything = `
  SELECT i::INTEGER AS i, CASE WHEN i % 3 = 0 THEN NULL ELSE (i * 1000003)::BIGINT END AS l, (i % 100)::TINYINT AS t,
    (i % 60000)::USMALLINT AS us, (4294967295 - i)::UINTEGER AS ui, (18446744073709551615 - i::UBIGINT)::UBIGINT AS ul,
    (i / 7)::FLOAT AS f, CASE WHEN i % 5 = 0 THEN NULL ELSE i / 7 END AS d, i % 2 = 0 AS b,
    'text ' || (i % 50) AS few, CASE WHEN i % 7 = 0 THEN NULL ELSE md5(i::VARCHAR) END AS many,
    (i * 1.25)::DECIMAL(9, 2) AS d9, (i * 1.25)::DECIMAL(18, 4) AS d18, (i * -1.25)::DECIMAL(38, 10) AS d38,
    (DATE '1969-12-01' + i::INTEGER) AS day, (TIMESTAMP '1969-12-31 00:00:00.123456' + i * INTERVAL 37 MINUTE) AS us6,
    (TIMESTAMP_NS '1969-12-31 00:00:00.123456789' + i * INTERVAL 37 MINUTE)::TIMESTAMP_NS AS ns9,
    md5(i::VARCHAR)::UUID AS u, encode('b' || i) AS bytes, CASE WHEN i % 2 = 0 THEN NULL ELSE ['a', NULL, 'c' || i] END AS list,
    CASE WHEN i % 11 = 0 THEN NULL ELSE {'x': i, 'y': [{'z': i % 3}], 'n': NULL::VARCHAR} END AS struct,
    MAP {'k' || i: i} AS map, [] ::INTEGER[] AS empty
  FROM range(10000) r(i)`;

/** The same as JSON, one value a column, as Weir spells it. */
const checked = `
  SELECT i, l, us, ui, ul::VARCHAR, d, b, few, many, d9::VARCHAR, d18::VARCHAR, d38::VARCHAR, day::VARCHAR,
    floor(epoch_us(us6) / 1000)::BIGINT AS us6, u::VARCHAR, list::JSON::VARCHAR, struct::JSON::VARCHAR, map::JSON::VARCHAR
  FROM (${everything}) ORDER BY i`;

describe('what DuckDB writes', () => {
  test.each([
    ['uncompressed', ''],
    ['snappy', ''],
    ['gzip', ''],
    ['zstd', ''],
    ['lz4_raw', ''],
    ['brotli', ''],
    ['zstd', ", PARQUET_VERSION 'V2'"],
  ])('%s%s is read, every value', async (codec, version) => {
    const path = await write(everything, `, CODEC '${codec}', ROW_GROUP_SIZE 4096${version}`);
    const { columns, rows, rejects, batches } = await load(diskFile(path));
    expect(columns.map(column => column.replace('*', ''))).toEqual([
      ...['i INT', 'l LONG', 't INT', 'us INT', 'ui LONG', 'ul DECIMAL(20,0)', 'f FLOAT', 'd DOUBLE', 'b BOOLEAN'],
      ...['few STRING', 'many STRING', 'd9 DECIMAL(9,2)', 'd18 DECIMAL(18,4)', 'd38 DECIMAL(38,10)', 'day DATE'],
      ...[
        'us6 TIMESTAMP!',
        'ns9 TIMESTAMP',
        'u UUID',
        'bytes BYTES',
        'list JSON',
        'struct JSON',
        'map JSON',
        'empty JSON',
      ],
    ]);
    expect(rejects).toEqual([]);
    expect(batches.map(({ rowCount }) => rowCount)).toEqual([4096, 4096, 1808]);
    const expected = (await duck.runAndReadAll(checked)).getRowsJson();
    const at = (name: string): number => columns.findIndex(column => column.startsWith(`${name} `));
    const spelled = (value: unknown, scale: number): string => {
      const digits = String(value)
        .replace('-', '')
        .padStart(scale + 1, '0');
      return `${String(value).startsWith('-') ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
    };
    rows.forEach((row, index) => {
      const get = (name: string) => row[at(name)] as never;
      const text = (name: string) => (get(name) === null ? null : String(get(name)));
      const found = [
        ...[get('i'), text('l'), get('us'), Number(get('ui')), text('ul'), get('d'), get('b'), get('few'), get('many')],
        ...[spelled(get('d9'), 2), spelled(get('d18'), 4), spelled(get('d38'), 10)],
        ...[new Date(get('day') * 86_400_000).toISOString().slice(0, 10), text('us6'), get('u')],
        ...[get('list'), get('struct'), get('map')],
      ];
      if (JSON.stringify(found) !== JSON.stringify(expected[index])) expect(found).toEqual(expected[index]);
    });
    expect(rows[5]![at('ns9')]).toBe(rows[5]![at('us6')]);
    expect(Buffer.from(rows[7]![at('bytes')] as Uint8Array).toString()).toBe('b7');
    expect(rows[7]![at('f')]).toBe(1);
    expect(rows[7]![at('empty')]).toBe('[]');
  });

  test('structs are flattened, lists in them stay JSON', async () => {
    const path = await write(
      "SELECT {'x': i, 'y': {'z': [i]}} AS s, i AS s_x FROM range(3) r(i) UNION ALL SELECT NULL, 9",
    );
    const { columns, rows } = await load(diskFile(path), { nested: 'flatten' });
    expect(columns).toEqual(['s_x LONG', 's_y_z JSON', 's_x_2 LONG']);
    expect(rows).toEqual([
      [0n, '[0]', 0n],
      [1n, '[1]', 1n],
      [2n, '[2]', 2n],
      [null, null, 9n],
    ]);
  });

  test('only columns of the table are read; casts and NOT NULL reject rows by their number', async () => {
    const path = await write(
      "SELECT i, CASE WHEN i = 3 THEN NULL ELSE 10000000000 * (i % 2) END AS n, 'x' AS s FROM range(5) r(i)",
    );
    const shape = await sniffFile(diskFile(path));
    const found = await readAll(diskFile(path), shape, target({ N: INT, 'I!': STRING, z: JSON_TYPE }));
    expect(found.rows).toEqual([
      [0, '0', null],
      [0, '2', null],
      [null, '3', null],
      [0, '4', null],
    ]);
    expect(found.rejects).toEqual(['2 N: "10000000000" is outside the range of INT']);
    expect(found.batches[0]!.ignoredValues).toBe(5);
    expect(found.batches[0]!.rejects[0]!.text).toBe('{"i":1,"n":10000000000}');
    expect((await readAll(diskFile(path), shape, target({ 'n!': LONG }))).rejects).toEqual([
      '4 n: is NULL, but the column is NOT NULL',
    ]);
    await expect(readAll(diskFile(path), shape, target({ q: INT }))).rejects.toThrow(/no field of .* is a column/);
  });

  test('no rows at all: the schema is the table', async () => {
    const path = await write('SELECT 1 AS a, [1] AS l WHERE false');
    const { columns, rows } = await load(diskFile(path));
    expect([columns, rows]).toEqual([['a INT', 'l JSON'], []]);
  });
});

const script = `
import sys, json, decimal, datetime, pyarrow as pa, pyarrow.parquet as pq
folder = sys.argv[1]
n = 3000
none = lambda values, k: [None if i % k == 0 else v for i, v in enumerate(values)]
t = pa.table({
  'i': pa.array(none([i * i - 50 for i in range(n)], 4), pa.int32()),
  'l': pa.array(none([(-1) ** i * i ** 4 * 7919 for i in range(n)], 9), pa.int64()),
  'f': pa.array([i / 3 for i in range(n)], pa.float32()),
  'd': pa.array(none([i / 3 for i in range(n)], 5), pa.float64()),
  's': pa.array(none(['prefix/%05d/ü' % i for i in range(n)], 6), pa.string()),
  'b': pa.array(none([i % 3 == 0 for i in range(n)], 7), pa.bool_()),
  'fs': pa.array([b'%04d' % i for i in range(n)], pa.binary(4)),
  'tm': pa.array([i * 1000003 % 86400000000 for i in range(n)], pa.time64('us')),
  'ts': pa.array([i * 1000003 - 5 for i in range(n)], pa.timestamp('ms')),
  'hf': pa.array([i / 2 for i in range(n)], pa.float16()),
  'll': pa.array([[[i], [], None, [None, i + 1]] if i % 2 else (None if i % 4 else []) for i in range(n)], pa.list_(pa.list_(pa.int64()))),
  'ls': pa.array([[{'a': i, 'b': ['x', 'y']}, None] for i in range(n)], pa.list_(pa.struct([('a', pa.int64()), ('b', pa.list_(pa.string()))]))),
  'mp': pa.array([[('k', i), ('m', None)] for i in range(n)], pa.map_(pa.string(), pa.int64())),
})
base = dict(row_group_size=1000, data_page_size=2000)
delta = {'i': 'DELTA_BINARY_PACKED', 'l': 'DELTA_BINARY_PACKED', 's': 'DELTA_BYTE_ARRAY', 'f': 'BYTE_STREAM_SPLIT', 'd': 'BYTE_STREAM_SPLIT', 'fs': 'BYTE_STREAM_SPLIT', 'b': 'RLE'}
pq.write_table(t, folder + '/plain.parquet', use_dictionary=False, compression='none', **base)
pq.write_table(t, folder + '/dictionary.parquet', use_dictionary=True, compression='snappy', **base)
pq.write_table(t, folder + '/fallback.parquet', use_dictionary=True, dictionary_pagesize_limit=3000, compression='gzip', **base)
pq.write_table(t, folder + '/v2.parquet', data_page_version='2.0', compression='zstd', **base)
pq.write_table(t, folder + '/delta.parquet', use_dictionary=False, column_encoding=delta, data_page_version='2.0', compression='lz4', version='2.6', **base)
pq.write_table(t, folder + '/lengths.parquet', use_dictionary=False, column_encoding={'s': 'DELTA_LENGTH_BYTE_ARRAY'}, compression='brotli', **base)
pq.write_table(pa.table({'t': pa.array([0, 1626847200123456789, -1], pa.timestamp('ns'))}), folder + '/int96.parquet', use_deprecated_int96_timestamps=True)
rows = [dict(r, fs=r['fs'].decode(), tm=str(r['tm']), ts=round(r['ts'].replace(tzinfo=datetime.timezone.utc).timestamp() * 1000), mp=dict(r['mp']), hf=float(r['hf'])) for r in t.to_pylist()]
json.dump(rows, open(folder + '/rows.json', 'w'))
`;

requires('pyarrow')('what pyarrow writes', () => {
  let own: string;
  beforeAll(() => {
    own = mkdtempSync(join(tmpdir(), 'weir-pyarrow-'));
    execFileSync('python3', ['-c', script, own]);
  });
  afterAll(() => rmSync(own, { recursive: true, force: true }));

  test.each(['plain', 'dictionary', 'fallback', 'v2', 'delta', 'lengths'])('%s: every value', async name => {
    const expected: Record<string, unknown>[] = JSON.parse(
      (await import('node:fs')).readFileSync(join(own, 'rows.json'), 'utf8'),
    );
    const { columns, rows, rejects } = await load(diskFile(join(own, `${name}.parquet`)));
    expect(columns.map(column => column.replace('*', ''))).toEqual([
      ...['i INT', 'l LONG', 'f FLOAT', 'd DOUBLE', 's STRING', 'b BOOLEAN', 'fs BYTES', 'tm STRING', 'ts TIMESTAMP!'],
      ...['hf FLOAT', 'll JSON', 'ls JSON', 'mp JSON'],
    ]);
    expect(rejects).toEqual([]);
    expect(rows.length).toBe(expected.length);
    rows.forEach((row, index) => {
      const want = expected[index]!;
      const [i, l, f, d, s, b, fs, tm, ts, hf, ...nested] = row as never[];
      const found = {
        ...{ i, l: l === null ? null : Number(l), f, d, s, b, fs: Buffer.from(fs!).toString(), ts, hf },
        tm: String(tm).padEnd(15, '0'),
        ...Object.fromEntries(
          ['ll', 'ls', 'mp'].map((key, at) => [key, nested[at] === null ? null : JSON.parse(nested[at]!)]),
        ),
      };
      const same = { ...want, tm: String(want.tm).padEnd(15, '0') };
      const time = (text: string): string => (text.includes('.') ? text : `${text.slice(0, 8)}.`).padEnd(15, '0');
      expect({ ...found, tm: time(String(tm)) }).toEqual({ ...same, tm: time(String(want.tm)) });
    });
  });

  test('the old timestamps of 96 bits', async () => {
    const { columns, rows } = await load(diskFile(join(own, 'int96.parquet')));
    expect(columns).toEqual(['t TIMESTAMP!']);
    expect(rows).toEqual([[0], [1626847200123], [-1]]);
  });
});
