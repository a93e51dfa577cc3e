/** Whatever the bytes, reading ends: with rows, rejects, or a fault that names the file. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import {
  Bool,
  Dictionary,
  Field,
  Int32,
  Int64,
  List,
  Struct,
  Table,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { FaultError } from '../../../../src/base/fault.ts';
import { checkBatch } from '../../../../src/column/frame.ts';
import { DOUBLE, JSON_TYPE, LONG, STRING, TIMESTAMP } from '../../../../src/column/type.ts';
import { decodeRows } from '../../../../src/format/decode.ts';
import { inferFile } from '../../../../src/format/file/infer-file.ts';
import { sniffFile } from '../../../../src/format/file/sniff.ts';
import type { FileFormat } from '../../../../src/format/file/types.ts';
import { requires } from '../../../support/requires.ts';
import { target } from '../table.ts';
import { avroSample } from './avro-sample.ts';
import { memoryFile, readAll, targetOf } from './files.ts';

const types = target({ i: LONG, s: STRING, d: DOUBLE, l: JSON_TYPE, t: TIMESTAMP });

/** Everything that can be done with a file, for better or worse. */
async function survive(bytes: Uint8Array, format?: FileFormat): Promise<void> {
  const file = memoryFile(bytes, 'hostile', 100_000);
  for (const nested of ['json', 'flatten'] as const)
    try {
      const shape = await sniffFile(file, { nested, ...(format === undefined ? {} : { format }) });
      const read = await readAll(file, shape, types).catch(rethrowAllButFaults);
      for (const { batch } of read?.batches ?? []) checkBatch(batch);
      const table = await inferFile([file], [shape]);
      const again = await readAll(file, table.shapes[0]!, targetOf(table));
      for (const { batch } of again.batches) checkBatch(batch);
    } catch (error) {
      rethrowAllButFaults(error);
    }
}

function rethrowAllButFaults(error: unknown): null {
  if (!(error instanceof FaultError) || error.fault.kind === 'internal') throw error;
  expect(error.message).toMatch(/hostile/);
  return null;
}

/** Some flips, perhaps cut off, perhaps with a part of it in another place. */
const damage = (bytes: Uint8Array): fc.Arbitrary<Uint8Array> =>
  fc
    .record({
      flips: fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 6 }),
      end: fc.oneof({ weight: 3, arbitrary: fc.constant(bytes.length) }, fc.nat(bytes.length)),
      tail: fc.nat(60),
      move: fc.option(fc.tuple(fc.nat(bytes.length - 1), fc.nat(bytes.length - 1), fc.nat(20)), { nil: null }),
    })
    .map(({ flips, end, tail, move }) => {
      const damaged = bytes.slice();
      for (const [at, byte] of flips) damaged[at] = byte;
      // What says where all else is stands at the end.
      if (flips.length > 0) damaged[Math.max(0, damaged.length - 1 - tail)]! ^= flips[0]![1];
      if (move !== null) damaged.copyWithin(move[0], move[1], move[1] + move[2]);
      return damaged.subarray(0, end);
    });

const runs = 100;

const arrow = (form: 'file' | 'stream'): Uint8Array =>
  tableToIPC(
    new Table({
      i: vectorFromArray([1n, null, 3n], new Int64()),
      s: vectorFromArray(['a', 'b', 'a'], new Dictionary(new Utf8(), new Int32())),
      l: vectorFromArray([['x'], null, []], new List(new Field('item', new Utf8(), true))),
      t: vectorFromArray(
        [{ a: 1, b: true }, null, { a: 2, b: null }],
        new Struct([new Field('a', new Int32(), true), new Field('b', new Bool(), true)]),
      ),
    } as never),
    form,
  );

const ndjson = '{"i":1,"s":"x","d":1.5,"l":{"a":[1,{}]},"t":"2024-01-02"}\n{"i":2,"t":"02/03/2024"}\n';
const texts: Readonly<Record<string, Uint8Array>> = {
  csv: Buffer.from('i,s,d,l,t\n1,"x ""y""",1.5,"[1]",2024-01-02\n2,\\N,,"{}",\r\n3,"multi\nline",2,,12/31/2024\n'),
  ndjson: Buffer.from(ndjson),
  json: Buffer.from(`[${ndjson.trim().replace('\n', ',\n')}]`),
  'gzip of ndjson': gzipSync(ndjson.repeat(20)),
};

