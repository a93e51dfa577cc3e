import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Bool,
  Dictionary,
  Field,
  Int32,
  Int64,
  List,
  RecordBatchStreamWriter,
  Struct,
  Table,
  TimestampMicrosecond,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DATE, INT, LONG, STRING } from '../../../../src/column/type.ts';
import { decodeRows } from '../../../../src/format/decode.ts';
import { requires } from '../../../support/requires.ts';
import { decode, target } from '../table.ts';
import { diskFile, load, memoryFile } from './files.ts';

const table = (rowCount: number): Table =>
  new Table({
    id: vectorFromArray(
      Array.from({ length: rowCount }, (_, row) => (row % 7 === 0 ? null : BigInt(row))),
      new Int64(),
    ),
    at: vectorFromArray(
      Array.from({ length: rowCount }, (_, row) => row),
      new TimestampMicrosecond(),
    ),
    kind: vectorFromArray(
      Array.from({ length: rowCount }, (_, row) => `k${row % 3}`),
      new Dictionary(new Utf8(), new Int32()),
    ),
    ok: vectorFromArray(
      Array.from({ length: rowCount }, (_, row) => row % 2 === 0),
      new Bool(),
    ),
    tags: vectorFromArray(
      Array.from({ length: rowCount }, (_, row) => (row % 5 === 0 ? null : [`t${row}`])),
      new List(new Field('item', new Utf8(), true)),
    ),
    who: vectorFromArray(
      Array.from({ length: rowCount }, (_, row) => (row % 4 === 0 ? null : { name: `n${row}`, age: row })),
      new Struct([new Field('name', new Utf8(), true), new Field('age', new Int32(), true)]),
    ),
  } as never);

describe('an Arrow file', () => {
  test.each(['file', 'stream'] as const)('as a %s, in batches', async form => {
    const { shape, columns, rows, rejects, batches } = await load(
      memoryFile(tableToIPC(table(70_000), form), 'x.arrow', 10_000),
    );
    expect(shape).toMatchObject({ format: 'arrow', compression: 'none', dialect: null });
    expect(columns).toEqual(['id LONG', 'at TIMESTAMP!', 'kind STRING*', 'ok BOOLEAN', 'tags JSON', 'who JSON']);
    expect(rejects).toEqual([]);
    expect(batches.map(({ rowCount }) => rowCount)).toEqual([65_536, 4_464]);
    expect(rows[7]).toEqual([null, 7, 'k1', false, '["t7"]', '{"name":"n7","age":7}']);
    expect(rows[69_999]).toEqual([69_999n, 69_999, 'k0', false, '["t69999"]', '{"name":"n69999","age":69999}']);
  });

  test('structs are flattened', async () => {
    const { columns, rows } = await load(memoryFile(tableToIPC(table(9), 'file')), { nested: 'flatten' });
    expect(columns.slice(5)).toEqual(['who_name STRING', 'who_age INT']);
    expect(rows.map(row => row.slice(5)).slice(3, 6)).toEqual([
      ['n3', 3],
      [null, null],
      ['n5', 5],
    ]);
  });

  test('a dictionary that repeats an entry is no dictionary', async () => {
    const vector = vectorFromArray(['a', 'b', 'a', 'b'], new Dictionary(new Utf8(), new Int32()));
    const bytes = tableToIPC(new Table({ s: vector } as never), 'stream');
    const at = Buffer.from(bytes).lastIndexOf('ab');
    bytes[at + 1] = 'a'.charCodeAt(0);
    const { batches, rows } = await load(memoryFile(bytes));
    expect([batches[0]!.batch.columns[0]!.form, rows]).toEqual(['raw', [['a'], ['a'], ['a'], ['a']]]);
  });

  test('no batch at all: the schema is the table', async () => {
    const { columns, rows } = await load(memoryFile(tableToIPC(table(0), 'stream')));
    expect(columns.length).toBe(6);
    expect(rows).toEqual([]);
  });

  test('one that is cut off', async () => {
    const bytes = tableToIPC(table(100), 'stream');
    await expect(load(memoryFile(bytes.subarray(0, bytes.length - 500), 'x.arrow'))).rejects.toThrow(
      /x.arrow cannot be read as Arrow near byte \d+: the Arrow stream ends too early/,
    );
  });
});

