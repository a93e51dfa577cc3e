import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { typeText } from '../../../src/column/type.ts';
import { decodeRows } from '../../../src/format/decode.ts';
import { inferColumns } from '../../../src/format/infer.ts';
import { requires, sharedData } from '../../support/requires.ts';
import { bytesOf } from './table.ts';

const infer = (lines: readonly object[]) => {
  const { columns, timeColumn } = inferColumns(bytesOf(lines.map(line => JSON.stringify(line)).join('\n')));
  return [
    ...columns.map(({ name, type, nullable }) => `${name} ${typeText(type)}${nullable ? '' : ' NOT NULL'}`),
    timeColumn,
  ];
};

describe('inferColumns', () => {
  test('types from values', () => {
    expect(
      infer([
        { ts: '2024-01-02T03:04:05Z', i: 1, n: 1, b: true, j: [1], s: 'x', d: '2024-01-02', mix: 1, none: null },
        {
          ts: '2024-01-02',
          i: 2 ** 40,
          n: 0.5,
          b: false,
          j: null,
          s: '2024-01-02',
          d: '2024-01-03',
          mix: 'x',
          none: null,
        },
      ]),
    ).toEqual([
      'ts TIMESTAMP NOT NULL',
      'i LONG',
      'n DOUBLE',
      'b BOOLEAN',
      'j JSON',
      's STRING',
      'd DATE',
      'mix STRING',
      'none STRING',
      'ts',
    ]);
  });

  test('integers beyond 64 bits stay exact as text', () => {
    const { columns } = inferColumns(bytesOf('{"a":1}\n{"a":18446744073709551616}\n'));
    expect(typeText(columns[0]!.type)).toBe('STRING');
  });

  test('the time column: by name, then one that is never null; milliseconds under such a name', () => {
    expect(infer([{ updated: '2024-01-02 03:04', event_time: '2024-01-02 03:04' }]).at(-1)).toBe('event_time');
    expect(
      infer([
        { ts: null, other: '2024-01-02 03:04' },
        { ts: '2024-01-02 03:04', other: '2024-01-02 03:04' },
      ]).at(-1),
    ).toBe('other');
    expect(infer([{ ts: 1704164645000, amount: 1704164645000 }])).toEqual([
      'ts TIMESTAMP NOT NULL',
      'amount LONG',
      'ts',
    ]);
    expect(infer([{ a: 1 }]).at(-1)).toBe(null);
  });

  test('a cut sample and lines that are no objects', () => {
    const { columns, rowCount } = inferColumns(bytesOf('{"a":1}\n[2]\n{"a":2,"b":"x'));
    expect(rowCount).toBe(1);
    expect(columns.map(column => column.name)).toEqual(['a']);
  });
});

requires('wikipedia')('the Wikipedia edits of 2015-09-12', () => {
  test('are inferred and read without a reject', () => {
    const bytes = gunzipSync(readFileSync(sharedData('wikiticker-2015-09-12-sampled.json.gz')));
    const { columns, timeColumn } = inferColumns(bytes.subarray(0, 1 << 20));
    expect(columns.length).toBe(20);
    expect(timeColumn).toBe('time');
    const target = { columns: columns.map((column, index) => ({ id: index + 1, defaultValue: null, ...column })) };
    const { accepted, rejected, batch } = decodeRows('ndjson', bytes, target);
    expect({ accepted, rejected }).toEqual({ accepted: 39244, rejected: 0 });
    const sum = (name: string): bigint => {
      const column = batch.columns[columns.findIndex(column => column.name === name)]!;
      return (column as { values: BigInt64Array }).values.reduce((total, value) => total + value, 0n);
    };
    expect([sum('added'), sum('deleted')]).toEqual([9385573n, 394298n]);
  });
});