describe('damaged bytes', () => {
  test.each([
    ...Object.entries(texts),
    ['arrow file', arrow('file')],
    ['arrow stream', arrow('stream')],
    ['avro', avroSample()],
  ] as const)('of %s', async (_, bytes) => {
    await fc.assert(
      fc.asyncProperty(damage(new Uint8Array(bytes)), bytes => survive(bytes)),
      { numRuns: runs },
    );
  });

  test('of a pushed Arrow stream', () => {
    fc.assert(
      fc.property(
        fc.oneof(damage(arrow('stream')), damage(arrow('file')), fc.uint8Array({ maxLength: 200 })),
        bytes => {
          try {
            checkBatch(decodeRows('arrow', bytes, types).batch);
          } catch (error) {
            if (!(error instanceof FaultError) || error.fault.code !== 'INVALID_ROWS') throw error;
          }
        },
      ),
      { numRuns: runs * 3 },
    );
  });
});

describe('random bytes', () => {
  test.each([undefined, 'csv', 'ndjson', 'json', 'parquet', 'arrow', 'avro'] as const)('as %s', async format => {
    const json = fc.string({ unit: fc.constantFrom(...'{}[]",:1.e-tfn\\ \n\r;|a0é'), maxLength: 60 });
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      json.map(text => new Uint8Array(Buffer.from(text))),
    );
    await fc.assert(
      fc.asyncProperty(bytes, bytes => survive(bytes, format)),
      { numRuns: runs },
    );
  });
});

describe('damaged Parquet', () => {
  const files = new Map<string, Uint8Array>();
  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'weir-fuzz-'));
    const duck = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
    const query = `SELECT i, 'text ' || (i % 3) AS s, CASE WHEN i % 2 = 0 THEN NULL ELSE i / 7 END AS d, [i, NULL] AS l,
      {'a': i, 'b': MAP {'k': [i]}} AS t FROM range(40) r(i)`;
    for (const [codec, version] of [
      ['uncompressed', 'V1'],
      ['uncompressed', 'V2'],
      ['snappy', 'V1'],
      ['zstd', 'V2'],
      ['lz4_raw', 'V1'],
      ['gzip', 'V1'],
    ] as const) {
      const path = join(folder, 'x.parquet');
      await duck.run(`COPY (${query}) TO '${path}' (FORMAT parquet, CODEC '${codec}', PARQUET_VERSION '${version}')`);
      files.set(`${codec} ${version}`, new Uint8Array(readFileSync(path)));
    }
    rmSync(folder, { recursive: true });
  });

  test.each(['uncompressed V1', 'uncompressed V2', 'snappy V1', 'zstd V2', 'lz4_raw V1', 'gzip V1'])(
    '%s',
    async name => {
      await fc.assert(
        fc.asyncProperty(damage(files.get(name)!), bytes => survive(bytes)),
        { numRuns: runs },
      );
    },
  );
});

requires('pyarrow')('damaged files of pyarrow', () => {
  test('delta encodings, compressed Arrow', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'weir-fuzz-'));
    const script = `
import sys, pyarrow as pa, pyarrow.parquet as pq, pyarrow.feather as feather
t = pa.table({'i': pa.array(range(50), pa.int64()), 's': ['text %d' % i for i in range(50)], 'd': [i / 3 for i in range(50)], 'l': [[i] * (i % 3) for i in range(50)]})
pq.write_table(t, sys.argv[1] + '/a', use_dictionary=False, compression='none', data_page_version='2.0', column_encoding={'i': 'DELTA_BINARY_PACKED', 's': 'DELTA_BYTE_ARRAY', 'd': 'BYTE_STREAM_SPLIT'})
pq.write_table(t, sys.argv[1] + '/b', use_dictionary=False, compression='none', column_encoding={'s': 'DELTA_LENGTH_BYTE_ARRAY'})
feather.write_feather(t, sys.argv[1] + '/c', compression='lz4')
feather.write_feather(t, sys.argv[1] + '/d', compression='zstd')
`;
    execFileSync('python3', ['-c', script, folder]);
    for (const name of ['a', 'b', 'c', 'd'])
      await fc.assert(
        fc.asyncProperty(damage(new Uint8Array(readFileSync(join(folder, name)))), bytes => survive(bytes)),
        { numRuns: runs },
      );
    rmSync(folder, { recursive: true });
  });
});
