/** Arrow streams pushed over HTTP into a real process, as a program of Python's or JavaScript's sends them. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Dictionary, Int32, Int64, Table, TimestampMillisecond, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import { requires } from '../support/requires.ts';
import { ask, startWeir, type WeirProcess } from '../support/weir-process.ts';

const contentType = 'application/vnd.apache.arrow.stream';

let folder: string;
let weir: WeirProcess;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-arrow-'));
  weir = await startWeir({ args: ['--data', folder, '--no-demo', '--shards', '2'] });
});
afterAll(async () => {
  await weir?.kill();
  await rm(folder, { recursive: true, force: true });
});

async function post(table: string, body: Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}, query = '') {
  const url = `${weir.url}/v1/tables/${table}/rows${query}`;
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': contentType, ...headers }, body });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

describe('a stream of apache-arrow', () => {
  const stream = (amounts: readonly (bigint | null)[]): Uint8Array<ArrayBuffer> =>
    new Uint8Array(
      tableToIPC(
        new Table({
          TS: vectorFromArray(
            amounts.map((_, index) => 1_700_000_000_000 + index),
            new TimestampMillisecond(),
          ),
          amount: vectorFromArray(amounts, new Int64()),
          kind: vectorFromArray(
            amounts.map((_, index) => (index % 2 === 0 ? 'even' : 'odd')),
            new Dictionary(new Utf8(), new Int32()),
          ),
          extra: vectorFromArray(
            amounts.map(() => 1),
            new Int32(),
          ),
        } as never),
        'stream',
      ),
    );

  beforeAll(async () => {
    await ask(
      weir.url,
      `CREATE TABLE pushed (ts TIMESTAMP NOT NULL, amount INT NOT NULL, kind STRING) FROM LOG WITH (time_column = 'ts')`,
    );
  });

  test('through the client, with its key once; rejects by the number of the row', async () => {
    const client = createClient(weir.url);
    const body = stream([1n, 2n ** 40n, null, 4n]);
    const answer = await client.push('pushed', body, 'arrow', { idempotencyKey: 'one' });
    expect(answer).toEqual({
      accepted: 2,
      rejected: 2,
      duplicate: false,
      rejects: [
        { line: 2, column: 'amount', reason: '"1099511627776" is outside the range of INT' },
        { line: 3, column: 'amount', reason: 'is NULL, but the column is NOT NULL' },
      ],
    });
    expect(await client.push('pushed', body, 'arrow', { idempotencyKey: 'one' })).toMatchObject({ duplicate: true });
    expect(await ask(weir.url, 'SELECT amount, kind, ts FROM pushed ORDER BY ts')).toEqual([
      [1, 'even', '2023-11-14T22:13:20.000Z'],
      [4, 'odd', '2023-11-14T22:13:20.003Z'],
    ]);
  });

  test('gzip; strict; bytes that are none', async () => {
    expect(
      (await post('pushed', new Uint8Array(gzipSync(stream([7n]))), { 'content-encoding': 'gzip' })).json,
    ).toMatchObject({ accepted: 1 });
    expect(await post('pushed', stream([null]), {}, '?strict=true')).toMatchObject({
      status: 400,
      json: { error: { code: 'INVALID_ROWS' } },
    });
    const cut = stream([1n, 2n]).slice(0, -90);
    for (const bytes of [cut, new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9])])
      expect(await post('pushed', bytes)).toMatchObject({ status: 400, json: { error: { code: 'INVALID_ROWS' } } });
    expect(await ask(weir.url, 'SELECT COUNT(*), SUM(amount) FROM pushed')).toEqual([[3, 12]]);
  });
});

requires('pyarrow')('a stream of pyarrow', () => {
  const script = `
import sys, decimal, datetime, pyarrow as pa
n = 100000
t = pa.table({
  'id': pa.array(range(n), pa.int64()),
  'at': pa.array([datetime.datetime(2024, 1, 1) + datetime.timedelta(seconds=i) for i in range(n)], pa.timestamp('us', 'UTC')),
  'name': pa.array(['n%d' % (i % 100) for i in range(n)]).dictionary_encode(),
  'price': pa.array([None if i % 10 == 0 else decimal.Decimal(i) / 4 for i in range(n)], pa.decimal128(12, 2)),
  'tags': pa.array([['a', str(i % 3)] for i in range(n)]),
})
with pa.ipc.new_stream(sys.stdout.buffer, t.schema, options=pa.ipc.IpcWriteOptions(compression=sys.argv[1] or None)) as w:
  w.write_table(t, 30000)
`;

  test.each(['', 'lz4', 'zstd'])('compression %s: every row', async compression => {
    const bytes = execFileSync('python3', ['-c', script, compression], { maxBuffer: 1 << 28 });
    const table = `python_${compression || 'none'}`;
    await ask(
      weir.url,
      `CREATE TABLE ${table} (id LONG, at TIMESTAMP NOT NULL, name STRING, price DECIMAL(12,2), tags JSON) FROM LOG WITH (time_column = 'at')`,
    );
    expect((await post(table, new Uint8Array(bytes))).json).toMatchObject({ accepted: 100_000, rejected: 0 });
    const sums = `SELECT COUNT(*), SUM(id), COUNT(DISTINCT name), SUM(price), COUNT(price), MAX(at), COUNT(*) FILTER (WHERE tags ->> 1 = '2') FROM ${table}`;
    expect(await ask(weir.url, sums)).toEqual([
      [100_000, 4_999_950_000, 100, '1125000000.00', 90_000, '2024-01-02T03:46:39.000Z', 33_333],
    ]);
  });
});
