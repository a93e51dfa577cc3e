import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DOUBLE, JSON_TYPE, LONG, STRING, TIMESTAMP } from '../../../src/column/type.ts';
import { decode, target } from './table.ts';

const table = target({ a: LONG, b: STRING, 'c!': DOUBLE }, { c: 1 });
const csv = (text: string) => decode('csv', text, table);

describe('CSV', () => {
  test('quotes, line ends, NULL and empty text', () => {
    const { rows, rejects } = csv('b,a\r\n"x, ""y""\r\nz",1\r\n,2\n"",3\n\n" q ", 4 ');
    expect(rejects).toEqual([]);
    expect(rows).toEqual([
      [1n, 'x, "y"\r\nz', 1],
      [2n, null, 1],
      [3n, '', 1],
      [4n, ' q ', 1],
    ]);
  });

  test('lines of rejects are exact, and a broken row stays alone', () => {
    const { rows, rejects, decoded } = csv(
      [
        'A,b,c,more',
        '1,"two\nlines",1,',
        'x,y,1,',
        '1,a"b,1,',
        '1,"a"b,1,',
        '1,2',
        '1,,,',
        '5,e,5,5',
        '6,"open,6,6',
      ].join('\n'),
    );
    expect(rows).toEqual([
      [1n, 'two\nlines', 1],
      [5n, 'e', 5],
    ]);
    expect(rejects).toEqual([
      '4 a: "x" is not a LONG',
      '5 null: a quote inside an unquoted field; quote the whole field and double the quote',
      '6 null: text after the closing quote of a field',
      '7 null: 2 fields where the header has 4',
      '8 c: is NULL, but the column is NOT NULL',
      '10 null: a quoted field is not closed',
    ]);
    expect(decoded.rejects[0]!.text).toBe('x,y,1,');
  });

  test.each([
    ['x,y\n1,2', '1 null: the first line must name columns of the table (a, b, c), but is: x, y'],
    ['a,A\n1,2', '1 null: the header names column a twice'],
    ['"a\n', '1 null: the header is broken: a quoted field is not closed'],
  ])('a header that cannot be used: %j', (text, reject) => {
    expect(csv(text)).toMatchObject({ rows: [], rejects: [reject] });
  });

  test('no rows, and nothing at all', () => {
    expect(csv('a,b,c\n')).toMatchObject({ rows: [], rejects: [] });
    expect(csv('')).toMatchObject({ rows: [], rejects: [] });
  });

  test('JSON and times', () => {
    const { rows, rejects } = decode(
      'csv',
      't,j\n2024-01-02 03:04:05,"{""a"": 1}"\n1704164645000,{bad\n',
      target({ t: TIMESTAMP, j: JSON_TYPE }),
    );
    expect(rows).toEqual([[1704164645000, '{"a": 1}']]);
    expect(rejects).toEqual(['3 j: "{bad" is no JSON text']);
  });

  test('whatever RFC 4180 writes is read back', () => {
    const field = fc.oneof(fc.constant(null), fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', 'é') }));
    fc.assert(
      fc.property(fc.array(fc.tuple(field, field)), rows => {
        const write = (value: string | null): string => (value === null ? '' : `"${value.replaceAll('"', '""')}"`);
        const text = `x,y\n${rows.map(row => `${row.map(write).join(',')}\r\n`).join('')}`;
        const decoded = decode('csv', text, target({ x: STRING, y: STRING }));
        expect(decoded.rejects).toEqual([]);
        expect(decoded.rows).toEqual(rows);
      }),
    );
  });
});
