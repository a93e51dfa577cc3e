import { describe, expect, test } from 'vitest';
import { load, memoryFile } from './files.ts';

/** A column of CSV of these values: its type, and the first one as it is read. */
const column = async (name: string, values: readonly string[]) => {
  const file = memoryFile(`k,${name}\n${values.map((value, row) => `${row},${value}`).join('\n')}\n`, 'x.csv');
  const { columns, rows, rejects, table } = await load(file);
  expect(rejects).toEqual([]);
  return { column: columns[1], value: rows[0]![1], notes: table.notes.slice(1), timeColumn: table.timeColumn };
};

const at = Date.UTC(2021, 6, 21, 6, 0, 0);
const day = at / 86_400_000 - 0.25;

describe('a time', () => {
  const cases: readonly (readonly [values: string, type: string, value: unknown])[] = [
    ['2021-07-21T06:00:00Z', 'TIMESTAMP', at],
    ['2021-07-21 06:00:00', 'TIMESTAMP', at],
    ['2021-07-21T08:00:00.250+02:00', 'TIMESTAMP', at + 250],
    ['2021-07-21 06:00', 'TIMESTAMP', at],
    ['2021-07-21', 'DATE', day],
    ['2021-07-21|2021-07-21 07:00', 'TIMESTAMP', at - 21_600_000],
    ['2021/07/21 06:00', 'TIMESTAMP', at],
    ['2021/7/21', 'DATE', day],
    ['07/21/2021 06:00:00', 'TIMESTAMP', at],
    ['7/21/2021 6:00 AM|7/1/2021 6:00 PM', 'TIMESTAMP', at],
    ['07/21/2021|07/01/2021', 'DATE', day],
    ['21/07/2021|01/07/2021', 'DATE', day],
    ['21.07.2021 06:00', 'TIMESTAMP', at],
    ['"Wed, 21 Jul 2021 08:00:00 +0200"', 'TIMESTAMP', at],
    ['07/08/2021', 'STRING', '07/08/2021'],
    ['07/21/2021|21/07/2021', 'STRING', '07/21/2021'],
    ['2021-07-21|soon', 'STRING', '2021-07-21'],
  ];
  test.each(cases)('%s is %s', async (values, type, value) => {
    const found = await column('happened', values.split('|'));
    expect([found.column!.replace('!', ''), found.value]).toEqual([`happened ${type}`, value]);
  });

  test('what may be two days stays text, and is told of', async () => {
    expect((await column('d', ['07/08/2021', '01/02/2021'])).notes).toEqual([
      'd: times such as 07/08/2021 may be month/day or day/month: they stay text',
    ]);
  });

  test.each([
    [String(at / 1000), at],
    [String(at / 1000 + 0.25), at + 250],
    [String(at), at],
    [`${at}000`, at],
    [`${at}000000`, at],
  ])('%s is a time under a name that says so', async (value, ms) => {
    expect(await column('created_at', [value])).toMatchObject({
      column: 'created_at TIMESTAMP!',
      value: ms,
      timeColumn: 'created_at',
    });
    expect((await column('amount', [value])).column).toMatch(/^amount (LONG|DOUBLE)$/);
  });

  test('seconds in JSON', async () => {
    const { columns, rows } = await load(memoryFile(`{"ts":${at / 1000}}\n{"ts":null}\n`, 'x.ndjson'));
    expect([columns, rows]).toEqual([['ts TIMESTAMP'], [[at], [null]]]);
  });

  test('the time column: in every row first, then by its name', async () => {
    const { table } = await load(
      memoryFile(
        'updated,time,created\n2021-01-01 1:00,,2021-01-01 2:00\n2021-01-01 1:00,2021-01-01 1:00,2021-01-01 2:00\n',
        'x.csv',
      ),
    );
    expect(table.timeColumn).toBe('created');
  });
});

describe('a column of CSV', () => {
  const cases: readonly (readonly [values: string, type: string, value: unknown])[] = [
    ['1|-2|NA', 'LONG', 1n],
    ['9007199254740993|1', 'LONG', 9007199254740993n],
    ['18446744073709551615|1', 'DECIMAL(38,0)', 18446744073709551615n],
    [`1${'0'.repeat(38)}|1`, 'STRING', `1${'0'.repeat(38)}`],
    ['1.5|2|1e3', 'DOUBLE', 1.5],
    ['18446744073709551615|1.5', 'DOUBLE', 2 ** 64],
    ['true|FALSE', 'BOOLEAN', true],
    ['yes|no', 'STRING', 'yes'],
    ['01234|00001', 'STRING', '01234'],
    ['NA|x', 'STRING', 'NA'],
    ['|', 'STRING', null],
    ['f47ac10b-58cc-4372-a567-0e02b2c3d479', 'UUID', 'f47ac10b-58cc-4372-a567-0e02b2c3d479'],
    ['1|x', 'STRING', '1'],
  ];
  test.each(cases)('%s is %s', async (values, type, value) => {
    const found = await column('v', values.split('|'));
    expect([found.column, found.value]).toEqual([`v ${type}`, value]);
  });

  test('few distinct strings', async () => {
    const values = Array.from({ length: 200 }, (_, row) => `v${row % 5}`);
    expect((await column('s', values)).column).toBe('s STRING*');
    expect(
      (
        await column(
          's',
          values.map((value, row) => value + row),
        )
      ).column,
    ).toBe('s STRING');
  });
});

describe('names', () => {
  test('are cleaned, told apart, and still found', async () => {
    const text = '{"$id":1,"a\\u0000b":2," x ":3,"":4,"A":5,"a":6}\n';
    const { columns, rows } = await load(memoryFile(text, 'x.ndjson'));
    expect(columns.map(column => column.replace(' LONG', ''))).toEqual(['_id', 'a b', 'x', 'c4', 'A', 'a_2']);
    expect(rows).toEqual([[1n, 2n, 3n, 4n, 5n, 6n]]);
  });
});
