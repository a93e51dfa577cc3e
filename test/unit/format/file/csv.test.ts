import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { DOUBLE, INT, LONG, STRING } from '../../../../src/column/type.ts';
import { inferFile } from '../../../../src/format/file/infer-file.ts';
import { readFileRows } from '../../../../src/format/file/read.ts';
import { sniffFile } from '../../../../src/format/file/sniff.ts';
import { batchRowsMax, textWindowSizeBytes } from '../../../../src/format/limits.ts';
import { storedZstd } from '../../../support/zstd.ts';
import { target } from '../table.ts';
import { columnsText, load, memoryFile, readAll } from './files.ts';

describe('the dialect of a CSV file', () => {
  const cases: Readonly<
    Record<string, [text: string, delimiter: string, quote: string, names: string[], rows: number]>
  > = {
    commas: ['a,b\n1,2\n3,4\n', ',', '"', ['a', 'b'], 2],
    semicolons: ['a;b\n1,5;2\n3,5;4\n', ';', '"', ['a', 'b'], 2],
    tabs: ['a\tb\n1\tx, y\n2\tz\n', '\t', '"', ['a', 'b'], 2],
    pipes: ['a|b|c\n1|2|3\n', '|', '"', ['a', 'b', 'c'], 1],
    'carriage returns and a byte order mark': ['\ufeffa,b\r\n1,2\r\n', ',', '"', ['a', 'b'], 1],
    'single quotes': [`a,b\n'x,y',1\n'it''s',2\n`, ',', "'", ['a', 'b'], 2],
    'no header: a first line with a number': ['1,x\n2,y\n', ',', '"', ['c1', 'c2'], 2],
    'no header: values that come again': ['x,y\nz,y\nx,w\n', ',', '"', ['c1', 'c2'], 3],
    'a header of text above text': ['name,city\nAnn,Rome\nBob,Oslo\n', ',', '"', ['name', 'city'], 2],
    'one field': ['name\nAnn\nBob\n', ',', '"', ['name'], 2],
    'quoted line ends': ['a,b\n"x\ny",1\n"z",2\n', ',', '"', ['a', 'b'], 2],
    'no line end at the end': ['a,b\n1,2', ',', '"', ['a', 'b'], 1],
  };
  test.each(Object.entries(cases))('%s', async (_, [text, delimiter, quote, names, rowCount]) => {
    const { shape, rows, rejects } = await load(memoryFile(text, 'file.csv'));
    expect({ ...shape.dialect, rows: rows.length, rejects }).toMatchObject({
      ...{ delimiter, quote, names, rows: rowCount, rejects: [] },
    });
  });

  test('what the caller knows counts for more', async () => {
    const shape = await sniffFile(memoryFile('a,b;c\n1,2;3\n', 'x.csv'), {
      ...{ delimiter: ';', header: false, quote: '', nullTexts: ['-'] },
    });
    expect(shape.dialect).toEqual({
      delimiter: ';',
      quote: null,
      header: false,
      names: ['c1', 'c2'],
      nullTexts: ['-'],
    });
    await expect(sniffFile(memoryFile('a'), { delimiter: '::' })).rejects.toThrow(/not one ASCII character/);
  });

  test('names that are missing or there twice', async () => {
    const shape = await sniffFile(memoryFile('a,,a\n1,2,3\n', 'x.csv'), { header: true });
    expect(shape.dialect!.names).toEqual(['a', 'c2', 'a_2']);
  });
});

