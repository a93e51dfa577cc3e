import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { INT, JSON_TYPE, LONG, STRING } from '../../../../src/column/type.ts';
import { sniffFile } from '../../../../src/format/file/sniff.ts';
import { rowSizeBytesMax } from '../../../../src/format/limits.ts';
import { target } from '../table.ts';
import { load, memoryFile, readAll } from './files.ts';

const read = async (text: string | Uint8Array, columns: ReturnType<typeof target>, name = 'x') => {
  const file = memoryFile(text, name, 1000);
  const shape = await sniffFile(file);
  return { format: shape.format, ...(await readAll(file, shape, columns)) };
};

describe('a file of JSON', () => {
  const cases: Readonly<Record<string, [text: string, format: string]>> = {
    'an object a line': ['{"a":1}\n{"a":2}\n', 'ndjson'],
    'an array': ['[{"a":1},{"a":2}]', 'json'],
    'an array over lines': ['\n[\n {"a":1},\n\n {\n"a":2\n}\n]\n', 'json'],
    'objects one after another': ['{"a":1} {"a":\n2}', 'json'],
    'arrays one after another': ['[{"a":1}]\n[{"a":2}]', 'json'],
    'an empty array, and objects': ['[]{"a":1}\n{"a":2}', 'json'],
  };
  test.each(Object.entries(cases))('%s', async (_, [text, format]) => {
    const found = await read(text, target({ a: INT }));
    expect({ format: found.format, rows: found.rows, rejects: found.rejects }).toEqual({
      format,
      rows: [[1], [2]],
      rejects: [],
    });
  });

  test('one object over lines', async () => {
    expect((await read('{\n "a": 1\n}', target({ a: INT }))).rows).toEqual([[1]]);
  });

  test('what breaks the grammar ends an array, what is no object does not', async () => {
    expect(await read('[{"a":1},2,{"a":"x"},{"a":3}\n,{"a":4},\n{"a":}, {"a":5}]', target({ a: INT }))).toMatchObject({
      rows: [[1], [3], [4]],
      rejects: [
        '1 null: a number where a JSON object is expected',
        '1 a: "x" is not an INT',
        '3 null: unexpected "}" at byte 6 of the row; nothing after it was read',
      ],
    });
    expect((await read('[{"a":1},{"a":2}', target({ a: INT }))).rejects).toEqual([
      expect.stringMatching(/^1 null: the JSON ends too early.*nothing after it was read/),
    ]);
    expect((await read('[{"a":1},{"a":', target({ a: INT }))).rejects).toHaveLength(1);
  });

  test('a huge array, in batches', async () => {
    const rows = Array.from({ length: 120_000 }, (_, a) => ({ a, s: 'x'.repeat(a % 100) }));
    const text = JSON.stringify(rows);
    const found = await read(gzipSync(text), target({ a: INT, s: STRING }));
    expect(found.rows.length).toBe(120_000);
    expect(found.rows.at(-1)).toEqual([119_999, 'x'.repeat(99)]);
    expect(found.batches.length).toBeGreaterThan(1);
    const lines = rows.map(row => JSON.stringify(row)).join('\n');
    const sizes = ({ batches }: typeof found) => batches.map(({ rowCount }) => rowCount);
    expect(sizes(await read(lines, target({ a: INT, s: STRING })))).toEqual(
      sizes(await read(gzipSync(lines), target({ a: INT, s: STRING }))),
    );
  });

  test('a row above the limit is rejected, of an array it is the last', async () => {
    const large = `{"s":"${'x'.repeat(rowSizeBytesMax)}"}`;
    const lines = await read(`{"a":1}\n${large}\n{"a":2}\n`, target({ a: INT, s: STRING }));
    expect(lines.rows.map(([a]) => a)).toEqual([1, 2]);
    expect(lines.rejects).toEqual([expect.stringMatching(/^2 null: the row has 1048584 bytes/)]);
    const endless = await read(`[{"a":1},{"s":"${'x'.repeat(5 * rowSizeBytesMax)}"},{"a":2}]`, target({ a: INT }));
    expect(endless.rows).toEqual([[1]]);
    expect(endless.rejects).toEqual([expect.stringMatching(/^1 null: the value has more than \d+ bytes/)]);
  });
});

describe('objects within objects', () => {
  const text = [
    { id: 1, actor: { login: 'ann', id: 5, org: { name: 'x' } }, tags: [1, 2] },
    { id: 2, actor: { login: 'bob', id: 6 }, actor_login: 'clash', meta: {} },
    { id: 3, actor: null, mixed: { a: 1 } },
    { id: 4, mixed: 'text' },
  ]
    .map(row => JSON.stringify(row))
    .join('\n');

  test('stay JSON', async () => {
    const { columns, rows } = await load(memoryFile(text, 'x.ndjson'));
    expect(columns).toEqual(['id LONG', 'actor JSON', 'tags JSON', 'actor_login STRING', 'meta JSON', 'mixed JSON']);
    expect(rows[1]).toEqual([2n, '{"login":"bob","id":6}', null, 'clash', '{}', null]);
  });

  test('become columns where they are flattened', async () => {
    const { columns, rows, table, shape, rejects } = await load(memoryFile(text, 'x.ndjson'), { nested: 'flatten' });
    expect(columns).toEqual([
      'id LONG',
      'actor_login STRING',
      'actor_id LONG',
      'actor_org_name STRING',
      'tags JSON',
      'actor_login_2 STRING',
      'meta JSON',
      'mixed JSON',
    ]);
    expect(rejects).toEqual([]);
    expect(rows).toEqual([
      [1n, 'ann', 5n, 'x', '[1,2]', null, null, null],
      [2n, 'bob', 6n, null, null, 'clash', '{}', null],
      [3n, null, null, null, null, null, null, '{"a":1}'],
      [4n, null, null, null, null, null, null, '"text"'],
    ]);
    expect(table.notes).toEqual(['mixed: objects and other values: it stays JSON']);
    expect(shape.fields).toContainEqual({
      column: 'actor_org_name',
      path: ['actor', 'org', 'name'],
      times: null,
      nullTexts: [],
    });
  });

  test('a table that has only some of the columns, and others', async () => {
    const file = memoryFile(text, 'x.ndjson');
    const { shape } = await load(file, { nested: 'flatten' });
    const { rows } = await readAll(file, shape, target({ actor_id: LONG, ID: INT, tags: JSON_TYPE, actor: JSON_TYPE }));
    expect(rows.slice(0, 2)).toEqual([
      [5n, 1, '[1,2]', null],
      [6n, 2, null, null],
    ]);
  });
});
