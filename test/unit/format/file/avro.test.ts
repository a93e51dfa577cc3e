import { describe, expect, test } from 'vitest';
import { INT, LONG, STRING } from '../../../../src/column/type.ts';
import { sniffFile } from '../../../../src/format/file/sniff.ts';
import { target } from '../table.ts';
import { container, rowOf } from './avro-sample.ts';
import { load, memoryFile, readAll } from './files.ts';

describe('an Avro file', () => {
  test.each(['null', 'deflate', 'snappy', 'zstandard'])('codec %s', async codec => {
    const rows = Array.from({ length: 70_000 }, (_, id) => rowOf(id));
    const found = await load(memoryFile(container(rows, codec), 'x.avro', 9_999));
    expect(found.shape).toMatchObject({ format: 'avro', compression: 'none' });
    expect(found.columns).toEqual([
      ...['id LONG', 'at TIMESTAMP!', 'kind STRING*', 'amount DECIMAL(10,2)', 'tags JSON', 'actor JSON'],
    ]);
    expect(found.rejects).toEqual([]);
    expect(found.rows.length).toBe(70_000);
    expect(found.rows[5]).toEqual([5n, 1_626_847_200_123, 'B', 261n, '["t5"]', '{"login":"u5","id":5}']);
    expect(found.rows[69_999]!.slice(0, 2)).toEqual([69_999n, 1_626_847_200_193]);
    expect(Math.max(...found.batches.map(({ rowCount }) => rowCount))).toBeLessThanOrEqual(65_536);
  });

  test('records within records are flattened, also where they may be null', async () => {
    const bytes = container([0, 1, 2].map(rowOf), 'null');
    const { columns, rows } = await load(memoryFile(bytes), { nested: 'flatten' });
    expect(columns.slice(5)).toEqual(['actor_login STRING', 'actor_id INT']);
    expect(rows.map(row => row.slice(5))).toEqual([
      [null, null],
      ['u1', 1],
      ['u2', 2],
    ]);
  });

  test('a record inside itself has an end', async () => {
    const node = {
      type: 'record',
      name: 'Node',
      fields: [
        { name: 'v', type: 'int' },
        { name: 'next', type: ['null', 'Node'] },
      ],
    };
    const bytes = container([{ v: 1, next: { Node: { v: 2, next: null } } }], 'null', node);
    const { columns, rows } = await load(memoryFile(bytes), { nested: 'flatten' });
    expect([columns, rows]).toEqual([['v INT', 'next JSON'], [[1, '{"v":2,"next":null}']]]);
  });

  test('rows that do not fit are rejected by their number', async () => {
    const bytes = container([0, 1, 2, 3].map(rowOf), 'deflate');
    const file = memoryFile(bytes);
    const found = await readAll(file, await sniffFile(file), target({ ID: INT, 'amount!': LONG, kind: STRING }));
    expect(found.rows).toEqual([]);
    expect(found.rejects).toEqual([
      '1 amount: is NULL, but the column is NOT NULL',
      '2 amount: "2.57" is not a LONG',
      '3 amount: "2.58" is not a LONG',
      '4 amount: is NULL, but the column is NOT NULL',
    ]);
    expect(found.batches[0]!.ignoredValues).toBe(12);
  });

  test('what cannot be read says so', async () => {
    const bytes = container([0, 1].map(rowOf), 'null');
    await expect(load(memoryFile(bytes.subarray(0, bytes.length - 5), 'x.avro'))).rejects.toThrow(
      /x.avro ends at byte/,
    );
    const text = Buffer.from(bytes).toString('latin1').replace('\x08null', '\x08lzma');
    await expect(load(memoryFile(Buffer.from(text, 'latin1'), 'x.avro'))).rejects.toThrow(/compressed with lzma/);
  });
});