describe('rows of a CSV file', () => {
  test('ragged ones, bad quotes and bad values are rejected by their line', async () => {
    const text = 'a,b\n1,x\n2\n3,y,z\n"4,w\n5,"v"\nsix,u\n7,"s\nt"\n8,q\n';
    const file = memoryFile(text, 'x.csv');
    const shape = await sniffFile(file, { header: true, delimiter: ',' });
    const { rows, rejects } = await readAll(file, shape, target({ a: LONG, b: STRING }));
    expect(rows).toEqual([
      [1n, 'x'],
      [5n, 'v'],
      [7n, 's\nt'],
      [8n, 'q'],
    ]);
    expect(rejects).toEqual([
      '3 null: 1 fields where the header has 2',
      '4 null: 3 fields where the header has 2',
      '5 null: text after the closing quote of a field',
      '7 a: "six" is not a LONG',
    ]);
  });

  test('NULL: empty, NULL and \\N, not in quotes; NA where the rest has a type', async () => {
    const text = 'n,s\n1,x\n,\nNULL,NULL\n\\N,\\N\nNA,NA\n2,"NULL"\n3,""\n';
    const { columns, rows } = await load(memoryFile(text, 'x.csv'));
    expect(columns).toEqual(['n LONG', 's STRING']);
    expect(rows).toEqual([
      [1n, 'x'],
      [null, null],
      [null, null],
      [null, null],
      [null, 'NA'],
      [2n, 'NULL'],
      [3n, ''],
    ]);
  });

  test('a column of the table is found by its name; what it does not have is counted', async () => {
    const file = memoryFile('X,A,b\n1,2,3\n4,5,6\n', 'x.csv');
    const shape = await sniffFile(file);
    const { rows, batches } = await readAll(file, shape, target({ a: INT, d: DOUBLE }, { d: 0.5 }));
    expect(rows).toEqual([
      [2, 0.5],
      [5, 0.5],
    ]);
    expect(batches[0]!.ignoredValues).toBe(4);
    await expect(readAll(file, shape, target({ z: INT }))).rejects.toThrow(/no field of x.csv is a column/);
  });

  test('without names, columns are taken in their order', async () => {
    const file = memoryFile('1,2\n3,4\n', 'x.csv');
    const { rows } = await readAll(file, await sniffFile(file), target({ p: INT, q: LONG, r: STRING }));
    expect(rows).toEqual([
      [1, 2n, null],
      [3, 4n, null],
    ]);
  });

  test('a file of many windows: the same batches however its bytes arrive; lines longer than any row', async () => {
    const long = 'y'.repeat(textWindowSizeBytes + 100);
    const lines = Array.from({ length: 150_000 }, (_, row) =>
      row === 70_000 ? `${row},${long}` : `${row},"${'x'.repeat(row % 60)}\n"`,
    );
    const text = `n,s\n${lines.join('\n')}`;
    const types = target({ n: INT, s: STRING });
    const shape = await sniffFile(memoryFile(text, 'x.csv'));
    const whole = await readAll(memoryFile(text), shape, types);
    expect(whole.rows.length).toBe(149_999);
    expect(whole.rows.at(-1)).toEqual([149_999, `${'x'.repeat(149_999 % 60)}\n`]);
    expect(whole.rejects).toEqual([expect.stringMatching(/^140002 null: the row has more than \d+ bytes/)]);
    expect(Math.max(...whole.batches.map(({ rowCount }) => rowCount))).toBeLessThanOrEqual(batchRowsMax);
    const zipped = await readAll(
      memoryFile(gzipSync(text), 'x.csv.gz', 7_001),
      { ...shape, compression: 'gzip' },
      types,
    );
    const cuts = ({ batches }: typeof whole) =>
      batches.map(({ firstRow, rowCount, rejected }) => [firstRow, rowCount, rejected]);
    expect(cuts(zipped)).toEqual(cuts(whole));
    expect(zipped.rows.slice(-5)).toEqual(whole.rows.slice(-5));
  });

  test('files of one table whose fields stand in another order', async () => {
    const files = [memoryFile('a,b\n1,x\n', '1.csv'), memoryFile('b,c,a\ny,2.5,3.5\n', '2.csv')];
    const shapes = await Promise.all(files.map(file => sniffFile(file)));
    const table = await inferFile(files, shapes);
    expect(columnsText(table)).toEqual(['a DOUBLE', 'b STRING', 'c DOUBLE']);
    const { columns } = target({ a: DOUBLE, b: STRING, c: DOUBLE });
    expect((await readAll(files[1]!, table.shapes[1]!, { columns })).rows).toEqual([[3.5, 'y', 2.5]]);
  });
});

test('a reader who stops early leaves nothing open; zstd is read as gzip is', async () => {
  const text = Array.from({ length: 200_000 }, (_, row) => `${row},x\n`).join('');
  for (const content of [gzipSync(text), storedZstd(Buffer.from(text))]) {
    const file = memoryFile(content, 'x.csv', 5_000);
    const shape = await sniffFile(file, { header: false });
    const types = target({ c1: INT, c2: STRING });
    expect((await readAll(file, shape, types)).rows.at(-1)).toEqual([199_999, 'x']);
    for await (const { firstRow, rowCount } of readFileRows(file, shape, types)) {
      expect([firstRow, rowCount]).toEqual([0, batchRowsMax]);
      break;
    }
  }
});

describe('what is no CSV', () => {
  const utf16 = Buffer.from('\ufeffa,b\n1,2\n', 'utf16le');
  const cases: Readonly<Record<string, [content: Uint8Array, error: RegExp]>> = {
    'UTF-16': [utf16, /is UTF-16LE text, and only UTF-8/],
    'UTF-16 without a mark': [utf16.subarray(2), /is UTF-16LE text/],
    'another encoding': [Buffer.from('a,b\nm\xfcller,1\n\xe4\xf6,2\n', 'latin1'), /not UTF-8 text/],
    'binary data': [Uint8Array.from({ length: 300 }, (_, at) => (at * 7) % 256), /is no text/],
    bzip2: [Buffer.from('BZh91AY'), /compressed with bzip2, which cannot be read/],
    'a ZIP archive': [Buffer.from('PK\x03\x04....'), /ZIP archive/],
    'gzip that is cut off': [gzipSync('a,b\n'.repeat(1000)).subarray(0, 30), /does not decompress as gzip/],
  };
  test.each(Object.entries(cases))('%s', async (_, [content, error]) => {
    await expect(load(memoryFile(content, 'x'))).rejects.toThrow(error);
  });

  test('an empty file has no table', async () => {
    await expect(load(memoryFile('', 'x.csv'))).rejects.toThrow(/no rows were found in x.csv/);
  });
});
