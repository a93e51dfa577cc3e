import { expect, test } from 'vitest';
import { LONG, STRING } from '../../../src/column/type.ts';
import { decodeMessages } from './messages.ts';
import { target } from './table.ts';

const table = target({ 'id!': LONG, name: STRING });
const csv = (...values: (Uint8Array | string | null)[]) => decodeMessages('csv', table, values);

test('CSV messages are records in the order of the columns', async () => {
  const { rows, messageOf, rejects } = await csv('1,a', null, '2,"b ""c"", d"\r\n', '3,\n4,""\n\n', '', '5,"x\ny"');
  expect(rejects).toEqual([]);
  expect(rows).toEqual([
    [1n, 'a'],
    [2n, 'b "c", d'],
    [3n, null],
    [4n, ''],
    [5n, 'x\ny'],
  ]);
  expect(messageOf).toEqual([0, 2, 3, 3, 5]);
});

test('CSV messages fail whole, and alone', async () => {
  const { rows, rejects } = await csv('1,"open', '2,close"', '3,a\nx,b', '4', '5,a,b', ',a', '6,ok', '7,"x"y');
  expect(rows).toEqual([[6n, 'ok']]);
  expect(rejects).toEqual([
    '0 null: a quoted field is not closed',
    '1 null: a quote inside an unquoted field; quote the whole field and double the quote',
    '2 id: "x" is not a LONG',
    '3 null: 1 fields where the table has 2',
    '4 null: 3 fields where the table has 2',
    '5 id: is NULL, but the column is NOT NULL',
    '7 null: text after the closing quote of a field',
  ]);
});

test('a character split over two CSV messages makes both invalid', async () => {
  const { rows, rejects } = await csv(Uint8Array.from([0x31, 0x2c, 0xc3]), Uint8Array.from([0xa9, 0x31, 0x2c]), '2,é');
  expect(rows).toEqual([[2n, 'é']]);
  expect(rejects.map(each => each.slice(0, 1))).toEqual(['0', '1']);
});