const script = `
import sys, pyarrow as pa, pyarrow.feather as feather, pyarrow.ipc as ipc
folder = sys.argv[1]
n = 2000
t = pa.table({'i': pa.array(range(n), pa.int64()), 's': pa.array(['text %d' % (i % 10) for i in range(n)]), 'f': pa.array([None if i % 3 == 0 else i / 4 for i in range(n)])})
for codec in ['lz4', 'zstd', 'uncompressed']:
  feather.write_feather(t, folder + '/' + codec + '.feather', compression=codec, chunksize=700)
with ipc.new_stream(folder + '/zstd.stream', t.schema, options=ipc.IpcWriteOptions(compression='zstd')) as w:
  w.write_table(t, 700)
`;

requires('pyarrow')('what pyarrow writes', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'weir-feather-'));
    execFileSync('python3', ['-c', script, folder]);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each(['lz4.feather', 'zstd.feather', 'uncompressed.feather', 'zstd.stream'])('%s', async name => {
    const { columns, rows, batches } = await load(diskFile(join(folder, name)));
    expect(columns).toEqual(['i LONG', 's STRING*', 'f DOUBLE']);
    expect(batches.map(({ rowCount }) => rowCount)).toEqual([700, 700, 600]);
    expect(rows).toEqual(
      Array.from({ length: 2000 }, (_, i) => [BigInt(i), `text ${i % 10}`, i % 3 === 0 ? null : i / 4]),
    );
  });
});

describe('a pushed Arrow stream', () => {
  test('columns by name, cast; rows that do not fit are rejected by their number', () => {
    const bytes = tableToIPC(
      new Table({
        N: vectorFromArray([1n, 2n ** 40n, null, 4n], new Int64()),
        d: vectorFromArray(['2024-01-02', '2024-01-03', '2024-01-04', 'soon'], new Utf8()),
        other: vectorFromArray([1, 2, 3, 4], new Int32()),
      } as never),
      'stream',
    );
    const { rows, rejects, decoded } = decode('arrow', bytes, target({ n: INT, 'd!': DATE, s: STRING }, { s: 'x' }));
    expect(rows).toEqual([
      [1, 19_724, 'x'],
      [null, 19_726, 'x'],
    ]);
    expect(rejects).toEqual(['2 n: "1099511627776" is outside the range of INT', '4 d: "soon" is not a DATE']);
    expect(decoded).toMatchObject({ accepted: 2, rejected: 2, ignoredValues: 4 });
    expect(decoded.rejects[0]!.text).toBe('{"N":1099511627776,"d":"2024-01-03","other":2}');
  });

  test('several batches are one, their dictionaries too', () => {
    const writer = new RecordBatchStreamWriter();
    const parts = [['a', 'b', 'a'], ['c', null, 'a'], ['b']];
    for (const part of parts)
      for (const batch of new Table({
        s: vectorFromArray(part, new Utf8()),
        n: vectorFromArray(
          part.map((_, index) => (index === 1 ? null : index)),
          new Int32(),
        ),
      } as never).batches)
        writer.write(batch);
    writer.finish();
    const { rows } = decode('arrow', writer.toUint8Array(true), target({ s: STRING, n: LONG }));
    expect(rows).toEqual([
      ['a', 0n],
      ['b', null],
      ['a', 2n],
      ['c', 0n],
      [null, null],
      ['a', 2n],
      ['b', 0n],
    ]);
  });

  test('no rows, and what is no stream', () => {
    expect(decode('arrow', tableToIPC(table(0), 'stream'), target({ id: LONG })).rows).toEqual([]);
    expect(decode('arrow', new Uint8Array(0), target({ id: LONG })).rows).toEqual([]);
    const wrong = Buffer.from('{"id": 1}');
    expect(() => decodeRows('arrow', wrong, target({ id: LONG }))).toThrow(/cannot be read as an Arrow stream/);
  });
});
